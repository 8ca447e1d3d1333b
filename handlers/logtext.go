package handlers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"wavedeck/store"
)

// downloadLog sends a run's log as text, as a stream: what was sent is forgotten.
// ansi=1 keeps the colours. The filter of the page narrows it.
func (s *Server) downloadLog(w http.ResponseWriter, r *http.Request) error {
	run, query, err := s.logRequest(r)
	if err != nil {
		return err
	}
	if query.process {
		return s.downloadProcessLog(w, r, run, query)
	}
	if _, err := s.store.Run(r.Context(), run); err != nil {
		return err //nolint:wrapcheck // described by the error table
	}
	window := store.LogWindow{Bytes: blockBytes}
	if query.from > 0 {
		window.After, window.Before = query.from-1, query.to+1
	}
	events, err := s.store.Log(r.Context(), query.filter, window)
	if err != nil {
		return err //nolint:wrapcheck // described by the error table
	}
	attachment(w, run+".log.txt")
	if r.Method == http.MethodHead {
		return nil
	}
	colours := r.URL.Query().Get("ansi") == "1"
	control := http.NewResponseController(w)
	var b bytes.Buffer
	for len(events) > 0 {
		b.Reset()
		for _, e := range events {
			writeEvent(&b, e, colours)
		}
		if err := control.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return errClientGone
		}
		if _, err := w.Write(b.Bytes()); err != nil {
			return errClientGone
		}
		window.After = events[len(events)-1].ID
		if events, err = s.store.Log(r.Context(), query.filter, window); err != nil {
			s.log.ErrorContext(r.Context(), "log broke off", "request", requestID(r.Context()), "run", run, "error", err)
			panic(http.ErrAbortHandler) // half a file must not look whole
		}
	}
	return nil
}

// attachment makes the answer a text file to keep.
func attachment(w http.ResponseWriter, name string) {
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Content-Disposition", `attachment; filename="`+fileName(name)+`"`)
	header.Set("Cache-Control", "no-store")
}

// fileName keeps of a name what every file system takes.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '_'
	}, name)
	if len(name) > 120 {
		name = name[len(name)-120:]
	}
	return strings.TrimLeft(name, ".")
}

// writeEvent writes an event as a line, and what else its message holds
// indented under it.
func writeEvent(w io.Writer, e store.Event, colours bool) {
	at := "-"
	if !e.At.IsZero() {
		at = e.At.UTC().Format(time.RFC3339)
	}
	step := "-"
	if e.StepID != "" {
		step = plainText(parseLines(shown(e.StepID)))
	}
	message := e.Message
	lines := terminal(message)
	text := plainText(lines)
	if coloured := redacted(message); colours && strings.ContainsRune(coloured, 0x1b) && plainText(parseLines(coloured)) == text {
		text = coloured
	}
	if facts := eventFacts(e); facts != "" {
		text = strings.TrimRight(text+" ["+facts+"]", "\n")
	}
	text = strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ")
	_, _ = fmt.Fprintf(w, "%d %s %s %s %s\n", e.ID, at, step, plainText(parseLines(shown(e.State))), text) // into memory: it cannot fail
}
