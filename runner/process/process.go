//go:build unix

// Package process ends processes and reports whether they live: whole groups,
// and those that left their group but carry the mark of their run.
package process

import (
	"context"
	"errors"
	"slices"
	"syscall"
	"time"
)

// GroupAlive reports whether a process group has a member that is no zombie:
// nobody may ever reap those whose parent is gone.
func GroupAlive(pgid int) bool {
	return pgid > 1 && !errors.Is(syscall.Kill(-pgid, 0), syscall.ESRCH) && groupWorks(pgid)
}

// SignalGroup sends a signal to a process group; one that is gone is no error.
func SignalGroup(pgid int, signal syscall.Signal) {
	if pgid > 1 {
		_ = syscall.Kill(-pgid, signal) // ESRCH is what is wanted; EPERM cannot be helped
	}
}

const look = 20 * time.Millisecond

// EndGroup asks a process group to end, and kills it when it has not after the
// grace, which may be 0, or when ctx ends. It returns when the group is gone, or
// half a second after the kill: a process that the kernel holds cannot be waited for.
func EndGroup(ctx context.Context, pgid int, grace time.Duration) { End(ctx, pgid, grace) }

// EndMarked is [End] for marked processes alone.
func EndMarked(ctx context.Context, grace time.Duration, variables ...string) {
	End(ctx, 0, grace, variables...)
}

// End is [EndGroup] for a group, which may be 0, and those processes that carry
// all of the variables, each as "NAME=value", in their environment: they may
// have left the group they were started in. This process is never among them.
// Marks are best effort: a process may have changed its environment, or belong
// to another user.
func End(ctx context.Context, pgid int, grace time.Duration, variables ...string) {
	var marked []int
	signal := func(s syscall.Signal) {
		SignalGroup(pgid, s)
		if marked = nil; len(variables) > 0 {
			marked = Marked(variables...)
		}
		for _, pid := range marked {
			_ = syscall.Kill(pid, s) // as in SignalGroup
		}
	}
	gone := func() bool { return !GroupAlive(pgid) && !slices.ContainsFunc(marked, works) }
	if grace > 0 {
		if signal(syscall.SIGTERM); len(marked) == 0 && !GroupAlive(pgid) {
			return
		}
		await(ctx, grace, gone)
	}
	for range 3 { // a process may be born while the list is made
		if signal(syscall.SIGKILL); len(marked) == 0 {
			break
		}
	}
	await(context.WithoutCancel(ctx), time.Second/2, gone)
}

// await looks until done holds, the time is over or ctx ends.
func await(ctx context.Context, limit time.Duration, done func() bool) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
