package sqlite

import (
	"testing"
	"time"

	"wavedeck/store/storetest"
)

func TestReadsInFlightEndBeforeTheWriterHasItsTurn(t *testing.T) {
	b := storetest.New(t)
	b.Run(storetest.Run{ID: "r"})
	d := openPlain(t, b.Path)
	tracker, err := d.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tracker.Close()
	read, err := d.BeginTxx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.hold.pause(t.Context(), d.reading, time.Minute, time.Nanosecond)
	}()
	select {
	case <-done:
		t.Error("it was over while a read was in flight")
	case <-time.After(50 * time.Millisecond): // long enough for one that does not wait
	}
	if err := read.Rollback(); err != nil {
		t.Fatal(err)
	}
	<-done
	if d.reading() {
		t.Error("a read is said to be in flight")
	}
}
