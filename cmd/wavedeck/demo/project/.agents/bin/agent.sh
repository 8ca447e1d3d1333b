# The answers of this example's personas: fixed texts, no model and no cost.
# claude and codex, beside this file, read it in the workspace of the step.

mkdir -p .agents/output
prompt=$(cat)

# say prints a line of progress, and takes as long as the work that it names.
say() {
  echo "$1" >&2
  sleep "${2:-2}"
}

catalogue() { # with the line of the rootstock, or without
  cat <<CATALOGUE
{
  "currency": "EUR",
  "trees": [
    {"name": "Boskoop", "rootstock": "M9", "price": 19.9},
    {"name": "Conference"$1, "price": 24.9}
  ]
}
CATALOGUE
}

answer() {
  case $WAVE_PIPELINE/$WAVE_STEP_ID in
  fix-bug/triage)
    say 'Grep "toFixed" in src' 2
    say 'Read src/basket/total.ts' 3
    cat <<'CAUSE'
{
  "file": "src/basket/total.ts",
  "line": 42,
  "cause": "The sum is rounded once at its end, and each line is shown rounded.",
  "certain": true
}
CAUSE
    ;;
  fix-bug/plan)
    say 'Read .agents/artifacts/cause.json' 4
    cat <<'PLAN'
# Plan

1. Add a test with three lines of 19.90 each.
2. Round each line before it is added, in `src/basket/total.ts`.
3. Change nothing else.
PLAN
    ;;
  fix-bug/repair)
    say 'Edit test/basket.test.ts' 3
    say 'Edit src/basket/total.ts' 4
    cat <<'PATCH'
--- a/src/basket/total.ts
+++ b/src/basket/total.ts
@@ -40,4 +40,4 @@
 export function total(lines: Line[]): number {
-  return round(lines.reduce((sum, l) => sum + l.price * l.count, 0));
+  return lines.reduce((sum, l) => sum + round(l.price * l.count), 0);
 }
PATCH
    ;;
  fix-bug/review)
    say 'Read .agents/artifacts/patch' 4
    printf '{"verdict": "approve", "findings": []}\n' | tee .agents/output/review.json
    ;;
  import-catalogue/convert)
    say 'Read .agents/output/pages.txt' 4
    case $prompt in
    *.pdf*) catalogue '' ;; # the columns of a scan run into each other
    *) catalogue ', "rootstock": "Quince A"' ;;
    esac > .agents/output/catalogue.json
    echo 'The price list is in .agents/output/catalogue.json: 2 trees.'
    ;;
  import-catalogue/convert-by-table)
    say 'Write tables.awk' 3
    say 'Bash awk -f tables.awk pages.txt' 4
    catalogue ', "rootstock": "Quince A"' > .agents/output/catalogue.json
    echo 'Read table by table, the list has a rootstock for each of its 2 trees.'
    ;;
  newsletter/draft)
    say 'Read .agents/output/news.txt' 3
    say 'Write the draft' 4
    cat <<'DRAFT'
# News from the orchard

- **Boskoop** is back, on M9, from 19.90 EUR.
- Conference keeps until February in a cool cellar.
- Bare-rooted trees are shipped from the first frost on.
DRAFT
    ;;
  newsletter/check-facts)
    say 'Read .agents/output/draft' 5
    echo 'All three claims are in the catalogue.'
    ;;
  restock/forecast)
    say 'Read .agents/artifacts/stock' 4
    printf '{\n  "verdict": "short",\n  "short": "40 Boskoop, 12 Conference"\n}\n'
    ;;
  supplier-prices/compare)
    say 'Read .agents/artifacts/prices' 5
    echo 'Two trees became dearer, by 3 % at most; one became cheaper.'
    ;;
  price-watch/summary)
    say 'Read the comparisons' 4
    printf '# Prices\n\nDearer: Regina (3 %%), Topaz (1 %%).\nCheaper: Gravenstein (2 %%).\n'
    ;;
  deploy-shop/announce)
    say 'Read the list of changes' 3
    printf '%s is live. The total of a basket is right to the cent. Nothing else changed for customers.\n' "$WAVE_INPUT"
    ;;
  load-test/report)
    say 'Read the figures' 4
    printf '# Load test\n\nWith %s at once, 95 of 100 pages came within 180 ms.\n' "$WAVE_INPUT"
    ;;
  *)
    echo 'Done.'
    ;;
  esac
}
