package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

// ChildLimit is how many direct children a run's detail holds.
const ChildLimit = 1000

// run returns one run, or ErrNotFound.
func (d *database) run(ctx context.Context, id string) (wave.Run, error) {
	runs, err := d.runsOf(ctx, d, []string{id})
	if err != nil {
		return wave.Run{}, fmt.Errorf("load run %s: %w", id, err)
	}
	if len(runs) == 0 {
		return wave.Run{}, fmt.Errorf("load run %s: %w", id, ErrNotFound)
	}
	return runs[0], nil
}

// detail returns all that a run's page shows, read in one transaction so that
// its parts agree. ErrNotFound when there is no such run.
func (d *database) detail(ctx context.Context, id string) (wave.RunDetail, error) {
	tx, err := d.BeginTxx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return wave.RunDetail{}, fmt.Errorf("load run %s: %w", id, err)
	}
	detail, err := d.detailOf(ctx, tx, id)
	if end := tx.Rollback(); err == nil && !errors.Is(end, sql.ErrTxDone) {
		err = end
	}
	if err != nil {
		return wave.RunDetail{}, fmt.Errorf("load run %s: %w", id, err)
	}
	return detail, nil
}

func (d *database) detailOf(ctx context.Context, q sqlx.QueryerContext, id string) (wave.RunDetail, error) {
	var detail wave.RunDetail
	runs, err := d.runsOf(ctx, q, []string{id})
	if err != nil {
		return detail, err
	}
	if len(runs) == 0 {
		return detail, ErrNotFound
	}
	run := runs[0]
	if err := d.addRelatives(ctx, q, &detail, run); err != nil {
		return detail, err
	}
	span, err := d.eventSpan(ctx, q, id)
	if err != nil {
		return detail, fmt.Errorf("count events: %w", err)
	}
	detail.FirstID, detail.LastID, detail.Events = span.First, span.Last, span.Count
	if detail.Artifacts, err = d.artifacts(ctx, q, id); err != nil {
		return detail, err
	}
	if err := d.addOutcomes(ctx, q, &detail, id); err != nil {
		return detail, err
	}
	rows, err := d.stepRows(ctx, q, run)
	if err != nil {
		return detail, err
	}
	rows.Children = detail.Children
	detail.Steps = rows.Steps(run)
	diagnose.CompleteRun(&run, detail.Steps, rows.History)
	if run.Headline == "" && run.Error != "" && (run.State == wave.Failed || run.State == wave.Rejected) {
		run.Headline = d.headline(run.Error)
	}
	d.stepHeadlines(&detail, run)
	detail.Run = run
	return detail, nil
}

// addRelatives reads the parent, the original of a fork and the children.
func (d *database) addRelatives(ctx context.Context, q sqlx.QueryerContext, detail *wave.RunDetail, run wave.Run) error {
	var ids []string
	if d.schema["pipeline_run"]["parent_run_id"] {
		const query = `SELECT run_id FROM pipeline_run WHERE parent_run_id = ? AND run_id <> '' AND run_id <> parent_run_id ORDER BY started_at, rowid LIMIT ?`
		if err := sqlx.SelectContext(ctx, q, &ids, query, run.ID, ChildLimit); err != nil {
			return fmt.Errorf("select children: %w", err)
		}
	}
	children, err := d.runsOf(ctx, q, append(ids, run.Items...))
	if err != nil {
		return err
	}
	detail.Children = children
	for _, relative := range []struct {
		id string
		to **wave.Run
	}{{run.Parent, &detail.Parent}, {run.ForkedFrom, &detail.Fork}} {
		if relative.id == "" {
			continue
		}
		found, err := d.runsOf(ctx, q, []string{relative.id})
		if err != nil {
			return err
		}
		if len(found) > 0 {
			*relative.to = &found[0]
		}
	}
	return nil
}

