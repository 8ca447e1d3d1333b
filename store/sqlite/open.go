package sqlite

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/dbfile"
	"wavedeck/store/system"
)

// DB is one opened file. It is never reopened: when the file under the
// path becomes another one, the whole value is replaced.
type DB struct {
	*sqlx.DB
	path   string
	Mode   Mode
	Schema Schema
	opt    Options // with its defaults filled in
	hold   hold
}

// Options are how a file is read. The zero value works.
type Options struct {
	// LockWait is how long a read waits for a lock that another process holds; 0 is
	// 250 ms.
	LockWait time.Duration
	// LogBound is the size of the write-ahead log, in bytes, from which on reads are
	// held back whenever it has grown, so that the writer can begin it again: until
	// those in flight have ended, at most for LogDrain, and for LogPause then; 0 is
	// 32 MB, a second and 100 ms.
	LogBound int64
	LogDrain time.Duration
	LogPause time.Duration
	// Log receives what may help to find out why a change was not seen; nil drops it.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	o.LogBound = cmp.Or(o.LogBound, 32<<20)
	o.LogDrain = cmp.Or(o.LogDrain, time.Second)
	o.LogPause = cmp.Or(o.LogPause, 100*time.Millisecond)
	o.LockWait = cmp.Or(o.LockWait, 250*time.Millisecond)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Mode is how a file is opened.
type Mode string

const (
	modeReadOnly  Mode = "read-only"
	modeImmutable Mode = "immutable" // nobody may write while it is read: no locks, no change seen
)

// readDSN names path for reading. Nothing is mapped into memory: a file that is
// cut short under a mapping kills the process that reads it.
func readDSN(path string, mode Mode, wait time.Duration) string {
	params := "mode=ro"
	if mode == modeImmutable {
		params += "&immutable=1"
	}
	return dbfile.DSN(path, params, wait, "query_only(1)", "cache_size(-16000)", "mmap_size(0)")
}

func openAs(ctx context.Context, path string, mode Mode, opt Options) (*DB, error) {
	opt = opt.withDefaults()
	db, err := sqlx.Open("sqlite", readDSN(path, mode, opt.LockWait))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(4)
	sch, err := readSchema(ctx, db)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read schema of %s: %w", path, err), db.Close())
	}
	return &DB{DB: db, path: path, Mode: mode, Schema: sch, opt: opt}, nil
}

// Broken reports whether err says that the file, not the query, is at fault.
func Broken(err error) bool {
	switch dbfile.Code(err) {
	case dbfile.ReadOnly, dbfile.IOErr, dbfile.Corrupt, dbfile.CantOpen, dbfile.NotADB:
		return true
	default:
		return err != nil && strings.Contains(err.Error(), "sql: database is closed") // database/sql exports no such error
	}
}

// UnreadableError is why a database cannot be read, in words for an operator.
type UnreadableError struct {
	Missing bool // there is no file
	Locked  bool // another process lets nobody read
	Problem string
	Cause   error
}

func (e *UnreadableError) Error() string { return e.Problem }
func (e *UnreadableError) Unwrap() error { return e.Cause }

// Open opens what lies under path now. Its error is *unreadable, or that
// of ctx.
func Open(ctx context.Context, path string, opt Options) (*DB, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &UnreadableError{Missing: true, Problem: "there is no state database at " + path + " yet; Wave creates it with the first run", Cause: err}
	case err != nil:
		return nil, &UnreadableError{Problem: "the state database cannot be reached: " + err.Error(), Cause: err}
	case !info.Mode().IsRegular():
		return nil, &UnreadableError{Problem: path + " is not a file"}
	}
	db, err := openAs(ctx, path, modeReadOnly, opt)
	if err != nil && mayBeImmutable(path, err) {
		db, err = openAs(ctx, path, modeImmutable, opt)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, WhyUnreadable(path, err)
	}
	if !db.Schema.Has("pipeline_run") {
		return nil, &UnreadableError{Problem: path + " holds no runs: it has no table pipeline_run (yet)", Cause: db.Close()}
	}
	return db, nil
}

