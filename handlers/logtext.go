package handlers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"wavedeck/store/criteria"
	"wavedeck/store/feed"
	"wavedeck/store/wave"
	"wavedeck/views/ansi"
)

// downloadLog sends a run's log as a text file to keep.
func (s *Server) downloadLog(w http.ResponseWriter, r *http.Request) error {
	run, query, err := s.logRequest(r)
	if err != nil {
		return err
	}
	if query.process {
		return s.downloadProcessLog(w, r, run, query)
	}
	attachment(w, run+".log.txt")
	return s.sendLog(w, r, run, query, false)
}

// plainLog sends a run's log to a terminal. With follow=1 it goes on as the run
// does, and ends with it.
func (s *Server) plainLog(w http.ResponseWriter, r *http.Request) error {
	run, err := pathVar(r, "run")
	if err != nil {
		return err
	}
	q := r.URL.Query()
	at, err := s.momentOf(r.Context(), r)
	if err != nil {
		return err
	}
	q.Del("at") // of the page it is a line to open at
	query, err := parseLogQuery(run, q)
	if err != nil {
		return err
	}
	follow, err := truth(q, "follow")
	if err != nil {
		return err
	}
	switch {
	case follow && at != nil:
		return &criteria.InputError{Field: "follow", Got: q.Get("follow"), Want: "left out of a log as of a moment, which does not go on"}
	case follow && query.process:
		return &criteria.InputError{Field: "source", Got: "process", Want: "left out of a log that is followed"}
	case query.process:
		return s.downloadProcessLog(w, r, run, query)
	}
	if at != nil && (query.before == 0 || query.before > at.Event) {
		query.before = at.Event + 1
	}
	return s.sendLog(w, r, run, query, follow)
}

// sendLog sends a run's log as text, as a stream: what was sent is forgotten.
// color=1 keeps the colours. The filter of the page narrows it.
func (s *Server) sendLog(w http.ResponseWriter, r *http.Request, id string, query logQuery, follow bool) error {
	ctx := r.Context()
	coloured, err := truth(r.URL.Query(), "color")
	if err != nil {
		return err
	}
	var sub *feed.Subscription
	if follow {
		if err := s.roomForStream(w); err != nil {
			return err
		}
		sub = s.store.Subscribe() // before the first look, so that nothing falls in between
		defer sub.Close()
	}
	run, err := s.store.Run(ctx, id)
	if err != nil {
		return err //nolint:wrapcheck // described by the error table
	}
	log := logTail{s: s, filter: query.filter, window: query.window(), coloured: coloured}
	if follow {
		log.filter, log.only = criteria.LogFilter{Run: id}, &query.filter
	}
	events, err := log.next(ctx)
	if err != nil {
		return err
	}
	log.out = s.startFlow(w, r, formLog.contentType())
	if r.Method == http.MethodHead {
		return nil
	}
	if follow {
		w.WriteHeader(http.StatusOK)
		if err := log.out.ctl.Flush(); err != nil { // the client is told that it is connected
			return errClientGone
		}
	}
	if err = log.send(ctx, events); err == nil && follow {
		err = log.follow(ctx, sub, run)
	}
	if err != nil && !errors.Is(err, errClientGone) {
		return s.breakOff(ctx, err)
	}
	return err
}

// window is the part of a log that an address names.
func (query *logQuery) window() criteria.LogWindow {
	w := criteria.LogWindow{Bytes: blockBytes, After: query.after, Before: query.before}
	if query.from > 0 {
		w.After, w.Before = query.from-1, query.to+1
	}
	return w
}

// logTail sends a log from where it is.
type logTail struct {
	s        *Server
	out      *outflow
	filter   criteria.LogFilter  // what is read
	only     *criteria.LogFilter // what of it is sent; nil: all
	window   criteria.LogWindow
	coloured bool
}

func (log *logTail) next(ctx context.Context) ([]wave.Event, error) {
	return log.s.store.Log(ctx, log.filter, log.window) //nolint:wrapcheck // described by the error table
}

// send sends events and what follows them by now.
func (log *logTail) send(ctx context.Context, events []wave.Event) (err error) {
	for len(events) > 0 {
		for _, e := range events {
			if log.only == nil || log.only.Matches(e) {
				writeEvent(&log.out.buf, e, log.coloured)
			}
			log.window.After = e.ID
		}
		if err := log.out.flush(); err != nil {
			return err
		}
		if events, err = log.next(ctx); err != nil {
			return err
		}
	}
	return nil
}

// follow sends what comes until the run has ended and nothing more comes of it.
func (log *logTail) follow(ctx context.Context, sub *feed.Subscription, run wave.Run) error {
	last := recordedEnd(run)
	for {
		err := log.s.awaitNews(ctx, nil, sub, run, settle-log.s.now().Sub(last))
		if !run.State.Ended() {
			last = log.s.now()
		}
		over := errors.Is(err, errQuiet)
		if err != nil && !over {
			return err
		}
		events, err := log.next(ctx)
		if err != nil {
			return err
		}
		if err := log.send(ctx, events); err != nil || over {
			return err
		}
		if run, err = log.s.store.Run(ctx, run.ID); err != nil {
			return err //nolint:wrapcheck // described by the error table
		}
	}
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
func writeEvent(w io.Writer, e wave.Event, colours bool) {
	at := "-"
	if !e.At.IsZero() {
		at = e.At.UTC().Format(time.RFC3339)
	}
	step := "-"
	if e.StepID != "" {
		step = inline(shown(e.StepID))
	}
	lines := terminal(e.Message)
	text := plainText(lines)
	if colours {
		text = colouredText(lines)
	}
	if facts := eventFacts(e); facts != "" {
		text = strings.TrimRight(text+" ["+facts+"]", "\n")
	}
	text = strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ")
	_, _ = fmt.Fprintf(w, "%d %s %s %s %s\n", e.ID, at, step, inline(shown(e.State)), text) // into memory: it cannot fail
}

// colouredText is lines with the colours that a terminal gives them.
func colouredText(lines []ansi.Line) string { return joined(lines, ansi.Line.Terminal) }
