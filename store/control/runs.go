package control

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"wavedeck/store"
	"wavedeck/store/sqlite"
	"wavedeck/store/wave"
)

// NewRun is a run to be recorded before its process starts.
type NewRun struct {
	ID         string // empty: one is made
	Pipeline   string
	Input      string
	Parent     string   // the run that this one resumes or belongs to
	ParentStep string   // the step in it
	Kind       string   // run_kind: empty, or "resume"
	Tags       []string // none is an empty list, as Wave writes it
}

// NewRunID makes an id as Wave does: the pipeline, the local time and four
// random hex digits.
func NewRunID(pipeline string, at time.Time) string {
	var random [2]byte
	_, _ = rand.Read(random[:]) // never fails
	return pipeline + at.Local().Format("-20060102-150405-") + hex.EncodeToString(random[:])
}

// CreateRun records r as pending. At most limit runs may be pending or running
// then, those older than five minutes left out; 0 is no limit. [*LimitError]
// when there are more. The same call with the same id may be repeated: then
// nothing is created. For another run the id is [ErrTaken].
func (c *Control) CreateRun(ctx context.Context, r NewRun, limit int) (id string, created bool, err error) {
	err = c.write(ctx, func(tx *sqlx.Tx, sch sqlite.Schema) error {
		if id = r.ID; id != "" {
			if same, err := isRecorded(ctx, tx, r); err != nil || same {
				return err
			}
		}
		now := c.now()
		if err := checkLimit(ctx, tx, now, limit); err != nil {
			return err
		}
		const tries = 20 // of 65,536 ids in a second
		for range tries {
			if r.ID == "" {
				id = NewRunID(r.Pipeline, now)
			}
			if created, err = insertRun(ctx, tx, sch, r, id, now); err != nil || created {
				return err
			}
		}
		return ErrTaken
	})
	if err != nil {
		return "", false, fmt.Errorf("create run of %s: %w", r.Pipeline, err)
	}
	return id, created, nil
}

const recordedSQL = `SELECT pipeline_name, COALESCE(input, '') AS input FROM pipeline_run WHERE run_id = ?`

// isRecorded reports whether r was recorded before.
func isRecorded(ctx context.Context, tx *sqlx.Tx, r NewRun) (bool, error) {
	var row struct {
		Pipeline string `db:"pipeline_name"`
		Input    string `db:"input"`
	}
	switch err := tx.GetContext(ctx, &row, recordedSQL, r.ID); {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case row.Pipeline != r.Pipeline || row.Input != r.Input:
		return false, fmt.Errorf("%w: %s", ErrTaken, r.ID)
	}
	return true, nil
}

