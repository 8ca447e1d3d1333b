package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// eventRows are those of event_log.
type eventRows struct{ source }

// eventRow is an event as selected; timestamps are unix seconds.
type eventRow struct {
	ID       int64  `db:"id"`
	RunID    string `db:"run_id"`
	At       int64  `db:"timestamp"`
	StepID   string `db:"step_id"`
	State    string `db:"state"`
	Persona  string `db:"persona"`
	Message  string `db:"message"`
	Tokens   int64  `db:"tokens_used"`
	Duration int64  `db:"duration_ms"`
	Model    string `db:"model"`
	Adapter  string `db:"adapter"`
}

func (r eventRow) event() wave.Event {
	return wave.Event{
		ID: r.ID, RunID: r.RunID, At: wave.Unix(r.At), StepID: r.StepID, State: r.State, Persona: r.Persona,
		Message: r.Message, Tokens: r.Tokens, Duration: wave.Milliseconds(r.Duration), Model: r.Model, Adapter: r.Adapter,
	}
}

// scanEvent reads a row of eventColumns.
func scanEvent(rows *sqlx.Rows) (wave.Event, error) {
	var r eventRow
	err := rows.Scan(&r.ID, &r.RunID, &r.At, &r.StepID, &r.State, &r.Persona, &r.Message, &r.Tokens, &r.Duration, &r.Model, &r.Adapter)
	return r.event(), err
}

// eventColumns lists eventRow's columns, in their order, of the table aliased e.
func (s source) eventColumns() string {
	const t = "event_log"
	return strings.Join([]string{
		"e.id", "e.run_id",
		s.schema.time("e", t, "timestamp"), s.schema.text("e", t, "step_id"), s.schema.text("e", t, "state"),
		s.schema.text("e", t, "persona"), s.schema.text("e", t, "message"), s.schema.number("e", t, "tokens_used"),
		s.schema.number("e", t, "duration_ms"), s.schema.text("e", t, "model"), s.schema.text("e", t, "adapter"),
	}, ", ")
}

// Events reads a window of one run's events, oldest first.
func (s eventRows) Events(ctx context.Context, f criteria.EventFilter) ([]wave.Event, error) {
	if !s.schema.Has("event_log") {
		return nil, nil
	}
	where, args := "e.run_id = ? AND e.id > ?", []any{f.Run, f.After}
	if f.Before > 0 {
		where, args = where+" AND e.id < ?", append(args, f.Before)
	}
	order := "ASC"
	if f.Newest {
		order = "DESC"
	}
	query := "SELECT " + s.eventColumns() + " FROM event_log e WHERE " + where + " ORDER BY e.id " + order + " LIMIT ?"
	events, err := s.selectEvents(ctx, query, append(args, f.WindowSize())...)
	if err != nil {
		return nil, fmt.Errorf("load events of run %s: %w", f.Run, err)
	}
	if f.Newest {
		slices.Reverse(events)
	}
	return events, nil
}

func (s eventRows) selectEvents(ctx context.Context, query string, args ...any) ([]wave.Event, error) {
	var rows []eventRow
	if err := s.sel(ctx, &rows, query, args...); err != nil {
		return nil, err
	}
	events := make([]wave.Event, len(rows))
	for i, r := range rows {
		events[i] = r.event()
	}
	return events, nil
}

// lastEventsSQL finds the newest event of each of the listed runs. The inner
// query is one seek to the end of the run's part of idx_event_run.
func lastEventsSQL() string {
	return `
WITH wanted(run_id) AS (VALUES %s)
SELECT w.run_id, e.id, COALESCE(` + TimeSQL("e.timestamp") + `, 0) AS timestamp
FROM wanted w CROSS JOIN event_log e ON e.id = (SELECT max(id) FROM event_log WHERE run_id = w.run_id)`
}

// LastEvents finds the newest event of each run; one without events is left out.
func (s eventRows) LastEvents(ctx context.Context, runs []string) (ends []wave.EventEnd, err error) {
	if len(runs) == 0 || !s.schema.Has("event_log") {
		return nil, nil
	}
	err = s.sel(ctx, &ends, fmt.Sprintf(lastEventsSQL(), tuples(len(runs), 1)), anys(runs)...)
	return ends, err
}

