package handlers

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"wavedeck/store/criteria"
	"wavedeck/store/feed"
	"wavedeck/store/wave"
)

// streamWindow is how many events of a run are read and sent at once.
const streamWindow = 500

// wireEvent is an event as Wave itself prints it: its field names and which of
// them are left out when empty.
type wireEvent struct {
	Timestamp  *time.Time `json:"timestamp"`
	PipelineID string     `json:"pipeline_id"` // the run's id: Wave calls it so
	StepID     string     `json:"step_id,omitempty"`
	State      string     `json:"state"`
	DurationMs int64      `json:"duration_ms,omitempty"`
	Message    string     `json:"message,omitempty"`
	Persona    string     `json:"persona,omitempty"`
	TokensUsed int64      `json:"tokens_used,omitempty"`
	Model      string     `json:"model,omitempty"`
	Adapter    string     `json:"adapter,omitempty"`
}

// eventEnd is the last event of a run's stream: its data is the run's summary.
const eventEnd = "end"

// settle is how long a run that has ended may still get events: Wave records
// the end first, and of a run that is stopped a second before the last events.
const settle = 2 * time.Second

// streamRunEvents sends a run's events, all of them or those after the one the
// client saw last, until the run has ended. A client that has seen the end is
// told to stay away (204), or its browser would come back for ever.
func (s *Server) streamRunEvents(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	id, err := pathVar(r, "run")
	if err != nil {
		return err
	}
	after, err := lastEvent(lastSeen(r))
	if err != nil {
		return err
	}
	sub := s.store.Subscribe()
	defer sub.Close()
	run, err := s.store.Run(ctx, id)
	if err != nil {
		return err
	}
	var stream *eventStream
	last := recordedEnd(run) // when the run was last known at work
	for {
		events, err := s.store.Events(ctx, criteria.EventFilter{Run: id, After: after, Limit: streamWindow})
		if err != nil {
			return s.endStream(ctx, stream, err)
		}
		left := settle - s.now().Sub(last)
		if stream == nil {
			over := len(events) == 0 && run.State.Ended() && left <= 0
			if stream, err = s.startRunStream(w, r, over); stream == nil {
				return err
			}
		}
		if after, err = stream.sendEvents(events, after); err != nil {
			return err
		}
		if len(events) == streamWindow {
			continue
		}
		err = s.awaitNews(ctx, stream, sub, run, left)
		if !run.State.Ended() {
			last = s.now()
		}
		if errors.Is(err, errQuiet) {
			return stream.sendEnd(run)
		}
		if err != nil {
			return s.endStream(ctx, stream, err)
		}
		if run, err = s.store.Run(ctx, id); err != nil {
			return s.endStream(ctx, stream, err)
		}
	}
}

// startRunStream returns no stream when there is nothing left to send to a
// client that came back, and has told it so.
func (s *Server) startRunStream(w http.ResponseWriter, r *http.Request, over bool) (*eventStream, error) {
	if over && r.Header.Get("Last-Event-ID") != "" {
		w.WriteHeader(http.StatusNoContent)
		return nil, nil
	}
	return s.startStream(w, r)
}

// recordedEnd is the later of the two ends that may be recorded, or zero.
func recordedEnd(run wave.Run) time.Time {
	if run.CancelledAt.After(run.CompletedAt) {
		return run.CancelledAt
	}
	return run.CompletedAt
}

// sendEvents returns the id of the last event sent, after when there is none.
func (s *eventStream) sendEvents(events []wave.Event, after int64) (int64, error) {
	for _, e := range events {
		if err := s.add(e.State, strconv.FormatInt(e.ID, 10), wireEventOf(e)); err != nil {
			return after, err
		}
		after = e.ID
	}
	return after, s.flush()
}

func (s *eventStream) sendEnd(run wave.Run) error {
	if err := s.add(eventEnd, "", summaryOf(run)); err != nil {
		return err
	}
	return s.flush()
}

// endStream ends an answer that failed. When it has begun there is no status
// left to send: the connection ends, and the client comes back.
func (s *Server) endStream(ctx context.Context, stream *eventStream, err error) error {
	if stream == nil || ctx.Err() != nil {
		return err
	}
	s.log.WarnContext(ctx, "stream ended", "request", requestID(ctx), "error", err)
	return nil
}

// errQuiet says that nothing more came of a run that has ended.
var errQuiet = errors.New("nothing more comes")

// awaitNews returns when something about the run changed, or, if it has ended,
// errQuiet when nothing did for so long.
func (s *Server) awaitNews(ctx context.Context, stream *eventStream, sub *feed.Subscription, run wave.Run, left time.Duration) error {
	if !run.State.Ended() {
		return s.awaitRun(ctx, stream, sub, run.ID)
	}
	if left <= 0 {
		return errQuiet
	}
	quiet, stop := context.WithTimeout(ctx, left)
	defer stop()
	err := s.awaitRun(quiet, stream, sub, run.ID)
	if err != nil && quiet.Err() != nil && ctx.Err() == nil {
		return errQuiet
	}
	return err
}

// awaitRun returns when something about the run changed, or may have: that its
// process is gone changes no row. The client of a stream is pinged with a comment
// then; a log that is followed is nil here.
func (s *Server) awaitRun(ctx context.Context, stream *eventStream, sub *feed.Subscription, id string) error {
	ping := time.NewTicker(s.budgets.Ping)
	defer ping.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-sub.Ready():
			if change, ok := sub.Take(); ok && concerns(change, id) {
				return nil
			}
		case <-ping.C:
			if stream == nil {
				return nil
			}
			stream.buf.WriteString(": still here\n\n")
			return stream.flush()
		}
	}
}

func concerns(c feed.Change, run string) bool {
	return c.Reset || c.Health || slices.Contains(c.Runs, run)
}

// lastEvent reads the id of the last event a client saw, in the form of this
// stream (a number) or of /events (epoch and number).
func lastEvent(seen string) (int64, error) {
	if seen == "" {
		return 0, nil
	}
	if _, event, ok := parseCursorID(seen); ok {
		return event, nil
	}
	event, err := strconv.ParseInt(seen, 10, 64)
	if err != nil || event < 0 {
		return 0, &criteria.InputError{Field: "Last-Event-ID", Got: clip(seen, 64), Want: "the id of an event, a number"}
	}
	return event, nil
}

func wireEventOf(e wave.Event) wireEvent {
	return wireEvent{
		Timestamp: momentOf(e.At), PipelineID: e.RunID, StepID: e.StepID, State: e.State,
		DurationMs: e.Duration.Milliseconds(), Message: shown(e.Message), Persona: e.Persona,
		TokensUsed: e.Tokens, Model: shown(e.Model), Adapter: shown(e.Adapter),
	}
}
