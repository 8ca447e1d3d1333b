package sqlite

import (
	"context"
	"fmt"
	"strings"

	"wavedeck/store/wave"
)

// changeRows are what a reader asks that goes on from where it was.
type changeRows struct{ source }

const (
	lastEventSQL    = `SELECT COALESCE(max(id), 0) FROM event_log`
	lastSequenceSQL = `SELECT COALESCE(max(CAST(seq AS INTEGER)), 0) FROM sqlite_sequence WHERE name = 'event_log'`
	eventRowSQL     = `SELECT quote(run_id) || quote(timestamp) || quote(step_id) || quote(state) || quote(message) FROM event_log WHERE id = ?`
)

// LastEvent is the greatest id that event_log ever gave out, as far as it
// is known; deleting events does not lower it.
func (s changeRows) LastEvent(ctx context.Context) (int64, error) {
	var last, seq int64
	if !s.schema.Has("event_log") {
		return 0, nil
	}
	if err := s.get(ctx, &last, lastEventSQL); err != nil {
		return 0, fmt.Errorf("find last event: %w", err)
	}
	if s.schema.Has("sqlite_sequence") {
		if err := s.get(ctx, &seq, lastSequenceSQL); err != nil {
			return 0, fmt.Errorf("find last event: %w", err)
		}
	}
	return max(last, seq), nil
}

// FirstEvent is the least id of an event; 0: there is none.
func (s changeRows) FirstEvent(ctx context.Context) (id int64, err error) {
	if s.schema.Has("event_log") {
		err = s.get(ctx, &id, `SELECT COALESCE(min(id), 0) FROM event_log`)
	}
	return id, err
}

// MarkAt is an event as it is to be known again.
func (s changeRows) MarkAt(ctx context.Context, id int64) (wave.EventMark, error) {
	var rows []string
	if s.schema.Has("event_log") {
		if err := s.sel(ctx, &rows, eventRowSQL, id); err != nil {
			return wave.EventMark{}, fmt.Errorf("find event %d: %w", id, err)
		}
	}
	return wave.EventMark{Last: id, Row: strings.Join(rows, "")}, nil
}

// Continues reports whether the history goes on from mark.
func (s changeRows) Continues(ctx context.Context, mark wave.EventMark) (bool, error) {
	last, err := s.LastEvent(ctx)
	if err != nil || last < mark.Last {
		return false, err
	}
	now, err := s.MarkAt(ctx, mark.Last)
	return now.Row == "" || mark.Row == "" || now.Row == mark.Row, err
}

// replaySQL goes along the ids: the unary + keeps the planner from walking the
// whole history in the order of its runs, so as to group by them.
const replaySQL = `
SELECT COALESCE(run_id, '') AS run, COALESCE(step_id, '') AS step
FROM event_log WHERE id > ? GROUP BY +run_id, +step_id LIMIT ?`

// ChangedAfter names the runs and steps of the events behind one.
func (s changeRows) ChangedAfter(ctx context.Context, event int64, limit int) (refs []wave.StepRef, err error) {
	if s.schema.Has("event_log") {
		err = s.sel(ctx, &refs, replaySQL, event, limit)
	}
	return refs, err
}

// TimeOf is when an event was written, in unix seconds; 0: that is not known.
func (s changeRows) TimeOf(ctx context.Context, event int64) (second int64, err error) {
	if s.schema.Has("event_log") {
		err = s.get(ctx, &second, "SELECT COALESCE(max("+TimeSQL("timestamp")+"), 0) FROM event_log WHERE id = ?", event)
	}
	return second, err
}

const spanSQL = `SELECT
	COALESCE((SELECT id FROM event_log WHERE run_id = ?1 ORDER BY id LIMIT 1), 0),
	COALESCE((SELECT id FROM event_log WHERE run_id = ?1 ORDER BY id DESC LIMIT 1), 0)`

// RunSpans finds where the events of runs lie; a run without events is left out.
func (s changeRows) RunSpans(ctx context.Context, runs []string) (map[string]wave.RunSpan, error) {
	spans := make(map[string]wave.RunSpan, len(runs))
	if !s.schema.Has("event_log") {
		return spans, nil
	}
	query, err := s.q.PrepareContext(ctx, spanSQL)
	if err != nil {
		return nil, fmt.Errorf("find events of runs: %w", err)
	}
	defer query.Close() //nolint:errcheck // it was only read
	for _, run := range runs {
		var span wave.RunSpan
		if err := query.QueryRowContext(ctx, run).Scan(&span.First, &span.Last); err != nil {
			return nil, fmt.Errorf("find events of run %s: %w", run, err)
		}
		if span.First > 0 {
			spans[run] = span
		}
	}
	return spans, nil
}
