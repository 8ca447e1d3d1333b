package store

import (
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
)

const (
	safetyPoll = time.Second           // finds what no notification told
	barePoll   = 50 * time.Millisecond // where the kernel notifies of nothing
)

// errReplaced says that the file under the path is not the one that is open,
// or no longer continues it.
var errReplaced = errors.New("the state database was replaced")

// Follow opens the database as soon as there is one, keeps the store in step
// with what other processes do to it, and publishes every change until ctx
// ends. It owns every goroutine and connection of the store and is called once.
func (s *Store) Follow(ctx context.Context) error {
	w, err := newFileWatch(s.path)
	if err != nil {
		s.opt.Log.Warn("no file notification: changes are polled for", "err", err)
	}
	defer w.close()
	f := &follower{store: s, watch: w, marks: map[string]pastFile{}, stray: strayWatch{look: true}}
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
	watch *fileWatch
	marks map[string]pastFile // by fileSeed

	locked bool // it is told that others hold the open database
	stray  strayWatch
}

// pastFile is what is remembered of a file between two openings.
type pastFile struct {
	mark      eventMark
	rollbacks int
}

// follow opens the file once and returns when it must be opened anew.
func (f *follower) follow(ctx context.Context) {
	s := f.store
	f.locate()
	f.watch.aim()
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
		Path: s.path, Phase: Ready, Epoch: o.epoch, ReadMode: string(o.mode), Notified: f.watch.working(),
		SchemaVersion: t.schemaVersion(ctx), LastEventID: t.mark.last, ChangedAt: s.opt.Now(), CheckedAt: time.Now(),
		Stray: f.stray.text(t.beside.path, time.Now()),
	}
	s.setHealth(func(h *Health) {
		now.LastProblem, now.LastProblemAt = h.LastProblem, h.LastProblemAt
		*h = now
	})
	s.feed.Publish(feed.Change{Epoch: o.epoch, LastEventID: t.mark.last, Reset: true, List: true, Health: true})

	using, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() { o.index.Follow(using, func(runs []string) { s.publishFound(o.index, runs) }) })
	group.Go(func() { o.reevaluator.follow(using, s, o) })
	group.Go(func() { o.prefetch(using) })
	err = f.track(using, t)
	stop()
	group.Wait()
	t.close()
	f.marks[t.seed] = pastFile{t.mark, f.marks[t.seed].rollbacks}
	switch {
	case ctx.Err() != nil: // Follow ends
	case errors.Is(err, errForsaken):
		f.stray.look, f.stray.next = true, time.Time{}
		if errors.Is(err, errStray) {
			f.stray.until = time.Now().Add(strayFor)
		}
		s.opt.Log.Warn("state database opens again, with all its connections", "path", s.path, "reason", err)
		s.replace(nil)
		f.report(ctx, &unreadable{Unreadable, "the files beside the state database at " + s.path + " were replaced; it is being opened again", err})
		if err := o.drain(ctx); err != nil {
			s.opt.Log.Warn("close state database", "err", err)
		}
		sleep(ctx, lockedPoll) // the files may still be moved, one after another
	case errors.Is(err, errReplaced):
		s.opt.Log.Info("state database opens again", "path", s.path, "reason", err)
	default:
		// It opened and yet cannot be read. Trying at once would not end.
		s.replace(nil)
		f.report(ctx, whyUnreadable(s.path, err))
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
		s.path, f.watch.path = path, filepath.Clean(path)
	}
}

// open opens the file and decides its epoch.
func (f *follower) open(ctx context.Context) (*opened, *tracker, error) {
	s := f.store
	info, err := os.Stat(s.path)
	if err != nil {
		info = nil // openFile says it better
	}
	db, mode, err := openFile(ctx, s.path, s.opt)
	if err != nil {
		return nil, nil, err
	}
	o := &opened{database: db, mode: mode}
	t, err := f.begin(ctx, o, info)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return o, t, nil
}

