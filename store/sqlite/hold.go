package sqlite

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
)

// hold keeps queries back for a moment. A writer restarts its log only when
// nobody reads in it, and queries that overlap without end never let it.
type hold struct {
	mu   sync.Mutex
	over chan struct{} // closed when queries may go on; nil: they may
}

// wait returns when queries may begin.
func (h *hold) wait(ctx context.Context) error {
	h.mu.Lock()
	over := h.over
	h.mu.Unlock()
	if over == nil {
		return nil
	}
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pause keeps queries back until those in flight have ended, at most for drain, and
// then for a time that is the writer's.
func (h *hold) pause(ctx context.Context, inFlight func() bool, drain, d time.Duration) {
	over := make(chan struct{})
	h.mu.Lock()
	h.over = over
	h.mu.Unlock()
	for began := time.Now(); inFlight() && time.Since(began) < drain; {
		if !rest(ctx, time.Millisecond) {
			break
		}
	}
	rest(ctx, d)
	h.mu.Lock()
	h.over = nil
	h.mu.Unlock()
	close(over)
}

// All ways to begin a query on the pool wait for the hold.

// SelectContext waits for the hold.
func (d *DB) SelectContext(ctx context.Context, dest any, query string, args ...any) error {
	if err := d.hold.wait(ctx); err != nil {
		return err
	}
	return d.DB.SelectContext(ctx, dest, query, args...)
}

// GetContext waits for the hold.
func (d *DB) GetContext(ctx context.Context, dest any, query string, args ...any) error {
	if err := d.hold.wait(ctx); err != nil {
		return err
	}
	return d.DB.GetContext(ctx, dest, query, args...)
}

// QueryContext waits for the hold.
func (d *DB) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := d.hold.wait(ctx); err != nil {
		return nil, err
	}
	return d.DB.QueryContext(ctx, query, args...)
}

// QueryxContext waits for the hold.
func (d *DB) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	if err := d.hold.wait(ctx); err != nil {
		return nil, err
	}
	return d.DB.QueryxContext(ctx, query, args...)
}

// BeginTxx waits for the hold.
func (d *DB) BeginTxx(ctx context.Context, opts *sql.TxOptions) (*sqlx.Tx, error) {
	if err := d.hold.wait(ctx); err != nil {
		return nil, err
	}
	return d.DB.BeginTxx(ctx, opts)
}

// QueryRowxContext waits for the hold.
func (d *DB) QueryRowxContext(ctx context.Context, query string, args ...any) *sqlx.Row {
	_ = d.hold.wait(ctx) // what ended it ends the query too
	return d.DB.QueryRowxContext(ctx, query, args...)
}

// PrepareContext waits for the hold.
func (d *DB) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if err := d.hold.wait(ctx); err != nil {
		return nil, err
	}
	return d.DB.PrepareContext(ctx, query)
}

// reading reports whether queries are in flight. The tracker has a connection of its
// own, which is in no query while it holds the others back.
func (d *DB) reading() bool { return d.Stats().InUse > 1 }

// holds are when a tracker held reads back.
type holds struct {
	logSize int64 // of the log, when it last did
	pauses  int   // how often it did
}

// logState is how the write-ahead log is.
type logState struct {
	Bytes  int64
	Bound  int64 // from which on reads are held back for it
	Pauses int   // how often they were
}

// BoundLog makes room for a log that has outgrown its bound and goes on growing: a
// log that is restarted keeps its size until it is longer than before. Reads of
// other programs may still prevent it.
func (t *Tracker) BoundLog(ctx context.Context) logState {
	size, opt := t.beside.logSize(), t.from.db.opt
	if size > opt.LogBound && size > t.logSize {
		t.from.db.hold.pause(ctx, t.from.db.reading, opt.LogDrain, opt.LogPause)
		t.logSize = size
		t.pauses++
	}
	return logState{Bytes: size, Bound: opt.LogBound, Pauses: t.pauses}
}

// logSize is the size of the write-ahead log, 0 while there is none.
func (c *companions) logSize() int64 { return fileSize(c.path + "-wal") }
