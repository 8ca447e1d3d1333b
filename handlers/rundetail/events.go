package rundetail

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/store/criteria"
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
	Bytes      int        `json:"message_bytes,omitempty"` // of the whole message, where it is cut; Wave has no such field
	Persona    string     `json:"persona,omitempty"`
	TokensUsed int64      `json:"tokens_used,omitempty"`
	Model      string     `json:"model,omitempty"`
	Adapter    string     `json:"adapter,omitempty"`
}

// eventEnd is the last event of a run's stream: its data is the run's summary.
const eventEnd = "end"

// streamRunEvents sends a run's events, all of them or those after the one the
// client saw last, until the run has ended. A client that has seen the end is
// answered with 204, or its browser would come back for ever.
func (h *Handler) streamRunEvents(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	id, err := web.PathVar(r, "run")
	if err != nil {
		return err
	}
	after, err := lastEvent(web.LastSeen(r))
	if err != nil {
		return err
	}
	sub := h.Store.Subscribe()
	defer sub.Close()
	run, err := h.Store.Run(ctx, id)
	if err != nil {
		return err
	}
	var stream *web.EventStream
	last := runview.RecordedEnd(run) // when the run was last known at work
	for {
		events, err := h.Store.Events(ctx, criteria.EventFilter{Run: id, After: after, Limit: streamWindow})
		if err != nil {
			return h.endStream(ctx, stream, err)
		}
		left := runview.Settle - h.Now().Sub(last)
		if stream == nil {
			over := len(events) == 0 && run.State.Ended() && left <= 0
			if stream, err = h.startRunStream(w, r, over); stream == nil {
				return err
			}
		}
		if after, err = sendEvents(stream, events, after); err != nil {
			return err
		}
		if len(events) == streamWindow {
			continue
		}
		err = h.AwaitNews(ctx, stream, sub, run, left)
		if !run.State.Ended() {
			last = h.Now()
		}
		if errors.Is(err, runview.ErrQuiet) {
			return sendEnd(stream, run)
		}
		if err != nil {
			return h.endStream(ctx, stream, err)
		}
		if run, err = h.Store.Run(ctx, id); err != nil {
			return h.endStream(ctx, stream, err)
		}
	}
}

// startRunStream returns no stream when there is nothing left to send to a
// client that came back, and has said so.
func (h *Handler) startRunStream(w http.ResponseWriter, r *http.Request, over bool) (*web.EventStream, error) {
	if over && r.Header.Get("Last-Event-ID") != "" {
		w.WriteHeader(http.StatusNoContent)
		return nil, nil
	}
	return h.StartStream(w, r)
}

// sendEvents returns the id of the last event sent, after when there is none.
func sendEvents(s *web.EventStream, events []wave.Event, after int64) (int64, error) {
	for _, e := range events {
		if err := s.Add(present.Clip(present.Opening(e.State), present.NameShown), strconv.FormatInt(e.ID, 10), wireEventOf(e)); err != nil {
			return after, err
		}
		after = e.ID
	}
	return after, s.Flush()
}

func sendEnd(s *web.EventStream, run wave.Run) error {
	if err := s.Add(eventEnd, "", present.SummaryOf(run)); err != nil {
		return err
	}
	return s.Flush()
}

// endStream ends an answer that failed. When it has begun there is no status
// left to send: the connection ends, and the client comes back.
func (h *Handler) endStream(ctx context.Context, stream *web.EventStream, err error) error {
	if stream == nil || ctx.Err() != nil {
		return err
	}
	h.Log.WarnContext(ctx, "stream ended", "request", web.RequestID(ctx), "err", err)
	return nil
}

// lastEvent reads the id of the last event a client saw, in the form of this
// stream (a number) or of /events (epoch and number).
func lastEvent(seen string) (int64, error) {
	if seen == "" {
		return 0, nil
	}
	if _, event, ok := web.ParseCursorID(seen); ok {
		return event, nil
	}
	event, err := strconv.ParseInt(seen, 10, 64)
	if err != nil || event < 0 {
		return 0, &criteria.InputError{Field: "Last-Event-ID", Got: present.Clip(seen, 64), Want: "the id of an event, a number"}
	}
	return event, nil
}

func wireEventOf(e wave.Event) wireEvent {
	sent := wireEvent{
		Timestamp: present.OptionalTime(e.At), PipelineID: e.RunID, StepID: e.StepID, State: present.Opening(e.State),
		DurationMs: e.Duration.Milliseconds(), Message: present.Redact(e.Message), Persona: present.Opening(e.Persona),
		TokensUsed: e.Tokens, Model: present.Opening(e.Model), Adapter: present.Opening(e.Adapter),
	}
	if len(sent.Message) > present.TextsWhole { // the log has the whole
		sent.Message, sent.Bytes = present.Clip(sent.Message, present.TextsWhole), len(e.Message)
	}
	return sent
}
