package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"wavedeck/store/feed"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

const runningRow = `INSERT INTO pipeline_run (run_id, pipeline_name, status, started_at, last_heartbeat, parent_run_id) ` +
	`VALUES ('%s', 'build', 'running', unixepoch(), unixepoch(), NULLIF('%s', ''))`

func TestChanges(t *testing.T) {
	b := storetest.New(t)
	b.Run(storetest.Run{ID: "ended"})
	s, sub := followed(t, b.Path, Options{})
	opens(t, s, sub)
	w := startWriter(t, b.Path)
	state := func(t *testing.T, id string) wave.State {
		t.Helper()
		r, err := s.Run(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return r.State
	}

	t.Run("a run without any event appears", func(t *testing.T) {
		w.exec(runningRow, "r", "")
		until(t, sub, "the run in a new list", func(c feed.Change) bool { return c.List && namesRun("r")(c) })
	})
	t.Run("an event names its run and step and moves the cursor", func(t *testing.T) {
		w.exec("INSERT INTO event_log (run_id, timestamp, step_id, state) VALUES ('r', unixepoch(), 's', 'running')")
		c := until(t, sub, "the event", func(c feed.Change) bool { return c.LastEventID == 1 })
		if !slices.Contains(c.Steps, wave.StepRef{Run: "r", Step: "s"}) || !slices.Contains(c.Runs, "r") {
			t.Errorf("got %+v", c)
		}
	})
	t.Run("a step changes without an event", func(t *testing.T) {
		w.exec("INSERT INTO pipeline_state (pipeline_id, pipeline_name, status, created_at, updated_at) VALUES ('r', 'r', 'running', 1, 1)")
		w.exec("INSERT INTO step_state (step_id, pipeline_id, state) VALUES ('quiet', 'r', 'running')")
		until(t, sub, "the step", func(c feed.Change) bool { return slices.Contains(c.Steps, wave.StepRef{Run: "r", Step: "quiet"}) })
		w.exec("UPDATE step_state SET state = 'completed' WHERE step_id = 'quiet'")
		until(t, sub, "the step once more", func(c feed.Change) bool { return slices.Contains(c.Steps, wave.StepRef{Run: "r", Step: "quiet"}) })
	})
	t.Run("an artifact is told with its step", func(t *testing.T) {
		w.exec("INSERT INTO artifact (run_id, step_id, name, path, created_at) VALUES ('r', 'quiet', 'n', 'p', 1)")
		until(t, sub, "the step", func(c feed.Change) bool { return slices.Contains(c.Steps, wave.StepRef{Run: "r", Step: "quiet"}) })
	})
	t.Run("a new child changes its parent's row", func(t *testing.T) {
		w.exec(runningRow, "child", "r")
		until(t, sub, "both", func(c feed.Change) bool { return namesRun("child")(c) && namesRun("r")(c) })
	})
	t.Run("a request to stop is told", func(t *testing.T) {
		w.exec("INSERT INTO cancellation (run_id, requested_at) VALUES ('r', unixepoch())")
		until(t, sub, "the run", namesRun("r"))
	})
	t.Run("a failure without an event is told, to its parent too", func(t *testing.T) {
		w.exec("UPDATE pipeline_run SET status = 'failed', current_step = 'step \"s\" failed: no', completed_at = unixepoch() WHERE run_id = 'child'")
		until(t, sub, "both", func(c feed.Change) bool { return c.List && namesRun("child")(c) && namesRun("r")(c) })
		if got := state(t, "child"); got != wave.Failed {
			t.Errorf("child is %s", got)
		}
	})
	t.Run("a heartbeat alone is no change", func(t *testing.T) {
		w.exec("UPDATE pipeline_run SET last_heartbeat = unixepoch() + 1 WHERE run_id = 'r'")
		w.exec("UPDATE pipeline_run SET total_tokens = 7 WHERE run_id = 'ended' AND 0")
		w.exec(runningRow, "mark", "")
		c := until(t, sub, "the run that came after", namesRun("mark"))
		if namesRun("r")(c) {
			t.Errorf("named: %+v", c)
		}
	})
	t.Run("a run deleted while it was open is told", func(t *testing.T) {
		w.exec("DELETE FROM pipeline_run WHERE run_id = 'mark'")
		until(t, sub, "the run", func(c feed.Change) bool { return c.List && namesRun("mark")(c) })
	})
	t.Run("a step deleted from a run that goes on is told", func(t *testing.T) {
		w.exec("DELETE FROM step_state WHERE step_id = 'quiet'")
		until(t, sub, "the step", func(c feed.Change) bool { return slices.Contains(c.Steps, wave.StepRef{Run: "r", Step: "quiet"}) })
	})
	t.Run("an old run whose row is another one is told", func(t *testing.T) {
		w.exec("UPDATE pipeline_run SET input = 'as it was before' WHERE run_id = 'ended'")
		until(t, sub, "the run", namesRun("ended"))
	})
	t.Run("an old run that is deleted is told", func(t *testing.T) {
		w.exec("DELETE FROM pipeline_run WHERE run_id = 'ended'")
		until(t, sub, "the run", func(c feed.Change) bool { return c.List && namesRun("ended")(c) })
	})
	t.Run("readers go on while a writer holds the lock", func(t *testing.T) {
		tx, err := b.DB.BeginTxx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec("UPDATE pipeline_run SET total_tokens = 9 WHERE run_id = 'r'"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Run(t.Context(), "r"); err != nil {
			t.Error(err)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		until(t, sub, "the run", namesRun("r"))
	})
}

func TestChangesByTime(t *testing.T) {
	b := storetest.New(t)
	start := time.Now()
	b.Run(storetest.Run{ID: "parent", Status: "running", Start: start, Heartbeat: start})
	b.Run(storetest.Run{ID: "child", Status: "running", Start: start, Parent: "parent", Kind: "sub_pipeline_child"})
	clock := newFakeClock(start)
	s, sub := followed(t, b.Path, Options{Now: clock.now, Alive: func(int) bool { return false }})
	opens(t, s, sub)
	if f, err := s.Facets(t.Context()); err != nil || f.States[wave.Running] != 2 {
		t.Fatalf("got %+v, %v", f, err)
	}
	clock.advance(time.Hour)
	// What judges runs that go on may name them before the counts know: there is another change when these do.
	until(t, sub, "the loss of both", func(c feed.Change) bool {
		if !c.List || !namesRun("parent")(c) || !namesRun("child")(c) {
			return false
		}
		f, err := s.Facets(t.Context())
		return err == nil && f.States[wave.Lost] == 2
	})
}

func TestNothingIsMissed(t *testing.T) {
	b := storetest.New(t)
	s, sub := followed(t, b.Path, Options{})
	opens(t, s, sub)
	w := startWriter(t, b.Path)
	w.exec("PRAGMA synchronous = NORMAL")
	for i := range 7 {
		w.exec(runningRow, fmt.Sprint("r", i), "")
	}
	const commits = 600
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range commits {
			w.exec("INSERT INTO event_log (run_id, timestamp, step_id, state) VALUES ('r%d', 1, 's', 'running')", i%7)
		}
	}()
	var told int64
	until(t, sub, "every event", func(c feed.Change) bool {
		if c.Reset || c.LastEventID < told {
			t.Fatalf("after event %d: %+v", told, c)
		}
		for id := told + 1; id <= c.LastEventID; id++ {
			if step := (wave.StepRef{Run: fmt.Sprint("r", (id-1)%7), Step: "s"}); !slices.Contains(c.Steps, step) || !namesRun(step.Run)(c) {
				t.Fatalf("event %d is accounted for and not named: %+v", id, c)
			}
		}
		told = c.LastEventID
		return told == commits
	})
	<-done
}

func TestManyEventsAtOnce(t *testing.T) {
	b := storetest.New(t)
	s, sub := followed(t, b.Path, Options{})
	opens(t, s, sub)
	b.Run(storetest.Run{ID: "r"})
	startWriter(t, b.Path).exec("INSERT INTO event_log (run_id, timestamp, step_id, state) " +
		"SELECT 'r', 1, 's', 'running' FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3500) SELECT i FROM n)")
	until(t, sub, "the last event", func(c feed.Change) bool {
		if c.Reset && c.LastEventID > 0 {
			t.Error("one run's events are told as a reset")
		}
		return c.LastEventID == 3500
	})
}

func TestReplay(t *testing.T) {
	b := storetest.New(t)
	start := time.Now().Add(-time.Hour)
	for i := range 6 {
		id := fmt.Sprint("r", i)
		b.Run(storetest.Run{ID: id, Start: start.Add(time.Duration(i) * time.Minute)})
		for range 100 {
			b.Event(id, storetest.Event{Step: "s"})
		}
	}
	b.Run(storetest.Run{ID: "open", Status: "running", Start: time.Now(), Parent: "r0"})
	s, sub := followed(t, b.Path, Options{})
	epoch := opens(t, s, sub)
	replay := func(t *testing.T, epoch string, after int64) feed.Change {
		t.Helper()
		c, err := s.Replay(t.Context(), epoch, after)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(c.Runs)
		return c
	}

	t.Run("what came after an event, a little before it, and what is open", func(t *testing.T) {
		c := replay(t, epoch, 550)
		if want := []string{"open", "r0", "r3", "r4", "r5"}; !slices.Equal(c.Runs, want) {
			t.Errorf("runs %v, want %v", c.Runs, want)
		}
		if !slices.Contains(c.Steps, wave.StepRef{Run: "r5", Step: "s"}) || c.Reset || !c.List || c.LastEventID != 600 || c.Epoch != epoch {
			t.Errorf("got %+v", c)
		}
	})
	t.Run("a run that ended since without an event", func(t *testing.T) {
		b.Exec("UPDATE pipeline_run SET status = 'failed', completed_at = ? WHERE run_id = 'open'", time.Now().Unix())
		until(t, sub, "its end", namesRun("open"))
		if c := replay(t, epoch, 600); !slices.Contains(c.Runs, "open") {
			t.Errorf("runs %v", c.Runs)
		}
	})
	for name, at := range map[string]struct {
		epoch string
		after int64
	}{
		"another epoch":           {"0000", 1},
		"no epoch":                {"", 1},
		"an event of the future":  {epoch, 601},
		"a negative event number": {epoch, -1},
	} {
		t.Run(name+" is a reset", func(t *testing.T) {
			if c := replay(t, at.epoch, at.after); !c.Reset || len(c.Runs) > 0 || c.LastEventID != 600 {
				t.Errorf("got %+v", c)
			}
		})
	}
}

// BenchmarkNotice measures how long after a commit of another process began a
// subscriber knows of it. The writer syncs as Wave does.
func BenchmarkNotice(b *testing.B) {
	builder := storetest.New(b)
	s, sub := followed(b, builder.Path, Options{})
	opens(b, s, sub)
	w := startWriter(b, builder.Path)
	w.exec(runningRow, "r", "")
	until(b, sub, "the run", namesRun("r"))
	var took []time.Duration
	for b.Loop() {
		began := w.exec("INSERT INTO event_log (run_id, timestamp, step_id, state) VALUES ('r', unixepoch(), 's', 'running')")
		until(b, sub, "the event", func(c feed.Change) bool { return slices.Contains(c.Steps, wave.StepRef{Run: "r", Step: "s"}) })
		took = append(took, time.Duration(time.Now().UnixNano()-began))
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1e3, "ms-median")
	b.ReportMetric(took[len(took)*95/100].Seconds()*1e3, "ms-p95")
	b.ReportMetric(took[len(took)-1].Seconds()*1e3, "ms-max")
}
