package handlers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"wavedeck/views/plain"
)

const typeEventStream = "text/event-stream"

const (
	// retryAfter is what a browser waits before it comes back.
	retryAfter = 3000 * time.Millisecond
)

// outflow is an answer that is made while it is sent.
type outflow struct {
	w   http.ResponseWriter
	ctl *http.ResponseController
	buf bytes.Buffer // the next write

	within time.Duration // of one write; a slower client is disconnected and comes back where it stopped

	// HTTP/2 breaks a stream off when the time for a write is over, also when
	// nothing is being written.
	clears bool
}

// startFlow answers with what goes on. Nothing is sent before the first flush.
func (s *Server) startFlow(w http.ResponseWriter, r *http.Request, contentType string) *outflow {
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no")
	return &outflow{w: w, ctl: http.NewResponseController(w), within: s.budgets.Write, clears: r.ProtoMajor > 1}
}

// flush writes what was collected. An error means that the client is gone or
// too slow.
func (o *outflow) flush() error {
	if o.buf.Len() == 0 {
		return nil
	}
	if err := o.ctl.SetWriteDeadline(time.Now().Add(o.within)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return errClientGone
	}
	if _, err := o.w.Write(o.buf.Bytes()); err != nil {
		return errClientGone
	}
	o.buf.Reset()
	if err := o.ctl.Flush(); err != nil {
		return errClientGone
	}
	if o.clears && o.ctl.SetWriteDeadline(time.Time{}) != nil {
		return errClientGone
	}
	return nil
}

// eventStream writes server-sent events to one client.
type eventStream struct{ *outflow }

// startStream sends the headers at once, so that the client knows it is connected
// before the first event.
func (s *Server) startStream(w http.ResponseWriter, r *http.Request) (*eventStream, error) {
	stream := &eventStream{s.startFlow(w, r, typeEventStream)}
	fmt.Fprintf(&stream.buf, "retry: %d\n\n", retryAfter.Milliseconds())
	return stream, stream.flush()
}

// add puts an event into the next write. Data is encoded as one line of JSON.
func (s *eventStream) add(name, id string, data any) error {
	encoded, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encode event %s: %w", name, err)
	}
	fmt.Fprintf(&s.buf, "event: %s\n", oneLine(name))
	if id != "" {
		fmt.Fprintf(&s.buf, "id: %s\n", oneLine(id))
	}
	fmt.Fprintf(&s.buf, "data: %s\n\n", plain.JSON(encoded))
	return nil
}

// errClientGone ends a stream without an answer: there is nobody to answer.
var errClientGone = &httpError{status: statusClientClosed, text: "the client left"}

// oneLine keeps a recorded word from ending the line of its field, and from acting
// on a terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || plain.Acts(r) {
			return ' '
		}
		return r
	}, s)
}

// cursorID is the id of a stream's event: which database, and the last event id.
func cursorID(epoch string, event int64) string {
	return epoch + "-" + strconv.FormatInt(event, 10)
}

// parseCursorID reads cursorID. The epoch may hold dashes; the number may not.
func parseCursorID(text string) (epoch string, event int64, ok bool) {
	i := strings.LastIndexByte(text, '-')
	if i <= 0 {
		return "", 0, false
	}
	event, err := strconv.ParseInt(text[i+1:], 10, 64)
	if err != nil || event < 0 {
		return "", 0, false
	}
	return text[:i], event, true
}

// lastSeen is where the client stopped: the header of a reconnect is newer than
// the page's own address.
func lastSeen(r *http.Request) string {
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		return id
	}
	return r.URL.Query().Get("after")
}
