package web

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
//nolint:gochecknoglobals // a pool holds nothing that distinguishes it from a new buffer
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

// Media types of answers.
const (
	TypeHTML = "text/html; charset=utf-8"
	TypeJSON = "application/json; charset=utf-8"
)

// WriteHTML renders component and sends it.
func (k *Kit) WriteHTML(w http.ResponseWriter, r *http.Request, status int, component templ.Component) {
	ctx := r.Context()
	k.Respond(w, r, status, TypeHTML, func(b *bytes.Buffer) error { return component.Render(ctx, b) })
}

// WriteJSON encodes body and sends it.
func (k *Kit) WriteJSON(w http.ResponseWriter, r *http.Request, status int, body any) {
	k.Respond(w, r, status, TypeJSON, func(b *bytes.Buffer) error { return EncodeJSON(b, body) })
}

// EncodeJSON writes a body as every JSON answer is written.
func EncodeJSON(b *bytes.Buffer, body any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	b.Write(plain.JSON(encoded))
	b.WriteByte('\n')
	return nil
}

// Respond fills a buffer and sends it. A body that cannot be made is a bare 500:
// this is the last resort of the error pages themselves.
func (k *Kit) Respond(w http.ResponseWriter, r *http.Request, status int, contentType string, fill func(*bytes.Buffer) error) {
	ctx := r.Context()
	_ = withBuffer(func(b *bytes.Buffer) error {
		if err := fill(b); err != nil {
			k.Log.ErrorContext(ctx, "failed to render a page", "request", RequestID(ctx), "path", k.loggedPath(r), "err", err)
			http.Error(w, "internal error (request "+RequestID(ctx)+")", http.StatusInternalServerError)
			return nil
		}
		k.Send(w, r, status, contentType, b.Bytes())
		return nil
	})
}

// Send writes an answer; a client that is gone is no error.
func (k *Kit) Send(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) {
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	if _, err := w.Write(body); err != nil {
		k.Log.DebugContext(r.Context(), "client left", "request", RequestID(r.Context()), "err", err)
	}
}
