package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"wavedeck/handlers/present"
	"wavedeck/views/plain"
)

// TypeEventStream is the media type of server-sent events.
const TypeEventStream = "text/event-stream"

const (
	// retryAfter is what a browser waits before it comes back.
	retryAfter = 3000 * time.Millisecond
)

// ResponseStream is an answer that is made while it is sent.
type ResponseStream struct {
	w   http.ResponseWriter
	Ctl *http.ResponseController
	Buf bytes.Buffer // the next write

	within time.Duration // of one write; a slower client is disconnected and comes back where it stopped

	// HTTP/2 breaks a stream off when the time for a write is over, also when
	// nothing is being written.
	clears bool
}

// StartFlow answers with what goes on. Nothing is sent before the first flush.
func (k *Kit) StartFlow(w http.ResponseWriter, r *http.Request, contentType string) *ResponseStream {
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no")
	return &ResponseStream{w: w, Ctl: http.NewResponseController(w), within: k.Budgets.Write, clears: r.ProtoMajor > 1}
}

// Flush writes what was collected. An error means that the client is gone or
// too slow.
func (o *ResponseStream) Flush() error {
	if o.Buf.Len() == 0 {
		return nil
	}
	if err := o.Ctl.SetWriteDeadline(time.Now().Add(o.within)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return ErrClientGone
	}
	if _, err := o.w.Write(o.Buf.Bytes()); err != nil { //nolint:gosec // it is not HTML
		return ErrClientGone
	}
	o.Buf.Reset()
	if err := o.Ctl.Flush(); err != nil {
		return ErrClientGone
	}
	if o.clears && o.Ctl.SetWriteDeadline(time.Time{}) != nil {
		return ErrClientGone
	}
	return nil
}

// EventStream writes server-sent events to one client.
type EventStream struct{ *ResponseStream }

// StartStream sends the headers at once, so that the client knows it is connected
// before the first event.
func (k *Kit) StartStream(w http.ResponseWriter, r *http.Request) (*EventStream, error) {
	stream := &EventStream{k.StartFlow(w, r, TypeEventStream)}
	fmt.Fprintf(&stream.Buf, "retry: %d\n\n", retryAfter.Milliseconds())
	return stream, stream.Flush()
}

// Add puts an event into the next write. Data is encoded as one line of JSON.
func (s *EventStream) Add(name, id string, data any) error {
	encoded, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encode event %s: %w", name, err)
	}
	fmt.Fprintf(&s.Buf, "event: %s\n", present.OneLine(name))
	if id != "" {
		fmt.Fprintf(&s.Buf, "id: %s\n", present.OneLine(id))
	}
	fmt.Fprintf(&s.Buf, "data: %s\n\n", plain.JSON(encoded))
	return nil
}

// ErrClientGone ends a stream without an answer: there is nobody to answer.
var ErrClientGone = &Error{Status: StatusClientClosed, Text: "the client left"}

// cursorID is the id of a stream's event: which database, and the last event id.
func cursorID(epoch string, event int64) string {
	return epoch + "-" + strconv.FormatInt(event, 10)
}

// ParseCursorID reads cursorID. The epoch may hold dashes; the number may not.
func ParseCursorID(text string) (epoch string, event int64, ok bool) {
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

// LastSeen is where the client stopped: the header of a reconnect is newer than
// the page's own address.
func LastSeen(r *http.Request) string {
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		return id
	}
	return r.URL.Query().Get("after")
}
