package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"wavedeck/store/feed"
	"wavedeck/store/runindex"
	"wavedeck/store/sqlite"
	"wavedeck/store/wave"
)

const (
	safetyPoll  = time.Second            // finds what no notification told
	barePoll    = 50 * time.Millisecond  // where the kernel notifies of nothing
	reopenAfter = 100 * time.Millisecond // others use other files beside the database
)

// Follow opens the database as soon as there is one, keeps the store in step
// with what other processes do to it, and publishes every change until ctx
// ends. It owns every goroutine and connection of the store and is called once.
func (s *Store) Follow(ctx context.Context) error {
	w, err := sqlite.NewFileWatch(s.path)
	if err != nil {
		s.opt.Log.Warn("no file notification: changes are polled for", "err", err)
	}
	defer w.Close()
	f := &follower{store: s, watch: w, marks: map[string]pastFile{}, stray: sqlite.NewStrayWatch()}
	defer func() {
		s.replace(nil)
		s.setHealth(func(h *Health) {
			h.Phase, h.Problem, h.Epoch = Closed, "the state database is not followed any more", ""
		})
	}()
	for ctx.Err() == nil {
		f.follow(ctx)
	}
	return nil
}

// follower is the state of Follow. Only its goroutine touches it.
type follower struct {
	store *Store
	watch *sqlite.FileWatch
	marks map[string]pastFile // by fileSeed

	locked bool // it is told that others hold the open database
	stray  sqlite.StrayWatch
}

// pastFile is what is remembered of a file between two openings.
type pastFile struct {
	mark      wave.EventMark
	rollbacks int
}

// follow opens the file once and returns when it must be reopened.
func (f *follower) follow(ctx context.Context) {
	s := f.store
	f.locate()
	f.watch.Aim()
	o, t, err := f.open(ctx)
	if err != nil {
		s.replace(nil)
		f.report(ctx, err)
		f.wait(ctx)
		return
	}
	s.replace(o)
	f.locked = false
	now := Health{
		Path: s.path, Phase: Ready, Epoch: o.epoch, ReadMode: string(o.db.Mode), Notified: f.watch.Working(),
		SchemaVersion: t.SchemaVersion(ctx), LastEventID: t.Mark.Last, ChangedAt: s.opt.Now(), CheckedAt: time.Now(),
		Stray: f.stray.Text(t.RealPath(), time.Now()),
	}
	now.StrayUnknown = f.stray.Unknown()
	s.setHealth(func(h *Health) {
		now.LastProblem, now.LastProblemAt = h.LastProblem, h.LastProblemAt
		*h = now
	})
	s.feed.Publish(feed.Change{Epoch: o.epoch, LastEventID: t.Mark.Last, Reset: true, List: true, Health: true})

	using, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() { o.index.Follow(using, func(runs []string) { s.publishFound(o.index, runs) }) })
	group.Go(func() { o.reevaluator.follow(using, s, o) })
	group.Go(func() { o.prefetch(using) })
	err = f.track(using, t)
	stop()
	group.Wait()
	t.Close()
	f.marks[t.Seed] = pastFile{t.Mark, f.marks[t.Seed].rollbacks}
	switch {
	case ctx.Err() != nil: // Follow ends
	case errors.Is(err, sqlite.ErrForsaken):
		f.stray.Suspect(errors.Is(err, sqlite.ErrStray), time.Now())
		s.opt.Log.Warn("state database opens again, with all its connections", "path", s.path, "reason", err)
		s.replace(nil)
		f.report(ctx, &sqlite.UnreadableError{Problem: "the files beside the state database at " + s.path + " were replaced; it is being opened again", Cause: err})
		if err := o.db.Drain(ctx); err != nil {
			s.opt.Log.Warn("failed to close the state database", "err", err)
		}
		sleep(ctx, reopenAfter) // the files may still be moved, one after another
	case errors.Is(err, sqlite.ErrReplaced):
		s.opt.Log.Info("state database opens again", "path", s.path, "reason", err)
	default:
		// It opened and yet cannot be read. Trying at once would not end.
		s.replace(nil)
		f.report(ctx, sqlite.WhyUnreadable(s.path, err))
		sleep(ctx, safetyPoll)
	}
}