// EventsUntil finds the newest event of each run up to an event, and whether it has
// later ones.
func (s eventRows) EventsUntil(ctx context.Context, runs []string, event int64) (ends []wave.EventEnd, err error) {
	if len(runs) == 0 || !s.schema.Has("event_log") {
		return nil, nil
	}
	query := fmt.Sprintf(`
WITH wanted(run_id) AS (VALUES %s)
SELECT w.run_id, COALESCE(e.id, 0) AS id, COALESCE(`+TimeSQL("e.timestamp")+`, 0) AS timestamp,
	EXISTS (SELECT 1 FROM event_log l WHERE l.run_id = w.run_id AND l.id > ?) AS later
FROM wanted w LEFT JOIN event_log e ON e.id = (SELECT max(id) FROM event_log WHERE run_id = w.run_id AND id <= ?)`, tuples(len(runs), 1))
	if err := s.sel(ctx, &ends, query, append(anys(runs), event, event)...); err != nil {
		return nil, fmt.Errorf("select last events: %w", err)
	}
	return ends, nil
}

// newEventsSQL selects what a history folds: frequent events that tell nothing
// of a state are left out. Each run's part is walked along idx_event_run, where
// events of one run lie in id order; an ORDER BY would sort them once more.
const newEventsSQL = `
WITH wanted(run_id, base, last) AS (VALUES %s)
SELECT %s
FROM wanted w CROSS JOIN event_log e ON e.run_id = w.run_id AND e.id > w.base AND e.id <= w.last
WHERE e.state NOT IN ('stream_activity', 'eta_updated') AND (e.state <> 'step_progress' OR e.tokens_used > 0)`

// EachEvent calls take with each event of parts of runs that tells of a state or of
// tokens, those of one run in their order. The events of a long run are never held
// together.
func (s eventRows) EachEvent(ctx context.Context, reach []wave.EventReach, take func(wave.Event)) error {
	if len(reach) == 0 || !s.schema.Has("event_log") {
		return nil
	}
	args := make([]any, 0, 3*len(reach))
	for _, r := range reach {
		args = append(args, r.Run, r.After, r.UpTo)
	}
	rows, err := s.q.QueryxContext(ctx, fmt.Sprintf(newEventsSQL, tuples(len(reach), 3), s.eventColumns()), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		event, err := scanEvent(rows)
		if err != nil {
			return err
		}
		take(event)
	}
	return rows.Err()
}

// tailsSQL selects the run-level events among the first and the last few of
// each run: how many steps it began with, how far it came and how long it took.
func tailsSQL() string {
	return `
WITH wanted(run_id) AS (VALUES %s)
SELECT e.id, e.run_id, COALESCE(` + TimeSQL("e.timestamp") + `, 0) AS timestamp, '' AS step_id, e.state AS state,
	COALESCE(e.message, '') AS message, COALESCE(` + countSQL("e.duration_ms") + `, 0) AS duration_ms
FROM wanted w CROSS JOIN event_log e ON e.id IN (
	SELECT id FROM (SELECT id FROM event_log WHERE run_id = w.run_id ORDER BY id LIMIT 2)
	UNION ALL
	SELECT id FROM (SELECT id FROM event_log WHERE run_id = w.run_id ORDER BY id DESC LIMIT 8))
WHERE COALESCE(e.step_id, '') = '' AND e.state IN ('started', 'running', 'completed', 'completed_empty')
ORDER BY e.id`
}

// Tails reads the events of the runs themselves, not of their steps, among the first
// and the last few of each run, by their ids.
func (s eventRows) Tails(ctx context.Context, runs []string) ([]wave.Event, error) {
	if len(runs) == 0 || !s.schema.Has("event_log") {
		return nil, nil
	}
	events, err := s.selectEvents(ctx, fmt.Sprintf(tailsSQL(), tuples(len(runs), 1)), anys(runs)...)
	if err != nil {
		return nil, fmt.Errorf("select first and last events: %w", err)
	}
	return events, nil
}

const (
	eventSpanSQL = `
SELECT COALESCE(min(id), 0) AS first, COALESCE(max(id), 0) AS last, count(*) AS n
FROM event_log WHERE run_id = ? AND id > ?`
	eventSpanUntilSQL = eventSpanSQL + ` AND id <= ?`
)

// EventSpan counts the events of a run behind one.
func (s eventRows) EventSpan(ctx context.Context, run string, after int64) (span wave.EventSpan, err error) {
	if s.schema.Has("event_log") {
		err = s.get(ctx, &span, eventSpanSQL, run, after)
	}
	return span, err
}

// EventSpanUntil counts the events of a run up to one.
func (s eventRows) EventSpanUntil(ctx context.Context, run string, upTo int64) (span wave.EventSpan, err error) {
	if s.schema.Has("event_log") {
		err = s.get(ctx, &span, eventSpanUntilSQL, run, 0, upTo)
	}
	return span, err
}

