package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/store/criteria"
	"wavedeck/store/feed"
	"wavedeck/store/wave"
	"wavedeck/views/ansi"
	"wavedeck/views/legible"
)

// downloadLog sends a run's log as a text file to keep.
func (h *Handler) downloadLog(w http.ResponseWriter, r *http.Request) error {
	run, query, err := h.logRequest(r)
	if err != nil {
		return err
	}
	if query.process {
		return h.downloadProcessLog(w, r, run, query)
	}
	attachment(w, run+".log.txt")
	return h.sendLog(w, r, run, query, false)
}

// PlainLog sends a run's log to a terminal. With follow=1 it goes on as the run
// does, and ends with it.
func (h *Handler) PlainLog(w http.ResponseWriter, r *http.Request) error {
	run, err := web.PathVar(r, "run")
	if err != nil {
		return err
	}
	q := r.URL.Query()
	at, err := h.MomentOf(r.Context(), r)
	if err != nil {
		return err
	}
	q.Del("at") // of the page it is a line to open at
	query, err := parseLogQuery(run, q)
	if err != nil {
		return err
	}
	follow, err := web.Bool(q, "follow")
	if err != nil {
		return err
	}
	switch {
	case follow && at != nil:
		return &criteria.InputError{Field: "follow", Got: q.Get("follow"), Want: "left out of a log as of a moment, which does not go on"}
	case follow && query.process:
		return &criteria.InputError{Field: "source", Got: "process", Want: "left out of a log that is followed"}
	case query.process:
		return h.downloadProcessLog(w, r, run, query)
	}
	if at != nil && (query.before == 0 || query.before > at.Event) {
		query.before = at.Event + 1
	}
	return h.sendLog(w, r, run, query, follow)
}

// sendLog sends a run's log as text, as a stream: what was sent is forgotten.
// color=1 keeps the colours. The filter of the page narrows it.
func (h *Handler) sendLog(w http.ResponseWriter, r *http.Request, id string, query logQuery, follow bool) error {
	ctx := r.Context()
	coloured, err := web.Bool(r.URL.Query(), "color")
	if err != nil {
		return err
	}
	var sub *feed.Subscription
	if follow {
		if err := h.RoomForStream(w); err != nil {
			return err
		}
		sub = h.Store.Subscribe() // before the first look, so that nothing falls in between
		defer sub.Close()
	}
	run, err := h.Store.Run(ctx, id)
	if err != nil {
		return err //nolint:wrapcheck // described by the error table
	}
	log := logTail{h: h, filter: query.filter, window: query.window(), coloured: coloured}
	if follow {
		log.filter, log.only = criteria.LogFilter{Run: id}, &query.filter
	}
	events, err := log.next(ctx)
	if err != nil {
		return err
	}
	log.out = h.StartFlow(w, r, web.FormatLog.ContentType())
	if r.Method == http.MethodHead {
		return nil
	}
	if follow {
		w.WriteHeader(http.StatusOK)
		if err := log.out.Ctl.Flush(); err != nil { // the client learns that it is connected
			return web.ErrClientGone
		}
	}
	if err = log.send(ctx, events); err == nil && follow {
		err = log.follow(ctx, sub, run)
	}
	if err != nil && !errors.Is(err, web.ErrClientGone) {
		return h.BreakOff(ctx, err)
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
	h        *Handler
	out      *web.ResponseStream
	filter   criteria.LogFilter  // what is read
	only     *criteria.LogFilter // what of it is sent; nil: all
	window   criteria.LogWindow
	coloured bool
}

func (log *logTail) next(ctx context.Context) ([]wave.Event, error) {
	return log.h.Store.Log(ctx, log.filter, log.window) //nolint:wrapcheck // described by the error table
}

// send sends events and what follows them by now.
func (log *logTail) send(ctx context.Context, events []wave.Event) (err error) {
	for len(events) > 0 {
		for _, e := range events {
			if log.only == nil || log.only.Matches(e) {
				writeEvent(&log.out.Buf, e, log.coloured)
			}
			log.window.After = e.ID
		}
		if err := log.out.Flush(); err != nil {
			return err
		}
		if events, err = log.next(ctx); err != nil {
			return err
		}
	}
	return nil
}

// follow sends what comes until the run has ended and nothing more of it is written.
func (log *logTail) follow(ctx context.Context, sub *feed.Subscription, run wave.Run) error {
	last := runview.RecordedEnd(run)
	for {
		err := log.h.AwaitNews(ctx, nil, sub, run, runview.Settle-log.h.Now().Sub(last))
		if !run.State.Ended() {
			last = log.h.Now()
		}
		over := errors.Is(err, runview.ErrQuiet)
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
		if run, err = log.h.Store.Run(ctx, run.ID); err != nil {
			return err //nolint:wrapcheck // described by the error table
		}
	}
}

// attachment makes the answer a text file to keep.
func attachment(w http.ResponseWriter, name string) {
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Content-Disposition", `attachment; filename="`+runview.FileName(name)+`"`)
	header.Set("Cache-Control", "no-store")
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
		step = present.Inline(legible.Name(present.Redact(e.StepID)))
	}
	lines := present.Terminal(e.Message)
	text := present.PlainText(lines)
	if colours {
		text = colouredText(lines)
	}
	if facts := legible.Name(eventFacts(e)); facts != "" {
		text = strings.TrimRight(text+" ["+facts+"]", "\n")
	}
	text = strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ")
	_, _ = fmt.Fprintf(w, "%d %s %s %s %s\n", e.ID, at, step, present.Inline(present.Redact(e.State)), text) // into memory: it cannot fail
}

// colouredText is lines with the colours that a terminal gives them.
func colouredText(lines []ansi.Line) string { return present.Joined(lines, ansi.Line.Terminal) }