// insertRun reports false when the id exists.
func insertRun(ctx context.Context, tx *sqlx.Tx, sch sqlite.Schema, r NewRun, id string, now time.Time) (bool, error) {
	tags, err := json.Marshal(append([]string{}, r.Tags...))
	if err != nil {
		return false, err
	}
	columns := []string{"run_id", "pipeline_name", "status", "input", "started_at"}
	values := []any{id, r.Pipeline, "pending", r.Input, now.Unix()}
	for _, more := range []struct {
		column string
		value  string
		always bool
	}{
		{"tags_json", string(tags), true},
		{"current_step", "", true},
		{"parent_run_id", r.Parent, false},
		{"parent_step_id", r.ParentStep, false},
		{"run_kind", r.Kind, false},
	} {
		if sch["pipeline_run"][more.column] && (more.always || more.value != "") {
			columns, values = append(columns, more.column), append(values, more.value)
		}
	}
	marks := strings.Join(slices.Repeat([]string{"?"}, len(columns)), ", ")
	res, err := tx.ExecContext(ctx, "INSERT INTO pipeline_run ("+strings.Join(columns, ", ")+") VALUES ("+marks+
		") ON CONFLICT (run_id) DO NOTHING", values...)
	if err != nil {
		return false, fmt.Errorf("insert run: %w", err)
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// RequestCancellation asks the process of a run to stop. Asked again, the first
// time stands and force is only ever added. [ErrNotFound], [ErrEnded].
func (c *Control) RequestCancellation(ctx context.Context, id string, force bool) error {
	const query = `INSERT INTO cancellation (run_id, requested_at, force) VALUES (?, ?, ?)
ON CONFLICT (run_id) DO UPDATE SET force = max(COALESCE(cancellation.force, 0), excluded.force)`
	err := c.write(ctx, func(tx *sqlx.Tx, sch sqlite.Schema) error {
		open, err := isOpen(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case !open:
			return ErrEnded
		case !sch.Has("cancellation"):
			return errors.New("this database cannot record a stop request")
		}
		_, err = tx.ExecContext(ctx, query, id, c.now().Unix(), force)
		return err
	})
	if err != nil {
		return fmt.Errorf("stop run %s: %w", id, err)
	}
	return nil
}

func isOpen(ctx context.Context, tx *sqlx.Tx, id string) (bool, error) {
	var status string
	switch err := tx.GetContext(ctx, &status, `SELECT status FROM pipeline_run WHERE run_id = ?`, id); {
	case errors.Is(err, sql.ErrNoRows):
		return false, store.ErrNotFound
	case err != nil:
		return false, err
	}
	return wave.IsOpen(status), nil
}

// SetPID records the process of a run. A database without that column keeps none.
func (c *Control) SetPID(ctx context.Context, id string, pid int) error {
	err := c.write(ctx, func(tx *sqlx.Tx, sch sqlite.Schema) error {
		if !sch["pipeline_run"]["pid"] {
			_, err := isOpen(ctx, tx, id)
			return err
		}
		res, err := tx.ExecContext(ctx, `UPDATE pipeline_run SET pid = ? WHERE run_id = ?`, pid, id)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(store.ErrNotFound, err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("record process of run %s: %w", id, err)
	}
	return nil
}

// OpenRuns are the newest runs without an end whose process is recorded, most at
// most. A database without that column has none.
func (c *Control) OpenRuns(ctx context.Context, most int) (ids []string, err error) {
	limited, cancel := c.limited(ctx)
	defer cancel()
	db, err := c.open(limited)
	if err == nil && db.Schema["pipeline_run"]["pid"] {
		err = db.SelectContext(limited, &ids, `SELECT run_id FROM pipeline_run
WHERE status IN ('pending', 'running') AND pid > 0 ORDER BY started_at DESC LIMIT ?`, most)
	}
	return ids, c.explained(ctx, limited, err)
}

// Derived reads runs as [Store] derives them, by the connection that writes: what
// was written before is seen. An id that no run has is left out.
func (c *Control) Derived(ctx context.Context, ids ...string) ([]wave.Run, error) {
	limited, cancel := c.limited(ctx)
	defer cancel()
	db, err := c.open(limited)
	if err == nil {
		var runs []wave.Run
		if runs, err = c.reader(db).RunsByID(limited, ids); err == nil {
			return runs, nil
		}
	}
	return nil, c.explained(ctx, limited, err)
}

// CloseRun records that a run whose process went without a word has failed,
// with the reason where Wave keeps an error, and the same of its pipeline_state
// and of the steps that were at work. A run that has ended is left as it
// is. [ErrNotFound].
func (c *Control) CloseRun(ctx context.Context, id, reason string) error {
	_, err := c.closeIf(ctx, id, "failed", reason, "pending", "running", "queued")
	return err
}

// AbandonRun is [Control.CloseRun] for a run whose process never came: one that
// has begun is left as it is too. It reports whether the run was closed.
func (c *Control) AbandonRun(ctx context.Context, id, reason string) (bool, error) {
	return c.closeIf(ctx, id, "failed", reason, "pending", "queued")
}

// CloseEmpty records that a dry run, whose process records nothing, ended well.
// A run that has begun is left as it is.
func (c *Control) CloseEmpty(ctx context.Context, id string) error {
	_, err := c.closeIf(ctx, id, "completed", wave.ReasonDryRun, "pending", "queued")
	return err
}

// CancelRun records that a run was stopped, as Wave does when it is interrupted:
// the run, its open steps and its pipeline_state are cancelled, and the request
// to stop has been served. A run that has ended is left as it is. [ErrNotFound].
func (c *Control) CancelRun(ctx context.Context, id string) error {
	_, err := c.closeIf(ctx, id, cancelled, wave.ReasonCancelled, "pending", "running", "queued")
	return err
}

// CorrectStopped records a run as cancelled that was asked to stop, and that
// Wave recorded as failed because it was. It keeps its time of end.
func (c *Control) CorrectStopped(ctx context.Context, id string) error {
	err := c.write(ctx, func(tx *sqlx.Tx, sch sqlite.Schema) error {
		if !sch["pipeline_run"]["cancelled_at"] || !sch["pipeline_run"]["current_step"] {
			return nil
		}
		res, err := tx.ExecContext(ctx, `UPDATE pipeline_run
SET status = 'cancelled', cancelled_at = COALESCE(completed_at, ?), current_step = ?, error_message = NULL
WHERE run_id = ? AND status = 'failed'`, c.now().Unix(), wave.ReasonCancelled, id)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return cancelRest(ctx, tx, sch, id, c.now().Unix())
	})
	if err != nil {
		return fmt.Errorf("record run %s as cancelled: %w", id, err)
	}
	return nil
}

const cancelled = "cancelled"

// cancelRest closes what a cancelled run has beside its own row, and takes the
// request to stop away, which would stop a run that continues under the same id.
func cancelRest(ctx context.Context, tx *sqlx.Tx, sch sqlite.Schema, id string, now int64) error {
	for _, rest := range []struct {
		table, query string
		args         []any
	}{
		{"step_state", `UPDATE step_state SET state = 'cancelled', completed_at = ?
WHERE pipeline_id = ? AND state IN ('pending', 'started', 'running', 'retrying', 'reworking')`, []any{now, id}},
		{"pipeline_state", `UPDATE pipeline_state SET status = 'cancelled', updated_at = ?
WHERE pipeline_id = ? AND status IN ('pending', 'running')`, []any{now, id}},
		{"cancellation", `DELETE FROM cancellation WHERE run_id = ?`, []any{id}},
	} {
		if !sch.Has(rest.table) {
			continue
		}
		if _, err := tx.ExecContext(ctx, rest.query, rest.args...); err != nil {
			return fmt.Errorf("close %s: %w", rest.table, err)
		}
	}
	return nil
}

// failRest closes what a run whose process has gone has beside its own row. A
// step that had not begun stays as it is, which is how Wave leaves it too.
func failRest(ctx context.Context, tx *sqlx.Tx, sch sqlite.Schema, id, end, reason string, now int64) error {
	if strings.Contains(reason, wave.ReasonGone) {
		reason = wave.ReasonGone // what the process printed is said once, by the run
	}
	if sch.Has("step_state") && end == "failed" {
		if _, err := tx.ExecContext(ctx, `UPDATE step_state SET state = 'failed', completed_at = ?, error_message = ?
WHERE pipeline_id = ? AND state IN ('started', 'running', 'retrying', 'reworking')`, now, reason, id); err != nil {
			return fmt.Errorf("close step_state: %w", err)
		}
	}
	if !sch.Has("pipeline_state") {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE pipeline_state SET status = ?, updated_at = ?
WHERE pipeline_id = ? AND status IN ('pending', 'running')`, end, now, id)
	return err
}

// closeIf gives a run an end if its status is one of those given. What ended
// well had nothing to do, which databases tell since their schema has a word for it.
func (c *Control) closeIf(ctx context.Context, id, end, reason string, statuses ...string) (closed bool, err error) {
	err = c.write(ctx, func(tx *sqlx.Tx, sch sqlite.Schema) error {
		var status string
		switch err := tx.GetContext(ctx, &status, `SELECT status FROM pipeline_run WHERE run_id = ?`, id); {
		case errors.Is(err, sql.ErrNoRows):
			return store.ErrNotFound
		case err != nil || !slices.Contains(statuses, status):
			return err
		}
		closed = true
		if end == "completed" && sch["pipeline_outcome"]["description"] { // which came later than the word
			end = "completed_empty"
		}
		now := c.now().Unix()
		if end == cancelled && sch["pipeline_run"]["cancelled_at"] {
			if _, err := tx.ExecContext(ctx, `UPDATE pipeline_run SET cancelled_at = ? WHERE run_id = ?`, now, id); err != nil {
				return err
			}
		}
		where := "error_message"
		if sch["pipeline_run"]["current_step"] {
			where = "current_step"
		}
		if _, err := tx.ExecContext(ctx, "UPDATE pipeline_run SET status = ?, completed_at = ?, "+where+" = ? WHERE run_id = ?",
			end, now, reason, id); err != nil {
			return err
		}
		if end == cancelled {
			return cancelRest(ctx, tx, sch, id, now)
		}
		return failRest(ctx, tx, sch, id, end, reason, now)
	})
	if err != nil {
		return false, fmt.Errorf("close run %s: %w", id, err)
	}
	return closed, nil
}
