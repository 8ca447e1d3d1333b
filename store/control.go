package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
)

// Errors of writes that callers tell apart.
var (
	// ErrBusy says that another process held the database for longer than a
	// write waits. Nothing was written; the same call may succeed later.
	ErrBusy = errors.New("state database is busy")
	// ErrEnded says that a run has ended, so that it cannot be stopped.
	ErrEnded = errors.New("run has ended")
	// ErrTaken says that another run has the id.
	ErrTaken = errors.New("run id is taken")
)

// LimitError says that as many runs are active as may be.
type LimitError struct {
	Active, Limit int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%d runs are active, and no more than %d may be", e.Active, e.Limit)
}

// ReasonGone is the text that tells a run whose process had gone, as Wave
// itself words it.
const ReasonGone = orphaned

// How long a write waits: for the lock of another process, and altogether,
// when writes of this process wait for each other too.
const (
	busyTimeout  = 5 * time.Second
	writeTimeout = 6 * time.Second
)

// limitAge is how old an unfinished run may be and still count against a
// limit, as Wave counts.
const limitAge = 300 * time.Second

// Control makes the few changes to a state database that an operator asks for.
// It has a connection of its own, opened with the first write, and is safe for
// concurrent use. The database must exist: making one is not for it to do.
type Control struct {
	locate func() string
	now    func() time.Time
	busy   time.Duration // busyTimeout, shorter in tests

	mu     sync.Mutex
	file   fs.FileInfo // of the open database
	db     *sqlx.DB    // nil before the first write
	schema schema
}

// OpenControl returns the write side of the database that locate names at each
// write. The caller closes it.
func OpenControl(locate func() string) *Control {
	return &Control{locate: locate, now: time.Now, busy: busyTimeout}
}

// Close lets go of the database.
func (c *Control) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closeLocked()
}

func (c *Control) closeLocked() error {
	if c.db == nil {
		return nil
	}
	err := c.db.Close()
	c.db, c.file, c.schema = nil, nil, nil
	return err
}

// writeDSN names path for writing with Wave's settings. The lock is taken at
// BEGIN, where busy_timeout waits for it; the journal is left as it is.
func writeDSN(path string, busy time.Duration) string {
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	return fmt.Sprintf("file:%s?mode=rw&_txlock=immediate&_pragma=busy_timeout(%d)&_pragma=foreign_keys(1)&_pragma=synchronous(FULL)",
		escaped, busy.Milliseconds())
}

// open returns the connection to what lies under the path now: a database that
// was replaced is opened anew, or writes would go to a file that nobody sees.
func (c *Control) open(ctx context.Context) (*sqlx.DB, schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	path := c.locate()
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if c.db != nil && os.SameFile(info, c.file) {
		return c.db, c.schema, nil
	}
	if err := c.closeLocked(); err != nil {
		return nil, nil, err
	}
	db, err := sqlx.Open("sqlite", writeDSN(path, c.busy))
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	db.SetConnMaxIdleTime(time.Minute)
	sch, err := readSchema(ctx, db)
	if err == nil && !sch.has("pipeline_run") {
		err = fmt.Errorf("%w: %s holds no runs", ErrUnavailable, path)
	}
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	c.db, c.file, c.schema = db, info, sch
	return db, sch, nil
}

// write runs fn in one transaction: all of it is done, or nothing.
func (c *Control) write(ctx context.Context, fn func(*sqlx.Tx, schema) error) error {
	limited, cancel := context.WithTimeout(ctx, c.busy+writeTimeout-busyTimeout)
	defer cancel()
	err := c.transact(limited, fn)
	switch {
	case err == nil:
		return nil
	case sqliteCode(err) == sqliteBusy, limited.Err() != nil && ctx.Err() == nil:
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case broken(err) && !errors.Is(err, ErrUnavailable):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	default:
		return err
	}
}

func (c *Control) transact(ctx context.Context, fn func(*sqlx.Tx, schema) error) (err error) {
	db, sch, err := c.open(ctx)
	if err != nil {
		return err
	}
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err == nil {
			return
		}
		if rollback := tx.Rollback(); !errors.Is(rollback, sql.ErrTxDone) {
			err = errors.Join(err, rollback)
		}
	}()
	if err := fn(tx, sch); err != nil {
		return err
	}
	return tx.Commit()
}

// NewRun is a run to be recorded before its process starts.
type NewRun struct {
	ID         string // empty: one is made
	Pipeline   string
	Input      string
	Parent     string   // the run that this one resumes or belongs to
	ParentStep string   // the step in it
	Kind       string   // run_kind: empty, or "resume"
	ForkedFrom string   // the run that this one repeats
	Tags       []string // none is an empty list, as Wave writes it
}

// NewRunID makes an id as Wave does: the pipeline, the local time and four
// random hex digits.
func NewRunID(pipeline string, at time.Time) string {
	var random [2]byte
	_, _ = rand.Read(random[:]) // never fails
	return pipeline + at.Local().Format("-20060102-150405-") + hex.EncodeToString(random[:])
}

