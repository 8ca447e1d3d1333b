package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/criteria"
	"wavedeck/store/storetest"
)

// crowd inserts n runs, perSecond of them in each second, whose ids are not in
// the order of their insertion. Every tenth is a child, every eleventh failed.
const crowdSQL = `
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
INSERT INTO pipeline_run (run_id, pipeline_name, status, input, started_at, completed_at, parent_run_id)
SELECT printf('run-%08x', (i * 7919) % 100000007), CASE WHEN i % 5000 = 0 THEN 'rare' ELSE 'common-' || (i % 7) END,
	CASE WHEN i % 11 = 0 THEN 'failed' ELSE 'completed' END, 'input ' || i, 1700000000 + i / ?, 1700000010 + i / ?,
	CASE WHEN i % 10 = 9 THEN printf('run-%08x', ((i - 1) * 7919) % 100000007) END
FROM n`

func crowd(t testing.TB, n, perSecond int) *storetest.Builder {
	t.Helper()
	b := storetest.New(t)
	b.Exec(crowdSQL, n, perSecond, perSecond)
	return b
}

func TestPagesHoldEveryRunOnce(t *testing.T) {
	const n = 400
	d := openTest(t, crowd(t, n, 150).Path, time.Unix(1700001000, 0), Options{})
	var want []string
	if err := d.Select(&want, `SELECT run_id FROM pipeline_run WHERE parent_run_id IS NULL ORDER BY started_at DESC, run_id DESC`); err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{3, 25, 100} {
		t.Run(fmt.Sprintf("with %d a page", limit), func(t *testing.T) {
			walk := func(f criteria.RunFilter, next func(criteria.RunPage) criteria.RunFilter) (ids []string, last criteria.RunPage) {
				for range n + 1 {
					page, err := d.page(t.Context(), f)
					if err != nil {
						t.Fatal(err)
					}
					last = page
					for _, r := range page.Runs {
						ids = append(ids, r.ID)
					}
					f = next(page)
					if f.Older == nil && f.Newer == nil {
						return ids, last
					}
				}
				t.Fatal("the pages have no end")
				return nil, last
			}
			older, last := walk(criteria.RunFilter{Limit: limit}, func(p criteria.RunPage) criteria.RunFilter { return criteria.RunFilter{Limit: limit, Older: p.Older} })
			if diff := cmp.Diff(want, older); diff != "" {
				t.Errorf("going back (-want +got)\n%s", diff)
			}
			from := criteria.Cursor{T: last.Runs[len(last.Runs)-1].StartedAt.Unix(), ID: last.Runs[len(last.Runs)-1].ID}
			newer := []string{from.ID}
			f := criteria.RunFilter{Limit: limit, Newer: &from}
			for f.Newer != nil {
				page, err := d.page(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range slices.Backward(page.Runs) {
					newer = append(newer, r.ID)
				}
				f.Newer = page.Newer
			}
			slices.Reverse(newer)
			if diff := cmp.Diff(want, newer); diff != "" {
				t.Errorf("going forward (-want +got)\n%s", diff)
			}
		})
	}
}

func TestPageEnds(t *testing.T) {
	d := openTest(t, crowd(t, 30, 300).Path, time.Unix(1700001000, 0), Options{})
	first, err := d.page(t.Context(), criteria.RunFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Runs) != criteria.DefaultLimit || first.Newer != nil || first.Older == nil {
		t.Fatalf("the first page has %d runs, newer %v, older %v", len(first.Runs), first.Newer, first.Older)
	}
	second, err := d.page(t.Context(), criteria.RunFilter{Older: first.Older})
	if err != nil {
		t.Fatal(err)
	}
	if len(second.Runs) != 2 || second.Newer == nil || second.Older != nil {
		t.Fatalf("the second page has %d runs, newer %v, older %v", len(second.Runs), second.Newer, second.Older)
	}
	back, err := d.page(t.Context(), criteria.RunFilter{Newer: second.Newer})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, back); diff != "" {
		t.Errorf("the way back (-first +back)\n%s", diff)
	}
}

