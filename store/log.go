package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// LogMap finds the way in a run's log. Asked again, it costs the new events only.
func (s *Store) LogMap(ctx context.Context, run string) (wave.LogMap, error) {
	return read(s, func(o *opened) (wave.LogMap, error) { return o.logMap(ctx, run) })
}

func (d *database) logMap(ctx context.Context, run string) (wave.LogMap, error) {
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

// logWhere is the part of a query that walks a run's events along idx_event_run.
// Everything but the ids is kept from the planner, which must not think of
// another way.
func (d *database) logWhere(f criteria.LogFilter, w criteria.LogWindow) (clause string, args []any) {
	clause, args = "e.run_id = ? AND e.id > ?", []any{f.Run, w.After}
	if w.Before > 0 {
		clause, args = clause+" AND e.id < ?", append(args, w.Before)
	}
	has := d.schema["event_log"]
	if f.Step != "" {
		clause, args = clause+equals(has, "step_id"), append(args, f.Step)
	}
	if len(f.States) > 0 {
		clause, args = clause+" AND +e.state IN "+in(len(f.States)), append(args, anys(f.States)...)
	}
	if f.Text != "" {
		// What has control characters in it is looked at by Matches: it may show
		// what is not there in one piece.
		clause += ` AND (e.message LIKE ? ESCAPE '\' OR instr(e.message, char(27)) > 0 OR instr(e.message, char(13)) > 0 OR instr(e.message, char(8)) > 0)`
		escape := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
		args = append(args, "%"+escape.Replace(f.Text)+"%")
	}
	return clause, args
}

func equals(has map[string]bool, column string) string {
	if has[column] {
		return " AND +e." + column + " = ?"
	}
	return " AND '' = ?"
}

func (d *database) logQuery(f criteria.LogFilter, columns string, w criteria.LogWindow) (query string, args []any) {
	where, args := d.logWhere(f, w)
	order := "ASC"
	if w.Newest {
		order = "DESC"
	}
	return "SELECT " + columns + " FROM event_log e WHERE " + where + " ORDER BY e.id " + order, args
}

// Log returns a window of the events that f chooses, oldest first. A run without
// events and a run that does not exist both have none.
func (s *Store) Log(ctx context.Context, f criteria.LogFilter, w criteria.LogWindow) ([]wave.Event, error) {
	return read(s, func(o *opened) ([]wave.Event, error) { return o.log(ctx, f, w) })
}

func (d *database) log(ctx context.Context, f criteria.LogFilter, w criteria.LogWindow) ([]wave.Event, error) {
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
	return read(s, func(o *opened) (int64, error) {
		if !o.schema.has("event_log") {
			return 0, nil
		}
		var n int64
		if err := o.GetContext(ctx, &n, `SELECT count(*) FROM event_log WHERE run_id = ? AND id > ? AND id < ?`, run, after, before); err != nil {
			return 0, fmt.Errorf("count events of %s: %w", run, err)
		}
		return n, nil
	})
}

// eachMatch hands over the matching events one by one until take wants no more.
func (d *database) eachMatch(ctx context.Context, f criteria.LogFilter, w criteria.LogWindow, take func(wave.Event) bool) error {
	if !d.schema.has("event_log") {
		return nil
	}
	var hidden stretches
	if f.Text != "" { // what is hidden is not found
		var err error
		if hidden, err = d.wholeStretches(ctx, d, f.Run); err != nil {
			return err
		}
	}
	query, args := d.logQuery(f, d.eventColumns(), w)
	rows, err := d.QueryxContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		e, err := scanEvent(rows)
		if err != nil {
			return err
		}
		if (f.Text == "" || f.Contains(hidden.hide(d.opt.Across, e.ID, e.StepID, e.Message))) && !take(e) {
			return nil
		}
	}
	return rows.Err()
}

// LogHits looks for what f chooses in the whole log, until limit hits are found or
// ctx ends: what was found by then is the answer, not an error.
func (s *Store) LogHits(ctx context.Context, f criteria.LogFilter, limit int) (criteria.LogHits, error) {
	return read(s, func(o *opened) (criteria.LogHits, error) { return o.logHits(ctx, f, limit) })
}

func (d *database) logHits(ctx context.Context, f criteria.LogFilter, limit int) (criteria.LogHits, error) {
	var hits criteria.LogHits
	if !d.schema.has("event_log") {
		return hits, nil
	}
	columns := "e.id, '', ''"
	if f.Text != "" {
		columns = "e.id, " + d.schema.text("e", "event_log", "step_id") + ", COALESCE(e.message, '')"
	}
	err := func() error {
		var hidden stretches
		if f.Text != "" {
			var err error
			if hidden, err = d.wholeStretches(ctx, d, f.Run); err != nil {
				return err
			}
		}
		query, args := d.logQuery(f, columns, criteria.LogWindow{})
		rows, err := d.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			var step, text string
			if err := rows.Scan(&id, &step, &text); err != nil {
				return err
			}
			switch {
			case f.Text != "" && !f.Contains(hidden.hide(d.opt.Across, id, step, text)):
			case len(hits.IDs) == limit:
				hits.More = true
				return nil
			default:
				hits.IDs = append(hits.IDs, id)
			}
		}
		return rows.Err()
	}()
	if over(ctx, err) {
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
	case over(ctx, err), err == nil && len(events) == 0:
		return 0, nil
	case err != nil:
		return 0, err
	default:
		return events[0].ID, nil
	}
}

// over reports whether err only says that the time for a search has passed.
// The driver tells an interrupt by an error of its own.
func over(ctx context.Context, err error) bool {
	return err != nil && !errors.Is(err, sql.ErrConnDone) && errors.Is(ctx.Err(), context.DeadlineExceeded)
}
