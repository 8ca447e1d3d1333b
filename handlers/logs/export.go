package logs

import (
	"context"
	"math"
	"strings"

	"wavedeck/handlers/runview"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// ExportLog writes the log of a run with a place for each line to be led to. Of one
// that is too long the beginning and the end are kept.
func (h *Handler) ExportLog(ctx context.Context, d wave.RunDetail, to runview.LogSink) error {
	query, err := parseLogQuery(d.Run.ID, nil)
	if err != nil {
		return err
	}
	log, err := h.openLogOf(ctx, d.Run, query)
	if err != nil {
		return err
	}
	w := logWriter{h: h, to: to, log: log, end: math.MaxInt64}
	if d.At != nil {
		w.end = d.At.Event + 1
	}
	if err := w.all(ctx); err != nil {
		return err
	}
	if w.shortened > 0 {
		to.Without("the middle of " + views.Plural(w.shortened, "long message", "long messages") + " of the log")
	}
	if h.hasProcessLog(d.Run.ID) {
		to.Without("the log of its process")
	}
	return nil
}

// logWriter writes a log block by block.
type logWriter struct {
	h         *Handler
	to        runview.LogSink
	log       *openedLog
	end       int64 // ids before this one
	shortened int
}

// all writes the first half of what fits, and, where that is not all, the last
// lines that fit.
func (w *logWriter) all(ctx context.Context) error {
	const reserve = 100_000 // for the end of the file
	room := max(w.to.Room()-reserve, 0)
	after, over, err := w.from(ctx, 0, room/2)
	if err != nil || over {
		return err
	}
	from, err := w.fitting(ctx, after, room/2)
	if err != nil {
		return err
	}
	if from > after {
		gap, err := w.h.Store.EventsBetween(ctx, w.log.run.ID, after, from+1)
		if err != nil {
			return err //nolint:wrapcheck // the caller adds context
		}
		if err := w.to.Leave(ctx, views.Plural(int(gap), "event", "events")+" in the middle of the log"); err != nil {
			return err
		}
	}
	_, _, err = w.from(ctx, from, w.to.Room()-reserve/2)
	return err
}

// from writes the events after an id until room is used up. It returns the last
// that was written, and whether it was the last there is.
func (w *logWriter) from(ctx context.Context, after int64, room int) (last int64, over bool, err error) {
	for {
		events, err := w.read(ctx, criteria.LogWindow{After: after, Before: w.end})
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
		if err := w.to.Put(html); err != nil {
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
		events, err := w.read(ctx, criteria.LogWindow{After: after, Before: from, Newest: true})
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

func (w *logWriter) read(ctx context.Context, window criteria.LogWindow) ([]wave.Event, error) {
	window.Limit, window.Bytes = blockEvents, blockBytes
	return w.h.Store.Log(ctx, criteria.LogFilter{Run: w.log.run.ID}, window) //nolint:wrapcheck // the caller adds context
}

// block renders lines as they stand in the file.
func (w *logWriter) block(ctx context.Context, lines []logEvent) ([]byte, error) {
	var v views.LogView
	v.Log.Clock = clockClock
	w.log.lay(w.h, &v.Log.Block, lines)
	for _, g := range v.Log.Block.Groups {
		for i := range g.Lines {
			if l := &g.Lines[i]; l.Left != "" {
				l.Left, l.Whole = "shortened, of "+strings.TrimPrefix(l.Left, "… all "), ""
			}
		}
	}
	return w.to.Made(ctx, views.LogBlockPart(v))
}
