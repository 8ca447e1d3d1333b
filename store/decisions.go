package store

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"
)

// Decision is something that Wave chose on its own, and why.
type Decision struct {
	StepID    string
	Category  string // model_routing, contract, retry, or what a writer calls it
	Decision  string
	Rationale string
	Context   string // JSON as it was written; a writer may leave anything
	At        time.Time
}

// Checkpoint is a step after which a run can be taken up again.
type Checkpoint struct {
	StepID    string
	Index     int // of the step in its pipeline, from 0
	Workspace string
	Commit    string // of the workspace; empty where it is no repository
	At        time.Time
}

// decisions returns what was chosen in a run. Schemas before 17 have no such table.
func (d *database) decisions(ctx context.Context, q sqlx.QueryerContext, run string, at *Moment) (Newest[Decision], error) {
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
		return Newest[Decision]{}, err
	}
	found := Newest[Decision]{All: all}
	for _, r := range rows {
		found.Rows = append(found.Rows, Decision{
			StepID: bounded(r.StepID), Category: bounded(r.Category), Decision: bounded(r.Decision),
			Rationale: bounded(r.Rationale), Context: bounded(r.Context), At: unix(r.Timestamp),
		})
	}
	return found, nil
}

// checkpoints returns where a run can be taken up. Schemas before 15 have no such table.
func (d *database) checkpoints(ctx context.Context, q sqlx.QueryerContext, run string, at *Moment) (Newest[Checkpoint], error) {
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
		return Newest[Checkpoint]{}, err
	}
	found := Newest[Checkpoint]{All: all}
	for _, r := range rows {
		found.Rows = append(found.Rows, Checkpoint{
			StepID: bounded(r.StepID), Index: int(r.Index), Workspace: bounded(r.Workspace), Commit: bounded(r.Commit), At: unix(r.CreatedAt),
		})
	}
	return found, nil
}

// addOutcomes reads what was decided in a run, where it can be taken up, and what
// it left, now or by a moment.
func (d *database) addOutcomes(ctx context.Context, q sqlx.QueryerContext, detail *RunDetail, run string) (err error) {
	if detail.Outcomes, err = d.outcomes(ctx, q, run, detail.At); err != nil {
		return err
	}
	if detail.Decisions, err = d.decisions(ctx, q, run, detail.At); err != nil {
		return err
	}
	detail.Checkpoints, err = d.checkpoints(ctx, q, run, detail.At)
	return err
}
