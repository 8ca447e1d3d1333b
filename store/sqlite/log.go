package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// logRows are the texts of event_log.
type logRows struct{ source }

const (
	textsBytes = 4 << 20 // of messages, read at once
)

// logWhere is the part of a query that walks a run's events along idx_event_run.
// Everything but the ids is kept from the planner, which must not think of
// another way.
func (s source) logWhere(f criteria.LogFilter, w criteria.LogWindow) (clause string, args []any) {
	clause, args = "e.run_id = ? AND e.id > ?", []any{f.Run, w.After}
	if w.Before > 0 {
		clause, args = clause+" AND e.id < ?", append(args, w.Before)
	}
	has := s.schema["event_log"]
	if f.Step != "" {
		clause, args = clause+equals(has, "step_id"), append(args, f.Step)
	}
	if len(f.States) > 0 {
		clause, args = clause+" AND +e.state IN "+in(len(f.States)), append(args, anys(f.States)...)
	}
	if f.Text != "" {
		// What has control characters in it is looked at by Matches: it may show
		// what is not in one piece.
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

func (s source) logQuery(f criteria.LogFilter, columns string, w criteria.LogWindow) (query string, args []any) {
	where, args := s.logWhere(f, w)
	order := "ASC"
	if w.Newest {
		order = "DESC"
	}
	return "SELECT " + columns + " FROM event_log e WHERE " + where + " ORDER BY e.id " + order, args
}

// EachLogEvent calls take with the events of a window that f may choose, one by one,
// until it wants no more. Whether the text is there, the caller looks.
func (s logRows) EachLogEvent(ctx context.Context, f criteria.LogFilter, w criteria.LogWindow, take func(wave.Event) bool) error {
	if !s.schema.Has("event_log") {
		return nil
	}
	query, args := s.logQuery(f, s.eventColumns(), w)
	rows, err := s.q.QueryxContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		e, err := scanEvent(rows)
		if err != nil {
			return err
		}
		if !take(e) {
			return nil
		}
	}
	return rows.Err()
}

// EachLogText is EachLogEvent of the whole log, with what is needed to look for a
// text; without one in f, only ids are read.
func (s logRows) EachLogText(ctx context.Context, f criteria.LogFilter, take func(id int64, step, text string) bool) error {
	if !s.schema.Has("event_log") {
		return nil
	}
	columns := "e.id, '', ''"
	if f.Text != "" {
		columns = "e.id, " + s.schema.text("e", "event_log", "step_id") + ", COALESCE(e.message, '')"
	}
	query, args := s.logQuery(f, columns, criteria.LogWindow{})
	rows, err := s.q.QueryContext(ctx, query, args...)
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
		if !take(id, step, text) {
			return nil
		}
	}
	return rows.Err()
}

// latestActivity is what each step of a run was last seen doing, looked for in
// the newest events only: an older activity is over.
const latestActivitySQL = `
SELECT id, step_id, message FROM (
	SELECT id, step_id, state, message FROM event_log WHERE run_id = ? ORDER BY id DESC LIMIT 200
) WHERE state = 'stream_activity' AND step_id <> '' AND message <> '' ORDER BY id`

// LatestActivity reads what the steps of a run were last seen doing, oldest first.
func (s logRows) LatestActivity(ctx context.Context, run string) (rows []wave.MessageRow, err error) {
	if s.schema.Has("event_log") {
		err = s.sel(ctx, &rows, latestActivitySQL, run)
	}
	return rows, err
}

// newActionsSQL walks back from the end of a run's part of idx_event_run.
func newActionsSQL() string {
	return `
SELECT id, COALESCE(` + TimeSQL("timestamp") + `, 0) AS timestamp, COALESCE(step_id, '') AS step_id,
	substr(COALESCE(message, ''), 1, 1000) AS message
FROM event_log WHERE run_id = ? AND id > ? AND +state = 'stream_activity' ORDER BY id DESC LIMIT ?`
}

// ToolCalls reads the tool calls of a run behind an event, the newest first.
func (s logRows) ToolCalls(ctx context.Context, run string, after int64, limit int) (rows []wave.ToolCallRow, err error) {
	if s.schema.Has("event_log") {
		err = s.sel(ctx, &rows, newActionsSQL(), run, after, limit)
	}
	return rows, err
}

func pastActionsSQL() string {
	return `
SELECT id, COALESCE(` + TimeSQL("timestamp") + `, 0) AS timestamp, '' AS step_id, substr(COALESCE(message, ''), 1, 1000) AS message
FROM event_log WHERE run_id = ? AND +state = 'stream_activity' AND +step_id = ? ORDER BY id LIMIT ?`
}

// ToolCallsOf reads the tool calls of a step, the oldest first.
func (s logRows) ToolCallsOf(ctx context.Context, run, step string, limit int) (rows []wave.ToolCallRow, err error) {
	err = s.sel(ctx, &rows, pastActionsSQL(), run, step, limit)
	return rows, err
}

