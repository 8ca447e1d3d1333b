package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// TextSource is what a reader of the texts of all events asks of a [Store]: one who
// goes on from where it was, perhaps in another process, and finds runs and events
// again by their ids.
type TextSource struct{ *stateFile }

// ErrOtherHistory says that the events do not go on from a mark: the database is
// another one, or was rolled back.
var ErrOtherHistory = errors.New("the events are not those that were read")

const ()

// TextMark is how far the events were read. It may be kept and used by a later
// process; the zero one is before all events.
type TextMark struct {
	Event int64  // every event up to this id was read
	Row   string // a hash of that event; empty: it was gone
	File  string // names the file that it was read from
}

// Texts is a window of the events of all runs, by their ids.
type Texts struct {
	Events []wave.EventText
	Mark   TextMark // what follows is read from here
	Last   int64    // the greatest id that was given out
	More   bool     // there are more right now
}

// TextsAfter reads at most limit events behind a mark, fewer where they are long,
// or ErrOtherHistory.
func (s TextSource) TextsAfter(ctx context.Context, mark TextMark, limit int) (Texts, error) {
	return read(s.stateFile, func(o *opened) (Texts, error) {
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
	if t.Last, err = o.LastEvent(ctx); err != nil {
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
	t.Events, t.More, err = o.textsBehind(ctx, mark.Event, limit)
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
	m, err := o.MarkAt(ctx, event)
	if m.Row != "" {
		sum := sha256.Sum256([]byte(m.Row)) // the row itself may hold what nobody may read
		mark.Row = hex.EncodeToString(sum[:16])
	}
	return mark, err
}

// EventTexts returns the events with these ids that there are, by id.
func (s TextSource) EventTexts(ctx context.Context, ids []int64) (map[int64]wave.EventText, error) {
	return read(s.stateFile, func(o *opened) (map[int64]wave.EventText, error) {
		events, err := o.TextsOf(ctx, ids)
		if err == nil {
			err = o.hideAcross(ctx, o, textMessages(events))
		}
		if err != nil {
			return nil, fmt.Errorf("read texts of events: %w", err)
		}
		found := make(map[int64]wave.EventText, len(events))
		for _, e := range events {
			found[e.ID] = e
		}
		return found, nil
	})
}

// textsBehind are the texts behind an event without what goes on over several of
// them.
func (d *eventReader) textsBehind(ctx context.Context, event int64, limit int) ([]wave.EventText, bool, error) {
	events, more, err := d.Rows.TextsAfter(ctx, event, limit)
	if err != nil {
		return nil, false, err
	}
	return events, more, d.hideAcross(ctx, d, textMessages(events))
}

func textMessages(events []wave.EventText) []message {
	messages := make([]message, len(events))
	for i := range events {
		e := &events[i]
		messages[i] = message{e.ID, e.Run, e.Step, &e.Message}
	}
	return messages
}

// EventRuns names the runs of events, of those that there are.
func (s TextSource) EventRuns(ctx context.Context, ids []int64) (map[int64]string, error) {
	return read(s.stateFile, func(o *opened) (map[int64]string, error) { return o.Rows.EventRuns(ctx, ids) })
}

// RunSpans finds where the events of runs lie; a run without events is left out.
func (s TextSource) RunSpans(ctx context.Context, runs []string) (map[string]wave.RunSpan, error) {
	return read(s.stateFile, func(o *opened) (map[string]wave.RunSpan, error) { return o.Rows.RunSpans(ctx, runs) })
}

// FirstEvent is the least id of an event; 0: there is none.
func (s TextSource) FirstEvent(ctx context.Context) (int64, error) {
	return read(s.stateFile, func(o *opened) (int64, error) { return o.Rows.FirstEvent(ctx) })
}

// RunIDs lists the newest runs that f chooses, whatever its page, and whether
// there are more than limit.
func (s TextSource) RunIDs(ctx context.Context, f criteria.RunFilter, limit int) (ids []string, more bool, err error) {
	type found struct {
		ids  []string
		more bool
	}
	all, err := read(s.stateFile, func(o *opened) (found, error) {
		ids, more, err := o.index.Newest(ctx, f, limit)
		return found{ids, more}, err
	})
	return all.ids, all.more, err
}

// MatchingRuns are those of the runs with these ids that f chooses, whatever its
// page. It waits for the index of all runs.
func (s TextSource) MatchingRuns(ctx context.Context, f criteria.RunFilter, ids []string) (map[string]bool, error) {
	return read(s.stateFile, func(o *opened) (map[string]bool, error) { return o.index.Among(ctx, f, ids) })
}
