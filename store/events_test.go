package store

import (
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

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
	tx, err := d.BeginTxx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	count := func(q sqlx.QueryerContext) <-chan wave.EventSpan {
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
	waits := count(d)
	for tick := time.Tick(time.Millisecond); d.Stats().WaitCount == 0; {
		<-tick
	}
	want := wave.EventSpan{First: 1, Last: 1, Count: 1}
	select {
	case span := <-count(tx):
		if span != want {
			t.Errorf("counted %+v", span)
		}
	case <-time.After(patience):
		t.Error("each waits for the other")
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	if span := <-waits; span != want {
		t.Errorf("counted %+v", span)
	}
}
