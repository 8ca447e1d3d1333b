package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// What a reader of the texts of all events asks: one who goes on from where it
// was, perhaps in another process, and finds runs and events again by their ids.

// ErrOtherHistory says that the events do not go on from a mark: the database is
// another one, or was rolled back.
var ErrOtherHistory = errors.New("the events are not those that were read")

const (
	// MaxEventText is how many bytes of a message are read; longer ones are Cut.
	MaxEventText = 64 << 10
	textsBytes   = 4 << 20 // of messages, read at once
)

// TextMark is how far the events were read. It may be kept and used by a later
// process; the zero one is before all events.
type TextMark struct {
	Event int64  // every event up to this id was read
	Row   string // a hash of that event; empty: it was gone
	File  string // names the file that it was read from
}

// EventText is an event with the beginning of its message.
type EventText struct {
	ID      int64
	Run     string
	Step    string
	State   string // as recorded
	At      time.Time
	Message string // its first MaxEventText bytes
	Cut     bool   // it goes on
}

// Texts is a window of the events of all runs, by their ids.
type Texts struct {
	Events []EventText
	Mark   TextMark // what follows is read from here
	Last   int64    // the greatest id that was given out
	More   bool     // there are more right now
}

// TextsAfter reads at most limit events behind a mark, fewer where they are long,
// or ErrOtherHistory.
func (s *Store) TextsAfter(ctx context.Context, mark TextMark, limit int) (Texts, error) {
	return read(s, func(o *opened) (Texts, error) {
		t, err := o.textsAfter(ctx, mark, limit)
		if err != nil {
			err = fmt.Errorf("read texts after event %d: %w", mark.Event, err)
		}
		return t, err
	})
}

func (o *opened) textsAfter(ctx context.Context, mark TextMark, limit int) (Texts, error) {
	t := Texts{Mark: mark}
	var err error
	if t.Last, err = o.lastEventID(ctx); err != nil {
		return t, err
	}
	if mark.Event > 0 {
		row, err := o.textMark(ctx, mark.Event)
		if err != nil {
			return t, err
		}
		gone := row.Row == "" && row.File == mark.File
		if t.Last < mark.Event || !gone && (row.Row == "" || row.Row != mark.Row) {
			return t, ErrOtherHistory
		}
	}
	if t.Last == mark.Event {
		return t, nil
	}
	t.Events, t.More, err = o.shownTexts(ctx, "e.id > ? ORDER BY e.id", limit, mark.Event)
	if err != nil {
		return t, err
	}
	at := t.Last // the last ones may be deleted
	if n := len(t.Events); t.More {
		at = t.Events[n-1].ID
	} else if n > 0 {
		at = max(at, t.Events[n-1].ID)
	}
	t.Last = max(t.Last, at)
	t.Mark, err = o.textMark(ctx, at)
	return t, err
}

func (o *opened) textMark(ctx context.Context, event int64) (TextMark, error) {
	mark := TextMark{Event: event, File: o.seed}
	m, err := o.markAt(ctx, event)
	if m.row != "" {
		sum := sha256.Sum256([]byte(m.row)) // the row itself may hold what nobody may read
		mark.Row = hex.EncodeToString(sum[:16])
	}
	return mark, err
}

