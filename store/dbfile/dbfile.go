// Package dbfile holds what every SQLite file needs that the console keeps: how it is made and opened, what an
// error of SQLite means, and how much room is left for it.
package dbfile

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"
)

// Primary result codes of SQLite, https://sqlite.org/rescode.html.
const (
	Error    = 1
	Busy     = 5
	ReadOnly = 8
	IOErr    = 10
	Corrupt  = 11
	Full     = 13
	CantOpen = 14
	NotADB   = 26
)

// Code is the primary result code in err, 0 when SQLite did not fail.
func Code(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

// Make makes a file that only its owner may read, when there is none: it may hold secrets. SQLite gives the same mode to
// what it puts beside.
func Make(path string) error {
	made, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil // and closing a database of this process would let go of its locks
	}
	if err != nil {
		return err
	}
	return made.Close()
}

// Open opens the file at path, which must exist, with so many connections at most. Each waits that long for another
// process, and has the pragmas, such as "journal_mode(WAL)".
func Open(path string, connections int, wait time.Duration, pragmas ...string) (*sqlx.DB, error) {
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	dsn := "file:" + escaped + "?mode=rw&_txlock=immediate" +
		"&_pragma=busy_timeout(" + strconv.FormatInt(wait.Milliseconds(), 10) + ")" // first, so that the others may wait
	for _, pragma := range pragmas {
		dsn += "&_pragma=" + pragma
	}
	db, err := sqlx.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	return db, nil
}
