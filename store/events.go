package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

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
func (d *database) eventColumns() string {
	const t = "event_log"
	return strings.Join([]string{
		"e.id", "e.run_id",
		d.schema.time("e", t, "timestamp"), d.schema.text("e", t, "step_id"), d.schema.text("e", t, "state"),
		d.schema.text("e", t, "persona"), d.schema.text("e", t, "message"), d.schema.number("e", t, "tokens_used"),
		d.schema.number("e", t, "duration_ms"), d.schema.text("e", t, "model"), d.schema.text("e", t, "adapter"),
	}, ", ")
}

// events returns a window of one run's events, oldest first. A run without
// events and a run that does not exist both have none.
func (d *database) events(ctx context.Context, f criteria.EventFilter) ([]wave.Event, error) {
	if !d.schema.has("event_log") {
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
	query := "SELECT " + d.eventColumns() + " FROM event_log e WHERE " + where + " ORDER BY e.id " + order + " LIMIT ?"
	events, err := selectEvents(ctx, d, query, append(args, f.WindowSize())...)
	if err != nil {
		return nil, fmt.Errorf("load events of run %s: %w", f.Run, err)
	}
	if f.Newest {
		slices.Reverse(events)
	}
	return events, d.hideAcross(ctx, d, messagesOf(events))
}

func selectEvents(ctx context.Context, q sqlx.QueryerContext, query string, args ...any) ([]wave.Event, error) {
	var rows []eventRow
	if err := sqlx.SelectContext(ctx, q, &rows, query, args...); err != nil {
		return nil, err
	}
	events := make([]wave.Event, len(rows))
	for i, r := range rows {
		events[i] = r.event()
	}
	return events, nil
}

const eventSpanSQL = `
SELECT COALESCE(min(id), 0) AS first, COALESCE(max(id), 0) AS last, count(*) AS n
FROM event_log WHERE run_id = ? AND id > ?`

// eventSpan counts what came since it was last asked for the run.
func (d *database) eventSpan(ctx context.Context, q sqlx.QueryerContext, run string) (wave.EventSpan, error) {
	if !d.schema.has("event_log") {
		return wave.EventSpan{}, nil
	}
	cached := d.histories.get(run)
	cached.mu.Lock()
	span := cached.span
	cached.mu.Unlock()
	var added wave.EventSpan
	if err := sqlx.GetContext(ctx, q, &added, eventSpanSQL, run, span.Last); err != nil {
		return wave.EventSpan{}, err
	}
	if added.Count > 0 {
		if span.Count == 0 {
			span.First = added.First
		}
		span.Last, span.Count = added.Last, span.Count+added.Count
	}
	cached.mu.Lock()
	defer cached.mu.Unlock()
	if span.Last > cached.span.Last { // another one may have counted further
		cached.span = span
	}
	return span, nil
}

// latestActivity is what each step of a run was last seen doing, looked for in
// the newest events only: an older activity is over.
const latestActivitySQL = `
SELECT id, step_id, message FROM (
	SELECT id, step_id, state, message FROM event_log WHERE run_id = ? ORDER BY id DESC LIMIT 200
) WHERE state = 'stream_activity' AND step_id <> '' AND message <> '' ORDER BY id`

func (d *database) latestActivity(ctx context.Context, q sqlx.QueryerContext, run string) (map[string]string, error) {
	var rows []struct {
		ID      int64  `db:"id"`
		Step    string `db:"step_id"`
		Message string `db:"message"`
	}
	if err := sqlx.SelectContext(ctx, q, &rows, latestActivitySQL, run); err != nil {
		return nil, err
	}
	messages := make([]message, len(rows))
	for i := range rows {
		messages[i] = message{rows[i].ID, run, rows[i].Step, &rows[i].Message}
	}
	if err := d.hideAcross(ctx, q, messages); err != nil {
		return nil, err
	}
	latest := make(map[string]string, len(rows))
	for _, r := range rows {
		latest[r.Step] = r.Message
	}
	return latest, nil
}
