package store

import (
	"math"
	"strings"
	"testing"
	"time"

	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
)

// TestHostileRows reads what no writer should leave behind.
func TestHostileRows(t *testing.T) {
	b := storetest.New(t)
	run := b.Run(storetest.Run{Status: "running", Extra: statedb.Row{
		"completed_at": "soon", "total_tokens": "many", "pid": int64(1) << 40, "last_heartbeat": "never", "tags_json": `{"not":"a list"}`,
		"iterate_index": int64(-5), "iterate_total": int64(1) << 60, "input": []byte{0xff, 0xfe, 0}, "parent_run_id": "",
	}})
	b.Event(run, storetest.Event{Step: "a\x00b", State: "<b>", Message: strings.Repeat("x", 1<<20), Extra: statedb.Row{"timestamp": "x", "tokens_used": "y", "duration_ms": int64(-1) << 62}})
	b.Event(run, storetest.Event{Step: "a", Extra: statedb.Row{"persona": nil, "message": nil, "step_id": nil, "model": []byte{0xff}}})
	b.Insert("step_state", statedb.Row{"step_id": "z", "pipeline_id": run, "state": "levitating", "started_at": "x", "retry_count": "y"})
	b.Insert("step_state", statedb.Row{"step_id": "y", "pipeline_id": run, "state": "completed", "started_at": 1, "completed_at": int64(1) << 62})
	b.Insert("step_attempt", statedb.Row{"run_id": run, "step_id": "z", "attempt": int64(-1), "state": "odd", "started_at": "x", "duration_ms": int64(1) << 62})
	b.Insert("performance_metric", statedb.Row{"run_id": run, "step_id": "z", "pipeline_name": "p", "started_at": 0, "duration_ms": int64(1) << 62, "tokens_used": int64(-3)})
	for _, tokens := range []any{int64(math.MaxInt64), int64(math.MaxInt64), 1.5, "many"} {
		b.Insert("performance_metric", statedb.Row{"run_id": run, "step_id": "z", "pipeline_name": "p", "started_at": 0, "duration_ms": int64(1) << 53, "tokens_used": tokens})
	}
	b.Event(run, storetest.Event{State: "running", Message: "100000000000000000/100000000000000000 steps completed"})
	b.Exec(`INSERT INTO pipeline_run (run_id, pipeline_name, status, started_at) VALUES (NULL, 'x', 'running', 1), ('', 'x', 'running', 1)`)
	b.Exec(`INSERT INTO pipeline_run (run_id, pipeline_name, status, started_at) VALUES ('text', 'x', 'running', 'yesterday'), ('fraction', 'x', 'running', 1.5)`)
	past := b.Run(storetest.Run{Pipeline: "past", Status: "completed", Start: storetest.Base, End: storetest.Base.Add(time.Minute)})
	b.Insert("step_state", statedb.Row{"step_id": "s", "pipeline_id": past, "state": "completed", "started_at": storetest.Base.Unix(), "completed_at": storetest.Base.Unix()})
	for _, at := range []int64{math.MinInt64, math.MaxInt64} {
		b.Event(past, storetest.Event{Step: "s", State: "running", Extra: statedb.Row{"timestamp": at}})
	}
	d := openBuilt(t, b)
	if runs, err := d.pastOf(t.Context(), "past"); err != nil || len(runs) != 1 {
		t.Errorf("past: %v, %d runs", err, len(runs))
	} else if longest, n := diagnose.UsualSilence(runs, "s"); n != 0 {
		t.Errorf("%d runs tell a silence of %v by times that cannot be", n, longest)
	}
	page, err := d.page(t.Context(), criteria.RunFilter{})
	if err != nil || len(page.Runs) != 4 {
		t.Fatalf("page: %v, %d runs", err, len(page.Runs))
	}
	got := mustDetail(t, d, run)
	if got.Run.Tags != nil || got.Run.PID != 0 || got.Run.Duration < 0 {
		t.Errorf("run %+v", got.Run)
	}
	if p := got.Run.Progress; p == nil || *p < 0 || *p > 100 {
		t.Errorf("progress %v of %d steps", p, got.Run.StepsAll)
	}
	if n := got.Run.Tokens; n == nil || *n < 0 {
		t.Errorf("tokens %v", n)
	}
	for _, step := range got.Steps {
		if step.Duration < 0 || step.Tokens != nil && *step.Tokens < 0 {
			t.Errorf("step %s took %v and %d tokens", step.ID, step.Duration, *step.Tokens)
		}
	}
	if _, err := d.Entries(t.Context(), []string{run, "text", "fraction"}); err != nil {
		t.Error(err)
	}
	if _, err := d.spending(t.Context(), []string{run}); err != nil {
		t.Error(err)
	}
	if _, err := d.stepStats(t.Context(), []string{run}); err != nil {
		t.Error(err)
	}
	if _, err := d.page(t.Context(), criteria.RunFilter{Newer: &criteria.Cursor{T: 0, ID: "a"}}); err != nil {
		t.Error(err)
	}
	if _, err := d.pipelineHistory(t.Context(), "x"); err != nil {
		t.Error(err)
	}
	if _, err := d.events(t.Context(), criteria.EventFilter{Run: run}); err != nil {
		t.Error(err)
	}
}
