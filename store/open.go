package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/dbfile"
	"wavedeck/store/system"
)

// database is one opened file. It is never reopened: when the file under the
// path becomes another one, the whole value is replaced.
type database struct {
	*sqlx.DB
	schema schema
	opt    Options // with its defaults filled in
	hold   hold

	histories histories // of the runs read last
	baselines baselines // of the pipelines asked for last
	actions   actions   // of the runs that go on

	lines            textCache[string] // the headlines of texts
	informativeCache textCache[bool]   // whether texts say more than how a run ended
}

// readMode is how a file is opened.
type readMode string

const (
	modeReadOnly  readMode = "read-only"
	modeImmutable readMode = "immutable" // nobody may write while it is read: no locks, no change seen
)

// readDSN names path for reading. Nothing is mapped into memory: a file that is
// cut short under a mapping kills the process that reads it.
func readDSN(path string, mode readMode, wait time.Duration) string {
	params := "mode=ro"
	if mode == modeImmutable {
		params += "&immutable=1"
	}
	return dbfile.DSN(path, params, wait, "query_only(1)", "cache_size(-16000)", "mmap_size(0)")
}

func openAs(ctx context.Context, path string, mode readMode, opt Options) (*database, error) {
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
	return &database{DB: db, schema: sch, opt: opt}, nil
}

// broken reports whether err says that the file, not the query, is at fault.
func broken(err error) bool {
	switch dbfile.Code(err) {
	case dbfile.ReadOnly, dbfile.IOErr, dbfile.Corrupt, dbfile.CantOpen, dbfile.NotADB:
		return true
	default:
		return err != nil && strings.Contains(err.Error(), "sql: database is closed") // database/sql exports no such error
	}
}

// unreadable is why a database cannot be read, in words for an operator.
type unreadable struct {
	phase   Phase
	problem string
	cause   error
}

func (e *unreadable) Error() string { return e.problem }
func (e *unreadable) Unwrap() error { return e.cause }

// openFile opens what lies under path now. Its error is *unreadable, or that
// of ctx.
func openFile(ctx context.Context, path string, opt Options) (*database, readMode, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "", &unreadable{Missing, "there is no state database at " + path + " yet; Wave creates it with the first run", err}
	case err != nil:
		return nil, "", &unreadable{Unreadable, "the state database cannot be reached: " + err.Error(), err}
	case !info.Mode().IsRegular():
		return nil, "", &unreadable{Unreadable, path + " is not a file", nil}
	}
	mode := modeReadOnly
	db, err := openAs(ctx, path, mode, opt)
	if err != nil && mayBeImmutable(path, err) {
		mode = modeImmutable
		db, err = openAs(ctx, path, mode, opt)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, "", ctx.Err()
		}
		return nil, "", whyUnreadable(path, err)
	}
	if !db.schema.has("pipeline_run") {
		return nil, "", &unreadable{Unreadable, path + " holds no runs: it has no table pipeline_run (yet)", db.Close()}
	}
	return db, mode, nil
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

// lockedProblem is what an operator is told while nobody may read.
const lockedProblem = "another process holds a lock on the state database and lets nobody read it; look for a program that writes for long, such as a migration or a shell with an open transaction"

func whyUnreadable(path string, err error) *unreadable {
	problem := "the state database cannot be read: " + err.Error()
	if dbfile.NoSpace(path, err) {
		return &unreadable{Unreadable, "there is no space left beside the state database at " + path + ": reading beside a writer needs its -shm file; make room", err}
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
		return &unreadable{Locked, lockedProblem, err}
	}
	return &unreadable{Unreadable, problem, err}
}

// birthSQL is what a database keeps from its first day on, best first.
const birthSQL = `SELECT COALESCE(min(applied_at), '') FROM schema_migrations`

const firstRunSQL = `SELECT COALESCE(run_id, '') || ' ' || COALESCE(started_at, '') FROM pipeline_run ORDER BY rowid LIMIT 1`

// fileSeed names the opened file: the same for a later process, other for
// another file. Device and inode alone are not enough, for the number of a
// deleted file is given to the next one.
func (d *database) fileSeed(ctx context.Context, info fs.FileInfo) (string, error) {
	var birth []string
	query := firstRunSQL
	if d.schema["schema_migrations"]["applied_at"] {
		query = birthSQL
	}
	if err := d.SelectContext(ctx, &birth, query); err != nil {
		return "", fmt.Errorf("identify database: %w", err)
	}
	device, number := system.Inode(info)
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %q", device, number, birth))
	return hex.EncodeToString(sum[:4]), nil
}

// eventMark is the end of event_log as last seen. Ids are never reused by one
// history, so a shorter or different one shows that the file was rolled back.
type eventMark struct {
	last int64
	row  string // the event last itself, empty when it is gone
}

const (
	lastEventSQL    = `SELECT COALESCE(max(id), 0) FROM event_log`
	lastSequenceSQL = `SELECT COALESCE(max(CAST(seq AS INTEGER)), 0) FROM sqlite_sequence WHERE name = 'event_log'`
	eventRowSQL     = `SELECT quote(run_id) || quote(timestamp) || quote(step_id) || quote(state) || quote(message) FROM event_log WHERE id = ?`
)

// lastEventID is the greatest id that event_log ever gave out, as far as it
// is known; deleting events does not lower it.
func (d *database) lastEventID(ctx context.Context) (int64, error) {
	var last, seq int64
	if !d.schema.has("event_log") {
		return 0, nil
	}
	if err := d.GetContext(ctx, &last, lastEventSQL); err != nil {
		return 0, fmt.Errorf("find last event: %w", err)
	}
	if d.schema.has("sqlite_sequence") {
		if err := d.GetContext(ctx, &seq, lastSequenceSQL); err != nil {
			return 0, fmt.Errorf("find last event: %w", err)
		}
	}
	return max(last, seq), nil
}

func (d *database) markAt(ctx context.Context, id int64) (eventMark, error) {
	var rows []string
	if d.schema.has("event_log") {
		if err := d.SelectContext(ctx, &rows, eventRowSQL, id); err != nil {
			return eventMark{}, fmt.Errorf("find event %d: %w", id, err)
		}
	}
	return eventMark{id, strings.Join(rows, "")}, nil
}

// continues reports whether the history of d goes on from mark.
func (d *database) continues(ctx context.Context, mark eventMark) (bool, error) {
	last, err := d.lastEventID(ctx)
	if err != nil || last < mark.last {
		return false, err
	}
	now, err := d.markAt(ctx, mark.last)
	return now.row == "" || mark.row == "" || now.row == mark.row, err
}
