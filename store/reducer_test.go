package store

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/criteria"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// folds names what cmp must look into.
var folds = cmp.AllowUnexported(history{}, stepHistory{}, attemptHistory{})

func fold(events ...wave.Event) *history {
	h := &history{}
	for i, e := range events {
		if e.ID == 0 {
			e.ID = int64(i + 1)
		}
		h.add(e)
	}
	return h
}

func TestFold(t *testing.T) {
	t.Run("the start says how many steps there are, whatever the input says", func(t *testing.T) {
		h := fold(wave.Event{State: "started", Message: `input="x steps=9 "steps=8 steps=3`}, wave.Event{State: "started", Message: "workspace root: /tmp/ steps=7"})
		if h.total != 3 || !h.begun {
			t.Errorf("total %d", h.total)
		}
	})
	t.Run("a progress line says how far the run is", func(t *testing.T) {
		if h := fold(wave.Event{State: "running", Message: "4/6 steps completed"}); h.done != 4 || h.total != 6 {
			t.Errorf("%d/%d", h.done, h.total)
		}
	})
	t.Run("the last gate event decides", func(t *testing.T) {
		waiting, resolved := wave.Event{State: "gate_waiting"}, wave.Event{State: "gate_resolved"}
		if !fold(waiting).gate || fold(waiting, resolved).gate || !fold(waiting, resolved, waiting).gate {
			t.Error("the gate is told wrongly")
		}
	})
	t.Run("a failing command keeps its stderr", func(t *testing.T) {
		h := fold(wave.Event{StepID: "a", State: "running"},
			wave.Event{StepID: "a", State: "failed", Message: "command failed: exit status 2\nstderr: no"}, wave.Event{StepID: "a", State: "failed", Message: "exit status 2"})
		if s := h.steps["a"]; s.err != "command failed: exit status 2\nstderr: no" || len(s.attempts) != 1 {
			t.Errorf("error %q, %d attempts", s.err, len(s.attempts))
		}
	})
	t.Run("a new attempt forgets the old error", func(t *testing.T) {
		h := fold(wave.Event{StepID: "a", State: "running"}, wave.Event{StepID: "a", State: "failed", Message: "a long error of the first"},
			wave.Event{StepID: "a", State: "retrying", Message: "attempt 2/3"}, wave.Event{StepID: "a", State: "running"}, wave.Event{StepID: "a", State: "failed", Message: "short"})
		s := h.steps["a"]
		if s.err != "short" || s.retries != 3 || len(s.attempts) != 2 || s.attempts[0].err != "a long error of the first" || s.attempts[1].number != 2 {
			t.Errorf("%+v", s)
		}
	})
	t.Run("tokens are summed over progress, not over completion", func(t *testing.T) {
		h := fold(wave.Event{StepID: "a", State: "step_progress", Tokens: 10}, wave.Event{StepID: "a", State: "step_progress", Tokens: 5}, wave.Event{StepID: "a", State: "completed", Tokens: 5})
		if h.steps["a"].tokens != 15 {
			t.Errorf("tokens %d", h.steps["a"].tokens)
		}
	})
	t.Run("unknown words leave the state as it was", func(t *testing.T) {
		h := fold(wave.Event{StepID: "a", State: "running"}, wave.Event{StepID: "a", State: "levitating"}, wave.Event{State: "levitating"})
		if h.steps["a"].word != "running" || h.last != 3 {
			t.Errorf("%q, last %d", h.steps["a"].word, h.last)
		}
	})
	t.Run("a writer that never stops does not fill the memory", func(t *testing.T) {
		h := &history{}
		for i := range int64(3 * maxSteps) {
			h.add(wave.Event{ID: 2*i + 1, StepID: fmt.Sprint("step-", i), State: "running"})
			h.add(wave.Event{ID: 2*i + 2, StepID: "step-0", State: "retrying"})
		}
		if len(h.steps) != maxSteps || len(h.steps["step-0"].attempts) != maxAttempts {
			t.Errorf("%d steps, %d attempts", len(h.steps), len(h.steps["step-0"].attempts))
		}
	})
}

