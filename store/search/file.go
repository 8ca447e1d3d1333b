package search

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"wavedeck/store"
	"wavedeck/store/dbfile"
)

// format names what is in the file. Another one is thrown away.
const format = 1

// busyWait is how long a connection waits for another server.
const busyWait = 2 * time.Second

// file is the opened index: one connection writes, others read.
type file struct {
	info   fs.FileInfo // of the file as opened
	writer *sqlx.DB
	reader *sqlx.DB
}

var errNoFolder = errors.New("no folder for the console data; name one with --data")

func openFile(ctx context.Context, dir, form string) (*file, error) {
	if dir == "" {
		return nil, errNoFolder
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, FileName)
	f, err := openAt(ctx, path, form)
	if damaged(err) {
		removeFile(path)
		f, err = openAt(ctx, path, form)
	}
	return f, err
}

func openAt(ctx context.Context, path, form string) (_ *file, err error) {
	if err := dbfile.Make(path); err != nil {
		return nil, err
	}
	f := &file{}
	if f.info, err = os.Stat(path); err != nil {
		return nil, err
	}
	if f.writer, err = dbfile.Open(path, 1, busyWait, "journal_mode(WAL)", "synchronous(NORMAL)", "cache_size(-8000)", "journal_size_limit(16000000)"); err != nil {
		return nil, err
	}
	if f.reader, err = dbfile.Open(path, 4, busyWait, "query_only(1)", "cache_size(-4000)"); err != nil {
		return nil, errors.Join(err, f.writer.Close())
	}
	if err := f.prepare(ctx, form); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

func (f *file) close() error { return errors.Join(f.reader.Close(), f.writer.Close()) }

// same reports whether the file is still the one at path.
func (f *file) same(path string) bool {
	info, err := os.Stat(path)
	return err == nil && os.SameFile(info, f.info)
}

// write runs fn in one transaction that holds the file from its begin.
func (f *file) write(ctx context.Context, fn func(*sqlx.Tx) error) error {
	tx, err := f.writer.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		_ = tx.Rollback() // what went wrong first is what counts
		return err
	}
	return tx.Commit()
}

// The words of each message under the id of its event, and no more: contentless,
// without the length of each text. It is never taken back but as a whole, for Wave
// does not overwrite events, and a hit whose event is gone is not shown.
const textSQL = `CREATE VIRTUAL TABLE text USING fts5(words, content='', columnsize=0, tokenize='ascii')`

// progress has one row: how far the texts go, and who adds to them until when
// (unix milliseconds).
const progressSQL = `CREATE TABLE progress (
	id INTEGER PRIMARY KEY CHECK (id = 1), form TEXT NOT NULL,
	event INTEGER NOT NULL DEFAULT 0, row TEXT NOT NULL DEFAULT '', file TEXT NOT NULL DEFAULT '',
	owner TEXT NOT NULL DEFAULT '', lease INTEGER NOT NULL DEFAULT 0
) STRICT`

// prepare makes the tables, or makes them again when they are of another format.
// Two servers that start together do it one after the other.
func (f *file) prepare(ctx context.Context, form string) error {
	return f.write(ctx, func(tx *sqlx.Tx) error {
		var found int
		if err := tx.GetContext(ctx, &found, `PRAGMA user_version`); err != nil {
			return err
		}
		if found == format {
			return renew(ctx, tx, form)
		}
		for _, statement := range []string{
			`DROP TABLE IF EXISTS text`, `DROP TABLE IF EXISTS progress`, textSQL, progressSQL,
			fmt.Sprintf(`PRAGMA user_version = %d`, format),
		} {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO progress (id, form) VALUES (1, ?)`, form)
		return err
	})
}

// renew empties an index whose texts were shown in another form.
func renew(ctx context.Context, tx *sqlx.Tx, form string) error {
	var was string
	err := tx.GetContext(ctx, &was, `SELECT form FROM progress`)
	if err != nil || was == form {
		return err
	}
	return reset(ctx, tx, form)
}

// reset empties the index. Whoever has the lease goes on from the beginning.
func reset(ctx context.Context, tx *sqlx.Tx, form string) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO text (text) VALUES ('delete-all')`); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE progress SET form = ?, event = 0, row = '', file = ''`, form)
	return err
}

// mark is how far the index goes.
func (f *file) mark(ctx context.Context) (store.TextMark, error) {
	return markOf(ctx, f.reader)
}

func markOf(ctx context.Context, q sqlx.QueryerContext) (store.TextMark, error) {
	p, err := progressOf(ctx, q)
	return p.mark(), err
}

type progress struct {
	Form  string `db:"form"`
	Event int64  `db:"event"`
	Row   string `db:"row"`
	File  string `db:"file"`
	Owner string `db:"owner"`
	Lease int64  `db:"lease"`
}

func progressOf(ctx context.Context, q sqlx.QueryerContext) (p progress, err error) {
	err = sqlx.GetContext(ctx, q, &p, `SELECT form, event, row, file, owner, lease FROM progress`)
	return p, err
}

func (p progress) mark() store.TextMark {
	return store.TextMark{Event: p.Event, Row: p.Row, File: p.File}
}

// leaseFor is how long the one that adds to the index keeps others from it
// without a word.
const leaseFor = 15 * time.Second

// claim takes or prolongs the lease, and reports whether owner has it.
func claim(ctx context.Context, tx *sqlx.Tx, owner string) (bool, error) {
	now := time.Now()
	done, err := tx.ExecContext(ctx, `UPDATE progress SET owner = ?1, lease = ?2 WHERE owner = ?1 OR lease < ?3 OR lease > ?4`,
		owner, now.Add(leaseFor).UnixMilli(), now.UnixMilli(), now.Add(2*leaseFor).UnixMilli()) // a clock that was set back must not hold it for ever
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n == 1, err
}

// letGo gives the lease back.
func (f *file) letGo(ctx context.Context, owner string) error {
	_, err := f.writer.ExecContext(ctx, `UPDATE progress SET lease = 0 WHERE owner = ?`, owner)
	return err
}

// damaged reports whether err says that the file is not what was written. A table
// that is missing was never ours to keep.
func damaged(err error) bool {
	c := dbfile.Code(err)
	return c == dbfile.Corrupt || c == dbfile.NotADB || c == dbfile.Error && strings.Contains(err.Error(), "no such table")
}

// why is err in words for an operator.
func why(dir string, err error) string {
	path := filepath.Join(dir, FileName)
	switch {
	case errors.Is(err, errNoFolder):
		return err.Error()
	case damaged(err):
		return path + " is damaged and is rebuilt"
	default:
		return dbfile.Why(path, err)
	}
}
