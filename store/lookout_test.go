package store

import (
	"testing"
	"time"

	"wavedeck/store/storetest"
)

// TestVerdictsTurnWithTime lets a run fall silent: that it stands still is
// published though nothing is committed.
func TestVerdictsTurnWithTime(t *testing.T) {
	b := storetest.New(t)
	past(b, 5, time.Minute)
	start := storetest.Base.Add(24 * time.Hour)
	clock := newFakeClock(start.Add(time.Second))
	run := b.Run(storetest.Run{Pipeline: "soak", Status: "running", Start: start, Heartbeat: start.Add(3 * time.Minute)})
	b.Event(run, storetest.Event{Step: "soak"})
	b.Step(run, storetest.Step{ID: "soak", State: "running"})
	s, sub := followed(t, b.Path, Options{Now: clock.now, Alive: func(int) bool { return false }})
	opens(t, s, sub)
	judged := func() Verdict {
		verdict, err := read(s, func(o *opened) (Verdict, error) {
			o.lookout.mu.Lock()
			defer o.lookout.mu.Unlock()
			return o.lookout.told[run].Stall.Verdict, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return verdict
	}
	for judged() != Moving {
		if !rest(t.Context(), 10*time.Millisecond) {
			t.Fatal("it was never judged")
		}
	}
	clock.advance(3 * time.Minute)
	until(t, sub, "it is told that the run stands still", namesRun(run))
	if got := judged(); got != Stuck {
		t.Errorf("it is %s", got)
	}
}