// TestFoldInAnyBatches reads the sample's events in batches cut at random, with
// overlaps as two readers at once would have them.
func TestFoldInAnyBatches(t *testing.T) {
	d := openSample(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for run := range sampleRuns {
		of, err := d.events(t.Context(), criteria.EventFilter{Run: run})
		if err != nil {
			t.Fatal(err)
		}
		whole := fold(of...)
		for range 20 {
			h := &history{}
			for at := 0; at < len(of); {
				end := at + 1 + rng.IntN(len(of)-at)
				for _, e := range of[rng.IntN(at+1):end] {
					h.add(e)
				}
				at = end
			}
			if diff := cmp.Diff(whole, h, folds); diff != "" {
				t.Fatalf("%s (-whole +batches)\n%s", run, diff)
			}
		}
	}
}

func TestHistoriesFollowNewEvents(t *testing.T) {
	b := storetest.New(t)
	run := b.Run(storetest.Run{Status: "running"})
	d := openTest(t, b.Path, storetest.Base, Options{})
	want := &history{}
	for i := range 50 {
		e := storetest.Event{Step: fmt.Sprint("s", i%3), State: []string{"running", "stream_activity", "completed", "eta_updated"}[i%4], Message: strconv.Itoa(i)}
		id := b.Event(run, e)
		folded := wave.Event{ID: id, RunID: run, At: storetest.Base, StepID: e.Step, State: e.State, Message: e.Message}
		if e.State == "stream_activity" || e.State == "eta_updated" {
			want.passOver(id, storetest.Base)
		} else {
			want.add(folded)
		}
		if i%7 != 0 {
			continue
		}
		got, err := d.historiesOf(t.Context(), d, []string{run, "no such run"})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got[run], folds); diff != "" {
			t.Fatalf("after event %d (-want +got)\n%s", id, diff)
		}
	}
}

func TestHistoriesServeManyReaders(t *testing.T) {
	b := storetest.New(t)
	var runs []string
	for i := range maxHistories + 40 {
		runs = append(runs, b.Run(storetest.Run{ID: fmt.Sprint("run-", i), Status: "running"}))
	}
	b.Exec(`INSERT INTO event_log (run_id, timestamp, step_id, state, message)
		SELECT run_id, started_at, 'a', 'running', '' FROM pipeline_run`)
	d := openTest(t, b.Path, storetest.Base, Options{})
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 12 {
				at := (n*37 + i*23) % (len(runs) - 10)
				got, err := d.historiesOf(t.Context(), d, runs[at:at+10])
				if err != nil {
					t.Error(err)
					return
				}
				for id, h := range got {
					if h.steps["a"] == nil || h.steps["a"].word != "running" {
						t.Errorf("%s: %+v", id, h)
					}
				}
			}
		})
	}
	wg.Wait()
	if n := d.histories.used.Len(); n > maxHistories || n != len(d.histories.byRun) {
		t.Errorf("%d histories kept, %d indexed", n, len(d.histories.byRun))
	}
}

func FuzzFold(f *testing.F) {
	f.Add("a", "running", `attempt 2/3`, "", "started", `input="x" steps=3`)
	f.Add("", "running", "99999999999999999999/0 steps completed", "a", "retrying", "attempt -1/-5")
	f.Fuzz(func(t *testing.T, step1, state1, message1, step2, state2, message2 string) {
		h := fold(wave.Event{StepID: step1, State: state1, Message: message1, At: time.Unix(1, 0)},
			wave.Event{StepID: step2, State: state2, Message: message2, At: time.Unix(0, 0)}, wave.Event{StepID: step1, State: state1, Message: message1})
		if h.total < 0 || h.done < 0 || len(h.order) != len(h.steps) {
			t.Fatalf("%+v", h)
		}
		if diff := cmp.Diff(h, h.clone(), folds); diff != "" {
			t.Fatal(diff)
		}
	})
}
