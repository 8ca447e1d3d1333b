// Package dbfile holds what every SQLite file needs, Wave's and those that the console keeps: how it is named, made and
// opened, what an error of SQLite means, and how much room is left for it.
package dbfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
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

// Why is what keeps the file at path from being used, in words for an operator. Whoever keeps it says what becomes of one
// that is damaged.
func Why(path string, err error) string {
	dir := filepath.Dir(path)
	switch code := Code(err); {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), code == ReadOnly, code == CantOpen:
		return "the folder " + dir + " cannot be written; name another with --data"
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist):
		return dir + " is not a folder; name another with --data"
	case NoSpace(path, err):
		return "no space left for " + path
	case code == Busy:
		return path + " is held by another process"
	case code == IOErr:
		return path + " cannot be read or written: " + err.Error()
	default:
		return path + " cannot be used: " + err.Error()
	}
}

// NoSpace reports whether err of the file at path comes of a full disk. SQLite says so of the file itself; that its -shm
// file could not grow is any other error to it.
func NoSpace(path string, err error) bool {
	if errors.Is(err, syscall.ENOSPC) || Code(err) == Full {
		return true
	}
	free, known := Free(filepath.Dir(path))
	return Code(err) == IOErr && known && free < littleSpace
}

// littleSpace is less than any write of SQLite needs.
const littleSpace = 64 << 10

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

// DSN names the file at path to the driver, with parameters such as "mode=ro" and pragmas such as "query_only(1)". The
// driver honours a mode only behind "file:", and only pragmas that are named here reach every connection of a pool. Each
// waits that long for another process, while the further pragmas are set too. Parameters and pragmas must come from the
// program: they are not escaped.
func DSN(path, params string, wait time.Duration, pragmas ...string) string {
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	dsn := "file:" + escaped + "?" + params + "&_pragma=busy_timeout(" + strconv.FormatInt(wait.Milliseconds(), 10) + ")"
	for _, pragma := range pragmas {
		dsn += "&_pragma=" + pragma
	}
	return dsn
}

// Open opens the file at path, which must exist, with so many connections at most. Each waits that long for another
// process, and has the pragmas, such as "journal_mode(WAL)".
func Open(path string, connections int, wait time.Duration, pragmas ...string) (*sqlx.DB, error) {
	db, err := sqlx.Open("sqlite", DSN(path, "mode=rw&_txlock=immediate", wait, pragmas...))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	return db, nil
}
