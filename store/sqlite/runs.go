package sqlite

import (
	"context"
	"fmt"
	"strings"

	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// runRows are the rows of pipeline_run, with those of other tables that have one
// per run.
type runRows struct{ source }

// Runs reads the runs with these ids, in no order.
func (s runRows) Runs(ctx context.Context, ids []string) ([]wave.RunRow, error) {
	if len(ids) == 0 || !s.schema.Has("pipeline_run") {
		return nil, nil
	}
	var rows []wave.RunRow
	if err := s.sel(ctx, &rows, s.recordsSQL(len(ids)), anys(ids)...); err != nil {
		return nil, fmt.Errorf("select runs: %w", err)
	}
	return rows, nil
}

// recordsSQL assembles the statement for n runs in the schema at hand. Each
// join is by primary key, so it adds one seek per run.
func (s source) recordsSQL(n int) string {
	const t = "pipeline_run"
	columns := []string{
		"r.run_id", s.schema.text("r", t, "pipeline_name"), s.schema.text("r", t, "status"), s.schema.text("r", t, "input"),
		s.schema.text("r", t, "current_step"), s.schema.maybe("r", t, "total_tokens"), s.schema.time("r", t, "started_at"),
		s.schema.time("r", t, "completed_at"), s.schema.time("r", t, "cancelled_at"), s.schema.text("r", t, "error_message"),
		s.schema.text("r", t, "tags_json"), s.schema.text("r", t, "branch_name"), s.schema.number("r", t, "pid"),
		s.schema.text("r", t, "parent_run_id"), s.schema.text("r", t, "parent_step_id"), s.schema.text("r", t, "forked_from_run_id"),
		s.schema.time("r", t, "last_heartbeat"), s.schema.maybe("r", t, "iterate_index"), s.schema.maybe("r", t, "iterate_total"),
		s.schema.text("r", t, "iterate_mode"), s.schema.text("r", t, "run_kind"),
		s.cancelSQL("c"), s.schema.number("c", "cancellation", "force"),
		s.schema.maybe("p", "pipeline_progress", "total_steps"), s.schema.maybe("p", "pipeline_progress", "completed_steps"),
		s.schema.maybe("p", "pipeline_progress", "overall_progress"),
	}
	joins := ""
	if s.schema.Has("cancellation") {
		joins += " LEFT JOIN cancellation c ON c.run_id = r.run_id"
	}
	if s.schema.Has("pipeline_progress") {
		joins += " LEFT JOIN pipeline_progress p ON p.run_id = r.run_id"
	}
	if s.schema.Has("pipeline_state") {
		joins += " LEFT JOIN pipeline_state s ON s.pipeline_id = r.run_id"
		columns = append(columns, "COALESCE(s.status, '') AS pipeline_state", "COALESCE("+TimeSQL("s.updated_at")+", 0) AS pipeline_state_at")
	} else {
		columns = append(columns, "'' AS pipeline_state", "0 AS pipeline_state_at")
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM pipeline_run r" + joins + " WHERE r.run_id IN " + in(n)
}

// cancelSQL is when the cancellation in the aliased row was requested, 0 when
// that is unknown, NULL when there is none.
func (s source) cancelSQL(alias string) string {
	if !s.schema["cancellation"]["requested_at"] {
		return "NULL AS requested_at"
	}
	return "CASE WHEN " + alias + ".run_id IS NOT NULL THEN COALESCE(" + TimeSQL(alias+".requested_at") + ", 0) END AS requested_at"
}

const stepWordsSQL = `
SELECT pipeline_id, step_id, COALESCE(state, '') AS state,
	CASE WHEN state IN ('failed', 'rejected') THEN COALESCE(error_message, '') ELSE '' END AS error
FROM step_state WHERE pipeline_id IN %s ORDER BY pipeline_id, rowid`

// StepWords reads what a list shows of the steps of runs, in the order of the rows
// of each.
func (s runRows) StepWords(ctx context.Context, ids []string) ([]wave.StepWord, error) {
	if !s.schema.Has("step_state") {
		return nil, nil
	}
	var words []wave.StepWord
	if err := s.sel(ctx, &words, fmt.Sprintf(stepWordsSQL, in(len(ids))), anys(ids)...); err != nil {
		return nil, fmt.Errorf("select steps of runs: %w", err)
	}
	return words, nil
}

// entriesSQL reads what tells a run that has plainly ended without looking
// further. current_step holds an error only where a run ended badly.
func (s source) entriesSQL(where string) string {
	const t = "pipeline_run"
	step := "''"
	if s.schema[t]["current_step"] {
		step = "CASE WHEN r.status IN ('failed', 'cancelled') THEN COALESCE(CAST(r.current_step AS TEXT), '') ELSE '' END"
	}
	other, cancel := "''", "NULL"
	if s.schema.Has("cancellation") {
		cancel = "CASE r.status WHEN 'failed' THEN (SELECT " + s.cancelSQL("c") + " FROM cancellation c WHERE c.run_id = r.run_id) END"
	}
	if s.schema.Has("pipeline_state") {
		other = "CASE r.status WHEN 'failed' THEN COALESCE((SELECT s.status FROM pipeline_state s WHERE s.pipeline_id = r.run_id), '') ELSE '' END"
	}
	input := "''"
	if s.schema[t]["input"] {
		// As bytes, for substr ends a text at its first zero byte. One more than
		// is searched shows whether the cut is between two characters.
		input = fmt.Sprintf("COALESCE(CAST(substr(CAST(r.input AS BLOB), 1, %d) AS TEXT), '')", criteria.InputBytes+1)
	}
	return "SELECT r.rowid, r.run_id, " + strings.Join([]string{
		s.schema.text("r", t, "pipeline_name"), s.schema.text("r", t, "status"), s.schema.time("r", t, "started_at"),
		s.schema.time("r", t, "completed_at"), s.schema.time("r", t, "cancelled_at"), s.schema.text("r", t, "tags_json"),
		s.schema.text("r", t, "parent_run_id"), s.schema.text("r", t, "branch_name"), s.schema.text("r", t, "run_kind"),
		s.schema.maybe("r", t, "total_tokens"), input, s.schema.text("r", t, "error_message"), step, other, cancel,
	}, ", ") + " FROM pipeline_run r WHERE r.run_id <> '' AND " + where
}

// EntryRows reads the runs with these ids for an index; those that are gone are
// left out.
func (s runRows) EntryRows(ctx context.Context, ids []string) ([]wave.EntryRow, error) {
	return s.selectEntries(ctx, s.entriesSQL("r.run_id IN "+in(len(ids))), len(ids), anys(ids)...)
}

// EntryRowsAfter reads the next of all runs for an index, in the order of their rows.
func (s runRows) EntryRowsAfter(ctx context.Context, row int64, limit int) ([]wave.EntryRow, error) {
	return s.selectEntries(ctx, s.entriesSQL("r.rowid > ? ORDER BY r.rowid LIMIT ?"), limit, row, limit)
}

func (s runRows) selectEntries(ctx context.Context, query string, most int, args ...any) ([]wave.EntryRow, error) {
	rows, err := s.q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	entries := make([]wave.EntryRow, 0, most)
	for rows.Next() {
		var e wave.EntryRow
		err := rows.Scan(&e.Row, &e.ID, &e.Pipeline, &e.Status, &e.StartedAt, &e.CompletedAt, &e.CancelledAt, &e.Tags, &e.Parent,
			&e.Branch, &e.Kind, &e.Tokens, &e.Input, &e.ErrorMessage, &e.CurrentStep, &e.PipelineState, &e.CancelAsked)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, rows.Err()
}

// pipelineRunsSQL walks the pipeline's part of idx_run_pipeline from its end.
// Rows of one pipeline lie there in rowid order, which is the order of
// insertion: the newest come first at the same cost for a rare pipeline and a
// common one, where any other order would sort all of its runs.
const pipelineRunsSQL = `
SELECT r.run_id FROM pipeline_run r
WHERE r.pipeline_name = ? AND +r.run_id <> '' ORDER BY r.rowid DESC LIMIT ?`

// PipelineRuns lists the runs of a pipeline that were recorded last, the last first.
func (s runRows) PipelineRuns(ctx context.Context, pipeline string, limit int) (ids []string, err error) {
	if !s.schema.Has("pipeline_run") {
		return nil, nil
	}
	err = s.sel(ctx, &ids, pipelineRunsSQL, pipeline, limit)
	return ids, err
}

func slotsSQL() string {
	return "SELECT count(*) FROM pipeline_run WHERE status IN ('pending', 'running') AND " + TimeSQL("started_at") + " > ?"
}

// BegunSince counts the runs that began after a second and have no end.
func (s runRows) BegunSince(ctx context.Context, second int64) (n int, err error) {
	err = s.get(ctx, &n, slotsSQL(), second)
	return n, err
}

const openRunsSQL = `SELECT run_id FROM pipeline_run WHERE status IN ('pending', 'running') AND run_id IS NOT NULL LIMIT ?`

// OpenRuns lists runs that have no end.
func (s runRows) OpenRuns(ctx context.Context, limit int) (ids []string, err error) {
	err = s.sel(ctx, &ids, openRunsSQL, limit)
	return ids, err
}

func metricTokensSQL() string {
	return "SELECT run_id, " + tokenSumSQL() + " FROM performance_metric WHERE run_id IN %s GROUP BY run_id HAVING tokens > 0"
}

// MetricTokens sums what the measured attempts of runs used.
func (s runRows) MetricTokens(ctx context.Context, ids []string) (map[string]int64, error) {
	if len(ids) == 0 || !s.schema.Has("performance_metric") {
		return nil, nil
	}
	var rows []struct {
		Run    string `db:"run_id"`
		Tokens int64  `db:"tokens"`
	}
	if err := s.sel(ctx, &rows, fmt.Sprintf(metricTokensSQL(), in(len(ids))), anys(ids)...); err != nil {
		return nil, fmt.Errorf("sum tokens: %w", err)
	}
	sums := make(map[string]int64, len(rows))
	for _, r := range rows {
		sums[r.Run] = r.Tokens
	}
	return sums, nil
}
