package search

import (
	"context"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"wavedeck/store"
	"wavedeck/store/dbfile"
	"wavedeck/store/feed"
	"wavedeck/store/wave"
)

// How the index grows: a window of events at a time, and then a rest that leaves
// the machine to others.
const (
	window     = 4000                   // events
	shareRest  = 3                      // times as long as it worked: a quarter of one core
	settle     = 500 * time.Millisecond // once it has caught up, what comes is taken together
	lookEvery  = 3 * time.Second        // who has not the lease, and who waits for a database
	failRest   = 15 * time.Second       // after a failure
	spaceLeft  = 256 << 20              // bytes of the disk that are not the index's to fill
	checkSpace = 10 * time.Second
)

// errMoved says that the index is not where it was: it was rebuilt meanwhile.
var errMoved = errors.New("the search index was rebuilt")

// Run keeps the index in step with the events until ctx ends. What goes wrong is
// told by Status and tried again. It is called once.
func (x *Index) Run(ctx context.Context) {
	sub := x.store.Subscribe()
	defer sub.Close()
	defer x.letGo(ctx)
	b := builder{x: x}
	for {
		began := time.Now()
		more, err := b.step(ctx)
		var pause time.Duration
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			pause = failRest
		case more:
			pause = shareRest * time.Since(began)
		}
		if !x.rest(ctx, sub, pause, more || err != nil) {
			return
		}
	}
}

// rest waits for that long; who has caught up, until something changes. It
// reports whether ctx goes on.
func (x *Index) rest(ctx context.Context, sub *feed.Subscription, pause time.Duration, sure bool) bool {
	if !sure {
		look := time.NewTimer(lookEvery)
		defer look.Stop()
		select {
		case <-ctx.Done():
			return false
		case <-x.wake:
			return true
		case <-look.C:
			return true
		case <-sub.Ready():
			sub.Take()
			pause = settle
		}
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-x.wake:
		return true
	case <-timer.C:
		return true
	}
}

// letGo gives the lease back, so that another server need not wait for its end.
func (x *Index) letGo(ctx context.Context) {
	x.mu.Lock()
	f := x.file
	x.mu.Unlock()
	if f == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = f.letGo(ctx, x.owner) // it ends by itself
}

// builder is the state of Run.
type builder struct {
	x       *Index
	checked time.Time // when the disk was last looked at
	full    bool
}

// step adds the next window, and reports whether there is more to add right now.
func (b *builder) step(ctx context.Context) (more bool, err error) {
	x := b.x
	if !x.store.Health().Index.Ready {
		return false, nil // requests wait for the index of runs: that comes first
	}
	f, err := x.open(ctx)
	if err != nil {
		return false, err
	}
	mark, mine, err := x.begin(ctx, f)
	if err != nil || !mine {
		return false, x.note(ctx, f, err)
	}
	texts, err := x.store.TextsAfter(ctx, mark, window)
	switch {
	case errors.Is(err, store.ErrUnavailable):
		return false, nil // the change feed says when it is back
	case errors.Is(err, store.ErrOtherHistory):
		x.opt.Log.Info("the state database was replaced: rebuilding the search index")
		err = f.write(ctx, func(tx *sqlx.Tx) error { return reset(ctx, tx, x.opt.Form) })
		return true, x.note(ctx, f, err)
	case err != nil && ctx.Err() != nil: // the program ends
		return false, err
	case err != nil:
		x.say(err)
		return false, err
	case texts.Mark.Event == mark.Event:
		return false, x.note(ctx, f, nil)
	}
	if mark.Event == 0 || x.unmeasured() {
		if err := x.measure(ctx); err != nil {
			return false, err
		}
	}
	if texts.More && b.tight() {
		return false, nil
	}
	err = f.write(ctx, func(tx *sqlx.Tx) error { return x.add(ctx, tx, mark, texts) })
	if errors.Is(err, errMoved) {
		return true, nil
	}
	return texts.More, x.note(ctx, f, err)
}

// begin takes the lease and says where the index ends.
func (x *Index) begin(ctx context.Context, f *file) (mark store.TextMark, mine bool, err error) {
	p, err := progressOf(ctx, f.reader)
	left := time.Until(time.UnixMilli(p.Lease))
	if mine = p.Owner == x.owner; err != nil || p.Form == x.opt.Form && left > 0 && left < 2*leaseFor && (!mine || left > leaseFor/2) {
		return p.mark(), mine, err // nothing need be written
	}
	err = f.write(ctx, func(tx *sqlx.Tx) error {
		if err := renew(ctx, tx, x.opt.Form); err != nil {
			return err
		}
		if mine, err = claim(ctx, tx, x.owner); err != nil || !mine {
			return err
		}
		mark, err = markOf(ctx, tx)
		return err
	})
	return mark, mine, err
}

// add puts texts into the index that ends at mark.
func (x *Index) add(ctx context.Context, tx *sqlx.Tx, mark store.TextMark, texts store.Texts) error {
	moved, err := tx.ExecContext(ctx, `UPDATE progress SET event = ?, row = ?, file = ?, lease = ? WHERE event = ? AND owner = ? AND form = ?`,
		texts.Mark.Event, texts.Mark.Row, texts.Mark.File, time.Now().Add(leaseFor).UnixMilli(), mark.Event, x.owner, x.opt.Form)
	if err != nil {
		return err
	}
	if n, err := moved.RowsAffected(); err != nil || n == 0 {
		return errors.Join(errMoved, err)
	}
	insert, err := tx.PreparexContext(ctx, `INSERT INTO text (rowid, words) VALUES (?, ?)`)
	if err != nil {
		return err
	}
	defer insert.Close() //nolint:errcheck // the transaction says what went wrong
	for _, e := range texts.Events {
		words := indexed(e.ID, x.shown(e))
		if words == "" {
			continue
		}
		if _, err := insert.ExecContext(ctx, e.ID, words); err != nil {
			return err
		}
	}
	return nil
}

// cutTail is how much of the end of a text that was cut is left out: a secret
// that was cut too may not be known for one.
const cutTail = 8 << 10

// shown is what of an event's message is searched.
func (x *Index) shown(e wave.EventText) string {
	text := x.opt.Shown(e.Message)
	if e.Cut {
		text = text[:runeStart(text, max(0, len(text)-cutTail))]
	}
	return text
}

// note takes in what became of a step.
func (x *Index) note(ctx context.Context, f *file, err error) error {
	switch {
	case err == nil:
		x.mu.Lock()
		x.problem, x.paused = "", ""
		x.mu.Unlock()
	case ctx.Err() == nil:
		x.failed(f, err)
	}
	return err
}

func (x *Index) say(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.tell("the events cannot be read: " + err.Error())
}

func (x *Index) unmeasured() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.first == 0
}

// measure finds where the history begins, for the share that is done.
func (x *Index) measure(ctx context.Context) error {
	first, err := x.store.FirstEvent(ctx)
	x.mu.Lock()
	x.first = first
	x.mu.Unlock()
	return err
}

// tight reports whether the disk is so full that the rest of it is Wave's.
func (b *builder) tight() bool {
	if time.Since(b.checked) > checkSpace {
		b.checked = time.Now()
		free, known := dbfile.Free(b.x.opt.Dir)
		b.full = known && free < spaceLeft
	}
	b.x.mu.Lock()
	defer b.x.mu.Unlock()
	if b.full {
		b.x.paused = "less than 256 MB of the disk are left; it goes on when there is more"
	}
	return b.full
}
