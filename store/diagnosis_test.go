package store

import (
	"fmt"
	"testing"
	"time"

	"wavedeck/store/diagnose"
	"wavedeck/store/storetest"
	"wavedeck/store/tape"
)

func mustOutlook(t testing.TB, d *testReader, id string) diagnose.Diagnosis {
	t.Helper()
	outlooks, err := d.diagnoses(t.Context(), []string{id})
	if err != nil {
		t.Fatal(err)
	}
	return outlooks[id]
}

// TestSampleOutlooks judges every run of the sample project: all but one have
// ended, and of that one the process was killed.
func TestSampleOutlooks(t *testing.T) {
	d := openSample(t)
	for id := range sampleRuns {
		want := diagnose.Verdict("")
		if id == "slow-soak-20261123-003844-d20f" {
			want = diagnose.Gone
		}
		if got := mustOutlook(t, d, id).Stall.Verdict; got != want {
			t.Errorf("%s is %q, want %q", id, got, want)
		}
	}
}

// TestTapeOutlooks judges every run after each commit of the recording and
// right before the next: no run of it ever stood still.
func TestTapeOutlooks(t *testing.T) {
	b := storetest.New(t)
	var now time.Time
	d := openTest(t, b.Path, now, Options{Definition: definitions(t, storetest.Project(t))})
	d.opt.Now = func() time.Time { return now }
	var ids []string
	seen := map[diagnose.Verdict]int{}
	fine := map[diagnose.Verdict]bool{"": true, diagnose.Moving: true, diagnose.Quiet: true, diagnose.ForHuman: true, diagnose.InQueue: true, diagnose.Stopping: true}
	look := func(line int) {
		outlooks, err := d.diagnoses(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		runs, err := d.RunsByID(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range runs {
			got, judged := outlooks[r.ID]
			seen[got.Stall.Verdict]++
			if judged == r.State.Ended() {
				t.Errorf("line %d: %s is %s, and judged is %v", line, r.ID, r.State, judged)
			}
			if got.Runaway != nil {
				t.Errorf("line %d: %s is told to run away: %+v", line, r.ID, *got.Runaway)
			}
			if !fine[got.Stall.Verdict] {
				t.Errorf("line %d: %s is told %s (%s)\n%+v", line, r.ID, got.Stall.Verdict, got.Stall.Why, got.Signals)
			}
		}
	}
	began := time.Unix(1795394292, 0)
	entries := storetest.Tape(t)
	for i, e := range entries {
		now = began.Add(e.At)
		if e.Op == tape.Insert {
			b.Insert(e.Table, e.Row)
		} else {
			b.Update(e.Table, e.Row)
		}
		if id, ok := e.Row["run_id"].(string); ok && e.Table == "pipeline_run" && e.Op == tape.Insert {
			ids = append(ids, id)
		}
		if e.At == 0 || i+1 < len(entries) && entries[i+1].At == e.At {
			continue
		}
		look(e.Line)
		if i+1 < len(entries) {
			now = began.Add(entries[i+1].At - time.Millisecond)
			look(e.Line)
		}
	}
	for _, v := range []diagnose.Verdict{diagnose.Moving, diagnose.InQueue} {
		if seen[v] == 0 {
			t.Errorf("nothing was ever %s in %v", v, seen)
		}
	}
	// The run whose process was killed is gone as soon as that can be known, and
	// before is not claimed to move.
	const killed = "slow-soak-20261123-003844-d20f"
	var told []string
	for end := now.Add(8 * time.Minute); now.Before(end); now = now.Add(time.Second) {
		if v := string(mustOutlook(t, d, killed).Stall.Verdict); len(told) == 0 || told[len(told)-1] != v {
			told = append(told, v)
		}
	}
	if want := "[moving quiet unclear gone]"; fmt.Sprint(told) != want {
		t.Errorf("the killed run was told as %v, want %s", told, want)
	}
}

// past adds n runs of a pipeline with one step, "soak", which writes an event
// after each of the given silences.
func past(b *storetest.Builder, n int, silences ...time.Duration) {
	for range n {
		at := b.Clock
		run := b.Run(storetest.Run{Pipeline: "soak", End: at.Add(time.Hour)})
		b.Event(run, storetest.Event{State: "started", Message: `input="" steps=1`, At: at})
		b.Event(run, storetest.Event{Step: "soak", At: at})
		for _, silence := range silences {
			at = at.Add(silence)
			b.Event(run, storetest.Event{Step: "soak", State: "stream_activity", Message: "Bash make", At: at})
		}
		b.Event(run, storetest.Event{Step: "soak", State: "completed", At: at})
		b.Step(run, storetest.Step{ID: "soak", End: at})
		b.Event(run, storetest.Event{State: "completed", At: at})
	}
}

func TestOutlooks(t *testing.T) {
	start := storetest.Base.Add(24 * time.Hour)
	const silent = 12 * time.Minute
	now := start.Add(silent)
	working := func(b *storetest.Builder, r storetest.Run) string {
		r.Pipeline, r.Status, r.Start = "soak", "running", start
		run := b.Run(r)
		b.Event(run, storetest.Event{State: "started", Message: `input="" steps=1`})
		b.Event(run, storetest.Event{Step: "soak"})
		b.Step(run, storetest.Step{ID: "soak", State: "running"})
		return run
	}
	beats := storetest.Run{Heartbeat: now}
	for _, tt := range []struct {
		name string
		make func(b *storetest.Builder) string
		want diagnose.Verdict
	}{
		{"a silence that each past run had as well is normal", func(b *storetest.Builder) string {
			past(b, 5, 7*time.Minute)
			return working(b, beats)
		}, diagnose.Quiet},
		{"a silence far beyond that of each past run is not", func(b *storetest.Builder) string {
			past(b, 5, time.Minute, 2*time.Minute)
			return working(b, beats)
		}, diagnose.Stuck},
		{"the longest silence counts, not the sum of them", func(b *storetest.Builder) string {
			past(b, 5, 4*time.Minute, 4*time.Minute, 4*time.Minute)
			return working(b, beats)
		}, diagnose.Stuck},
		{"four past runs tell nothing", func(b *storetest.Builder) string {
			past(b, 4, time.Minute)
			return working(b, beats)
		}, diagnose.Unclear},
		{"a step that runs beside one without a past is not judged by its own", func(b *storetest.Builder) string {
			past(b, 5, time.Minute)
			run := working(b, beats)
			b.Step(run, storetest.Step{ID: "new", State: "running"})
			return run
		}, diagnose.Unclear},
		{"a run whose child writes moves", func(b *storetest.Builder) string {
			past(b, 5, time.Minute)
			run := working(b, beats)
			child := b.Run(storetest.Run{Pipeline: "part", Status: "running", Start: start, Parent: run, ParentStep: "soak", Kind: "sub_pipeline_child"})
			b.Event(child, storetest.Event{Step: "x", At: now.Add(-time.Second)})
			return run
		}, diagnose.Moving},
		{"a run whose grandchild waits at a gate waits", func(b *storetest.Builder) string {
			run := working(b, beats)
			child := b.Run(storetest.Run{Pipeline: "part", Status: "running", Start: start, Parent: run, Kind: "sub_pipeline_child"})
			grandchild := b.Run(storetest.Run{Pipeline: "gate", Status: "running", Start: start, Parent: child, Kind: "sub_pipeline_child"})
			b.Event(grandchild, storetest.Event{State: "gate_waiting", At: start})
			return run
		}, diagnose.ForHuman},
		{"a child is judged by the heartbeat of its parent", func(b *storetest.Builder) string {
			past(b, 5, time.Minute)
			parent := working(b, beats)
			child := working(b, storetest.Run{Parent: parent, Kind: "sub_pipeline_child"})
			return child
		}, diagnose.Stuck},
		{"a resumed run is not judged by the heartbeat of its original", func(b *storetest.Builder) string {
			past(b, 5, time.Minute)
			parent := working(b, beats)
			return working(b, storetest.Run{Parent: parent, Kind: "resume", PID: 7})
		}, diagnose.Stuck},
		{"a pid that was given to a later process is no sign of life", func(b *storetest.Builder) string {
			return working(b, storetest.Run{PID: 8})
		}, diagnose.Gone},
		{"a request to stop that is not heeded", func(b *storetest.Builder) string {
			run := working(b, beats)
			b.Cancel(run)
			return run
		}, diagnose.Unheeded},
		{"a run waits while five others began lately", func(b *storetest.Builder) string {
			for range 5 {
				b.Run(storetest.Run{Status: "running", Start: now.Add(-time.Minute)})
			}
			return b.Run(storetest.Run{Status: "pending", Start: now.Add(-2 * time.Minute)})
		}, diagnose.InQueue},
		{"a run that nobody starts is unclear", func(b *storetest.Builder) string {
			return b.Run(storetest.Run{Status: "pending", Start: now.Add(-2 * time.Minute)})
		}, diagnose.Unclear},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := storetest.New(t)
			run := tt.make(b)
			d := openTest(t, b.Path, now, Options{
				Alive: func(pid int) bool { return pid == 7 || pid == 8 },
				Born: func(pid int) (time.Time, bool) {
					return map[int]time.Time{7: start, 8: start.Add(time.Minute)}[pid], true
				},
			})
			if got := mustOutlook(t, d, run); got.Stall.Verdict != tt.want {
				t.Errorf("%+v from %+v, want %s", got.Stall, got.Signals, tt.want)
			}
		})
	}
}
