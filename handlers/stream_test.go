package handlers_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"wavedeck/handlers"
	"wavedeck/store/storetest"
)

// TestStreamOutlivesTheTimeForOneWrite listens for longer than a reader may take
// for one write: while nothing is written, nobody is slow.
func TestStreamOutlivesTheTimeForOneWrite(t *testing.T) {
	const within = 200 * time.Millisecond
	for version, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(version, func(t *testing.T) {
			s := openSample(t, func(c *handlers.Config) { c.Budgets.Write = within }).ready()
			secure := httptest.NewUnstartedServer(s.Config.Handler)
			secure.EnableHTTP2 = http2
			secure.StartTLS()
			t.Cleanup(secure.Close)
			over := s.as(t)
			over.Server = secure
			stream := over.listen("/events")
			stream.next("ping")
			<-time.After(2 * within)
			storetest.At(t, storetest.StatePath(s.root)).Event(sampleRun, storetest.Event{State: "step_progress"})
			stream.next("run-changed")
		})
	}
}
