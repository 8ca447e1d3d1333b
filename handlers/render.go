package handlers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"github.com/a-h/templ"

	"wavedeck/views/plain"
)

// buffers are reused between answers: a page is rendered whole before its first
// byte is sent, so that an error half way is an error and not half a page.
//
//nolint:gochecknoglobals // a pool holds nothing that anybody could tell from a new buffer
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxPooled keeps one huge page from staying in memory for ever.
const maxPooled = 1 << 20

func withBuffer(use func(*bytes.Buffer) error) error {
	b, _ := buffers.Get().(*bytes.Buffer)
	b.Reset()
	defer func() {
		if b.Cap() <= maxPooled {
			buffers.Put(b)
		}
	}()
	return use(b)
}

const (
	typeHTML = "text/html; charset=utf-8"
	typeJSON = "application/json; charset=utf-8"
)

// writeHTML renders component and sends it.
func (s *Server) writeHTML(w http.ResponseWriter, r *http.Request, status int, component templ.Component) {
	ctx := r.Context()
	s.write(w, r, status, typeHTML, func(b *bytes.Buffer) error { return component.Render(ctx, b) })
}

// writeJSON encodes body and sends it.
func (s *Server) writeJSON(w http.ResponseWriter, r *http.Request, status int, body any) {
	s.write(w, r, status, typeJSON, func(b *bytes.Buffer) error { return encodeJSON(b, body) })
}

func encodeJSON(b *bytes.Buffer, body any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	b.Write(plain.JSON(encoded))
	b.WriteByte('\n')
	return nil
}

// write fills a buffer and sends it. A body that cannot be made is a bare 500:
// this is the last resort of the error pages themselves.
func (s *Server) write(w http.ResponseWriter, r *http.Request, status int, contentType string, fill func(*bytes.Buffer) error) {
	ctx := r.Context()
	_ = withBuffer(func(b *bytes.Buffer) error {
		if err := fill(b); err != nil {
			s.log.ErrorContext(ctx, "render answer", "request", requestID(ctx), "path", s.loggedPath(r), "error", err)
			http.Error(w, "something went wrong here; the log has it under request "+requestID(ctx), http.StatusInternalServerError)
			return nil
		}
		s.send(w, r, status, contentType, b.Bytes())
		return nil
	})
}

func (s *Server) send(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) {
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	if _, err := w.Write(body); err != nil { //nolint:gosec // templ escaped it, or it is not HTML
		s.log.DebugContext(r.Context(), "client left", "request", requestID(r.Context()), "error", err)
	}
}
