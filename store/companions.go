package store

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

// errForsaken says that other processes use other companions. All connections of
// this process share one mapping of the -shm file: every one of them has to be
// closed before the next is opened, or that would get the same.
var errForsaken = fmt.Errorf("%w: a file beside it was", errReplaced)

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
		return nil, errForsaken
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
			return fmt.Errorf("%w %s", errForsaken, beside.suffix)
		}
	}
	return nil
}

// appeared reports whether somebody writes a log beside a file that is read as if
// nobody wrote.
func (c *companions) appeared() bool {
	return c.logSize() > 0
}

// drain closes all connections of o, those in use as soon as their statement has
// ended, and waits for that until ctx ends.
func (o *opened) drain(ctx context.Context) error {
	err := o.Close()
	for o.Stats().OpenConnections > 0 {
		if !sleep(ctx, time.Millisecond) {
			return errors.Join(err, ctx.Err())
		}
	}
	return err
}