// EventsBetween counts a run's events whose ids are between two, both excluded.
func (s eventRows) EventsBetween(ctx context.Context, run string, after, before int64) (n int64, err error) {
	if !s.schema.Has("event_log") {
		return 0, nil
	}
	if err := s.get(ctx, &n, `SELECT count(*) FROM event_log WHERE run_id = ? AND id > ? AND id < ?`, run, after, before); err != nil {
		return 0, fmt.Errorf("count events of %s: %w", run, err)
	}
	return n, nil
}

// LastEventOf is the newest event of a run; 0: it has none.
func (s eventRows) LastEventOf(ctx context.Context, run string) (last int64, err error) {
	err = s.get(ctx, &last, `SELECT COALESCE(max(id), 0) FROM event_log WHERE run_id = ?`, run)
	return last, err
}

// LatestMoment finds the last event, of any run, at or before a second; false: there
// is none. Ids are the order; times of several writers may stand in another one.
// Within the newest second that is not after it, the last id is meant.
func (s eventRows) LatestMoment(ctx context.Context, second int64) (wave.Moment, bool, error) {
	const query = `SELECT max(id) AS id, CAST(timestamp AS INTEGER) AS timestamp FROM event_log
WHERE timestamp = (SELECT max(timestamp) FROM event_log WHERE timestamp >= 1 AND timestamp <= ?)`
	return s.moment(ctx, query, second)
}

// MomentOf finds an event, or the last one before that id; false: there is none. The
// time of an event that has none is that of an event before it.
func (s eventRows) MomentOf(ctx context.Context, event int64) (wave.Moment, bool, error) {
	query := `SELECT max(id) AS id, (
	SELECT at FROM (SELECT id, ` + TimeSQL("timestamp") + ` AS at FROM event_log WHERE id <= ?1 ORDER BY id DESC LIMIT 1000)
	WHERE at IS NOT NULL ORDER BY id DESC LIMIT 1) AS timestamp
FROM event_log WHERE id <= ?1`
	return s.moment(ctx, query, event)
}

func (s eventRows) moment(ctx context.Context, query string, arg int64) (wave.Moment, bool, error) {
	if !s.schema.Has("event_log") {
		return wave.Moment{}, false, nil
	}
	var row struct {
		ID *int64 `db:"id"`
		At *int64 `db:"timestamp"`
	}
	err := s.get(ctx, &row, query, arg)
	if errors.Is(err, sql.ErrNoRows) || err == nil && row.ID == nil {
		return wave.Moment{}, false, nil
	}
	if err != nil {
		return wave.Moment{}, false, fmt.Errorf("find event at %d: %w", arg, err)
	}
	m := wave.Moment{Event: *row.ID}
	if row.At != nil {
		m.Time = wave.Unix(*row.At)
	}
	return m, true, nil
}

// Neighbours finds a run's first and last event, the one before its latest at or
// before the event, and the next one after; of all runs without one.
func (s eventRows) Neighbours(ctx context.Context, run string, event int64) (n wave.Neighbours, err error) {
	if !s.schema.Has("event_log") {
		return n, nil
	}
	const query = `
SELECT COALESCE((SELECT min(id) FROM event_log WHERE run_id = ?1), 0) AS first,
	COALESCE((SELECT max(id) FROM event_log WHERE run_id = ?1), 0) AS last,
	COALESCE((SELECT max(id) FROM event_log WHERE run_id = ?1 AND id < (SELECT max(id) FROM event_log WHERE run_id = ?1 AND id <= ?2)), 0) AS previous,
	COALESCE((SELECT min(id) FROM event_log WHERE run_id = ?1 AND id > ?2), 0) AS next`
	if run == "" {
		const all = `
SELECT COALESCE((SELECT min(id) FROM event_log), 0) AS first, COALESCE((SELECT max(id) FROM event_log), 0) AS last,
	COALESCE((SELECT max(id) FROM event_log WHERE id < ?1), 0) AS previous, COALESCE((SELECT min(id) FROM event_log WHERE id > ?1), 0) AS next`
		if err := s.get(ctx, &n, all, event); err != nil {
			return n, fmt.Errorf("events around %d: %w", event, err)
		}
		return n, nil
	}
	if err := s.get(ctx, &n, query, run, event); err != nil {
		return n, fmt.Errorf("events of run %s around %d: %w", run, event, err)
	}
	return n, nil
}
