// Package appdb keeps the data of the console itself, in a folder of its
// own and beside no project's files: an SQLite file, desk.db, and a log of what
// people did, audit.jsonl. Several servers may use one folder.
//
// A noun has a file here; its tables are made by an entry in migrations.
package appdb

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/dbfile"
	"wavedeck/store/files"
)

// ErrNotFound says that there is no such thing in the console data.
var ErrNotFound = errors.New("not found in the console data")

// UnavailableError says why the folder cannot be used. Reason is for an operator.
type UnavailableError struct {
	Reason string
	Err    error
}

func (e *UnavailableError) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return e.Reason + ": " + e.Err.Error()
}

func (e *UnavailableError) Unwrap() error { return e.Err }

var errNoFolder = &UnavailableError{Reason: "no folder for the console data; name one with --data"}

// retryAfter is how long a folder that could not be used is left alone.
const retryAfter = 5 * time.Second

// DB is the folder, with what is kept in it by parts. It is safe for concurrent use. A folder that cannot be
// used is no error of Open: Problem has the reason, every call that needs it returns
// an *UnavailableError, and it is tried again after a while.
type DB struct {
	*database
	AuditLog
	Acknowledgements
	BulkActions
	Outbox
	Launches
	Views
	Sessions
	Endpoints
}

// AuditLog is who did what.
type AuditLog struct{ *database }

// Acknowledgements are the runs that people have seen to.
type Acknowledgements struct{ *database }

// BulkActions are actions on many runs, and how far each has come.
type BulkActions struct{ *database }

// Outbox is the messages to webhooks that were sent or are to be.
type Outbox struct{ *database }

// Launches are the runs that were started here: their requests, their keys, and which
// run each retries.
type Launches struct{ *database }

// Views are the filters that people saved.
type Views struct{ *database }

// Sessions are those that were signed out before they ended.
type Sessions struct{ *database }

// Endpoints are the webhooks: where messages go, and what each was last sent about.
type Endpoints struct{ *database }

// database is the files, as all parts use them.
type database struct {
	dir     string
	audit   audit
	release func() // its files may be opened by others
	now     func() time.Time

	mu      sync.Mutex
	db      *sqlx.DB // nil while it cannot be used
	files   openFiles
	ending  *sqlx.DB          // whose files were taken away; nil: it has ended
	problem *UnavailableError // nil: the last write was kept
	tried   time.Time
	closed  bool
}

// Open returns the database in dir, which is created if it does not exist. Without a
// dir nothing can be kept. The caller closes the database.
func Open(ctx context.Context, dir string) *DB {
	d := &database{dir: dir, now: time.Now, release: func() {}}
	d.audit.dir = dir
	if abs, err := filepath.Abs(dir); dir != "" && err == nil {
		d.release = files.Forbid(abs, FileName, auditName)
	}
	_, _ = d.open(ctx) // Problem has the reason
	return &DB{
		database: d, AuditLog: AuditLog{d}, Acknowledgements: Acknowledgements{d}, BulkActions: BulkActions{d}, Outbox: Outbox{d},
		Launches: Launches{d}, Views: Views{d}, Sessions: Sessions{d}, Endpoints: Endpoints{d},
	}
}

// FileName is the SQLite file in the data folder. No other descriptor of it may
// be opened and closed.
const FileName = "desk.db"

// Dir is where everything is kept.
func (d *database) Dir() string { return d.dir }

// Problem is why nothing can be kept, for an operator; empty when all is well.
func (d *database) Problem() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.problem == nil {
		return ""
	}
	return d.problem.Reason
}

// wrote notes what became of a write. That another process was at it, or that the
// caller left, is no trouble of the disk.
func (d *database) wrote(err error) error {
	why, ok := errors.AsType[*UnavailableError](err)
	if err != nil && !ok || dbfile.Code(err) == dbfile.Busy {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.problem, d.tried = why, d.now()
	return err
}

// probe writes what is there already, to find out whether it can.
func probe(ctx context.Context, db *sqlx.DB) error {
	var version int
	if err := db.GetContext(ctx, &version, "PRAGMA user_version"); err != nil {
		return err
	}
	_, err := db.ExecContext(ctx, "PRAGMA user_version = "+strconv.Itoa(version))
	return err
}

// Close lets go of the files.
func (d *database) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	d.release()
	err := d.audit.close()
	for _, db := range []*sqlx.DB{d.db, d.ending} {
		if db != nil {
			err = errors.Join(err, db.Close())
		}
	}
	d.db, d.ending = nil, nil
	return err
}

// open returns the database, opened when it is not.
func (d *database) open(ctx context.Context) (*sqlx.DB, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	path := filepath.Join(d.dir, FileName)
	if d.db != nil && !d.files.there(path) {
		d.ending, d.db = d.db, nil
	}
	switch {
	case d.db != nil:
		if d.problem != nil && d.now().Sub(d.tried) >= retryAfter {
			d.tried = d.now()
			if probe(ctx, d.db) == nil {
				d.problem = nil
			}
		}
		return d.db, nil
	case d.closed:
		return nil, &UnavailableError{Reason: "the console is shutting down"}
	case d.problem != nil && d.now().Sub(d.tried) < retryAfter:
		return nil, d.problem
	}
	if d.ending != nil && !drain(ctx, d.ending) {
		return nil, &UnavailableError{Reason: path + " was taken away and is being opened again"}
	}
	d.ending = nil
	db, err := openFile(ctx, d.dir)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	d.tried, d.db, d.problem = d.now(), db, nil
	if err != nil && !errors.As(err, &d.problem) {
		d.problem = &UnavailableError{Reason: why(d.dir, err), Err: err}
	}
	if d.problem != nil {
		return nil, d.problem
	}
	d.files = filesOf(path)
	return db, nil
}

// why is err in words for an operator.
func why(dir string, err error) string {
	path := filepath.Join(dir, FileName)
	switch dbfile.Code(err) {
	case dbfile.NotADB, dbfile.Corrupt:
		return path + " is damaged; move it away and a new one is made"
	default:
		return dbfile.Why(path, err)
	}
}

// busyWait is how long a connection waits for another server.
const busyWait = 5 * time.Second

func openFile(ctx context.Context, dir string) (*sqlx.DB, error) {
	if dir == "" {
		return nil, errNoFolder
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, FileName)
	if err := dbfile.Make(path); err != nil {
		return nil, err
	}
	db, err := dbfile.Open(path, 4, busyWait, "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(1)")
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// explained turns what went wrong with a query into an error that callers know.
func (d *database) explained(err error) error {
	switch dbfile.Code(err) {
	case dbfile.Busy, dbfile.ReadOnly, dbfile.IOErr, dbfile.Corrupt, dbfile.Full, dbfile.CantOpen, dbfile.NotADB:
		return &UnavailableError{Reason: why(d.dir, err), Err: err}
	}
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// read runs fn on the database; its error is explained.
func (d *database) read(ctx context.Context, fn func(*sqlx.DB) error) error {
	db, err := d.open(ctx)
	if err != nil {
		return err
	}
	return d.explained(fn(db))
}

// write runs fn in one transaction that holds the file from its begin: all of
// it is done, or nothing.
func (d *database) write(ctx context.Context, fn func(*sqlx.Tx) error) error {
	db, err := d.open(ctx)
	if err != nil {
		return err
	}
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return d.wrote(d.explained(err))
	}
	if err := fn(tx); err != nil {
		_ = tx.Rollback() // what went wrong first is what counts
		return d.wrote(d.explained(err))
	}
	return d.wrote(d.explained(tx.Commit()))
}
