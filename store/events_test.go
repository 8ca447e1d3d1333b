package store

import (
	"testing"
	"time"

	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// TestCountsOfEventsWaitForNoConnection: who reads a run holds a connection while its
// events are counted, so whoever else counts them must not wait for one meanwhile.
func TestCountsOfEventsWaitForNoConnection(t *testing.T) {
	b := storetest.New(t)
	run := b.Run(storetest.Run{Status: "completed"})
	b.Event(run, storetest.Event{State: "started"})
	d := openBuilt(t, b)
	d.SetMaxOpenConns(1)
	count := func(q Rows) <-chan wave.EventSpan {
		counted := make(chan wave.EventSpan, 1)
		go func() {
			span, err := d.eventSpan(t.Context(), q, run)
			if err != nil {
				t.Error(err)
			}
			counted <- span
		}()
		return counted
	}
	want := wave.EventSpan{First: 1, Last: 1, Count: 1}
	var waits <-chan wave.EventSpan
	err := d.Snapshot(t.Context(), func(now Rows) error {
		waits = count(d)
		for tick := time.Tick(time.Millisecond); d.Stats().WaitCount == 0; {
			<-tick
		}
		select {
		case span := <-count(now):
			if span != want {
				t.Errorf("counted %+v", span)
			}
		case <-time.After(patience):
			t.Error("each waits for the other")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if span := <-waits; span != want {
		t.Errorf("counted %+v", span)
	}
}
