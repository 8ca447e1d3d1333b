package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/storetest"
	"wavedeck/store/tape"
	"wavedeck/store/wave"
)

// TestTape watches the recording after each commit: what has ended stays so,
// and the last look agrees with the sample.
func TestTape(t *testing.T) {
	b := storetest.New(t)
	var now time.Time
	root := storetest.Project(t)
	d := openTest(t, b.Path, now, Options{Definition: definitions(t, root)})
	d.opt.Now = func() time.Time { return now }
	var ids []string
	ended := map[string]wave.State{}
	look := func(line int) {
		runs, err := d.RunsByID(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range runs {
			if was, ok := ended[r.ID]; ok && was != r.State {
				t.Errorf("line %d: %s was told %s and is told %s", line, r.ID, was, r.State)
			}
			if r.State.Ended() {
				ended[r.ID] = r.State
			}
			if r.State == wave.Unknown || r.State == wave.Lost {
				t.Errorf("line %d: %s is told %s (%s)", line, r.ID, r.State, r.Reason)
			}
		}
	}
	for _, e := range storetest.Tape(t) {
		now = time.Unix(1795394292, 0).Add(e.At)
		if e.Op == tape.Insert {
			b.Insert(e.Table, e.Row)
		} else {
			b.Update(e.Table, e.Row)
		}
		if id, ok := e.Row["run_id"].(string); ok && e.Table == "pipeline_run" && e.Op == tape.Insert {
			ids = append(ids, id)
		}
		if e.At > 0 {
			look(e.Line)
		}
	}
	now = now.Add(10 * time.Minute)
	for _, id := range ids {
		if diff := cmp.Diff(sampleRuns[id], summary(mustDetail(t, d, id))); diff != "" {
			t.Errorf("%s at the end (-want +got)\n%s", id, diff)
		}
	}
}
