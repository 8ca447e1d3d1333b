package sqlite

import (
	"fmt"
	"strings"
	"testing"

	"wavedeck/store/criteria"
	"wavedeck/store/storetest"
)

// TestPlans holds the statements whose cost must not grow with the history to
// their indexes, before and after Wave let SQLite look at its tables: with
// those figures the planner prefers to sort the table where it is let.
func TestPlans(t *testing.T) {
	b := storetest.Crowd(t, 6000, 3)
	check := func(t *testing.T) {
		d := openPlain(t, b.Path)
		for _, tt := range []struct {
			name, query string
			args        []any
			want        string
		}{
			{"the first page", RowsOf(d).placeRows.pageSQL(olderSQL), []any{int64(1<<63 - 1), "", 26}, "USING INDEX idx_run_started (started_at>? AND started_at<?)"},
			{"a page deep in the history", RowsOf(d).placeRows.pageSQL(olderSQL), []any{1700001000, "run-0", 26}, "USING INDEX idx_run_started (started_at>? AND started_at<?)"},
			{"the page before", RowsOf(d).placeRows.pageSQL(newerSQL), []any{1700001000, "run-0", 26}, "USING INDEX idx_run_started (started_at>? AND started_at<?)"},
			{"a common pipeline", pipelineRunsSQL, []any{"common-1", 100}, "USING INDEX idx_run_pipeline (pipeline_name=?)"},
			{"a rare pipeline", pipelineRunsSQL, []any{"rare", 100}, "USING INDEX idx_run_pipeline (pipeline_name=?)"},
			{"runs by id", RowsOf(d).runRows.recordsSQL(3), []any{"a", "b", "c"}, "SEARCH r USING INDEX sqlite_autoindex_pipeline_run_1 (run_id=?)"},
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

func explain(t *testing.T, d *DB, query string, args ...any) string {
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

// TestLogPlans holds every query of a log to the run's part of the index, before
// and after SQLite has looked at the tables: one run has nearly all events.
func TestLogPlans(t *testing.T) {
	b := storetest.New(t)
	run := b.LongRun(3000, 20)
	b.Event(b.Run(storetest.Run{}), storetest.Event{})
	check := func(t *testing.T) {
		d := openPlain(t, b.Path)
		for name, f := range map[string]criteria.LogFilter{
			"no filter": {}, "a step": {Step: "step-01"}, "states": {States: []string{"failed", "running"}}, "a text": {Text: "x"},
			"all of them": {Step: "step-01", States: []string{"failed"}, Text: "x"},
		} {
			for _, w := range []criteria.LogWindow{{}, {After: 100}, {Before: 2000, Newest: true}, {Newest: true}, {After: 1, Before: 2}} {
				t.Run(fmt.Sprintf("%s %+v", name, w), func(t *testing.T) {
					f.Run = run
					query, args := RowsOf(d).logRows.logQuery(f, RowsOf(d).logRows.eventColumns(), w)
					plan := explain(t, d, query, args...)
					if !strings.Contains(plan, "USING INDEX idx_event_run (run_id=? AND rowid>?") || strings.Contains(plan, "B-TREE") {
						t.Errorf("%s\n%s", query, plan)
					}
				})
			}
		}
	}
	t.Run("before ANALYZE", check)
	b.Exec(`PRAGMA analysis_limit = 1000`)
	b.Exec(`ANALYZE`)
	t.Run("after ANALYZE", check)
}

func TestStepStatsWalkTheRunsOnly(t *testing.T) {
	d := openPlain(t, storetest.StatePath(storetest.Project(t)))
	for _, source := range triedSources() {
		rows, err := d.QueryxContext(t.Context(), "EXPLAIN QUERY PLAN "+fmt.Sprintf(source.query, in(2)), "a", "b", 1)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(detail, "SCAN") {
				t.Errorf("%s: %s", source.table, detail)
			}
		}
	}
}