// attemptColumns are those of an attemptRow.
func attemptColumns(sch schema) []string {
	return []string{
		"x.step_id", sch.number("x", "step_attempt", "attempt"), sch.text("x", "step_attempt", "state"),
		sch.text("x", "step_attempt", "error_message"), sch.text("x", "step_attempt", "failure_class"),
		sch.text("x", "step_attempt", "stdout_tail"), sch.number("x", "step_attempt", "tokens_used"),
		sch.number("x", "step_attempt", "duration_ms"), sch.time("x", "step_attempt", "started_at"),
		sch.time("x", "step_attempt", "completed_at"),
	}
}

func (d *database) stepRows(ctx context.Context, q sqlx.QueryerContext, run wave.Run) (*diagnose.StepRows, error) {
	var (
		states   []wave.StepRow
		attempts []wave.AttemptRow
		metrics  []wave.MetricRow
		progress []wave.ProgressRow
	)
	reads := []struct {
		table, key string
		columns    []string
		into       any
	}{
		{"step_state", "pipeline_id", []string{
			"x.step_id", d.schema.text("x", "step_state", "state"), d.schema.number("x", "step_state", "retry_count"), d.schema.number("x", "step_state", "visit_count"),
			d.schema.time("x", "step_state", "started_at"), d.schema.time("x", "step_state", "completed_at"),
			d.schema.text("x", "step_state", "error_message"),
		}, &states},
		{"step_attempt", "run_id", attemptColumns(d.schema), &attempts},
		{"performance_metric", "run_id", []string{
			"x.step_id", d.schema.text("x", "performance_metric", "persona"),
			d.schema.number("x", "performance_metric", "duration_ms"), d.schema.number("x", "performance_metric", "tokens_used"),
		}, &metrics},
		{"step_progress", "run_id", []string{
			"x.step_id", d.schema.text("x", "step_progress", "persona"), d.schema.text("x", "step_progress", "state"),
			d.schema.maybe("x", "step_progress", "progress"), d.schema.text("x", "step_progress", "current_action"),
			d.schema.number("x", "step_progress", "tokens_used"),
		}, &progress},
	}
	for _, r := range reads {
		if err := d.selectOfRun(ctx, q, r.into, r.table, r.key, r.columns, run.ID); err != nil {
			return nil, err
		}
	}
	if run.Kind == kindResume { // what it was handed of the run that it resumes is no attempt of its own
		attempts = slices.DeleteFunc(attempts, func(a wave.AttemptRow) bool { return a.StartedAt < run.StartedAt.Unix() })
	}
	histories, err := d.historiesOf(ctx, q, []string{run.ID})
	if err != nil {
		return nil, err
	}
	rows := &diagnose.StepRows{
		Def: d.opt.Definition(run.Pipeline), History: histories[run.ID],
		States: map[string]wave.StepRow{}, Attempts: map[string][]wave.AttemptRow{},
		Metrics: map[string][]wave.MetricRow{}, Progress: map[string]wave.ProgressRow{},
	}
	rows.Collect(states, attempts, metrics, progress)
	if run.State.Active() && d.schema.has("event_log") {
		if rows.Activity, err = d.latestActivity(ctx, q, run.ID); err != nil {
			return nil, fmt.Errorf("select activity: %w", err)
		}
	}
	return rows, nil
}

// selectOfRun selects the rows of one run in the order they were inserted.
func (d *database) selectOfRun(ctx context.Context, q sqlx.QueryerContext, into any, table, key string, columns []string, run string) error {
	if !d.schema.has(table) {
		return nil
	}
	query := "SELECT " + strings.Join(columns, ", ") + " FROM " + table + " x WHERE x." + key + " = ? AND x.step_id <> '' ORDER BY x.rowid LIMIT 20000"
	if err := sqlx.SelectContext(ctx, q, into, query, run); err != nil {
		return fmt.Errorf("select %s: %w", table, err)
	}
	return nil
}
