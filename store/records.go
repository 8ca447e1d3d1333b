package store

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

// maxAncestors bounds how far the states of nested runs follow their parents;
// rows that name each other as parents would have no end.
const maxAncestors = 8

// recordsSQL assembles the statement for n runs in the schema at hand. Each
// join is by primary key, so it adds one seek per run.
func (d *database) recordsSQL(n int) string {
	const t = "pipeline_run"
	columns := []string{
		"r.run_id", d.schema.text("r", t, "pipeline_name"), d.schema.text("r", t, "status"), d.schema.text("r", t, "input"),
		d.schema.text("r", t, "current_step"), d.schema.maybe("r", t, "total_tokens"), d.schema.time("r", t, "started_at"),
		d.schema.time("r", t, "completed_at"), d.schema.time("r", t, "cancelled_at"), d.schema.text("r", t, "error_message"),
		d.schema.text("r", t, "tags_json"), d.schema.text("r", t, "branch_name"), d.schema.number("r", t, "pid"),
		d.schema.text("r", t, "parent_run_id"), d.schema.text("r", t, "parent_step_id"), d.schema.text("r", t, "forked_from_run_id"),
		d.schema.time("r", t, "last_heartbeat"), d.schema.maybe("r", t, "iterate_index"), d.schema.maybe("r", t, "iterate_total"),
		d.schema.text("r", t, "iterate_mode"), d.schema.text("r", t, "run_kind"),
		d.cancelSQL("c"), d.schema.number("c", "cancellation", "force"),
		d.schema.maybe("p", "pipeline_progress", "total_steps"), d.schema.maybe("p", "pipeline_progress", "completed_steps"),
		d.schema.maybe("p", "pipeline_progress", "overall_progress"),
	}
	joins := ""
	if d.schema.has("cancellation") {
		joins += " LEFT JOIN cancellation c ON c.run_id = r.run_id"
	}
	if d.schema.has("pipeline_progress") {
		joins += " LEFT JOIN pipeline_progress p ON p.run_id = r.run_id"
	}
	if d.schema.has("pipeline_state") {
		joins += " LEFT JOIN pipeline_state s ON s.pipeline_id = r.run_id"
		columns = append(columns, "COALESCE(s.status, '') AS pipeline_state", "COALESCE("+timeSQL("s.updated_at")+", 0) AS pipeline_state_at")
	} else {
		columns = append(columns, "'' AS pipeline_state", "0 AS pipeline_state_at")
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM pipeline_run r" + joins + " WHERE r.run_id IN " + in(n)
}

// cancelSQL is when the cancellation in the aliased row was requested, 0 when
// that is unknown, NULL when there is none.
func (d *database) cancelSQL(alias string) string {
	if !d.schema["cancellation"]["requested_at"] {
		return "NULL AS requested_at"
	}
	return "CASE WHEN " + alias + ".run_id IS NOT NULL THEN COALESCE(" + timeSQL(alias+".requested_at") + ", 0) END AS requested_at"
}

const stepWordsSQL = `
SELECT pipeline_id, step_id, COALESCE(state, '') AS state,
	CASE WHEN state IN ('failed', 'rejected') THEN COALESCE(error_message, '') ELSE '' END AS error
FROM step_state WHERE pipeline_id IN %s ORDER BY pipeline_id, rowid`

// records reads and derives the runs with these ids; ids that no run has are
// left out. The number of statements does not depend on the number of runs.
func (d *database) records(ctx context.Context, q sqlx.QueryerContext, ids []string) (map[string]*diagnose.Record, error) {
	return d.recordsUpTo(ctx, q, ids, maxAncestors)
}

func (d *database) recordsUpTo(ctx context.Context, q sqlx.QueryerContext, ids []string, ancestors int) (map[string]*diagnose.Record, error) {
	found := make(map[string]*diagnose.Record, len(ids))
	if len(ids) == 0 || !d.schema.has("pipeline_run") {
		return found, nil
	}
	var rows []wave.RunRow
	if err := sqlx.SelectContext(ctx, q, &rows, d.recordsSQL(len(ids)), anys(ids)...); err != nil {
		return nil, fmt.Errorf("select runs: %w", err)
	}
	for _, r := range rows {
		found[r.ID] = &diagnose.Record{RunRow: r}
	}
	if err := d.addStepWords(ctx, q, found, ids); err != nil {
		return nil, err
	}
	var undecided, parents []string
	for id, r := range found {
		r.Facts = r.FactsOf()
		if r.Undecided() {
			undecided = append(undecided, id)
		}
		if r.Parent != "" && r.Parent != id && (r.Undecided() || diagnose.Killed(r.Facts.Error)) {
			parents = append(parents, r.Parent)
		}
	}
	histories, err := d.historiesOf(ctx, q, undecided)
	if err != nil {
		return nil, err
	}
	parentRecords := map[string]*diagnose.Record{}
	if ancestors > 0 && len(parents) > 0 {
		if parentRecords, err = d.recordsUpTo(ctx, q, parents, ancestors-1); err != nil {
			return nil, err
		}
	}
	for id, r := range found {
		r.AddHistory(histories[id])
	}
	if err := d.addOuter(ctx, q, found); err != nil {
		return nil, err
	}
	now := d.opt.Now()
	for _, r := range found {
		r.AddParent(parentRecords[r.Parent])
		r.State, r.Reason = diagnose.Derive(r.Facts, now, d.aliveSince(r.Facts))
		r.SettleEnd()
	}
	return found, nil
}

func (d *database) addStepWords(ctx context.Context, q sqlx.QueryerContext, found map[string]*diagnose.Record, ids []string) error {
	if !d.schema.has("step_state") {
		return nil
	}
	var words []wave.StepWord
	if err := sqlx.SelectContext(ctx, q, &words, fmt.Sprintf(stepWordsSQL, in(len(ids))), anys(ids)...); err != nil {
		return fmt.Errorf("select steps of runs: %w", err)
	}
	for _, w := range words {
		if r := found[w.Run]; r != nil {
			r.Steps = append(r.Steps, w)
		}
	}
	return nil
}

// derived reads and derives any number of runs; ids that no run has are left out.
func (d *database) derived(ctx context.Context, ids []string) (map[string]*diagnose.Record, error) {
	all := make(map[string]*diagnose.Record, len(ids))
	err := chunks(ids, criteria.MaxLimit, func(part []string) error {
		records, err := d.records(ctx, d, part)
		maps.Copy(all, records)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("tell runs: %w", err)
	}
	return all, nil
}
