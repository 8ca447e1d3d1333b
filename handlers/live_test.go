package handlers_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tmaxmax/go-sse"

	"wavedeck/handlers"
	"wavedeck/store/storetest"
)

// stream is a connection to a stream of events.
type stream struct {
	t      testing.TB
	events chan sse.Event
	status int
	end    context.CancelFunc
}

// listen connects; headers come in pairs. The connection ends with the test.
func (s *site) listen(path string, headers ...string) *stream {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	resp, err := s.Client().Do(r)
	if err != nil {
		cancel()
		s.t.Fatalf("listen to %s: %v", path, err)
	}
	st := &stream{t: s.t, events: make(chan sse.Event, 4096), status: resp.StatusCode, end: cancel}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(st.events)
		defer resp.Body.Close()
		for event, err := range sse.Read(resp.Body, nil) {
			if err != nil {
				return
			}
			st.events <- event
		}
	}()
	s.t.Cleanup(func() { cancel(); <-done })
	return st
}

// next waits for an event of one of the names and returns it with all before it.
func (st *stream) next(names ...string) (found sse.Event, before []sse.Event) {
	st.t.Helper()
	timeout := time.After(time.Minute)
	for {
		select {
		case e, open := <-st.events:
			if !open {
				st.t.Fatalf("the stream ended before %v", names)
			}
			if slices.Contains(names, e.Type) {
				return e, before
			}
			before = append(before, e)
		case <-timeout:
			st.t.Fatalf("no %v came", names)
		}
	}
}

// rest reads the stream to its end.
func (st *stream) rest() []sse.Event {
	st.t.Helper()
	var events []sse.Event
	timeout := time.After(time.Minute)
	for {
		select {
		case e, open := <-st.events:
			if !open {
				return events
			}
			events = append(events, e)
		case <-timeout:
			st.t.Fatal("the stream does not end")
		}
	}
}

func namesOf(events []sse.Event) []string {
	var names []string
	for _, e := range events {
		names = append(names, e.Type)
	}
	return names
}

func TestStreamNamesWhatChanged(t *testing.T) {
	s := openSample(t).ready()
	b := storetest.At(t, storetest.StatePath(s.root))
	everything, list := s.listen("/events"), s.listen("/events?list=1")
	mine, other := s.listen("/events?run="+lostRun), s.listen("/events?run="+sampleRun)
	for _, st := range []*stream{everything, list, mine, other} {
		first, _ := st.next("ping")
		if !strings.HasSuffix(first.LastEventID, "-232") {
			t.Errorf("the stream begins after %q, want event 232", first.LastEventID)
		}
	}
	id := b.Event(lostRun, storetest.Event{Step: "soak", State: "stream_activity", Message: "Bash make"})

	changed, _ := everything.next("run-changed")
	if changed.Data != `{"run_id":"`+lostRun+`"}` {
		t.Errorf("run-changed says %s", changed.Data)
	}
	step, _ := everything.next("step-changed")
	if step.Data != `{"run_id":"`+lostRun+`","step_id":"soak"}` {
		t.Errorf("step-changed says %s", step.Data)
	}
	if last, _ := everything.next("runs-changed"); !strings.HasSuffix(last.LastEventID, "-"+strconv.FormatInt(id, 10)) {
		t.Errorf("the last event has id %s, want %d", last.LastEventID, id)
	}
	mine.next("run-changed")
	if _, before := list.next("runs-changed"); slices.Contains(namesOf(before), "run-changed") {
		t.Error("a stream about the list names runs")
	}
	// The other run's stream hears that it is alive, and nothing of this run.
	if ping, before := other.next("ping"); len(before) != 0 || !strings.HasSuffix(ping.LastEventID, strconv.FormatInt(id, 10)) {
		t.Errorf("a stream about another run got %v and %s", namesOf(before), ping.LastEventID)
	}
}

