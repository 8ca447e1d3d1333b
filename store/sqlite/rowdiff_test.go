package sqlite

import (
	"testing"
	"time"

	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// TestLateLedgersAreChanges: what is written beside the events is seen too.
func TestLateLedgersAreChanges(t *testing.T) {
	b := storetest.New(t)
	run := b.Run(storetest.Run{})
	w := newRowDiff(openPlain(t, b.Path))
	if err := w.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func(){
		"an outcome": func() { b.Outcome(run, storetest.Outcome{Step: "a"}) },
		"a decision": func() {
			b.Insert("decision_log", statedb.Row{"run_id": run, "step_id": "a", "timestamp": 1795394390, "category": "retry", "decision": "again"})
		},
		"a checkpoint": func() {
			b.Insert("checkpoint", statedb.Row{"run_id": run, "step_id": "a", "step_index": 0, "created_at": 1})
		},
	} {
		write()
		changed, err := w.compare(t.Context(), time.Now(), func(string) wave.State { return wave.Succeeded })
		if err != nil {
			t.Fatal(err)
		}
		w.accept()
		if _, ok := changed.Runs[run]; !ok {
			t.Errorf("%s is no change", name)
		}
	}
}
