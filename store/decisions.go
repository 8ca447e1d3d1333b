package store

import (
	"context"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/wave"
)

// decisions returns what was chosen in a run. Schemas before 17 have no such table.
func (d *database) decisions(ctx context.Context, q sqlx.QueryerContext, run string, at *wave.Moment) (wave.Newest[wave.Decision], error) {
	const t = "decision_log"
	var rows []struct {
		StepID    string `db:"step_id"`
		Timestamp int64  `db:"timestamp"`
		Category  string `db:"category"`
		Decision  string `db:"decision"`
		Rationale string `db:"rationale"`
		Context   string `db:"context_json"`
	}
	all, err := d.newestOf(ctx, q, &rows, t, run, by(at, "timestamp"), []string{
		d.schema.opening(t, "step_id"), d.schema.time("x", t, "timestamp"), d.schema.opening(t, "category"),
		d.schema.opening(t, "decision"), d.schema.opening(t, "rationale"), d.schema.opening(t, "context_json"),
	})
	if err != nil {
		return wave.Newest[wave.Decision]{}, err
	}
	found := wave.Newest[wave.Decision]{All: all}
	for _, r := range rows {
		found.Rows = append(found.Rows, wave.Decision{
			StepID: bounded(r.StepID), Category: bounded(r.Category), Decision: bounded(r.Decision),
			Rationale: bounded(r.Rationale), Context: bounded(r.Context), At: wave.Unix(r.Timestamp),
		})
	}
	return found, nil
}

// checkpoints returns where a run can be taken up. Schemas before 15 have no such table.
func (d *database) checkpoints(ctx context.Context, q sqlx.QueryerContext, run string, at *wave.Moment) (wave.Newest[wave.Checkpoint], error) {
	const t = "checkpoint"
	var rows []struct {
		StepID    string `db:"step_id"`
		Index     int64  `db:"step_index"`
		Workspace string `db:"workspace_path"`
		Commit    string `db:"workspace_commit_sha"`
		CreatedAt int64  `db:"created_at"`
	}
	all, err := d.newestOf(ctx, q, &rows, t, run, by(at, "created_at"), []string{
		d.schema.opening(t, "step_id"), d.schema.number("x", t, "step_index"), d.schema.opening(t, "workspace_path"),
		d.schema.opening(t, "workspace_commit_sha"), d.schema.time("x", t, "created_at"),
	})
	if err != nil {
		return wave.Newest[wave.Checkpoint]{}, err
	}
	found := wave.Newest[wave.Checkpoint]{All: all}
	for _, r := range rows {
		found.Rows = append(found.Rows, wave.Checkpoint{
			StepID: bounded(r.StepID), Index: int(r.Index), Workspace: bounded(r.Workspace), Commit: bounded(r.Commit), At: wave.Unix(r.CreatedAt),
		})
	}
	return found, nil
}

// addOutcomes reads what was decided in a run, where it can be taken up, and what
// it left, now or by a moment.
func (d *database) addOutcomes(ctx context.Context, q sqlx.QueryerContext, detail *wave.RunDetail, run string) (err error) {
	if detail.Outcomes, err = d.outcomes(ctx, q, run, detail.At); err != nil {
		return err
	}
	if detail.Decisions, err = d.decisions(ctx, q, run, detail.At); err != nil {
		return err
	}
	detail.Checkpoints, err = d.checkpoints(ctx, q, run, detail.At)
	return err
}