func TestReconnectedStreamIsToldWhatItMissed(t *testing.T) {
	s := openSample(t).ready()
	b := storetest.At(t, storetest.StatePath(s.root))
	first := s.listen("/events")
	ping, _ := first.next("ping")
	first.end()
	b.Event(lostRun, storetest.Event{Step: "soak", State: "stream_activity"})
	b.Update("pipeline_run", map[string]any{"run_id": lostRun, "status": "failed", "current_step": "step \"soak\" failed: exit status 1"})
	s.until("the change is noticed", func() bool { return s.store.Health().LastEventID == 233 })

	old, newer := ping.LastEventID, strings.Replace(ping.LastEventID, "-232", "-233", 1)
	for name, c := range map[string]struct{ path, header string }{
		"by the header":                        {"/events", old},
		"by the header, not its older address": {"/events?after=" + newer, old},
		"by the address of a page from before": {"/events?after=" + old, ""},
	} {
		t.Run(name, func(t *testing.T) {
			st := s.as(t).listen(c.path+withRun(c.path), "Last-Event-ID", c.header)
			if _, before := st.next("run-changed"); slices.Contains(namesOf(before), "reset") {
				t.Error("a reset was sent where a replay would do")
			}
		})
	}
	for name, id := range map[string]string{
		"another database":          "00000000-5",
		"an event yet to come":      strings.Replace(ping.LastEventID, "-232", "-999999", 1),
		"something else":            "what",
		"a number out of any range": strings.Replace(ping.LastEventID, "-232", "-99999999999999999999", 1),
	} {
		t.Run(name+" is a reset", func(t *testing.T) {
			s.as(t).listen("/events", "Last-Event-ID", id).next("reset")
		})
	}
}

// TestStreamIDsAreHonest listens with far more signs of life than news: whoever
// comes back with the id of any event must not have missed what came before it.
func TestStreamIDsAreHonest(t *testing.T) {
	s := openSample(t, func(c *handlers.Config) { c.Budgets.Ping = time.Millisecond }).ready()
	b := storetest.At(t, storetest.StatePath(s.root))
	ping, _ := s.listen("/events").next("ping")
	b.Event(lostRun, storetest.Event{Step: "soak", State: "stream_activity"})
	st := s.listen("/events", "Last-Event-ID", ping.LastEventID) // a replay and the news of the same event
	const commits = 100
	last := int64(233)
	for range commits {
		last = b.Event(lostRun, storetest.Event{Step: "soak", State: "stream_activity"})
	}
	told, named := int64(232), 0
	for told < last {
		e, before := st.next("ping", "run-changed", "step-changed", "runs-changed", "reset")
		if len(before) > 0 || e.Type == "reset" {
			t.Fatalf("got %v and %s", namesOf(before), e.Type)
		}
		_, id, ok := strings.Cut(e.LastEventID, "-")
		now, err := strconv.ParseInt(id, 10, 64)
		if !ok || err != nil || now < told {
			t.Fatalf("after event %d the id is %q", told, e.LastEventID)
		}
		if strings.Contains(e.Data, lostRun) {
			named++
		}
		if now > told {
			if named == 0 {
				t.Fatalf("%s moves from %d to %d, and nothing in between was named", e.Type, told, now)
			}
			told, named = now, 0
		}
	}
}

func TestStreamsAreRefusedNearTheLimitOfFiles(t *testing.T) {
	used := atomic.Int64{}
	s := openSample(t, func(c *handlers.Config) { c.OpenFiles = func() (int, int) { return int(used.Load()), 100 } }).ready()
	for _, path := range []string{"/events", "/api/runs/" + sampleRun + "/events", "/runs/" + sampleRun + ".log?follow=1"} {
		used.Store(79)
		if st := s.listen(path); st.status != http.StatusOK {
			t.Errorf("%s: status %d with 79 of 100 files", path, st.status)
		}
		used.Store(80)
		if r := s.get(path, "Accept", "application/json"); r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" || !strings.Contains(r.body, "ulimit -n") {
			t.Errorf("%s: status %d, retry %q, %s", path, r.status, r.header.Get("Retry-After"), clip(r.body))
		}
		r, err := s.Client().Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		if r.Body.Close(); !r.Close {
			t.Errorf("%s: the connection of a refused stream stays open, and takes what is left", path)
		}
	}
	if r := s.get("/runs"); r.status != http.StatusOK {
		t.Errorf("a page is refused with status %d", r.status)
	}
	if _, state, _, _ := s.health("streams"); state != "warning" {
		t.Errorf("health says %s", state)
	}
}

// withRun restricts the address of a stream to the run that changes here: a
// replay may name more runs than changed.
func withRun(path string) string {
	if strings.Contains(path, "?") {
		return "&run=" + lostRun
	}
	return "?run=" + lostRun
}

