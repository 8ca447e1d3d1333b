package demo

import (
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	historyDays = 14
	day         = 24 * time.Hour
)

// addHistory plans the fortnight before the epoch: ordinary days, and among
// them each way a run can end.
func (r *recording) addHistory() {
	luck := rand.New(rand.NewPCG(r.seed, 1<<32))
	year, month, date := r.epoch.Date()
	midnight := time.Date(year, month, date, 0, 0, 0, 0, r.epoch.Location()).Sub(r.epoch)
	for d := historyDays; d >= 1; d-- {
		r.addDay(midnight-time.Duration(d)*day, d, luck)
	}
	r.addSpecials()
	r.addUnderway()
}

func bugs() []string {
	return []string{
		"#431 <b>Äpfel & Birnen</b> shows its tags",
		"#418 the apple filter shows pears",
		"#422 total is off by one cent for 3 × 19,90",
		"#425 order mail has no rootstock",
		"#429 \"Früh's Reine Claude\" cannot be found",
		"#440 basket is empty after the login",
		"#443 delivery week 53 does not exist",
	}
}

// addDay plans one ordinary day; left is how many days before the epoch it is.
func (r *recording) addDay(midnight time.Duration, left int, luck *rand.Rand) {
	minutes := func(n int) time.Duration { return time.Duration(luck.IntN(n)) * time.Minute }
	release := fmt.Sprintf("v%d.%d", r.epoch.Year(), 40+historyDays-left)

	night := plan{pipeline: "restock", input: "tonight", at: midnight + 2*time.Hour, tags: []string{"nightly"}}
	switch left % 3 {
	case 0:
		night.steps = map[string]fate{"forecast": {result: findsNothing}}
	case 1:
		night.steps = map[string]fate{"order": {result: skips}}
	default:
		night.steps = map[string]fate{"order": {message: "40 Boskoop, 12 Conference"}}
	}
	r.add(night)
	if left%3 == 1 {
		r.add(plan{pipeline: "price-watch", input: "all", at: midnight + 6*time.Hour, tags: []string{"nightly"}})
	}
	for range 2 {
		build := plan{pipeline: "build-shop", input: "main", at: midnight + 8*time.Hour + minutes(9*60), branch: "main"}
		if luck.IntN(4) == 0 {
			build.steps = map[string]fate{"unit-tests": {result: fails, message: testFailure}}
		}
		r.add(build)
	}
	bug := plan{
		pipeline: "fix-bug", input: bugs()[left%len(bugs())], at: midnight + 9*time.Hour + minutes(7*60),
		branch: fmt.Sprintf("fix/%d", 418+left), tags: []string{"bug"},
	}
	if luck.IntN(3) == 0 {
		bug.steps = map[string]fate{"review": {failed: 1}}
	}
	r.add(bug)
	if left%2 == 0 {
		r.add(plan{pipeline: "deploy-shop", input: release, at: midnight + 15*time.Hour + minutes(60), tags: []string{"release"}})
	}
	if left%5 == 0 {
		r.add(plan{
			pipeline: "newsletter", input: r.epoch.Add(midnight).Month().String(), at: midnight + 10*time.Hour + minutes(60),
			steps: map[string]fate{"pictures": {result: fails, message: "pictures.sh: 404 for boskoop.jpg\n"}},
		})
	}
	if left%4 == 0 {
		r.add(plan{
			pipeline: "import-catalogue", input: "suppliers/kessler.xlsx", at: midnight + 11*time.Hour + minutes(90),
			steps: map[string]fate{"convert": {failed: luck.IntN(2)}},
		})
	}
}

const testFailure = `
  1) basket total
       rounds each line before it adds:
      AssertionError: expected 59.7 to equal 59.70
      at test/basket.test.ts:42:18

  1 failing, 211 passing
`

