package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/criteria"
	"wavedeck/store/sqlite"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// openBuilt opens what b wrote, an hour after its first run began.
func openBuilt(t *testing.T, b *storetest.Builder, defs ...wave.StepDef) *testReader {
	t.Helper()
	return openTest(t, b.Path, storetest.Base.Add(time.Hour), Options{Definition: func(string) []wave.StepDef { return defs }})
}

// fresh is a heartbeat that keeps a run alive for openBuilt.
var fresh = storetest.Base.Add(time.Hour)

func mustDetail(t *testing.T, d *testReader, id string) wave.RunDetail {
	t.Helper()
	detail, err := d.Detail(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return detail
}

func TestDetail(t *testing.T) {
	t.Run("progress of another run never shows", func(t *testing.T) {
		b := storetest.New(t)
		mine := b.Run(storetest.Run{Status: "running", Heartbeat: fresh})
		other := b.Run(storetest.Run{Status: "running", Heartbeat: fresh})
		b.Event(mine, storetest.Event{Step: "a"})
		b.Event(other, storetest.Event{Step: "a"})
		b.Insert("step_progress", statedb.Row{"step_id": "a", "run_id": other, "state": "running", "progress": 40, "current_action": "reading", "updated_at": 1})
		b.Insert("pipeline_progress", statedb.Row{"run_id": other, "total_steps": 4, "completed_steps": 1, "overall_progress": 30, "updated_at": 1})
		d := openBuilt(t, b)
		if got := mustDetail(t, d, mine); got.Steps[0].Progress != nil || got.Steps[0].Action != "" || got.Run.StepsAll != 1 {
			t.Errorf("got %+v of %d", got.Steps[0], got.Run.StepsAll)
		}
		got := mustDetail(t, d, other)
		if p := got.Steps[0].Progress; p == nil || *p != 40 || got.Steps[0].Action != "reading" || *got.Run.Progress != 30 || got.Run.StepsDone != 1 || got.Run.StepsAll != 4 {
			t.Errorf("got %+v, run %+v", got.Steps[0], got.Run)
		}
	})
	t.Run("a step's row of a later run is not taken for this one's", func(t *testing.T) {
		b := storetest.NewVersion(t, 6)
		first := b.Run(storetest.Run{Status: "failed"})
		second := b.Run(storetest.Run{})
		b.Event(first, storetest.Event{Step: "a"})
		b.Event(first, storetest.Event{Step: "a", State: "failed", Message: "boom"})
		b.Step(second, storetest.Step{ID: "a"})
		got := mustDetail(t, openBuilt(t, b), first)
		if len(got.Steps) != 1 || got.Steps[0].State != wave.Failed || got.Steps[0].Error != "boom" || got.Run.Error != "boom" {
			t.Errorf("got %+v, error %q", got.Steps, got.Run.Error)
		}
	})
	t.Run("a gate waits, and so does its run", func(t *testing.T) {
		b := storetest.New(t)
		run := b.Run(storetest.Run{Status: "running", Heartbeat: fresh})
		b.Event(run, storetest.Event{Step: "approve", Message: "gate step: approval"})
		b.Event(run, storetest.Event{State: "gate_waiting"})
		b.Event(run, storetest.Event{Step: "other"})
		got := mustDetail(t, openBuilt(t, b), run)
		if got.Run.State != wave.Waiting || got.Steps[0].State != wave.Waiting || got.Steps[1].State != wave.Running {
			t.Errorf("run %s, steps %s %s", got.Run.State, got.Steps[0].State, got.Steps[1].State)
		}
	})
	t.Run("a fan-out with a failed item failed although its last writer won", func(t *testing.T) {
		b := storetest.New(t)
		run := b.Run(storetest.Run{})
		b.Event(run, storetest.Event{Step: "areas"})
		b.Step(run, storetest.Step{ID: "areas"})
		for i, status := range []string{"completed", "failed", "completed"} {
			b.Run(storetest.Run{Parent: run, ParentStep: "areas", Status: status, Kind: "iterate_child", IterateIndex: i, IterateTotal: 3})
		}
		d := openBuilt(t, b)
		got := mustDetail(t, d, run)
		if s := got.Steps[0]; s.State != wave.Failed || s.Note != "1 of 3 children failed" || s.Children != (wave.ChildCounts{All: 3, Ended: 3, Failed: 1}) {
			t.Errorf("got %+v", s)
		}
		b.Run(storetest.Run{Parent: run, ParentStep: "areas", Kind: "iterate_child", IterateIndex: 1, IterateTotal: 3})
		if s := mustDetail(t, d, run).Steps[0]; s.State != wave.Succeeded {
			t.Errorf("with the item retried: %+v", s)
		}
		b.Run(storetest.Run{Parent: run, ParentStep: "areas", Status: "failed", Kind: "resume"})
		if s := mustDetail(t, d, run).Steps[0]; s.State != wave.Succeeded {
			t.Errorf("with a resumed run beside: %+v", s)
		}
	})
	t.Run("children follow their parents at any depth", func(t *testing.T) {
		b := storetest.New(t)
		top := b.Run(storetest.Run{Status: "running", Heartbeat: storetest.Base})
		middle := b.Run(storetest.Run{Status: "running", Parent: top, Kind: "sub_pipeline_child"})
		bottom := b.Run(storetest.Run{Status: "running", Parent: middle, Kind: "sub_pipeline_child"})
		b.Event(bottom, storetest.Event{At: fresh})
		d := openBuilt(t, b)
		told, err := d.derived(t.Context(), []string{top, middle, bottom, "no such run"})
		if err != nil {
			t.Fatal(err)
		}
		states := map[string]wave.State{}
		for id, r := range told {
			states[id] = r.State
		}
		if diff := cmp.Diff(map[string]wave.State{top: wave.Lost, middle: wave.Lost, bottom: wave.Lost}, states); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if got := mustDetail(t, d, top).Run.Children; got != (wave.ChildCounts{All: 1, Ended: 1}) {
			t.Errorf("children %+v", got)
		}
	})
	t.Run("runs that are each other's parent are told all the same", func(t *testing.T) {
		b := storetest.New(t)
		b.Run(storetest.Run{ID: "a", Parent: "b", Status: "running", Heartbeat: fresh})
		b.Run(storetest.Run{ID: "b", Parent: "a", Status: "running", Heartbeat: fresh})
		b.Run(storetest.Run{ID: "c", Parent: "c", Status: "running", Heartbeat: fresh})
		d := openBuilt(t, b)
		for _, id := range []string{"a", "b", "c"} {
			if got := mustDetail(t, d, id).Run.State; got != wave.Running {
				t.Errorf("%s is told %s", id, got)
			}
		}
	})
	t.Run("a run without records of its steps does not make them up", func(t *testing.T) {
		b := storetest.New(t)
		run := b.Run(storetest.Run{})
		got := mustDetail(t, openBuilt(t, b, wave.StepDef{ID: "a"}, wave.StepDef{ID: "b", Dependencies: []string{"a"}}), run)
		for _, s := range got.Steps {
			if s.State != wave.Unknown || s.Note != "" {
				t.Errorf("got %+v", s)
			}
		}
	})
	t.Run("a dry run has run no step", func(t *testing.T) {
		b := storetest.New(t)
		run := b.Run(storetest.Run{CurrentStep: wave.ReasonDryRun})
		got := mustDetail(t, openBuilt(t, b, wave.StepDef{ID: "a"}), run)
		if s := got.Steps[0]; s.State != wave.Skipped || s.Note != "dry run" || !got.Run.DryRun {
			t.Errorf("got %+v", s)
		}
	})
	t.Run("a run that failed before its first step names the reason", func(t *testing.T) {
		b := storetest.New(t)
		run := b.Run(storetest.Run{Status: "failed", CurrentStep: "preflight: adapter claude is not installed\n- install it"})
		got := mustDetail(t, openBuilt(t, b, wave.StepDef{ID: "a"}), run)
		if got.Run.Error != "preflight: adapter claude is not installed\n- install it" || got.Steps[0].State != wave.Skipped {
			t.Errorf("error %q, step %+v", got.Run.Error, got.Steps[0])
		}
	})
	t.Run("another writer's current step is no error", func(t *testing.T) {
		b := storetest.NewVersion(t, 6)
		run := b.Run(storetest.Run{Status: "failed", CurrentStep: "implement", Error: "boom"})
		live := b.Run(storetest.Run{Status: "running", CurrentStep: "plan", Start: fresh})
		d := openBuilt(t, b)
		if got := mustDetail(t, d, run).Run.Error; got != "boom" {
			t.Errorf("error %q", got)
		}
		if got := mustDetail(t, d, live).Run; got.Error != "" || !slices.Equal(got.Current, []string{"plan"}) {
			t.Errorf("error %q, at %v", got.Error, got.Current)
		}
	})
	t.Run("the definition gives the order, and steps it gained later are left out", func(t *testing.T) {
		b := storetest.New(t)
		run := b.Run(storetest.Run{})
		b.Event(run, storetest.Event{State: "started", Message: `input="" steps=2`})
		b.Event(run, storetest.Event{Step: "b", State: "completed"})
		b.Event(run, storetest.Event{Step: "gone", State: "completed"})
		got := mustDetail(t, openBuilt(t, b, wave.StepDef{ID: "new"}, wave.StepDef{ID: "b"}), run)
		if len(got.Steps) != 2 || got.Steps[0].ID != "b" || got.Steps[1].ID != "gone" || got.Run.StepsAll != 2 {
			t.Errorf("got %+v", got.Steps)
		}
	})
	t.Run("a cycle in the definition ends", func(t *testing.T) {
		b := storetest.New(t)
		run := b.Run(storetest.Run{Status: "failed", Error: "no"})
		got := mustDetail(t, openBuilt(t, b, wave.StepDef{ID: "a", Dependencies: []string{"b"}}, wave.StepDef{ID: "b", Dependencies: []string{"a", "a", "c"}}), run)
		if len(got.Steps) != 2 {
			t.Errorf("got %+v", got.Steps)
		}
	})
	t.Run("a preview belongs to the run that left it", func(t *testing.T) {
		b := storetest.New(t)
		run := b.Run(storetest.Run{})
		for i, owner := range []string{run, "another"} {
			id := b.Artifact(run, storetest.Artifact{Step: "a", Name: fmt.Sprint("out", i)})
			b.Insert("artifact_metadata", statedb.Row{"artifact_id": id, "run_id": owner, "step_id": "a", "preview_text": "seen", "mime_type": "text/plain", "indexed_at": 1})
		}
		got := mustDetail(t, openBuilt(t, b), run).Artifacts
		if len(got) != 2 || got[0].Preview != "seen" || got[0].MIME != "text/plain" || got[1].Preview != "" || got[1].MIME != "" {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("what a step is doing is its latest activity", func(t *testing.T) {
		b := storetest.New(t)
		run := b.Run(storetest.Run{Status: "running", Heartbeat: fresh})
		b.Event(run, storetest.Event{Step: "a"})
		b.Event(run, storetest.Event{Step: "a", State: "stream_activity", Message: "Read go.mod"})
		b.Event(run, storetest.Event{Step: "a", State: "stream_activity", Message: "Edit main.go"})
		if got := mustDetail(t, openBuilt(t, b), run).Steps[0].Action; got != "Edit main.go" {
			t.Errorf("action %q", got)
		}
	})
	t.Run("how long a reaped run worked is not known", func(t *testing.T) {
		b := storetest.New(t)
		run := b.Run(storetest.Run{Status: "failed", Error: wave.ReasonGone})
		if got := mustDetail(t, openBuilt(t, b), run).Run; got.State != wave.Lost || got.HasDuration {
			t.Errorf("told %s after %v", got.State, got.Duration)
		}
	})
	t.Run("events are counted as they come", func(t *testing.T) {
		b := storetest.New(t)
		run := b.Run(storetest.Run{Status: "running", Heartbeat: fresh})
		d := openBuilt(t, b)
		var first int64
		for n := range int64(4) {
			got := mustDetail(t, d, run)
			if got.Events != n || got.FirstID != first || got.LastID != first+max(n-1, 0) {
				t.Errorf("after %d: %d events, %d to %d", n, got.Events, got.FirstID, got.LastID)
			}
			if id := b.Event(run, storetest.Event{Step: "a"}); n == 0 {
				first = id
			}
		}
	})
	t.Run("a run that does not exist is not found", func(t *testing.T) {
		d := openBuilt(t, storetest.New(t))
		if _, err := d.Detail(t.Context(), "nope"); !errors.Is(err, ErrNotFound) {
			t.Errorf("got %v", err)
		}
		if _, err := d.run(t.Context(), "nope"); !errors.Is(err, ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
}

func TestRunsByIDKeepsOrder(t *testing.T) {
	d := openTest(t, storetest.Crowd(t, 300, 3).Path, sampleNow, Options{})
	var ids []string
	if err := d.Select(&ids, `SELECT run_id FROM pipeline_run ORDER BY run_id`); err != nil {
		t.Fatal(err)
	}
	runs, err := d.RunsByID(t.Context(), slices.Insert(slices.Clone(ids), 7, "no such run"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range runs {
		got = append(got, r.ID)
	}
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestEventWindows(t *testing.T) {
	d := openSample(t)
	const run = "ship-gate-20261123-003811-f0a7" // events 1 to 14
	for _, tt := range []struct {
		name        string
		f           criteria.EventFilter
		first, last int64
		n           int
	}{
		{"all", criteria.EventFilter{}, 1, 14, 14},
		{"the first three", criteria.EventFilter{Limit: 3}, 1, 3, 3},
		{"the last three", criteria.EventFilter{Limit: 3, Newest: true}, 12, 14, 3},
		{"after an id", criteria.EventFilter{After: 10}, 11, 14, 4},
		{"before an id", criteria.EventFilter{Before: 5}, 1, 4, 4},
		{"the page before an id", criteria.EventFilter{Before: 10, Limit: 2, Newest: true}, 8, 9, 2},
		{"between ids", criteria.EventFilter{After: 3, Before: 7}, 4, 6, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.f.Run = run
			got, err := d.events(t.Context(), tt.f)
			if err != nil || len(got) != tt.n || got[0].ID != tt.first || got[len(got)-1].ID != tt.last {
				t.Errorf("got %d events (%v): %+v", len(got), err, got)
			}
		})
	}
}

// TestEverySchema reads a run of each schema through every method.
func TestEverySchema(t *testing.T) {
	for version := statedb.Oldest; version <= statedb.Latest; version++ {
		t.Run(fmt.Sprint("schema ", version), func(t *testing.T) {
			b := storetest.NewVersion(t, version)
			run := b.Run(storetest.Run{Status: "failed", CurrentStep: `step "soak" failed: signal: killed`, Tokens: 30, Kind: "resume"})
			b.Event(run, storetest.Event{Step: "soak", Persona: "craftsman"})
			b.Event(run, storetest.Event{Step: "soak", State: "step_progress", Tokens: 30})
			b.Event(run, storetest.Event{Step: "soak", State: "failed", Message: "signal: killed"})
			b.Step(run, storetest.Step{ID: "soak", State: "failed", Error: "signal: killed"})
			b.Attempt(run, storetest.Attempt{Step: "soak", State: "failed", Error: "signal: killed"})
			b.Artifact(run, storetest.Artifact{Step: "soak", Name: "log"})
			b.Cancel(run)
			d := openBuilt(t, b)
			got := mustDetail(t, d, run)
			if got.Run.State != wave.Cancelled || len(got.Steps) != 1 || got.Steps[0].State != wave.Cancelled || len(got.Steps[0].Attempts) != 1 ||
				*got.Steps[0].Tokens != 30 || len(got.Artifacts) != 1 || got.Events != 3 {
				t.Errorf("got %s\n%+v", summary(got), got)
			}
			if page, err := d.page(t.Context(), criteria.RunFilter{}); err != nil || len(page.Runs) != 1 {
				t.Errorf("page: %v %+v", err, page)
			}
			if h, err := d.pipelineHistory(t.Context(), "build"); err != nil || h.Cancelled != 1 {
				t.Errorf("history: %v %+v", err, h)
			}
		})
	}
	t.Run("an empty file", func(t *testing.T) {
		d := NewReader(RowsOf(&sqlite.DB{DB: storetest.New(t).DB}), Options{}) // of a schema without any table
		if page, err := d.page(t.Context(), criteria.RunFilter{}); err != nil || len(page.Runs) != 0 {
			t.Errorf("page: %v %+v", err, page)
		}
		if _, err := d.Detail(t.Context(), "x"); !errors.Is(err, ErrNotFound) {
			t.Errorf("detail: %v", err)
		}
	})
}