// TestPlans holds the statements whose cost must not grow with the history to
// their indexes, before and after Wave let SQLite look at its tables: with
// those figures the planner prefers to sort the table where it is let.
func TestPlans(t *testing.T) {
	b := crowd(t, 6000, 3)
	check := func(t *testing.T) {
		d := openTest(t, b.Path, time.Unix(1700001000, 0), Options{})
		for _, tt := range []struct {
			name, query string
			args        []any
			want        string
		}{
			{"the first page", d.pageSQL(olderSQL), []any{int64(1<<63 - 1), "", 26}, "USING INDEX idx_run_started (started_at>? AND started_at<?)"},
			{"a page deep in the history", d.pageSQL(olderSQL), []any{1700001000, "run-0", 26}, "USING INDEX idx_run_started (started_at>? AND started_at<?)"},
			{"the page before", d.pageSQL(newerSQL), []any{1700001000, "run-0", 26}, "USING INDEX idx_run_started (started_at>? AND started_at<?)"},
			{"a common pipeline", pipelineRunsSQL, []any{"common-1", 100}, "USING INDEX idx_run_pipeline (pipeline_name=?)"},
			{"a rare pipeline", pipelineRunsSQL, []any{"rare", 100}, "USING INDEX idx_run_pipeline (pipeline_name=?)"},
			{"runs by id", d.recordsSQL(3), []any{"a", "b", "c"}, "SEARCH r USING INDEX sqlite_autoindex_pipeline_run_1 (run_id=?)"},
			{"a run's events", fmt.Sprintf(lastEventsSQL(), tuples(1, 1)), []any{"a"}, "SEARCH event_log USING COVERING INDEX idx_event_run (run_id=?)"},
			{"a run's new events", fmt.Sprintf(newEventsSQL, tuples(1, 3), "e.state"), []any{"a", 1, 2}, "SEARCH e USING INDEX idx_event_run (run_id=? AND rowid>? AND rowid<?)"},
			{"what came after an event", replaySQL, []any{1, 100}, "SEARCH event_log USING INTEGER PRIMARY KEY (rowid>?)"},
			{"runs that go on", openRunsSQL, []any{100}, "idx_run_status (status=?)"},
			{"runs that began lately", slotsSQL(), []any{1700000000}, "idx_run_status (status=?)"},
			{"children that go on", fmt.Sprintf(openBelowSQL, in(2)), []any{"a", "b", 100}, "idx_run_parent (parent_run_id=?)"},
			{"how many children", fmt.Sprintf(childCountsSQL, "AND c.run_id IS NULL", "r.current_step", "LEFT JOIN cancellation c ON c.run_id = r.run_id", in(2)), []any{"a", "b"}, "idx_run_parent (parent_run_id=?)"},
			{"tokens beneath runs", fmt.Sprintf(subtreeSQL, "(?),(?)", 100, "total(r.total_tokens)"), []any{"a", "b"}, "idx_run_parent (parent_run_id=?)"},
			{"what follows a batch", fmt.Sprintf(followersSQL, "r.run_id"), []any{1700000000, "a", maxFollowed, "common-1", maxItems}, "USING COVERING INDEX idx_run_started (started_at>?)"},
			{"tokens of runs", fmt.Sprintf(metricTokensSQL(), in(2)), []any{"a", "b"}, "idx_perf_run (run_id=?)"},
			{"steps of runs", fmt.Sprintf(stepWordsSQL, in(2)), []any{"a", "b"}, "idx_step_pipeline_id (pipeline_id=?)"},
			{"good runs of a pipeline", fmt.Sprintf(pastRunsSQL(), "r.run_kind", "r.current_step"), []any{"common-1", 400, "", 100}, "idx_run_pipeline (pipeline_name=?)"},
			{"what events say of failures", fmt.Sprintf(failureTextsSQL, tuples(1, 1), 100, 64), []any{"a"}, "SEARCH event_log USING COVERING INDEX idx_event_run (run_id=?)"},
			{"artifacts of the newest runs of a pipeline", "SELECT a.id FROM " + pipelineArtifacts, []any{"common-1", 50, 100}, "USING COVERING INDEX idx_artifact_run (run_id=?)"},
			{"artifacts that come next", "SELECT a.path FROM " + nextArtifacts, []any{1, 100}, "USING INTEGER PRIMARY KEY (rowid>?)"},
			{"the ends of a run's events", fmt.Sprintf(tailsSQL(), tuples(1, 1)), []any{"a"}, "SEARCH event_log USING COVERING INDEX idx_event_run (run_id=?)"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				plan := explain(t, d, tt.query, tt.args...)
				if !strings.Contains(plan, tt.want) {
					t.Errorf("want %s in the plan\n%s", tt.want, plan)
				}
				sortsFewRows := strings.HasPrefix(tt.name, "the ends") // ten a run
				for _, scan := range []string{"SCAN r\n", "SCAN r USING", "SCAN e", "B-TREE FOR ORDER BY"} {
					if strings.Contains(plan, scan) && !(sortsFewRows && strings.HasPrefix(scan, "B-TREE")) {
						t.Errorf("do not want %s in the plan\n%s", scan, plan)
					}
				}
			})
		}
	}
	t.Run("before ANALYZE", check)
	b.Exec(`PRAGMA analysis_limit = 1000`)
	b.Exec(`ANALYZE`)
	t.Run("after ANALYZE", check)
}

func explain(t *testing.T, d *database, query string, args ...any) string {
	t.Helper()
	var rows []struct {
		ID      int    `db:"id"`
		Parent  int    `db:"parent"`
		NotUsed int    `db:"notused"`
		Detail  string `db:"detail"`
	}
	if err := d.Select(&rows, "EXPLAIN QUERY PLAN "+query, args...); err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for _, r := range rows {
		fmt.Fprintln(&plan, r.Detail)
	}
	return plan.String()
}