func TestStreamResetsWhenPipelinesChange(t *testing.T) {
	s := openSample(t).ready()
	st := s.listen("/events?list=1")
	st.next("ping")
	file := filepath.Join(s.root, ".agents", "pipelines", "new.yaml")
	if err := os.WriteFile(file, []byte("kind: WavePipeline\nmetadata: {name: brand-new}\nsteps: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	st.next("reset")
	if !strings.Contains(s.get("/pipelines").body, "brand-new") {
		t.Error("the page does not show the new pipeline when the stream says so")
	}
}

// wantEvents compares a run's stream with the database.
func wantEvents(t *testing.T, b *storetest.Builder, run string, after int64, events []sse.Event) {
	t.Helper()
	var ids []string
	if err := b.DB.Select(&ids, `SELECT CAST(id AS TEXT) FROM event_log WHERE run_id = ? AND id > ? ORDER BY id`, run, after); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		if e.Type != "end" {
			got = append(got, e.LastEventID)
		}
	}
	if !slices.Equal(got, ids) {
		t.Errorf("event ids %v, want %v", got, ids)
	}
}

func TestRunStreamOfAnEndedRun(t *testing.T) {
	s := openSample(t).ready()
	b := storetest.At(t, storetest.StatePath(s.root))
	path := "/api/runs/" + sampleRun + "/events"

	t.Run("holds every event and ends", func(t *testing.T) {
		events := s.as(t).listen(path).rest()
		wantEvents(t, b, sampleRun, 0, events)
		var first map[string]any
		if err := json.Unmarshal([]byte(events[0].Data), &first); err != nil {
			t.Fatal(err)
		}
		if events[0].Type != "started" || first["pipeline_id"] != sampleRun || first["timestamp"] != "2026-11-23T00:39:50Z" {
			t.Errorf("the first event is %s %v", events[0].Type, first)
		}
		last := events[len(events)-1]
		if last.Type != "end" || !strings.Contains(last.Data, `"status":"failed"`) {
			t.Errorf("the last event is %s %s", last.Type, last.Data)
		}
	})
	t.Run("goes on after the last event seen", func(t *testing.T) {
		wantEvents(t, b, sampleRun, 200, s.as(t).listen(path, "Last-Event-ID", "200").rest())
	})
	t.Run("tells a client that has seen all to stay away", func(t *testing.T) {
		if st := s.as(t).listen(path, "Last-Event-ID", "227"); st.status != http.StatusNoContent {
			t.Errorf("status %d, want 204", st.status)
		}
	})
	t.Run("refuses a place that is none", func(t *testing.T) {
		if st := s.as(t).listen(path, "Last-Event-ID", "x"); st.status != http.StatusBadRequest {
			t.Errorf("status %d, want 400", st.status)
		}
	})
	t.Run("is not there for a run that is not", func(t *testing.T) {
		if st := s.as(t).listen("/api/runs/nothing/events"); st.status != http.StatusNotFound {
			t.Errorf("status %d, want 404", st.status)
		}
	})
}

func TestRunStreamFollowsToTheEnd(t *testing.T) {
	root := emptyProject(t)
	b := newState(t, root)
	run := b.Run(storetest.Run{ID: "live", Pipeline: "p", Status: "running", Start: opened.Add(-time.Minute), Heartbeat: opened})
	b.Event(run, storetest.Event{State: "started", Message: `input="" steps=1`, At: opened})
	s := openSite(t, root).ready()
	st := s.listen("/api/runs/live/events")
	st.next("started")
	for range 3 {
		b.Event(run, storetest.Event{Step: "only", State: "stream_activity", At: opened})
	}
	// A normal failure has no event: the row alone says that it is over.
	b.Update("pipeline_run", map[string]any{"run_id": run, "status": "failed", "completed_at": opened.Unix(), "current_step": `step "only" failed: exit status 1`})
	events := st.rest()
	if len(events) == 0 || events[len(events)-1].Type != "end" {
		t.Fatalf("the stream ended with %v", namesOf(events))
	}
	wantEvents(t, b, run, 1, events)
}

func TestRunStreamWaitsForWhatComesAfterTheEnd(t *testing.T) {
	root := emptyProject(t)
	b := newState(t, root)
	run := b.Run(storetest.Run{ID: "live", Pipeline: "p", Status: "running", Start: opened.Add(-time.Minute), Heartbeat: opened})
	b.Event(run, storetest.Event{State: "started", At: opened})
	s := openSite(t, root).ready()
	st := s.listen("/api/runs/live/events")
	st.next("started")
	sub := s.store.Subscribe()
	defer sub.Close()
	b.Update("pipeline_run", map[string]any{"run_id": run, "status": "completed", "completed_at": opened.Unix()})
	<-sub.Ready()                                                          // so has the stream heard of it
	if response, err := s.Client().Get(s.URL + "/runs/live"); err != nil { // longer than the stream takes to look
		t.Fatal(err)
	} else if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	// Wave records the end of a run before the events that tell of it.
	b.Event(run, storetest.Event{State: "completed", Message: "1 steps completed", At: opened})
	events := st.rest()
	if names := namesOf(events); len(names) < 2 || names[len(names)-2] != "completed" || names[len(names)-1] != "end" {
		t.Fatalf("the stream ended with %v", names)
	}
	wantEvents(t, b, run, 1, events)
}