// MessagesWith reads the events of a run behind one and up to another whose messages
// hold one of the marks.
func (s logRows) MessagesWith(ctx context.Context, run string, after, upTo int64, marks []string) (rows []wave.MessageRow, err error) {
	if has := s.schema["event_log"]; !has["message"] || !has["step_id"] {
		return nil, nil
	}
	args := []any{run, after, upTo}
	for _, mark := range marks {
		args = append(args, mark)
	}
	query := `SELECT id, run_id, COALESCE(CAST(step_id AS TEXT), '') AS step_id, CAST(message AS TEXT) AS message FROM event_log WHERE run_id = ? AND id > ? AND id <= ? AND (` +
		strings.TrimSuffix(strings.Repeat("instr(message, ?) > 0 OR ", len(marks)), " OR ") + `) ORDER BY id`
	err = s.sel(ctx, &rows, query, args...)
	return rows, err
}

// beforeSQL is the message before one of its step, if it is near.
const beforeSQL = `
SELECT COALESCE(CAST(message AS TEXT), '') FROM (
	SELECT id, step_id, message FROM event_log WHERE run_id = ? AND id < ? ORDER BY id DESC LIMIT 50
) WHERE COALESCE(CAST(step_id AS TEXT), '') = ? ORDER BY id DESC LIMIT 1`

// MessageBefore is the message of a step before an event, empty when none is near.
func (s logRows) MessageBefore(ctx context.Context, run, step string, event int64) (text string, err error) {
	if has := s.schema["event_log"]; !has["message"] || !has["step_id"] {
		return "", nil
	}
	if err := s.get(ctx, &text, beforeSQL, run, event, step); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", err
	}
	return text, nil
}

// failureTextsSQL selects what the last events of runs say of failures.
const failureTextsSQL = `
WITH wanted(run_id) AS (VALUES %[1]s)
SELECT e.id, e.run_id, COALESCE(e.step_id, '') AS step_id, CASE WHEN octet_length(e.message) <= %[2]d THEN e.message
	ELSE CAST(substr(CAST(e.message AS BLOB), 1, %[2]d / 2) || char(10) || substr(CAST(e.message AS BLOB), -%[2]d / 2) AS TEXT) END AS message
FROM wanted w CROSS JOIN event_log e ON e.id IN (SELECT id FROM event_log WHERE run_id = w.run_id ORDER BY id DESC LIMIT %[3]d)
WHERE e.state IN ('failed', 'rejected', 'contract_failed') AND e.message <> ''`

// FailureMessages reads what the last events of runs say of failures, of a long
// message its beginning and its end.
func (s logRows) FailureMessages(ctx context.Context, runs []string, last int) (rows []wave.MessageRow, err error) {
	if !s.schema["event_log"]["message"] {
		return nil, nil
	}
	query := fmt.Sprintf(failureTextsSQL, tuples(len(runs), 1), wave.MaxEventText, last)
	if err := s.sel(ctx, &rows, query, anys(runs)...); err != nil {
		return nil, fmt.Errorf("select failures: %w", err)
	}
	return rows, nil
}

// TextsAfter reads the next events of all runs behind one, and whether it left some:
// it reads no more than limit, and fewer where they are long.
func (s logRows) TextsAfter(ctx context.Context, event int64, limit int) (events []wave.EventText, more bool, err error) {
	return s.selectTexts(ctx, "e.id > ? ORDER BY e.id", limit, event)
}

// TextsOf reads the events with these ids that there are.
func (s logRows) TextsOf(ctx context.Context, ids []int64) (events []wave.EventText, err error) {
	err = parts(ids, maxCompared, func(part []int64) error {
		found, _, err := s.selectTexts(ctx, "e.id IN "+in(len(part)), len(part), anys(part)...)
		events = append(events, found...)
		return err
	})
	return events, err
}

// selectTexts reads the events that a clause chooses, and whether it left some.
func (s logRows) selectTexts(ctx context.Context, clause string, limit int, args ...any) (events []wave.EventText, more bool, err error) {
	const t = "event_log"
	if !s.schema.Has(t) {
		return nil, false, nil
	}
	message := "'', 0"
	if s.schema[t]["message"] {
		// As bytes: substr ends a text at its first zero byte, and counts characters.
		message = fmt.Sprintf("COALESCE(CAST(substr(CAST(e.message AS BLOB), 1, %d) AS TEXT), ''), COALESCE(octet_length(e.message), 0) > %[1]d", wave.MaxEventText)
	}
	query := "SELECT e.id, COALESCE(e.run_id, ''), " + s.schema.text("e", t, "step_id") + ", " + s.schema.text("e", t, "state") + ", " +
		s.schema.time("e", t, "timestamp") + ", " + message + " FROM event_log e WHERE " + clause + " LIMIT ?"
	rows, err := s.q.QueryContext(ctx, query, append(args, limit+1)...)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	for size := 0; rows.Next(); {
		if len(events) == limit || size > textsBytes {
			return events, true, nil
		}
		var e wave.EventText
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

// EventRuns names the runs of events, of those that there are.
func (s logRows) EventRuns(ctx context.Context, ids []int64) (map[int64]string, error) {
	runs := make(map[int64]string, len(ids))
	if !s.schema.Has("event_log") {
		return runs, nil
	}
	err := parts(ids, maxCompared, func(part []int64) error {
		rows, err := s.q.QueryContext(ctx, "SELECT id, COALESCE(run_id, '') FROM event_log WHERE id IN "+in(len(part)), anys(part)...)
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
}