// addSpecials plans one run for each way to end that ordinary days do not have.
func (r *recording) addSpecials() {
	ago := func(d time.Duration) time.Duration { return -d }

	failed := r.add(plan{
		pipeline: "import-catalogue", input: "suppliers/baumann.pdf", at: ago(50 * time.Hour),
		steps: map[string]fate{"convert": {result: breaks, failed: 3}},
	})
	r.add(plan{
		pipeline: "import-catalogue", input: "suppliers/baumann.pdf", at: ago(49 * time.Hour),
		parent: &descent{run: failed, step: "convert", kind: "resume"},
	})
	r.add(plan{
		pipeline: "import-catalogue", input: "suppliers/verger-du-lac.html", at: ago(30 * time.Hour),
		steps: map[string]fate{"convert": {result: isReworked, failed: 2}},
	})
	r.add(plan{
		pipeline: "import-catalogue", input: "suppliers/hollis.docx", at: ago(28 * time.Hour), end: refused,
		steps: map[string]fate{"": {message: "preflight check failed: 2 problems\n  - tool \"pdftotext\" is not installed\n  - tool \"xlsx2csv\" is not installed"}},
	})
	source := r.add(plan{
		pipeline: "fix-bug", input: bugs()[2], at: ago(26 * time.Hour), branch: "fix/422", tags: []string{"bug"},
		steps: map[string]fate{"unit-tests": {result: fails, message: testFailure}},
	})
	r.add(plan{pipeline: "fix-bug", input: bugs()[2], at: ago(25 * time.Hour), branch: "fix/422-again", tags: []string{"bug"}, fork: source})
	r.add(plan{
		pipeline: "fix-bug", input: bugs()[5], at: ago(5 * time.Hour), branch: "fix/440", tags: []string{"bug"},
		steps: map[string]fate{"review": {result: isRejected}},
	})
	r.add(plan{
		pipeline: "deploy-shop", input: "v2026.39", at: ago(75 * time.Hour), tags: []string{"release"},
		steps: map[string]fate{"approve": {result: declines, took: 90 * time.Minute}},
	})
	r.add(plan{
		pipeline: "price-watch", input: "all", at: ago(4 * time.Hour),
		steps: map[string]fate{"Verger du Lac": {result: fails, message: "prices.sh: verger.test: connection refused\n"}},
	})
	r.add(plan{
		pipeline: "load-test", input: "200 customers", at: ago(27 * time.Hour), end: interrupted, endAt: 11 * time.Minute,
		steps: map[string]fate{"warm-up": {took: 12 * time.Second}, "rush": {took: time.Hour}},
	})
	r.add(plan{
		pipeline: "load-test", input: "500 customers", at: ago(7 * time.Hour), end: stopped, endAt: 24 * time.Minute,
		steps: map[string]fate{"warm-up": {took: 12 * time.Second}, "rush": {took: time.Hour}},
	})
	r.add(plan{
		pipeline: "load-test", input: "900 customers", at: ago(3 * time.Hour), end: vanished, endAt: 17 * time.Minute,
		steps: map[string]fate{"warm-up": {took: 12 * time.Second}, "rush": {took: time.Hour}},
	})
	r.add(plan{
		pipeline: "newsletter", input: "Pruning", at: ago(6 * day), end: reaped, endAt: 2 * time.Minute,
		steps: map[string]fate{"draft": {took: 6 * time.Minute}},
	})
	r.add(plan{pipeline: "build-shop", input: "spring-sale", at: ago(31 * time.Hour), branch: "spring-sale", end: outraced})
	r.addComposition(ago(52 * time.Hour))
}

// addComposition plans a run whose outer row nobody ever moves on from pending.
func (r *recording) addComposition(at time.Duration) {
	outer := r.add(plan{pipeline: "restock", input: "then newsletter", at: at, end: abandoned})
	for i, name := range []string{"restock", "newsletter"} {
		r.add(plan{
			pipeline: name, input: "", at: at + time.Second + time.Duration(i)*20*time.Minute,
			steps:  map[string]fate{"order": {result: skips}},
			parent: &descent{run: outer, kind: "sub_pipeline_child"},
		})
	}
}

// addUnderway plans runs that the epoch finds at work and that end long after it.
func (r *recording) addUnderway() {
	r.add(plan{
		pipeline: "load-test", input: "300 customers", at: -21 * time.Minute,
		steps: map[string]fate{"warm-up": {took: 12 * time.Second}, "rush": {took: time.Hour}},
	})
	r.add(plan{
		pipeline: "deploy-shop", input: "v2026.54", at: -6 * time.Minute, tags: []string{"release"},
		steps: map[string]fate{"approve": {took: 45 * time.Minute}},
	})
}