// mayBeImmutable reports whether path, which failed to open for reading only,
// can be read without locks: SQLite needs to create its -shm file beside a
// database, which a read-only directory forbids. With a -wal in place the
// file alone would be silently wrong.
func mayBeImmutable(path string, err error) bool {
	if code := dbfile.Code(err); code != dbfile.ReadOnly && code != dbfile.CantOpen {
		return false
	}
	real, linkErr := filepath.EvalSymlinks(path)
	if linkErr != nil || system.Writable(filepath.Dir(real)) {
		return false
	}
	wal, statErr := os.Stat(real + "-wal")
	return errors.Is(statErr, fs.ErrNotExist) || statErr == nil && wal.Size() == 0
}

// LockedProblem is what an operator is told while nobody may read.
const LockedProblem = "another process holds a lock on the state database and lets nobody read it; look for a program that writes for long, such as a migration or a shell with an open transaction"

// WhyUnreadable says in words for an operator why a database cannot be read.
func WhyUnreadable(path string, err error) *UnreadableError {
	problem := "the state database cannot be read: " + err.Error()
	if dbfile.NoSpace(path, err) {
		return &UnreadableError{Problem: "there is no space left beside the state database at " + path + ": reading beside a writer needs its -shm file; free some space", Cause: err}
	}
	switch dbfile.Code(err) {
	case dbfile.ReadOnly, dbfile.CantOpen:
		problem = "the state database at " + path + " cannot be opened: reading beside a writer needs its -shm and -wal files; " +
			"grant this user read on the file and write on the directory, or run as the user that runs Wave"
	case dbfile.NotADB:
		problem = path + " is not a SQLite database"
	case dbfile.Corrupt:
		problem = "the state database at " + path + " is damaged: " + err.Error()
	case dbfile.Busy:
		return &UnreadableError{Locked: true, Problem: LockedProblem, Cause: err}
	}
	return &UnreadableError{Problem: problem, Cause: err}
}

// birthSQL is what a database keeps from its first day on, best first.
const birthSQL = `SELECT COALESCE(min(applied_at), '') FROM schema_migrations`

const firstRunSQL = `SELECT COALESCE(run_id, '') || ' ' || COALESCE(started_at, '') FROM pipeline_run ORDER BY rowid LIMIT 1`

// FileSeed names the opened file: the same for a later process, other for
// another file. Device and inode alone are not enough, for the number of a
// deleted file is given to the next one.
func (d *DB) FileSeed(ctx context.Context, info fs.FileInfo) (string, error) {
	var birth []string
	query := firstRunSQL
	if d.Schema["schema_migrations"]["applied_at"] {
		query = birthSQL
	}
	if err := d.SelectContext(ctx, &birth, query); err != nil {
		return "", fmt.Errorf("identify database: %w", err)
	}
	device, number := system.Inode(info)
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %q", device, number, birth))
	return hex.EncodeToString(sum[:4]), nil
}

// writeDSN names path for writing with Wave's settings. The lock is taken at
// BEGIN, where busy waits for it; the journal is left as it is.
func writeDSN(path string, busy time.Duration) string {
	return dbfile.DSN(path, "mode=rw&_txlock=immediate", busy, "foreign_keys(1)", "synchronous(FULL)")
}

// OpenWritable opens a database, which must exist, for the few writes of an operator:
// with one connection, which is let go of after each.
func OpenWritable(ctx context.Context, path string, busy time.Duration) (*DB, error) {
	db, err := sqlx.Open("sqlite", writeDSN(path, busy))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(-1) // it would keep the -shm file mapped, also when others have another
	sch, err := readSchema(ctx, db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &DB{DB: db, path: path, Schema: sch}, nil
}

// TimeIsOver reports whether err only says that the time for a search has passed.
// The driver tells an interrupt by an error of its own.
func TimeIsOver(ctx context.Context, err error) bool {
	return err != nil && !errors.Is(err, sql.ErrConnDone) && errors.Is(ctx.Err(), context.DeadlineExceeded)
}
