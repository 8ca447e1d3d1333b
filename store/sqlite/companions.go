package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// companions are the files that SQLite keeps beside an open database, as they were
// when it was opened. A process that has lost one of them by its name reads what
// others no longer write to, and shares no locks with them.
type companions struct {
	path     string // of the database, links followed
	wal, shm fs.FileInfo
}

// ErrReplaced says that the file under the path is not the one that is open,
// or no longer continues it.
var ErrReplaced = errors.New("the state database was replaced")

// ErrForsaken says that other processes use other companions. All connections of
// this process share one mapping of the -shm file: every one of them has to be
// closed before the next is opened, or that would get the same.
var ErrForsaken = fmt.Errorf("%w: a file beside it was", ErrReplaced)

// companionsOf notes what lies beside the database at path, which is open. In WAL
// mode both files must be there.
func companionsOf(path, journal string) (*companions, error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	c := &companions{path: path}
	if err := c.check(); err != nil {
		return nil, err
	}
	if journal == "wal" && (c.wal == nil || c.shm == nil) {
		return nil, ErrForsaken
	}
	return c, nil
}

// check reports as an error that a companion is gone or another file. One that
// appears belongs to a database that changes to WAL mode.
func (c *companions) check() error {
	for _, beside := range []struct {
		suffix string
		known  *fs.FileInfo
	}{{"-wal", &c.wal}, {"-shm", &c.shm}} {
		info, err := os.Stat(c.path + beside.suffix)
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist): // nothing is known
		case *beside.known == nil && err == nil:
			*beside.known = info
		case *beside.known != nil && (err != nil || !os.SameFile(info, *beside.known)):
			return fmt.Errorf("%w %s", ErrForsaken, beside.suffix)
		}
	}
	return nil
}

// appeared reports whether somebody writes a log beside a file that is read as if
// nobody wrote.
func (c *companions) appeared() bool {
	return c.logSize() > 0
}

// Drain closes all connections, those in use as soon as their statement has
// ended, and waits for that until ctx ends.
func (d *DB) Drain(ctx context.Context) error {
	err := d.Close()
	for d.Stats().OpenConnections > 0 {
		if !rest(ctx, time.Millisecond) {
			return errors.Join(err, ctx.Err())
		}
	}
	return err
}

// rest reports whether ctx outlived a pause.
func rest(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// RealPath is that of the database, links followed.
func (t *Tracker) RealPath() string { return t.beside.path }
