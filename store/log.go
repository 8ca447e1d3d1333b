package store

import (
	"context"
	"fmt"
	"slices"

	"wavedeck/store/criteria"
	"wavedeck/store/sqlite"
	"wavedeck/store/wave"
)

// LogMap finds the way in a run's log. Asked again, it costs the new events only.
func (s *Store) LogMap(ctx context.Context, run string) (wave.LogMap, error) {
	return read(s.stateFile, func(o *opened) (wave.LogMap, error) { return o.logMap(ctx, run) })
}

func (d *eventReader) logMap(ctx context.Context, run string) (wave.LogMap, error) {
	found, err := d.historiesOf(ctx, d, []string{run})
	if err != nil {
		return wave.LogMap{}, fmt.Errorf("load log of %s: %w", run, err)
	}
	span, err := d.eventSpan(ctx, d, run)
	if err != nil {
		return wave.LogMap{}, fmt.Errorf("load log of %s: count events: %w", run, err)
	}
	h := found[run]
	return wave.LogMap{First: span.First, Last: span.Last, Events: span.Count, Steps: h.Order, Marks: h.Marks}, nil
}

// Log returns a window of the events that f chooses, oldest first. A run without
// events and a run that does not exist both have none.
func (s *Store) Log(ctx context.Context, f criteria.LogFilter, w criteria.LogWindow) ([]wave.Event, error) {
	return read(s.stateFile, func(o *opened) ([]wave.Event, error) { return o.log(ctx, f, w) })
}

func (d *eventReader) log(ctx context.Context, f criteria.LogFilter, w criteria.LogWindow) ([]wave.Event, error) {
	limit := criteria.EventFilter{Limit: w.Limit}.WindowSize()
	var events []wave.Event
	size := 0
	err := d.eachMatch(ctx, f, w, func(e wave.Event) bool {
		events = append(events, e)
		size += len(e.Message)
		return len(events) < limit && (w.Bytes == 0 || size < w.Bytes)
	})
	if err != nil {
		return nil, fmt.Errorf("load log of %s: %w", f.Run, err)
	}
	if w.Newest {
		slices.Reverse(events)
	}
	return events, d.hideAcross(ctx, d, messagesOf(events))
}

// EventsBetween counts a run's events whose ids are between two, both excluded.
func (s *Store) EventsBetween(ctx context.Context, run string, after, before int64) (int64, error) {
	return read(s.stateFile, func(o *opened) (int64, error) { return o.Rows.EventsBetween(ctx, run, after, before) })
}

// eachMatch hands over the matching events one by one until take wants no more.
func (d *eventReader) eachMatch(ctx context.Context, f criteria.LogFilter, w criteria.LogWindow, take func(wave.Event) bool) error {
	var hidden stretches
	if f.Text != "" { // what is hidden is not found
		var err error
		if hidden, err = d.wholeStretches(ctx, d, f.Run); err != nil {
			return err
		}
	}
	return d.EachLogEvent(ctx, f, w, func(e wave.Event) bool {
		return f.Text != "" && !f.Contains(hidden.hide(d.opt.Across, e.ID, e.StepID, e.Message)) || take(e)
	})
}

// LogHits looks for what f chooses in the whole log, until limit hits are found or
// ctx ends: what was found by then is the answer, not an error.
func (s *Store) LogHits(ctx context.Context, f criteria.LogFilter, limit int) (criteria.LogHits, error) {
	return read(s.stateFile, func(o *opened) (criteria.LogHits, error) { return o.logHits(ctx, f, limit) })
}

func (d *eventReader) logHits(ctx context.Context, f criteria.LogFilter, limit int) (criteria.LogHits, error) {
	var hits criteria.LogHits
	err := func() error {
		var hidden stretches
		if f.Text != "" {
			var err error
			if hidden, err = d.wholeStretches(ctx, d, f.Run); err != nil {
				return err
			}
		}
		return d.EachLogText(ctx, f, func(id int64, step, text string) bool {
			switch {
			case f.Text != "" && !f.Contains(hidden.hide(d.opt.Across, id, step, text)):
			case len(hits.IDs) == limit:
				hits.More = true
				return false
			default:
				hits.IDs = append(hits.IDs, id)
			}
			return true
		})
	}()
	if sqlite.TimeIsOver(ctx, err) {
		hits.Tired, err = true, nil
	}
	if err != nil {
		return hits, fmt.Errorf("search log of %s: %w", f.Run, err)
	}
	return hits, nil
}

// LogHit returns the id of the next event that f chooses after an id, or the last
// before it. 0: there is none, or none was found before ctx ended.
func (s *Store) LogHit(ctx context.Context, f criteria.LogFilter, from int64, back bool) (int64, error) {
	w := criteria.LogWindow{After: from, Limit: 1}
	if back {
		w = criteria.LogWindow{Before: from, Limit: 1, Newest: true}
	}
	events, err := s.Log(ctx, f, w)
	switch {
	case sqlite.TimeIsOver(ctx, err), err == nil && len(events) == 0:
		return 0, nil
	case err != nil:
		return 0, err
	default:
		return events[0].ID, nil
	}
}