// CreateRun records r as pending and returns its id. At most limit runs may be
// pending or running then, those older than five minutes left out; 0 is no
// limit. [*LimitError] when there are more. The same call with the same id may
// be repeated as long as the run has not begun; else the id is [ErrTaken].
func (c *Control) CreateRun(ctx context.Context, r NewRun, limit int) (string, error) {
	id := r.ID
	err := c.write(ctx, func(tx *sqlx.Tx, sch schema) error {
		if r.ID != "" {
			switch same, err := reservedAlready(ctx, tx, r); {
			case err != nil:
				return err
			case same:
				return nil
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
			inserted, err := insertRun(ctx, tx, sch, r, id, now)
			if err != nil || inserted {
				return err
			}
		}
		return ErrTaken
	})
	if err != nil {
		return "", fmt.Errorf("create run of %s: %w", r.Pipeline, err)
	}
	return id, nil
}

const reservedSQL = `SELECT pipeline_name, COALESCE(input, '') AS input, status FROM pipeline_run WHERE run_id = ?`

// reservedAlready reports whether r was recorded before and has not begun.
func reservedAlready(ctx context.Context, tx *sqlx.Tx, r NewRun) (bool, error) {
	var row struct {
		Pipeline string `db:"pipeline_name"`
		Input    string `db:"input"`
		Status   string `db:"status"`
	}
	switch err := tx.GetContext(ctx, &row, reservedSQL, r.ID); {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case row.Pipeline != r.Pipeline || row.Input != r.Input || row.Status != "pending":
		return false, fmt.Errorf("%w: %s", ErrTaken, r.ID)
	}
	return true, nil
}

const activeSQL = `SELECT count(*) FROM pipeline_run WHERE status IN ('pending', 'running') AND started_at > ?`

func checkLimit(ctx context.Context, tx *sqlx.Tx, now time.Time, limit int) error {
	if limit <= 0 {
		return nil
	}
	var active int
	if err := tx.GetContext(ctx, &active, activeSQL, now.Add(-limitAge).Unix()); err != nil {
		return fmt.Errorf("count active runs: %w", err)
	}
	if active >= limit {
		return &LimitError{Active: active, Limit: limit}
	}
	return nil
}

// insertRun reports false when the id exists.
func insertRun(ctx context.Context, tx *sqlx.Tx, sch schema, r NewRun, id string, now time.Time) (bool, error) {
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
		{"forked_from_run_id", r.ForkedFrom, false},
	} {
		if sch["pipeline_run"][more.column] && (more.always || more.value != "") {
			columns, values = append(columns, more.column), append(values, more.value)
		}
	}
	marks := strings.Join(slices.Repeat([]string{"?"}, len(columns)), ", ")
	res, err := tx.ExecContext(ctx, "INSERT INTO pipeline_run ("+strings.Join(columns, ", ")+") VALUES ("+marks+
		") ON CONFLICT (run_id) DO NOTHING", values...) //nolint:gosec // columns of this file
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
	err := c.write(ctx, func(tx *sqlx.Tx, sch schema) error {
		open, err := isOpen(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case !open:
			return ErrEnded
		case !sch.has("cancellation"):
			return errors.New("this database has no place for a request to stop")
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
		return false, ErrNotFound
	case err != nil:
		return false, err
	}
	return status == "pending" || status == "running" || status == "queued", nil
}

// SetPID records the process of a run. A database without that column keeps none.
func (c *Control) SetPID(ctx context.Context, id string, pid int) error {
	err := c.write(ctx, func(tx *sqlx.Tx, sch schema) error {
		if !sch["pipeline_run"]["pid"] {
			_, err := isOpen(ctx, tx, id)
			return err
		}
		res, err := tx.ExecContext(ctx, `UPDATE pipeline_run SET pid = ? WHERE run_id = ?`, pid, id)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrNotFound, err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("record process of run %s: %w", id, err)
	}
	return nil
}

// CloseRun records that a run whose process never came, or went without a
// word, has failed, with the reason where Wave keeps an error. A run that has
// ended is left as it is. [ErrNotFound].
func (c *Control) CloseRun(ctx context.Context, id, reason string) error {
	err := c.write(ctx, func(tx *sqlx.Tx, sch schema) error {
		if open, err := isOpen(ctx, tx, id); err != nil || !open {
			return err
		}
		now := c.now().Unix()
		where := "error_message"
		if sch["pipeline_run"]["current_step"] {
			where = "current_step"
		}
		if _, err := tx.ExecContext(ctx, `UPDATE pipeline_run SET status = 'failed', completed_at = ?, `+where+` = ? WHERE run_id = ?`,
			now, reason, id); err != nil {
			return err
		}
		if !sch.has("pipeline_state") {
			return nil
		}
		_, err := tx.ExecContext(ctx, `UPDATE pipeline_state SET status = 'failed', updated_at = ?
WHERE pipeline_id = ? AND status IN ('pending', 'running')`, now, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("close run %s: %w", id, err)
	}
	return nil
}
