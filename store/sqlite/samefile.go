package sqlite

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Suspect has the next [Tracker.Verify] look at the file itself.
func (t *Tracker) Suspect() { t.sure = false }

// SameFile reports as an error that the path leads elsewhere.
func (t *Tracker) SameFile() error {
	info, err := os.Stat(t.path)
	if err != nil || !os.SameFile(info, t.info) {
		return ErrReplaced
	}
	if t.from.db.Mode == modeImmutable {
		return nil
	}
	return t.beside.check()
}

// Verify finds what data_version does not show: another file under the path,
// and a file overwritten in place, of which the open connections may go on to
// serve what they hold in memory. The latter is looked for whenever the times
// of the file moved, as they also do at each checkpoint, with a connection
// that holds nothing yet.
func (t *Tracker) Verify(ctx context.Context) error {
	info, err := os.Stat(t.path)
	if err != nil || !os.SameFile(info, t.info) {
		return ErrReplaced
	}
	if t.from.db.Mode == modeImmutable && t.beside.appeared() {
		return fmt.Errorf("%w: somebody writes to it", ErrReplaced)
	}
	if err := t.beside.check(); t.from.db.Mode != modeImmutable && err != nil {
		return err
	}
	moved := info.Size() != t.info.Size() || !info.ModTime().Equal(t.info.ModTime())
	if err := t.strays(time.Now(), moved); err != nil {
		return err
	}
	if t.sure && !moved {
		return nil
	}
	if t.from.db.Mode == modeImmutable {
		return ErrReplaced
	}
	fresh, err := openAs(ctx, t.path, t.from.db.Mode, t.from.db.opt)
	if err != nil {
		return t.passing(err)
	}
	defer fresh.Close() //nolint:errcheck // it was only read
	if err := t.verifyWith(ctx, fresh, info); err != nil {
		return t.passing(err)
	}
	t.info, t.sure = info, true
	return nil
}

func (t *Tracker) verifyWith(ctx context.Context, fresh *DB, info fs.FileInfo) error {
	seed, err := fresh.FileSeed(ctx, info)
	if err != nil {
		return err
	}
	goesOn, err := RowsOf(fresh).Continues(ctx, t.Mark)
	if err != nil {
		return err
	}
	last, err := RowsOf(fresh).LastEvent(ctx)
	if err != nil {
		return err
	}
	if err := t.Look(ctx); err != nil { // must see at least what the fresh one saw
		return err
	}
	if seed != t.Seed && t.from.db.Schema["schema_migrations"]["applied_at"] || !goesOn || last > t.Mark.Last {
		return fmt.Errorf("%w: it was overwritten in place", ErrReplaced)
	}
	return nil
}
