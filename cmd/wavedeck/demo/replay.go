package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/statedb"
	"wavedeck/store/tape"
)

// Replay plays what the script has after its epoch, in step with the clock,
// until ctx ends, which is no error. The project must have been written.
//
// The files of the history's artifacts are written here too: hundreds of small
// files must not hold up the first page.
func Replay(ctx context.Context, s Script) (err error) {
	rec, err := s.recording()
	if err != nil {
		return err
	}
	past, future := rec.split()
	if err := rec.writeFiles(s.Dir, past); err != nil {
		return fmt.Errorf("write demo artifacts: %w", err)
	}
	db, err := statedb.Open(ctx, s.database())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for n := 1; ; n++ {
		// Until the next pass begins, nothing new can come between the entries.
		var now []tape.Entry
		now, future = before(future, time.Duration(n)*period-lead)
		if err := rec.writeFiles(s.Dir, now); err != nil {
			return fmt.Errorf("write demo artifacts: %w", err)
		}
		if err := s.play(ctx, db, now); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
		rec.entries = future
		rec.addPass(n)
		rec.sort()
		future = rec.entries
	}
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
