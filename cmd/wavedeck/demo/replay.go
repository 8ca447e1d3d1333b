package demo

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/errgroup"

	"wavedeck/store/statedb"
	"wavedeck/store/tape"
)

// Replay plays what the script has after its epoch, in step with the clock,
// until ctx ends, which is no error. The project must have been written.
//
// The files of the history's artifacts are written here too, beside the runs:
// hundreds of small files must hold up neither the first page nor the first run.
func Replay(ctx context.Context, s Script) error {
	rec, err := s.recording()
	if err != nil {
		return err
	}
	past, future := rec.split()
	files := rec.takeFiles(past)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.writeFiles(ctx, files) })
	group.Go(func() error { return s.playPasses(ctx, rec, future) })
	return group.Wait()
}

// playPasses plays what is left of the recording, and then pass after pass.
func (s Script) playPasses(ctx context.Context, rec *recording, future []tape.Entry) (err error) {
	db, err := statedb.Open(ctx, s.database())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for n := 1; ctx.Err() == nil; n++ {
		// Until the next pass begins, nothing new can come between the entries.
		var now []tape.Entry
		now, future = before(future, time.Duration(n)*period-lead)
		if err := s.writeFiles(ctx, rec.takeFiles(now)); err != nil {
			return err
		}
		if err := s.play(ctx, db, now); err != nil {
			return err
		}
		rec.entries = future
		rec.addPass(n)
		rec.sort()
		future = rec.entries
	}
	return nil
}

// play waits for the time of the first entry and plays all of them. The end of
// ctx is no error.
func (s Script) play(ctx context.Context, db *sqlx.DB, entries []tape.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	timer := time.NewTimer(time.Until(s.Epoch.Add(entries[0].At)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil
	case <-timer.C:
	}
	if err := tape.Play(ctx, db, entries, tape.Options{Speed: 1}); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// before parts sorted entries at a moment.
func before(entries []tape.Entry, at time.Duration) (before, after []tape.Entry) {
	n, _ := slices.BinarySearchFunc(entries, at, func(e tape.Entry, at time.Duration) int { return int(e.At - at) })
	return entries[:n:n], entries[n:]
}
