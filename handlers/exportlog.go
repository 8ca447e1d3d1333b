package handlers

import (
	"context"
	"math"
	"strings"

	"wavedeck/store"
	"wavedeck/views"
)

// log writes the run's log with a place for each line to be led to. Of one that
// is too long the beginning and the end are kept.
func (x *exporter) log(ctx context.Context) error {
	query, err := parseLogQuery(x.d.Run.ID, nil)
	if err != nil {
		return err
	}
	log, err := x.s.openLogOf(ctx, x.d.Run, query)
	if err != nil {
		return err
	}
	x.out.buf.WriteString(`<section id="log" class="part" aria-labelledby="log-head"><h2 id="log-head">` + exportLog.Title + `</h2><div id="lines" class="lines">`)
	w := logWriter{x: x, log: log, end: math.MaxInt64}
	if x.d.At != nil {
		w.end = x.d.At.Event + 1
	}
	if err := w.all(ctx); err != nil {
		return err
	}
	x.out.buf.WriteString(`</div></section>`)
	if w.shortened > 0 {
		x.leftOut = append(x.leftOut, "the middle of "+views.Plural(w.shortened, "long message", "long messages")+" of the log")
	}
	if x.s.hasProcessLog(x.d.Run.ID) {
		x.leftOut = append(x.leftOut, "the log of its process")
	}
	return x.out.flush()
}

// logWriter writes a log block by block.
type logWriter struct {
	x         *exporter
	log       *openedLog
	end       int64 // ids before this one
	shortened int
}

// all writes the first half of what fits, and, where that is not all, the last
// lines that fit.
func (w *logWriter) all(ctx context.Context) error {
	const reserve = 100_000 // for the end of the file
	room := max(w.x.left-reserve, 0)
	after, over, err := w.from(ctx, 0, room/2)
	if err != nil || over {
		return err
	}
	from, err := w.fitting(ctx, after, room/2)
	if err != nil {
		return err
	}
	if from > after {
		gap, err := w.x.s.store.EventsBetween(ctx, w.log.run.ID, after, from+1)
		if err != nil {
			return err //nolint:wrapcheck // told by the caller
		}
		if err := w.x.leave(ctx, views.Plural(int(gap), "event", "events")+" in the middle of the log"); err != nil {
			return err
		}
	}
	_, _, err = w.from(ctx, from, w.x.left-reserve/2)
	return err
}

// from writes the events after an id until room is used up. It returns the last
// that was written, and whether it was the last there is.
func (w *logWriter) from(ctx context.Context, after int64, room int) (last int64, over bool, err error) {
	for {
		events, err := w.read(ctx, store.LogWindow{After: after, Before: w.end})
		if err != nil || len(events) == 0 {
			return after, true, err
		}
		lines, _, _ := w.log.fit(nil, events)
		html, err := w.block(ctx, lines)
		if err != nil {
			return after, false, err
		}
		if len(html) > room {
			return after, false, nil
		}
		room -= len(html)
		w.x.left -= len(html)
		w.x.out.buf.Write(html)
		if err := w.x.out.flush(); err != nil {
			return after, false, err
		}
		after = lines[len(lines)-1].ID
		for _, l := range lines {
			if l.text.left != "" {
				w.shortened++
			}
		}
	}
}

// fitting finds from which event on, but after one, the rest of the log has room.
func (w *logWriter) fitting(ctx context.Context, after int64, room int) (int64, error) {
	from := w.end
	for {
		events, err := w.read(ctx, store.LogWindow{After: after, Before: from, Newest: true})
		if err != nil || len(events) == 0 {
			return after, err
		}
		lines, _, _ := w.log.fit(events, nil)
		html, err := w.block(ctx, lines)
		if err != nil {
			return after, err
		}
		if room -= len(html); room < 0 {
			return from - 1, nil
		}
		from = lines[0].ID
	}
}

func (w *logWriter) read(ctx context.Context, window store.LogWindow) ([]store.Event, error) {
	window.Limit, window.Bytes = blockEvents, blockBytes
	return w.x.s.store.Log(ctx, store.LogFilter{Run: w.log.run.ID}, window) //nolint:wrapcheck // told by the caller
}

// block renders lines as they stand in the file.
func (w *logWriter) block(ctx context.Context, lines []logEvent) ([]byte, error) {
	var v views.LogView
	v.Log.Clock = clockClock
	w.log.lay(w.x.s, &v.Log.Block, lines)
	for _, g := range v.Log.Block.Groups {
		for i := range g.Lines {
			if l := &g.Lines[i]; l.Left != "" {
				l.Left, l.Whole = "shortened, of "+strings.TrimPrefix(l.Left, "… all "), ""
			}
		}
	}
	return w.x.made(ctx, views.LogBlockPart(v))
}