// locate asks where the database is now.
func (f *follower) locate() {
	s := f.store
	if s.opt.Locate == nil {
		return
	}
	if path := s.opt.Locate(); path != s.path {
		s.path, f.watch.Path = path, filepath.Clean(path)
	}
}

// open opens the file and decides its epoch.
func (f *follower) open(ctx context.Context) (*opened, *sqlite.Tracker, error) {
	s := f.store
	info, err := os.Stat(s.path)
	if err != nil {
		info = nil // openFile says it better
	}
	db, err := sqlite.Open(ctx, s.path, s.opt.file())
	if err != nil {
		return nil, nil, err
	}
	o := &opened{Reader: NewReader(RowsOf(db), s.opt), db: db}
	t, err := f.begin(ctx, o, info)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return o, t, nil
}

func (f *follower) begin(ctx context.Context, o *opened, info fs.FileInfo) (*sqlite.Tracker, error) {
	if info == nil {
		return nil, sqlite.ErrReplaced
	}
	seed, err := o.db.FileSeed(ctx, info)
	if err != nil {
		return nil, sqlite.WhyUnreadable(f.store.path, err)
	}
	past, known := f.marks[seed]
	if known {
		same, err := o.Continues(ctx, past.mark)
		if err != nil {
			return nil, sqlite.WhyUnreadable(f.store.path, err)
		}
		if !same {
			past.rollbacks++
		}
	}
	f.marks[seed] = past
	o.epoch, o.seed = seed, seed
	if past.rollbacks > 0 {
		o.epoch = fmt.Sprintf("%s.%d", seed, past.rollbacks)
	}
	o.index = indexOf(o.Reader)
	t, err := sqlite.Track(ctx, o.db, info, seed, &derivation{store: f.store, o: o})
	if err != nil {
		return nil, sqlite.WhyUnreadable(f.store.path, err)
	}
	return t, nil
}

// indexOf returns an index of the runs in d.
func indexOf(d *Reader) *runindex.Index {
	return runindex.New(runindex.Options{Source: d, Shown: d.opt.Shown, Now: d.opt.Now, Gone: ErrUnavailable, Log: d.opt.Log})
}

// phaseOf is how far a store has come with a file that cannot be read.
func phaseOf(u *sqlite.UnreadableError) Phase {
	switch {
	case u.Missing:
		return Missing
	case u.Locked:
		return Locked
	default:
		return Unreadable
	}
}

// report tells once why there is no database.
func (f *follower) report(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	s := f.store
	phase, problem := Unreadable, err.Error()
	if why, ok := errors.AsType[*sqlite.UnreadableError](err); ok {
		phase, problem = phaseOf(why), why.Problem
	}
	changed := false
	s.setHealth(func(h *Health) {
		changed = h.Phase != phase || h.Problem != problem
		*h = Health{
			Path: s.path, Phase: phase, Problem: problem, Notified: f.watch.Working(), ChangedAt: h.ChangedAt,
			LastProblem: problem, LastProblemAt: s.opt.Now(),
		}
	})
	if changed {
		s.opt.Log.Warn("state database unavailable", "path", s.path, "problem", problem)
		s.feed.Publish(feed.Change{Reset: true, List: true, Health: true})
	}
}

// wait returns when it is worth trying again.
func (f *follower) wait(ctx context.Context) {
	poll := time.NewTimer(safetyPoll)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
			return
		case <-f.watch.Errors(): //nolint:errcheck // whatever it is, the next look at the file tells more
			return
		case e := <-f.watch.Events():
			if f.watch.Interpret(e) != sqlite.Ignored {
				return
			}
		}
	}
}

