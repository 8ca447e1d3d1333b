package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"wavedeck/runner"
	"wavedeck/store/control"
	"wavedeck/store/dbfile"
	"wavedeck/store/statedb"
	"wavedeck/store/wave"
)

// record is one run in the state database, written as Wave writes it. Columns
// that an older schema lacks are left out. It is safe for concurrent use.
type record struct {
	db     *sqlx.DB
	look   *sqlx.DB // for requests to stop: a write that waits for a lock holds the other
	schema statedb.Schema
	run    string
	name   string // of the pipeline
}

// openRecord finds the run that was reserved for r, or records it. Its process
// is this one from then on: a run that has begun is not begun again.
func openRecord(ctx context.Context, path string, r runner.Request) (_ *record, err error) {
	// A power failure may take the last moments of the log, never a consistent
	// state: an fsync for each batch of output would cost more than that is worth.
	db, err := statedb.Open(ctx, path, "synchronous(NORMAL)")
	if err != nil {
		return nil, err
	}
	rec := &record{db: db, run: r.ID, name: r.Pipeline}
	defer func() {
		if err != nil {
			err = errors.Join(err, rec.Close())
		}
	}()
	if rec.look, err = statedb.Open(ctx, path); err != nil {
		return nil, err
	}
	if rec.schema, err = statedb.ReadSchema(ctx, db); err != nil {
		return nil, err
	}
	if rec.run == "" {
		rec.run = control.NewRunID(r.Pipeline, time.Now())
	}
	if err := rec.transact(ctx, func(ctx context.Context, tx *sqlx.Tx) error { return rec.begin(ctx, tx, r) }); err != nil {
		return nil, fmt.Errorf("begin run %s: %w", rec.run, err)
	}
	return rec, nil
}

func (rec *record) begin(ctx context.Context, tx *sqlx.Tx, r runner.Request) error {
	var found []struct {
		Status   string `db:"status"`
		Pipeline string `db:"pipeline_name"`
	}
	if err := tx.SelectContext(ctx, &found, `SELECT status, pipeline_name FROM pipeline_run WHERE run_id = ?`, rec.run); err != nil {
		return err
	}
	now := time.Now().Unix()
	if len(found) == 0 {
		n := runner.NewRun(r)
		row := statedb.Row{
			"run_id": rec.run, "pipeline_name": r.Pipeline, "status": "pending", "input": r.Input, "current_step": "",
			"started_at": now, "tags_json": "[]", "run_kind": n.Kind,
		}
		if n.Parent != "" {
			row["parent_run_id"], row["parent_step_id"] = n.Parent, n.ParentStep
		}
		if _, err := rec.schema.Insert(ctx, tx, "pipeline_run", rec.schema.Known("pipeline_run", row)); err != nil {
			return err
		}
	} else if found[0].Status != "pending" || found[0].Pipeline != r.Pipeline {
		return fmt.Errorf("%w: it is recorded as %s", control.ErrTaken, found[0].Status)
	}
	if err := rec.update(ctx, tx, statedb.Row{"status": "running", "pid": os.Getpid(), "last_heartbeat": now}); err != nil {
		return err
	}
	return rec.upsert(ctx, tx, "pipeline_state", statedb.Row{
		"pipeline_id": rec.run, "pipeline_name": rec.run, "status": "running", "input": r.Input, "created_at": now, "updated_at": now,
	})
}

// Close lets go of the database.
func (rec *record) Close() error {
	err := rec.db.Close()
	if rec.look != nil {
		err = errors.Join(err, rec.look.Close())
	}
	return err
}

// patience is how long a write is repeated while others hold the database: the
// run goes on, and its end must not be lost.
const patience = 2 * time.Minute

// transact makes a transaction that the end of ctx does not cut off: what
// happened is recorded even while the run is being stopped.
func (rec *record) transact(ctx context.Context, fn func(context.Context, *sqlx.Tx) error) error {
	ctx = context.WithoutCancel(ctx)
	for give := time.Now().Add(patience); ; {
		err := rec.try(ctx, fn)
		if dbfile.Code(err) != dbfile.Busy || time.Now().After(give) {
			return err
		}
	}
}

