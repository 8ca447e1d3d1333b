package sqlite

import (
	"context"
	"fmt"

	"wavedeck/store/wave"
)

// stepTables are the tables that have rows for each step.
type stepTables struct{ source }

// StepStates reads step_state of a run, in the order of its rows.
func (s stepTables) StepStates(ctx context.Context, run string) (rows []wave.StepRow, err error) {
	err = s.selectOfRun(ctx, &rows, "step_state", "pipeline_id", []string{
		"x.step_id", s.schema.text("x", "step_state", "state"), s.schema.number("x", "step_state", "retry_count"), s.schema.number("x", "step_state", "visit_count"),
		s.schema.time("x", "step_state", "started_at"), s.schema.time("x", "step_state", "completed_at"),
		s.schema.text("x", "step_state", "error_message"),
	}, run)
	return rows, err
}

// Attempts reads step_attempt of a run, in the order of its rows.
func (s stepTables) Attempts(ctx context.Context, run string) (rows []wave.AttemptRow, err error) {
	err = s.selectOfRun(ctx, &rows, "step_attempt", "run_id", []string{
		"x.step_id", s.schema.number("x", "step_attempt", "attempt"), s.schema.text("x", "step_attempt", "state"),
		s.schema.text("x", "step_attempt", "error_message"), s.schema.text("x", "step_attempt", "failure_class"),
		s.schema.text("x", "step_attempt", "stdout_tail"), s.schema.number("x", "step_attempt", "tokens_used"),
		s.schema.number("x", "step_attempt", "duration_ms"), s.schema.time("x", "step_attempt", "started_at"),
		s.schema.time("x", "step_attempt", "completed_at"),
	}, run)
	return rows, err
}

// Metrics reads performance_metric of a run, in the order of its rows.
func (s stepTables) Metrics(ctx context.Context, run string) (rows []wave.MetricRow, err error) {
	err = s.selectOfRun(ctx, &rows, "performance_metric", "run_id", []string{
		"x.step_id", s.schema.text("x", "performance_metric", "persona"),
		s.schema.number("x", "performance_metric", "duration_ms"), s.schema.number("x", "performance_metric", "tokens_used"),
	}, run)
	return rows, err
}

// Progress reads step_progress of a run, in the order of its rows.
func (s stepTables) Progress(ctx context.Context, run string) (rows []wave.ProgressRow, err error) {
	err = s.selectOfRun(ctx, &rows, "step_progress", "run_id", []string{
		"x.step_id", s.schema.text("x", "step_progress", "persona"), s.schema.text("x", "step_progress", "state"),
		s.schema.maybe("x", "step_progress", "progress"), s.schema.text("x", "step_progress", "current_action"),
		s.schema.number("x", "step_progress", "tokens_used"),
	}, run)
	return rows, err
}

// triedSource is a table that knows attempts, the best first.
type triedSource struct {
	table, query string
	coarse       bool
}

func triedSources() []triedSource {
	return []triedSource{
		{table: "performance_metric", query: `
SELECT x.run_id AS run, x.step_id, COALESCE(` + countSQL("x.duration_ms") + `, 0) AS ms, COALESCE(` + countSQL("x.tokens_used") + `, 0) AS tokens
FROM performance_metric x WHERE x.run_id IN %s AND x.step_id <> '' ORDER BY x.rowid LIMIT ?`},
		{table: "step_attempt", query: `
SELECT x.run_id AS run, x.step_id, COALESCE(` + countSQL("x.duration_ms") + `, 0) AS ms, NULLIF(` + countSQL("x.tokens_used") + `, 0) AS tokens
FROM step_attempt x WHERE x.run_id IN %s AND x.step_id <> '' AND x.state <> 'running' AND ms > 0 ORDER BY x.rowid LIMIT ?`},
		{table: "step_state", coarse: true, query: `
SELECT x.pipeline_id AS run, x.step_id, 1000 * (` + TimeSQL("x.completed_at") + ` - ` + TimeSQL("x.started_at") + `) AS ms, NULL AS tokens
FROM step_state x WHERE x.pipeline_id IN %s AND x.step_id <> '' AND x.state IN ('completed', 'failed')
	AND ` + TimeSQL("x.completed_at") + ` >= ` + TimeSQL("x.started_at") + ` ORDER BY x.rowid LIMIT ?`},
	}
}

// EndedAttempts reads the attempts of runs that ended, at most limit of each table
// that knows them, the table that knows best first.
func (s stepTables) EndedAttempts(ctx context.Context, runs []string, limit int) ([][]wave.EndedAttempt, error) {
	var tables [][]wave.EndedAttempt
	for _, source := range triedSources() {
		if !s.schema.Has(source.table) {
			continue
		}
		var rows []wave.EndedAttempt
		if err := s.sel(ctx, &rows, fmt.Sprintf(source.query, in(len(runs))), append(anys(runs), limit)...); err != nil {
			return nil, fmt.Errorf("measure steps by %s: %w", source.table, err)
		}
		for i := range rows {
			rows[i].Coarse = source.coarse
		}
		tables = append(tables, rows)
	}
	return tables, nil
}

// SpendingRows reads what the rows of runs say that they used.
func (s stepTables) SpendingRows(ctx context.Context, ids []string) (rows []wave.SpendingRow, err error) {
	const t = "pipeline_run"
	query := fmt.Sprintf("SELECT r.run_id, %s, %s, %s FROM pipeline_run r WHERE r.run_id IN %s",
		s.schema.text("r", t, "status"), s.schema.number("r", t, "total_tokens"), s.schema.text("r", t, "parent_run_id"), in(len(ids)))
	if err := s.sel(ctx, &rows, query, anys(ids)...); err != nil {
		return nil, fmt.Errorf("select runs: %w", err)
	}
	return rows, nil
}

// StepTokens sums tokens by run and step in each table that has them, and takes
// the largest.
func (s stepTables) StepTokens(ctx context.Context, ids []string) (map[string]map[string]int64, error) {
	sums := map[string]map[string]int64{}
	for _, table := range []string{"performance_metric", "step_attempt", "step_progress"} {
		if !s.schema[table]["tokens_used"] {
			continue
		}
		var rows []struct {
			Run    string `db:"run_id"`
			Step   string `db:"step_id"`
			Tokens int64  `db:"tokens"`
			Rows   int64  `db:"n"`
		}
		query := "SELECT run_id, step_id, " + tokenSumSQL() + ", count(*) AS n FROM " + table +
			" WHERE run_id IN " + in(len(ids)) + " AND step_id <> '' GROUP BY run_id, step_id"
		if err := s.sel(ctx, &rows, query, anys(ids)...); err != nil {
			return nil, fmt.Errorf("sum %s: %w", table, err)
		}
		for _, r := range rows {
			if sums[r.Run] == nil {
				sums[r.Run] = map[string]int64{}
			}
			if n, ok := sums[r.Run][r.Step]; table == "performance_metric" || r.Tokens > 0 || ok {
				sums[r.Run][r.Step] = max(n, r.Tokens)
			}
		}
	}
	return sums, nil
}
