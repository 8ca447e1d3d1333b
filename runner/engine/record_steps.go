package engine

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/jmoiron/sqlx"

	"wavedeck/store"
	statecontrol "wavedeck/store/control"
	"wavedeck/store/statedb"
)

// stepState records the state of a step.
func (rec *record) stepState(ctx context.Context, step, state string, more statedb.Row) error {
	row := statedb.Row{"step_id": step, "pipeline_id": rec.run, "state": state}
	maps.Copy(row, more)
	return rec.transact(ctx, func(ctx context.Context, tx *sqlx.Tx) error { return rec.upsert(ctx, tx, "step_state", row) })
}

// attempt is one try at a step.
type attempt struct {
	step, persona string
	number        int
	started       time.Time
	ended         time.Time // zero while it runs
	err           error
	class         string
	tail          string
	tokens        int64
	artifacts     int
}

// attemptBegins and attemptEnds write a row each, as Wave does, and the end
// another one with its figures.
func (rec *record) attemptBegins(ctx context.Context, a attempt) error {
	return rec.insert(ctx, "step_attempt", statedb.Row{
		"step_id": a.step, "attempt": a.number, "state": "running", "started_at": a.started.Unix(),
	})
}

func (rec *record) attemptEnds(ctx context.Context, a attempt) error {
	state, text := "succeeded", ""
	if a.err != nil {
		state, text = "failed", a.err.Error()
	}
	duration := max(1, a.ended.Sub(a.started).Milliseconds()) // 0 would read as not measured
	if err := rec.insert(ctx, "step_attempt", statedb.Row{
		"step_id": a.step, "attempt": a.number, "state": state, "error_message": text, "failure_class": a.class,
		"stdout_tail": a.tail, "tokens_used": a.tokens, "duration_ms": duration,
		"started_at": a.started.Unix(), "completed_at": a.ended.Unix(),
	}); err != nil {
		return err
	}
	return rec.insert(ctx, "performance_metric", statedb.Row{
		"step_id": a.step, "pipeline_name": rec.name, "persona": a.persona, "started_at": a.started.Unix(),
		"completed_at": a.ended.Unix(), "duration_ms": duration, "tokens_used": a.tokens,
		"artifacts_generated": a.artifacts, "success": a.err == nil, "error_message": text,
	})
}

// artifact records an output.
func (rec *record) artifact(ctx context.Context, step, name, path, kind string, size int64) error {
	return rec.insert(ctx, "artifact", statedb.Row{
		"step_id": step, "name": name, "path": path, "type": kind, "size_bytes": size, "created_at": time.Now().Unix(),
	})
}

// cancellation reports whether somebody asked the run to stop.
func (rec *record) cancellation(ctx context.Context) (asked, force bool, err error) {
	if rec.schema["cancellation"].Columns == nil {
		return false, false, nil
	}
	var rows []bool
	err = rec.look.SelectContext(ctx, &rows, `SELECT COALESCE(force, 0) FROM cancellation WHERE run_id = ?`, rec.run)
	return len(rows) > 0, len(rows) > 0 && rows[0], err
}

// left is what an earlier run left.
func left(ctx context.Context, path, run string) (l store.Leftovers, err error) {
	control := statecontrol.Open(func() string { return path })
	defer func() { err = errors.Join(err, control.Close()) }()
	return control.Leftovers(ctx, run)
}
