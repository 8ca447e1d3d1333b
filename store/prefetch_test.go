package store

import (
	"context"
	"testing"
	"time"

	"wavedeck/store/storetest"
)

func TestWarm(t *testing.T) {
	b := storetest.New(t)
	run := b.LongRun(2000, 10)
	d := openTest(t, b.Path, storetest.Base.Add(time.Hour), Options{})

	left, cancel := context.WithCancel(t.Context())
	cancel()
	if d.prefetch(left); d.histories.get(run).last() != 0 {
		t.Error("went on after its context had ended")
	}
	d.prefetch(t.Context())
	entry := d.histories.get(run)
	span, err := d.eventSpan(t.Context(), d, run)
	if err != nil || entry.last() != span.Last || span.Count != 2000 || entry.span.Count != 2000 {
		t.Errorf("folded up to event %d and counted %d, but the run has %+v (%v)", entry.last(), entry.span.Count, span, err)
	}
}

func TestFollowWarmsTheNewestRuns(t *testing.T) {
	b := storetest.New(t)
	run := b.LongRun(2000, 10)
	s, sub := followed(t, b.Path, Options{})
	opens(t, s, sub)
	s.mu.Lock()
	o := s.current
	s.mu.Unlock()
	for o.histories.get(run).last() == 0 {
		select {
		case <-t.Context().Done():
			t.Fatal("the run's events were never folded")
		case <-time.After(5 * time.Millisecond):
		}
	}
}
