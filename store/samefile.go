package store

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"time"
)

func (t *tracker) suspect() { t.sure = false }

// sameFile reports as an error that the path leads elsewhere.
func (t *tracker) sameFile() error {
	info, err := os.Stat(t.store.path)
	if err != nil || !os.SameFile(info, t.info) {
		return errReplaced
	}
	if t.o.mode == modeImmutable {
		return nil
	}
	return t.beside.check()
}

// verify finds what data_version does not show: another file under the path,
// and a file overwritten in place, of which the open connections may go on to
// serve what they hold in memory. The latter is looked for whenever the times
// of the file moved, as they also do at each checkpoint, with a connection
// that holds nothing yet.
func (t *tracker) verify(ctx context.Context) error {
	info, err := os.Stat(t.store.path)
	if err != nil || !os.SameFile(info, t.info) {
		return errReplaced
	}
	if t.o.mode == modeImmutable && t.beside.appeared() {
		return fmt.Errorf("%w: somebody writes to it", errReplaced)
	}
	if err := t.beside.check(); t.o.mode != modeImmutable && err != nil {
		return err
	}
	moved := info.Size() != t.info.Size() || !info.ModTime().Equal(t.info.ModTime())
	if err := t.strays(time.Now(), moved); err != nil {
		return err
	}
	if t.sure && !moved {
		return nil
	}
	if t.o.mode == modeImmutable {
		return errReplaced
	}
	fresh, err := openAs(ctx, t.store.path, t.o.mode, t.store.opt)
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

func (t *tracker) verifyWith(ctx context.Context, fresh *database, info fs.FileInfo) error {
	seed, err := fresh.fileSeed(ctx, info)
	if err != nil {
		return err
	}
	goesOn, err := fresh.continues(ctx, t.mark)
	if err != nil {
		return err
	}
	last, err := fresh.lastEventID(ctx)
	if err != nil {
		return err
	}
	if err := t.look(ctx); err != nil { // must see at least what the fresh one saw
		return err
	}
	if seed != t.seed && t.o.schema["schema_migrations"]["applied_at"] || !goesOn || last > t.mark.last {
		return fmt.Errorf("%w: it was overwritten in place", errReplaced)
	}
	return nil
}
