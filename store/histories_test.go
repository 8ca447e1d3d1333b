package store

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// whatever has cmp look into every type.
var whatever = cmp.Exporter(func(reflect.Type) bool { return true })

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
		whole := &diagnose.History{}
		for _, e := range of {
			whole.Add(e)
		}
		for range 20 {
			h := &diagnose.History{}
			for at := 0; at < len(of); {
				end := at + 1 + rng.IntN(len(of)-at)
				for _, e := range of[rng.IntN(at+1):end] {
					h.Add(e)
				}
				at = end
			}
			if diff := cmp.Diff(whole, h, whatever); diff != "" {
				t.Fatalf("%s (-whole +batches)\n%s", run, diff)
			}
		}
	}
}

func TestHistoriesFollowNewEvents(t *testing.T) {
	b := storetest.New(t)
	run := b.Run(storetest.Run{Status: "running"})
	d := openTest(t, b.Path, storetest.Base, Options{})
	want := &diagnose.History{}
	for i := range 50 {
		e := storetest.Event{Step: fmt.Sprint("s", i%3), State: []string{"running", "stream_activity", "completed", "eta_updated"}[i%4], Message: strconv.Itoa(i)}
		id := b.Event(run, e)
		folded := wave.Event{ID: id, RunID: run, At: storetest.Base, StepID: e.Step, State: e.State, Message: e.Message}
		if e.State == "stream_activity" || e.State == "eta_updated" {
			want.PassOver(id, storetest.Base)
		} else {
			want.Add(folded)
		}
		if i%7 != 0 {
			continue
		}
		got, err := d.historiesOf(t.Context(), d, []string{run, "no such run"})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got[run], whatever); diff != "" {
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
					if h.Steps["a"] == nil || h.Steps["a"].Word != "running" {
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
