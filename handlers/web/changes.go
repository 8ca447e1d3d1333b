package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"wavedeck/store"
	"wavedeck/store/feed"
	"wavedeck/views/address"
)

// coalesceFor is the least time between two writes to one client. The first
// change goes out at once; what follows within this time goes out together.
const coalesceFor = 100 * time.Millisecond

// Names of the events on /events. Each says what changed; the page asks for it.
const (
	eventRunChanged  = "run-changed"  // data: {"run_id"}
	eventStepChanged = "step-changed" // data: {"run_id","step_id"}
	eventRunsChanged = "runs-changed" // the list of runs looks different
	eventReset       = "reset"        // ask for everything: the database or the manifest is another one, or too much changed
	eventPing        = "ping"         // nothing changed; data: {"now","stale"}
)

type runChanged struct {
	RunID string `json:"run_id"`
}

type stepChanged struct {
	RunID  string `json:"run_id"`
	StepID string `json:"step_id"`
}

// pinged sends a page what it needs to stay correct: the server's clock, and why
// what it shows may be old although this stream goes on.
type pinged struct {
	Now   int64  `json:"now"` // unix milliseconds
	Stale string `json:"stale,omitempty"`
}

// noData is the data of events that say everything by their name.
type noData struct{}

// Topic restricts a stream to what one page shows. The zero topic is everything.
type Topic struct {
	Runs []string // only these runs; empty: every run
	List bool     // only that the list changed, not which runs
}

func parseTopic(q url.Values) Topic {
	t := Topic{List: q.Get("list") != ""}
	for _, run := range q["run"][:min(len(q["run"]), MaxValues)] {
		if run != "" {
			t.Runs = append(t.Runs, address.Decode(run))
		}
	}
	return t
}

func (t Topic) about(run string) bool { return len(t.Runs) == 0 || slices.Contains(t.Runs, run) }

// StreamChanges says what changed, for as long as the client listens.
func (k *Kit) StreamChanges(w http.ResponseWriter, r *http.Request) error {
	return k.StreamTopic(w, r, parseTopic(r.URL.Query()), time.Time{})
}

// StreamTopic says what changed of a topic, until the client leaves or a moment
// has come; the zero moment never comes.
func (k *Kit) StreamTopic(w http.ResponseWriter, r *http.Request, t Topic, until time.Time) error {
	ctx := r.Context()
	if !until.IsZero() {
		limited, cancel := context.WithTimeout(ctx, until.Sub(k.Now()))
		defer cancel()
		ctx = limited
	}
	sub := k.Store.Subscribe() // before the replay, so that nothing falls in between
	defer sub.Close()
	catalogChanged := k.Manifest.Changed()
	stream, err := k.StartStream(w, r)
	if err != nil {
		return err
	}
	live := &liveStream{EventStream: stream, kit: k, topic: t}
	missed, err := live.missed(ctx, LastSeen(r))
	if err != nil {
		return err
	}
	if err := live.send(missed); err != nil {
		return err
	}

	ping := time.NewTicker(k.Budgets.Ping)
	defer ping.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-sub.Ready():
			change, ok := sub.Take()
			if !ok {
				continue
			}
			if err := live.send(change); err != nil {
				return err
			}
			if !Pause(ctx, coalesceFor) {
				return nil
			}
		case <-catalogChanged:
			catalogChanged = k.Manifest.Changed()
			if err := live.send(feed.Change{Reset: true}); err != nil {
				return err
			}
		case <-ping.C:
			if err := live.send(feed.Change{}); err != nil {
				return err
			}
		}
	}
}

// liveStream is one client of /events, and the cursor that it was sent.
type liveStream struct {
	*EventStream
	kit   *Kit
	topic Topic
	epoch string
	event int64
}

func (l *liveStream) place() string { return cursorID(l.epoch, l.event) }

// reach moves the client's place along with a change: never back within an epoch,
// and never past what was named. A change of no epoch has no place.
func (l *liveStream) reach(c feed.Change) {
	switch {
	case c.Epoch == "":
	case c.Epoch != l.epoch:
		l.epoch, l.event = c.Epoch, c.LastEventID
	default:
		l.event = max(l.event, c.LastEventID)
	}
}

// missed is what changed since the client stopped. Without a place to go on
// from there is nothing to replay; a place that means nothing here is a reset.
// While nothing can be read the client keeps its place, for later.
func (l *liveStream) missed(ctx context.Context, seen string) (feed.Change, error) {
	health := l.kit.Store.Health()
	if seen == "" {
		return feed.Change{Epoch: health.Epoch, LastEventID: health.LastEventID}, nil
	}
	epoch, event, ok := ParseCursorID(seen)
	if !ok {
		return feed.Change{Epoch: health.Epoch, LastEventID: health.LastEventID, Reset: true}, nil
	}
	missed, err := l.kit.Store.Replay(ctx, epoch, event)
	if errors.Is(err, store.ErrUnavailable) {
		missed, err = feed.Change{Reset: true}, nil
	}
	if missed.Epoch == "" || !missed.Reset {
		l.epoch, l.event = epoch, event
	}
	return missed, err
}

// send sends the part of a change that the topic is about. Whatever that
// is, the client hears that the stream is alive, and its place moves: with the last
// event, for a connection may break between two.
func (l *liveStream) send(c feed.Change) error {
	if l.epoch == "" {
		l.reach(c)
	}
	before := l.place()
	l.reach(c)
	ping := pinged{Now: l.kit.Now().UnixMilli(), Stale: l.kit.Stale(l.kit.Store.Health())}
	events := append([]namedEvent{{eventPing, ping}}, l.topic.events(c)...)
	for i, e := range events {
		id := before
		if i == len(events)-1 {
			id = l.place()
		}
		if err := l.Add(e.name, id, e.data); err != nil {
			return err
		}
	}
	return l.Flush()
}

// namedEvent is one event of /events before it is encoded.
type namedEvent struct {
	name string
	data any
}

// events are those of a change that the topic is about.
func (t Topic) events(c feed.Change) []namedEvent {
	if c.Reset || c.Health {
		return []namedEvent{{eventReset, noData{}}}
	}
	var events []namedEvent
	if !t.List {
		for _, run := range c.Runs {
			if t.about(run) {
				events = append(events, namedEvent{eventRunChanged, runChanged{RunID: run}})
			}
		}
		for _, step := range c.Steps {
			if t.about(step.Run) {
				events = append(events, namedEvent{eventStepChanged, stepChanged{RunID: step.Run, StepID: step.Step}})
			}
		}
	}
	if len(t.Runs) == 0 && (c.List || len(c.Runs) > 0) {
		events = append(events, namedEvent{eventRunsChanged, noData{}})
	}
	return events
}

// Pause waits, and reports whether ctx still holds.
func Pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
