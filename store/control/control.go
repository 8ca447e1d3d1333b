package control

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"wavedeck/store"
	"wavedeck/store/dbfile"
	"wavedeck/store/sqlite"
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

// UnwritableError says why the state database cannot be changed, which may be read
// all the same. It comes with ErrUnavailable.
type UnwritableError struct {
	Reason string // for an operator
	Err    error
}

func (e *UnwritableError) Error() string { return e.Reason + ": " + e.Err.Error() }
func (e *UnwritableError) Unwrap() error { return e.Err }

// How long a write waits: for the lock of another process, and altogether,
// when writes of this process wait for each other too.
const (
	busyTimeout  = 5 * time.Second
	writeTimeout = 6 * time.Second
)

// Control makes the few changes to a state database that an operator asks for.
// It has a connection of its own, opened with the first write, and is safe for
// concurrent use. The database must exist: making one is not for it to do.
type Control struct {
	locate func() string
	now    func() time.Time
	busy   time.Duration // busyTimeout, shorter in tests

	mu   sync.Mutex
	file fs.FileInfo // of the open database
	db   *sqlite.DB  // nil before the first write
}

// Open returns the write side of the database that locate names at each
// write. The caller closes it.
func Open(locate func() string) *Control {
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
	c.db, c.file = nil, nil
	return err
}

// open returns the connection to what lies under the path now: a database that
// was replaced is reopened, or writes would go to a file that nobody sees.
func (c *Control) open(ctx context.Context) (*sqlite.DB, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	path := c.locate()
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	if c.db != nil && os.SameFile(info, c.file) {
		return c.db, nil
	}
	if err := c.closeLocked(); err != nil {
		return nil, err
	}
	db, err := sqlite.OpenWritable(ctx, path, c.busy)
	if err == nil && !db.Schema.Has("pipeline_run") {
		err = errors.Join(fmt.Errorf("%w: %s holds no runs", store.ErrUnavailable, path), db.Close())
	}
	if err != nil {
		return nil, err
	}
	c.db, c.file = db, info
	return c.db, nil
}

// reader derives runs by the connection that writes.
func (c *Control) reader(db *sqlite.DB) *store.Reader {
	return store.NewReader(store.RowsOf(db), store.Options{Now: c.now})
}

// write runs fn in one transaction: all of it is done, or nothing.
func (c *Control) write(ctx context.Context, fn func(*sqlx.Tx, sqlite.Schema) error) error {
	limited, cancel := c.limited(ctx)
	defer cancel()
	return c.explained(ctx, limited, c.transact(limited, fn))
}

// limited bounds how long a call waits altogether.
func (c *Control) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.busy+writeTimeout-busyTimeout)
}

// explained says of an error whether the database was busy, or why it cannot be
// changed.
func (c *Control) explained(ctx, limited context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case dbfile.Code(err) == dbfile.Busy, limited.Err() != nil && ctx.Err() == nil:
		return fmt.Errorf("%w: %w", ErrBusy, err)
	case errors.Is(err, store.ErrUnavailable):
		return err
	case sqlite.Broken(err), dbfile.Code(err) == dbfile.Full:
		return fmt.Errorf("%w: %w", store.ErrUnavailable, &UnwritableError{whyUnwritable(c.locate(), err), err})
	default:
		return err
	}
}

func whyUnwritable(path string, err error) string {
	switch code := dbfile.Code(err); {
	case dbfile.NoSpace(path, err):
		return "no space left for " + path + "; free some space"
	case code == dbfile.ReadOnly, code == dbfile.CantOpen:
		return "this user may not write " + path + " or its folder, or the folder is on a read-only disk"
	default:
		return path + " cannot be written: " + err.Error()
	}
}

func (c *Control) transact(ctx context.Context, fn func(*sqlx.Tx, sqlite.Schema) error) (err error) {
	db, err := c.open(ctx)
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
	if err := fn(tx, db.Schema); err != nil {
		return err
	}
	return tx.Commit()
}

// Leftovers is [Store.Leftovers] by the connection that writes.
func (c *Control) Leftovers(ctx context.Context, run string) (store.Leftovers, error) {
	limited, cancel := c.limited(ctx)
	defer cancel()
	db, err := c.open(limited)
	if err == nil {
		var left store.Leftovers
		if left, err = c.reader(db).Leftovers(limited, run); err == nil {
			return left, nil
		}
	}
	return store.Leftovers{}, c.explained(ctx, limited, err)
}