// EventTexts returns the events with these ids that there are, by id.
func (s *Store) EventTexts(ctx context.Context, ids []int64) (map[int64]EventText, error) {
	return read(s, func(o *opened) (map[int64]EventText, error) {
		found := make(map[int64]EventText, len(ids))
		err := chunks(ids, maxCompared, func(part []int64) error {
			events, _, err := o.shownTexts(ctx, "e.id IN "+in(len(part)), len(part), anys(part)...)
			for _, e := range events {
				found[e.ID] = e
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read texts of events: %w", err)
		}
		return found, nil
	})
}

// selectTexts reads the events that a clause chooses, and whether it left some.
func (d *database) selectTexts(ctx context.Context, clause string, limit int, args ...any) (events []EventText, more bool, err error) {
	const t = "event_log"
	if !d.schema.has(t) {
		return nil, false, nil
	}
	message := "'', 0"
	if d.schema[t]["message"] {
		// As bytes: substr ends a text at its first zero byte, and counts characters.
		message = fmt.Sprintf("COALESCE(CAST(substr(CAST(e.message AS BLOB), 1, %d) AS TEXT), ''), COALESCE(octet_length(e.message), 0) > %[1]d", MaxEventText)
	}
	query := "SELECT e.id, COALESCE(e.run_id, ''), " + d.schema.text("e", t, "step_id") + ", " + d.schema.text("e", t, "state") + ", " +
		d.schema.time("e", t, "timestamp") + ", " + message + " FROM event_log e WHERE " + clause + " LIMIT ?"
	rows, err := d.QueryContext(ctx, query, append(args, limit+1)...)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	for size := 0; rows.Next(); {
		if len(events) == limit || size > textsBytes {
			return events, true, nil
		}
		var e EventText
		var at int64
		if err := rows.Scan(&e.ID, &e.Run, &e.Step, &e.State, &at, &e.Message, &e.Cut); err != nil {
			return nil, false, err
		}
		e.At = wave.Unix(at)
		size += len(e.Message)
		events = append(events, e)
	}
	return events, false, rows.Err()
}

// shownTexts is selectTexts without what goes on over several events.
func (d *database) shownTexts(ctx context.Context, clause string, limit int, args ...any) ([]EventText, bool, error) {
	events, more, err := d.selectTexts(ctx, clause, limit, args...)
	if err != nil {
		return nil, false, err
	}
	messages := make([]message, len(events))
	for i := range events {
		e := &events[i]
		messages[i] = message{e.ID, e.Run, e.Step, &e.Message}
	}
	return events, more, d.hideAcross(ctx, d, messages)
}

// EventRuns names the runs of events, of those that there are.
func (s *Store) EventRuns(ctx context.Context, ids []int64) (map[int64]string, error) {
	return read(s, func(o *opened) (map[int64]string, error) {
		runs := make(map[int64]string, len(ids))
		if !o.schema.has("event_log") {
			return runs, nil
		}
		err := chunks(ids, maxCompared, func(part []int64) error {
			rows, err := o.QueryContext(ctx, "SELECT id, COALESCE(run_id, '') FROM event_log WHERE id IN "+in(len(part)), anys(part)...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var id int64
				var run string
				if err := rows.Scan(&id, &run); err != nil {
					return err
				}
				runs[id] = run
			}
			return rows.Err()
		})
		if err != nil {
			return nil, fmt.Errorf("find runs of events: %w", err)
		}
		return runs, nil
	})
}

// RunSpan is where the events of one run lie among those of all.
type RunSpan struct{ First, Last int64 }

const spanSQL = `SELECT
	COALESCE((SELECT id FROM event_log WHERE run_id = ?1 ORDER BY id LIMIT 1), 0),
	COALESCE((SELECT id FROM event_log WHERE run_id = ?1 ORDER BY id DESC LIMIT 1), 0)`

// RunSpans finds where the events of runs lie; a run without events is left out.
func (s *Store) RunSpans(ctx context.Context, runs []string) (map[string]RunSpan, error) {
	return read(s, func(o *opened) (map[string]RunSpan, error) {
		spans := make(map[string]RunSpan, len(runs))
		if !o.schema.has("event_log") {
			return spans, nil
		}
		query, err := o.PreparexContext(ctx, spanSQL)
		if err != nil {
			return nil, fmt.Errorf("find events of runs: %w", err)
		}
		defer query.Close() //nolint:errcheck // it was only read
		for _, run := range runs {
			var span RunSpan
			if err := query.QueryRowContext(ctx, run).Scan(&span.First, &span.Last); err != nil {
				return nil, fmt.Errorf("find events of run %s: %w", run, err)
			}
			if span.First > 0 {
				spans[run] = span
			}
		}
		return spans, nil
	})
}

// FirstEvent is the least id of an event; 0: there is none.
func (s *Store) FirstEvent(ctx context.Context) (int64, error) {
	return read(s, func(o *opened) (id int64, err error) {
		if o.schema.has("event_log") {
			err = o.GetContext(ctx, &id, `SELECT COALESCE(min(id), 0) FROM event_log`)
		}
		return id, err
	})
}

// RunIDs lists the newest runs that f chooses, whatever its page, and whether
// there are more than limit.
func (s *Store) RunIDs(ctx context.Context, f criteria.RunFilter, limit int) (ids []string, more bool, err error) {
	type found struct {
		ids  []string
		more bool
	}
	all, err := read(s, func(o *opened) (found, error) {
		ids, more, err := o.index.Newest(ctx, f, limit)
		return found{ids, more}, err
	})
	return all.ids, all.more, err
}

// MatchingRuns are those of the runs with these ids that f chooses, whatever its
// page. It waits for the index of all runs.
func (s *Store) MatchingRuns(ctx context.Context, f criteria.RunFilter, ids []string) (map[string]bool, error) {
	return read(s, func(o *opened) (map[string]bool, error) { return o.index.Among(ctx, f, ids) })
}
