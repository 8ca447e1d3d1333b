package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxMarks bounds the places that are kept of a run that fails for ever.
const maxMarks = 4000

// LogMark is a place in a run's log to go to: the beginning of an attempt, or an
// event that tells a failure.
type LogMark struct {
	ID      int64 // of the event
	Step    string
	Attempt int  // 0: the step has none
	Failed  bool // it tells a failure; else an attempt begins here
}

// FailingStates lists the recorded states of an event that tell a failure.
func FailingStates() []string {
	return []string{"failed", "rejected", "contract_failed", "review_failed"}
}

// mark notes where attempts begin and what failed. It is called after e was
// folded into s, which had so many attempts before.
func (h *history) mark(e Event, s *stepHistory, before int) {
	if len(h.marks) >= maxMarks {
		return
	}
	number := 0
	if n := len(s.attempts); n > 0 {
		number = s.attempts[n-1].number
	}
	if len(s.attempts) > before {
		h.marks = append(h.marks, LogMark{ID: e.ID, Step: e.StepID, Attempt: number})
	}
	if slices.Contains(FailingStates(), e.State) {
		h.marks = append(h.marks, LogMark{ID: e.ID, Step: e.StepID, Attempt: number, Failed: true})
	}
}

// LogMap is how to find the way in a run's log.
type LogMap struct {
	First, Last int64 // ids of its events; 0: it has none
	Events      int64
	Steps       []string  // in the order of their first event
	Marks       []LogMark // by id
}

// Failure is the event to open a failed run at: the first that tells a failure
// within the attempt that failed last and was not tried again. 0: none does.
func (m LogMap) Failure() int64 {
	var at LogMark // the first failure of the attempt that failed last
	tried := map[string]bool{}
	for _, mark := range slices.Backward(m.Marks) {
		switch {
		case !mark.Failed:
			tried[mark.Step] = true
		case at.ID == 0 && !tried[mark.Step], mark.Step == at.Step && mark.Attempt == at.Attempt:
			at = mark
		}
	}
	return at.ID
}

// FirstError is the first event that tells a failure. 0: none does.
func (m LogMap) FirstError() int64 {
	for _, mark := range m.Marks {
		if mark.Failed {
			return mark.ID
		}
	}
	return 0
}

// LogMap finds the way in a run's log. Asked again, it costs the new events only.
func (s *Store) LogMap(ctx context.Context, run string) (LogMap, error) {
	return read(s, func(o *opened) (LogMap, error) { return o.logMap(ctx, run) })
}

func (d *database) logMap(ctx context.Context, run string) (LogMap, error) {
	found, err := d.historiesOf(ctx, d, []string{run})
	if err != nil {
		return LogMap{}, fmt.Errorf("load log of %s: %w", run, err)
	}
	span, err := d.eventSpan(ctx, d, run)
	if err != nil {
		return LogMap{}, fmt.Errorf("load log of %s: count events: %w", run, err)
	}
	h := found[run]
	return LogMap{First: span.First, Last: span.Last, Events: span.Count, Steps: h.order, Marks: h.marks}, nil
}

// LogFilter chooses events of one run. Empty fields do not restrict.
type LogFilter struct {
	Run    string
	Step   string
	States []string // as recorded, any of them
	Text   string   // part of the message, in either case of ASCII letters
	// Shown gives what a reader sees of a message. A text is looked for in that:
	// what is coloured, overwritten or taken out may read otherwise than it is
	// recorded. nil: the message itself.
	Shown func(message string) string
}

// Narrow reports whether f leaves out anything.
func (f LogFilter) Narrow() bool { return f.Step != "" || len(f.States) > 0 || f.Text != "" }

// Matches reports whether an event of the run is among those chosen.
func (f LogFilter) Matches(e Event) bool {
	return (f.Step == "" || e.StepID == f.Step) &&
		(len(f.States) == 0 || slices.Contains(f.States, e.State)) &&
		(f.Text == "" || f.within(e.Message))
}

func (f LogFilter) within(message string) bool {
	if f.Shown != nil {
		message = f.Shown(message)
	}
	return strings.Contains(lowerASCII(message), lowerASCII(f.Text))
}

// lowerASCII folds as SQLite's LIKE does.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// LogWindow is a part of a log by the ids of its events.
type LogWindow struct {
	After, Before int64 // only ids between these; Before 0: no bound
	Newest        bool  // when there are more, keep the newest, not the oldest
	Limit         int   // 0 and more than EventLimit are EventLimit
	Bytes         int   // stop where the messages are this long together, 0: do not; one event always fits
}

// where is the part of a query that walks a run's events along idx_event_run.
// Everything but the ids is kept from the planner, which must not think of
// another way.
func (f LogFilter) where(d *database, w LogWindow) (clause string, args []any) {
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

func (f LogFilter) query(d *database, columns string, w LogWindow) (query string, args []any) {
	where, args := f.where(d, w)
	order := "ASC"
	if w.Newest {
		order = "DESC"
	}
	return "SELECT " + columns + " FROM event_log e WHERE " + where + " ORDER BY e.id " + order, args
}

// Log returns a window of the events that f chooses, oldest first. A run without
// events and a run that does not exist both have none.
func (s *Store) Log(ctx context.Context, f LogFilter, w LogWindow) ([]Event, error) {
	return read(s, func(o *opened) ([]Event, error) { return o.log(ctx, f, w) })
}

func (d *database) log(ctx context.Context, f LogFilter, w LogWindow) ([]Event, error) {
	limit := EventFilter{Limit: w.Limit}.limit()
	var events []Event
	size := 0
	err := d.eachMatch(ctx, f, w, func(e Event) bool {
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
func (d *database) eachMatch(ctx context.Context, f LogFilter, w LogWindow, take func(Event) bool) error {
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
	query, args := f.query(d, d.eventColumns(), w)
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
		if (f.Text == "" || f.within(hidden.hide(d.opt.Across, e.ID, e.StepID, e.Message))) && !take(e) {
			return nil
		}
	}
	return rows.Err()
}

// LogHits is what was found in a whole log.
type LogHits struct {
	IDs   []int64 // in order, at most as many as were asked for
	More  bool    // there are more
	Tired bool    // the time was over before the end: there may be more
}

// LogHits looks for what f chooses in the whole log, until limit hits are found or
// ctx ends: what was found by then is the answer, not an error.
func (s *Store) LogHits(ctx context.Context, f LogFilter, limit int) (LogHits, error) {
	return read(s, func(o *opened) (LogHits, error) { return o.logHits(ctx, f, limit) })
}

func (d *database) logHits(ctx context.Context, f LogFilter, limit int) (LogHits, error) {
	var hits LogHits
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
		query, args := f.query(d, columns, LogWindow{})
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
			case f.Text != "" && !f.within(hidden.hide(d.opt.Across, id, step, text)):
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
func (s *Store) LogHit(ctx context.Context, f LogFilter, from int64, back bool) (int64, error) {
	w := LogWindow{After: from, Limit: 1}
	if back {
		w = LogWindow{Before: from, Limit: 1, Newest: true}
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
