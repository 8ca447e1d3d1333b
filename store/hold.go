package store

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
		if !sleep(ctx, time.Millisecond) {
			break
		}
	}
	sleep(ctx, d)
	h.mu.Lock()
	h.over = nil
	h.mu.Unlock()
	close(over)
}

// The ways to begin a query on the pool wait for the hold.

func (d *database) SelectContext(ctx context.Context, dest any, query string, args ...any) error {
	if err := d.hold.wait(ctx); err != nil {
		return err
	}
	return d.DB.SelectContext(ctx, dest, query, args...)
}

func (d *database) GetContext(ctx context.Context, dest any, query string, args ...any) error {
	if err := d.hold.wait(ctx); err != nil {
		return err
	}
	return d.DB.GetContext(ctx, dest, query, args...)
}

func (d *database) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := d.hold.wait(ctx); err != nil {
		return nil, err
	}
	return d.DB.QueryContext(ctx, query, args...)
}

func (d *database) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	if err := d.hold.wait(ctx); err != nil {
		return nil, err
	}
	return d.DB.QueryxContext(ctx, query, args...)
}

func (d *database) BeginTxx(ctx context.Context, opts *sql.TxOptions) (*sqlx.Tx, error) {
	if err := d.hold.wait(ctx); err != nil {
		return nil, err
	}
	return d.DB.BeginTxx(ctx, opts)
}

func (d *database) PreparexContext(ctx context.Context, query string) (*sqlx.Stmt, error) {
	if err := d.hold.wait(ctx); err != nil {
		return nil, err
	}
	return d.DB.PreparexContext(ctx, query)
}

// reading reports whether queries are in flight. The tracker has a connection of its
// own, which is in no query while it holds the others back.
func (d *database) reading() bool { return d.Stats().InUse > 1 }

// boundLog makes room for a log that has outgrown its bound and goes on growing: a
// log that is restarted keeps its size until it is longer than before. Reads of
// other programs may still prevent it.
func (t *tracker) boundLog(ctx context.Context) {
	size := t.beside.logSize()
	if size > t.o.opt.LogBound && size > t.logSize {
		t.o.hold.pause(ctx, t.o.reading, t.o.opt.LogDrain, t.o.opt.LogPause)
		t.logSize = size
		t.pauses++
	}
	t.store.setHealth(func(h *Health) { h.LogBytes, h.LogBound, h.LogPauses = size, t.o.opt.LogBound, t.pauses })
}

// logSize is the size of the write-ahead log, 0 while there is none.
func (c *companions) logSize() int64 { return fileSize(c.path + "-wal") }
