package engine

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

// Bounds of a batch of events, and of what waits to be written.
const (
	batchEvery = 50 * time.Millisecond
	batchRows  = 200
)

// event is a row of event_log.
type event struct {
	step, state, persona, message string
	tokens                        int64
	duration                      time.Duration
	model, adapter, configured    string
	at                            int64 // unix seconds; 0 is now
}

// eventLog writes events in the order in which they come, in batches. A batch
// that is full is written by whoever fills it, so that a flood waits for the
// database instead of filling the memory.
type eventLog struct {
	write func(context.Context, []event) error
	ctx   context.Context //nolint:containedctx // of the timer's write, which no call waits for

	mu      sync.Mutex
	pending []event
	timer   *time.Timer // nil when nothing waits
	err     error       // of a write nobody waited for
}

// add appends an event. What it could not write earlier is told now.
func (l *eventLog) add(e event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.at == 0 {
		e.at = time.Now().Unix()
	}
	e.message = strings.ToValidUTF8(e.message, "\uFFFD")
	l.pending = append(l.pending, e)
	switch {
	case len(l.pending) >= batchRows:
		return l.flushLocked()
	case l.timer == nil:
		l.timer = time.AfterFunc(batchEvery, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.err = errors.Join(l.err, l.flushLocked())
		})
	}
	return l.err
}

// flush writes what waits.
func (l *eventLog) flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.err, l.flushLocked())
}

func (l *eventLog) flushLocked() error {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	if len(l.pending) == 0 {
		return nil
	}
	err := l.write(l.ctx, l.pending)
	clear(l.pending)
	l.pending = l.pending[:0]
	return err
}
