package handlers

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"wavedeck/store"
	"wavedeck/store/storetest"
)

// TestAPageKnowsNoMoreThanWhatItRead: what is committed while a page is read comes
// after the place from which its stream goes on.
func TestAPageKnowsNoMoreThanWhatItRead(t *testing.T) {
	b := storetest.New(t)
	b.Run(storetest.Run{ID: "r"})
	b.Event("r", storetest.Event{})
	followed := store.Open(b.Path, store.Options{})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- followed.Follow(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	reaches := func(event int64) {
		for deadline := time.After(time.Minute); followed.Health().LastEventID < event; {
			select {
			case <-deadline:
				t.Fatalf("%s: event %d is not noticed", filepath.Base(b.Path), event)
			case <-time.After(time.Millisecond):
			}
		}
	}
	reaches(1)
	s := benchServer(t, func(c *Config) { c.Store = followed })
	var came *http.Request
	s.Placed(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { came = r })).
		ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/runs/r", nil))
	reaches(b.Event("r", storetest.Event{}))
	if live := s.Layout(came, "runs", "", "").Live; live.LastEvent != 1 {
		t.Errorf("the page says that it knows event %d, which came after it was read", live.LastEvent)
	}
}