func (f *follower) begin(ctx context.Context, o *opened, info fs.FileInfo) (*tracker, error) {
	if info == nil {
		return nil, errReplaced
	}
	seed, err := o.fileSeed(ctx, info)
	if err != nil {
		return nil, whyUnreadable(f.store.path, err)
	}
	past, known := f.marks[seed]
	if known {
		same, err := o.continues(ctx, past.mark)
		if err != nil {
			return nil, whyUnreadable(f.store.path, err)
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
	o.index = indexOf(o.database)
	t, err := newTracker(ctx, f.store, o, info, seed)
	if err != nil {
		return nil, whyUnreadable(f.store.path, err)
	}
	return t, nil
}

// indexOf returns an index of the runs in d.
func indexOf(d *database) *runindex.Index {
	return runindex.New(runindex.Options{Source: d, Shown: d.opt.Shown, Now: d.opt.Now, Gone: ErrUnavailable, Log: d.opt.Log})
}

// report tells once why there is no database.
func (f *follower) report(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	s := f.store
	phase, problem := Unreadable, err.Error()
	if why, ok := errors.AsType[*unreadable](err); ok {
		phase, problem = why.phase, why.problem
	}
	changed := false
	s.setHealth(func(h *Health) {
		changed = h.Phase != phase || h.Problem != problem
		*h = Health{
			Path: s.path, Phase: phase, Problem: problem, Notified: f.watch.working(), ChangedAt: h.ChangedAt,
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
		case <-f.watch.errors(): //nolint:errcheck // whatever it is, the next look at the file tells more
			return
		case e := <-f.watch.events():
			if f.watch.interpret(e) != ignored {
				return
			}
		}
	}
}

// track publishes changes until the file must be opened anew or ctx ends.
func (f *follower) track(ctx context.Context, t *tracker) error {
	poll := time.NewTicker(safetyPoll)
	if !f.watch.working() {
		poll.Reset(barePoll)
	}
	defer poll.Stop()
	wake := time.NewTimer(time.Hour)
	defer wake.Stop()
	for {
		wake.Reset(time.Until(t.next()))
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake.C:
		case e := <-f.watch.events():
			switch f.watch.interpret(e) {
			case ignored:
				continue
			case fileMoved:
				err = t.sameFile()
			}
			t.expect()
		case <-f.watch.errors(): //nolint:errcheck // most likely more events than the kernel holds for us
			t.expect()
		case <-poll.C:
			f.watch.aim()
			if err = t.verify(ctx); err == nil {
				t.boundLog(ctx)
				f.tellStray(t)
			}
		case <-f.store.doubt:
			t.suspect()
			err = t.verify(ctx)
		}
		if err == nil {
			err = t.look(ctx)
		}
		if err != nil {
			return err
		}
		f.tellLock(t)
	}
}

// deriveLock publishes that others hold the database, or let go of it.
func (f *follower) tellLock(t *tracker) {
	s := f.store
	locked := t.busy
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
		s.feed.Publish(feed.Change{Epoch: t.o.epoch, LastEventID: t.mark.last, Reset: true, List: true, Health: true})
	}
	f.locked = locked
}

// lock makes it known that others hold the open database.
func (s *Store) lock() {
	told := false
	s.setHealth(func(h *Health) {
		if h.Phase != Ready {
			return
		}
		told = true
		h.Phase, h.Problem = Locked, lockedProblem
		h.LastProblem, h.LastProblemAt = lockedProblem, s.opt.Now()
	})
	if told {
		s.opt.Log.Warn("state database unavailable", "path", s.path, "problem", lockedProblem)
		s.feed.Publish(feed.Change{Reset: true, List: true, Health: true})
	}
}

func (s *Store) setHealth(change func(*Health)) {
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
func (s *Store) publishFound(ix *runindex.Index, runs []string) {
	s.mu.Lock()
	o, last := s.current, s.health.LastEventID
	s.mu.Unlock()
	if o != nil && o.index == ix {
		s.feed.Publish(feed.Change{Epoch: o.epoch, LastEventID: last, Runs: runs, List: true})
	}
}
