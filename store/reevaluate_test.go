package store

import (
	"errors"
	"testing"
	"time"

	"wavedeck/store/diagnose"
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
	judged := func() diagnose.Verdict {
		verdict, err := read(s.stateFile, func(o *opened) (diagnose.Verdict, error) {
			o.reevaluator.mu.Lock()
			defer o.reevaluator.mu.Unlock()
			return o.reevaluator.last[run].Stall.Verdict, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return verdict
	}
	for judged() != diagnose.Moving {
		if !sleep(t.Context(), 10*time.Millisecond) {
			t.Fatal("it was never judged")
		}
	}
	clock.advance(3 * time.Minute)
	until(t, sub, "it is told that the run stands still", namesRun(run))
	if got := judged(); got != diagnose.Stuck {
		t.Errorf("it is %s", got)
	}
}

// TestAttentionIsUnknownAtFirst: before anybody has looked nothing is said, and what
// looks then says so, although there is nothing to tell.
func TestAttentionIsUnknownAtFirst(t *testing.T) {
	b := storetest.New(t)
	d := openBuilt(t, b)
	o := &opened{Reader: d.Reader, db: d.db, index: loaded(t, d)}
	s := Open(b.Path, Options{})
	s.current = o
	if list, err := o.reevaluator.attention(); !errors.Is(err, ErrUnjudged) {
		t.Errorf("%v, %v", list, err)
	}
	sub := s.Subscribe()
	defer sub.Close()
	if err := o.reevaluator.reevaluate(t.Context(), s, o); err != nil {
		t.Fatal(err)
	}
	if c, ok := sub.Take(); !ok || !c.List {
		t.Error("nobody is told that it is known now")
	}
	if list, err := o.reevaluator.attention(); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	if err := o.reevaluator.reevaluate(t.Context(), s, o); err != nil {
		t.Fatal(err)
	}
	if c, ok := sub.Take(); ok {
		t.Errorf("told again: %+v", c)
	}
}