// track publishes changes until the file must be reopened or ctx ends.
func (f *follower) track(ctx context.Context, t *sqlite.Tracker) error {
	poll := time.NewTicker(safetyPoll)
	if !f.watch.Working() {
		poll.Reset(barePoll)
	}
	defer poll.Stop()
	wake := time.NewTimer(time.Hour)
	defer wake.Stop()
	for {
		wake.Reset(time.Until(t.Next()))
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake.C:
		case e := <-f.watch.Events():
			switch f.watch.Interpret(e) {
			case sqlite.Ignored:
				continue
			case sqlite.FileMoved:
				err = t.SameFile()
			}
			t.Expect()
		case <-f.watch.Errors(): //nolint:errcheck // most likely more events than the kernel holds for us
			t.Expect()
		case <-poll.C:
			f.watch.Aim()
			if err = t.Verify(ctx); err == nil {
				log := t.BoundLog(ctx)
				f.store.setHealth(func(h *Health) { h.LogBytes, h.LogBound, h.LogPauses = log.Bytes, log.Bound, log.Pauses })
				f.tellStray(t)
			}
		case <-f.store.doubt:
			t.Suspect()
			err = t.Verify(ctx)
		}
		if err == nil {
			err = t.Look(ctx)
		}
		if err != nil {
			return err
		}
		f.tellLock(t)
	}
}

// deriveLock publishes that others hold the database, or let go of it.
func (f *follower) tellLock(t *sqlite.Tracker) {
	s := f.store
	locked := t.Busy
	s.setHealth(func(h *Health) {
		h.CheckedAt = time.Now()
		f.locked = f.locked || h.Phase == Locked // a query said so
		if h.Phase == Locked && !locked {
			h.Phase, h.Problem = Ready, ""
		}
	})
	switch {
	case locked:
		s.lock()
	case f.locked:
		s.opt.Log.Info("state database is free again", "path", s.path)
		s.feed.Publish(feed.Change{Epoch: f.store.epoch(), LastEventID: t.Mark.Last, Reset: true, List: true, Health: true})
	}
	f.locked = locked
}

// lock makes it known that others hold the open database.
func (s *stateFile) lock() {
	told := false
	s.setHealth(func(h *Health) {
		if h.Phase != Ready {
			return
		}
		told = true
		h.Phase, h.Problem = Locked, sqlite.LockedProblem
		h.LastProblem, h.LastProblemAt = sqlite.LockedProblem, s.opt.Now()
	})
	if told {
		s.opt.Log.Warn("state database unavailable", "path", s.path, "problem", sqlite.LockedProblem)
		s.feed.Publish(feed.Change{Reset: true, List: true, Health: true})
	}
}

func (s *stateFile) setHealth(change func(*Health)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.health)
}

// sleep reports whether ctx outlived a pause.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// publishFound tells of changes that had left no trace when they were made.
func (s *stateFile) publishFound(ix *runindex.Index, runs []string) {
	s.mu.Lock()
	o, last := s.current, s.health.LastEventID
	s.mu.Unlock()
	if o != nil && o.index == ix {
		s.feed.Publish(feed.Change{Epoch: o.epoch, LastEventID: last, Runs: runs, List: true})
	}
}

// tellStray publishes that others write with deleted files, or no longer do.
func (f *follower) tellStray(t *sqlite.Tracker) {
	s, stray, changed := f.store, f.stray.Text(t.RealPath(), time.Now()), false
	s.setHealth(func(h *Health) { changed, h.Stray = h.Stray != stray, stray })
	if changed {
		s.opt.Log.Warn("state database is written with deleted files", "path", s.path, "problem", cmp.Or(stray, "no more"))
		s.feed.Publish(feed.Change{Epoch: f.store.epoch(), LastEventID: t.Mark.Last, Reset: true, List: true, Health: true})
	}
}

// epoch names the history that the open database is of; empty: none is open.
func (s *stateFile) epoch() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return ""
	}
	return s.current.epoch
}
