package web

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errFlight is what those get who waited for an answer whose making panicked.
var errFlight = errors.New("another request for the same answer failed")

// flight makes a thing once for all who ask for it at the same moment, as package
// singleflight does. Its work ends when the last of them has left.
type flight[T any] struct {
	mu    sync.Mutex
	calls map[string]*call[T]
}

// call is a thing in the making.
type call[T any] struct {
	waiting int // who has not left
	cancel  context.CancelFunc
	done    chan struct{} // closed when made and err are there
	made    T
	err     error
}

// do returns what fill returns, to this caller or to one before it, or the error of ctx
// when that ends first. Fill is called with a context that lasts within at most.
func (f *flight[T]) do(ctx context.Context, key string, within time.Duration, fill func(context.Context) (T, error)) (made T, err error) {
	f.mu.Lock()
	c, joined := f.calls[key]
	var work context.Context //nolint:contextcheck // others may wait for the answer when this caller has left
	if !joined {
		c = &call[T]{done: make(chan struct{})}
		work, c.cancel = context.WithTimeout(context.WithoutCancel(ctx), within) //nolint:gosec // run calls it, and leave
		if f.calls == nil {
			f.calls = map[string]*call[T]{}
		}
		f.calls[key] = c
	}
	c.waiting++
	f.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { f.leave(key, c) })
	defer stop()
	if !joined {
		f.run(work, key, c, fill)
		return c.made, c.err
	}
	select {
	case <-c.done:
		return c.made, c.err
	case <-ctx.Done():
		if stop() { // it has not run yet, and will not
			f.leave(key, c)
		}
		return made, ctx.Err()
	}
}

// run fills the answer, in the request that asked first. A panic is that request's own.
func (f *flight[T]) run(ctx context.Context, key string, c *call[T], fill func(context.Context) (T, error)) {
	c.err = errFlight
	defer func() {
		c.cancel()
		f.mu.Lock()
		f.forget(key, c)
		f.mu.Unlock()
		close(c.done)
	}()
	c.made, c.err = fill(ctx)
}

// leave ends the work that nobody waits for. Who asks from now on has it made again.
func (f *flight[T]) leave(key string, c *call[T]) {
	f.mu.Lock()
	c.waiting--
	last := c.waiting == 0
	if last {
		f.forget(key, c)
	}
	f.mu.Unlock()
	if last {
		c.cancel()
	}
}

// forget is called with mu held.
func (f *flight[T]) forget(key string, c *call[T]) {
	if f.calls[key] == c {
		delete(f.calls, key)
	}
}
