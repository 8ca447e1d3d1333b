//go:build unix

package process

import (
	"context"
	"maps"
	"os"
	"slices"
	"syscall"
	"time"

	"wavedeck/store/system"
)

// Work is a run by which its processes are known, wherever they are.
type Work struct {
	Run string
	DB  string // the state database that has it
}

func (w Work) marks() []string { return Marks(w.Run, w.DB) }

// entry is a process as the process table has it. Began is in a unit of the
// system's own: it distinguishes processes that had the same pid.
type entry struct {
	pid, parent, group, session int
	began                       string
}

// EndTree is [End] for a process that lives and everything that came from it: its
// session and its group when it leads them, and what descends from them, in
// whatever session. Where processes cannot be listed it is the group alone, or the
// process when it leads none.
func EndTree(ctx context.Context, pid int, grace time.Duration, of Work) {
	if !listed {
		if group, err := syscall.Getpgid(pid); err == nil && group == pid {
			End(ctx, pid, grace, of.marks()...)
		} else {
			endOne(ctx, pid, grace)
		}
		return
	}
	endAll(ctx, pid, grace, of, func(e entry) bool { return e.pid == pid || e.group == pid || e.session == pid })
}

// endOne asks one process to end, and kills it when it has not after the grace.
func endOne(ctx context.Context, pid int, grace time.Duration) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if !works(pid) {
			return
		}
		_ = syscall.Kill(pid, s) // it may have gone meanwhile
		await(ctx, grace, func() bool { return !works(pid) })
	}
}

// EndLeft is [EndTree] for a process that led its session, has gone, and was last
// seen alive then: it ends what that left behind. The system gives the pid to no
// other process while the session or the group has members, so that a member
// that was there when the process lived proves that all are of the same run.
// Without such a proof only what is known by its environment is ended.
func EndLeft(ctx context.Context, pid int, seen time.Time, grace time.Duration, of Work) {
	if !listed {
		if time.Since(seen) > clockSlack {
			pid = 0
		}
		End(ctx, pid, grace, of.marks()...)
		return
	}
	left := func(e entry) bool { return pid > 1 && e.pid != pid && (e.session == pid || e.group == pid) }
	proven := slices.ContainsFunc(table(), func(e entry) bool {
		born, known := system.Born(e.pid)
		return left(e) && known && !born.After(seen.Add(clockSlack))
	})
	endAll(ctx, 0, grace, of, func(e entry) bool { return proven && left(e) })
}

// endAll ends the processes that are picked, those of the work, and the
// descendants of either. The leader, which may be 0, is asked first: it ends its
// steps itself, and must not take the same signal's end of them for a failure.
// What was found once is ended even if it has lost the parent that it was found by.
func endAll(ctx context.Context, leader int, grace time.Duration, of Work, pick func(entry) bool) {
	found := map[int]string{}
	find := func() {
		marked := of.processes()
		list := table()
		maps.Copy(found, family(list, func(e entry) bool { return pick(e) || slices.Contains(marked, e.pid) }))
		there := map[int]string{}
		for _, e := range list {
			there[e.pid] = e.began
		}
		maps.DeleteFunc(found, func(pid int, began string) bool { return there[pid] != began })
	}
	signal := func(s syscall.Signal) {
		find()
		for pid := range found {
			_ = syscall.Kill(pid, s) // it may have gone meanwhile
		}
	}
	gone := func() bool { return !slices.ContainsFunc(slices.Collect(maps.Keys(found)), works) }
	if grace > 0 {
		within, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		if find(); found[leader] != "" {
			_ = syscall.Kill(leader, syscall.SIGTERM) // as above
			await(within, grace, func() bool { return !works(leader) })
		}
		signal(syscall.SIGTERM)
		await(within, grace, gone)
	}
	for late := time.Now().Add(time.Second / 2); ; { // a process may be born while the list is made
		if signal(syscall.SIGKILL); len(found) == 0 || time.Now().After(late) {
			return
		}
		await(context.WithoutCancel(ctx), look, gone)
	}
}

// family are the processes that are picked and their descendants, by pid. This
// process, and what it is the parent of, are found only by being picked themselves.
func family(list []entry, pick func(entry) bool) map[int]string {
	children, found := map[int][]entry{}, map[int]string{}
	var add func(entry)
	add = func(e entry) {
		if _, known := found[e.pid]; known || e.pid <= 1 || e.pid == os.Getpid() {
			return
		}
		found[e.pid] = e.began
		for _, child := range children[e.pid] {
			add(child)
		}
	}
	for _, e := range list {
		children[e.parent] = append(children[e.parent], e)
	}
	for _, e := range list {
		if pick(e) {
			add(e)
		}
	}
	return found
}