func (rec *record) try(ctx context.Context, fn func(context.Context, *sqlx.Tx) error) (err error) {
	tx, err := rec.db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(ctx, tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// update changes the run's own row.
func (rec *record) update(ctx context.Context, tx sqlx.ExecerContext, row statedb.Row) error {
	row["run_id"] = rec.run
	return rec.schema.Update(ctx, tx, "pipeline_run", rec.schema.Known("pipeline_run", row))
}

// upsert adds a row, or changes the one that has its key.
func (rec *record) upsert(ctx context.Context, tx *sqlx.Tx, table string, row statedb.Row) error {
	known := rec.schema.Known(table, row)
	if known == nil {
		return nil
	}
	err := rec.schema.Update(ctx, tx, table, known)
	if errors.Is(err, statedb.ErrNoRow) {
		_, err = rec.schema.Insert(ctx, tx, table, known)
	}
	return err
}

// insert adds a row of the run to a table that the schema may lack.
func (rec *record) insert(ctx context.Context, table string, row statedb.Row) error {
	row["run_id"] = rec.run
	known := rec.schema.Known(table, row)
	if known == nil {
		return nil
	}
	return rec.transact(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := rec.schema.Insert(ctx, tx, table, known)
		return err
	})
}

// events appends to event_log, in one statement for all of them.
func (rec *record) events(ctx context.Context, events []event) error {
	columns := []string{"run_id", "timestamp", "step_id", "state", "persona", "message", "tokens_used", "duration_ms", "model", "adapter", "configured_model"}
	have := rec.schema.Known("event_log", statedb.Row{"model": "", "adapter": "", "configured_model": ""})
	if rec.schema["event_log"].Columns == nil {
		return nil
	}
	known := columns[:8:8]
	for _, c := range columns[8:] {
		if _, ok := have[c]; ok {
			known = append(known, c)
		}
	}
	args := make([]any, 0, len(events)*len(known))
	for _, e := range events {
		row := []any{rec.run, e.at, e.step, e.state, e.persona, e.message, e.tokens, e.duration.Milliseconds()}
		for _, c := range known[8:] {
			row = append(row, map[string]string{"model": e.model, "adapter": e.adapter, "configured_model": e.configured}[c])
		}
		args = append(args, row...)
	}
	marks := "(?" + strings.Repeat(", ?", len(known)-1) + ")"
	query := "INSERT INTO event_log (" + strings.Join(known, ", ") + ") VALUES " + marks + strings.Repeat(", "+marks, len(events)-1)
	return rec.transact(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

// beat records that the process lives.
func (rec *record) beat(ctx context.Context) error {
	row := rec.schema.Known("pipeline_run", statedb.Row{"last_heartbeat": time.Now().Unix()})
	if len(row) == 0 {
		return nil
	}
	return rec.transact(ctx, func(ctx context.Context, tx *sqlx.Tx) error { return rec.update(ctx, tx, row) })
}

// end records how the run ended. Message says why; of a run that completed, that it
// was a dry run.
func (rec *record) end(ctx context.Context, o Outcome, message string, tokens int64) error {
	now := time.Now().Unix()
	row := statedb.Row{"status": string(o), "completed_at": now, "current_step": "", "total_tokens": tokens}
	state := string(o)
	switch o {
	case Completed, Failed:
		row["current_step"] = message
	case Rejected:
		row["status"], row["current_step"] = string(Failed), message
	case Cancelled:
		row["cancelled_at"], row["current_step"] = now, wave.ReasonCancelled
	}
	return rec.transact(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		if err := rec.update(ctx, tx, row); err != nil {
			return err
		}
		if o == Cancelled && rec.schema["cancellation"].Columns != nil { // it has been served
			if _, err := tx.ExecContext(ctx, `DELETE FROM cancellation WHERE run_id = ?`, rec.run); err != nil {
				return err
			}
		}
		known := rec.schema.Known("pipeline_state", statedb.Row{"pipeline_id": rec.run, "status": state, "updated_at": now})
		if known == nil {
			return nil
		}
		return rec.schema.Update(ctx, tx, "pipeline_state", known)
	})
}
