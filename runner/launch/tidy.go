//go:build unix

package launch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"wavedeck/runner/process"
	"wavedeck/store"
	"wavedeck/store/wave"
)

// maxOpen bounds how many open runs are looked at together, the newest first.
const maxOpen = 200

// keepTidy closes runs whose processes died while nobody watched over them:
// those of an earlier console, first of all.
func (l *Launcher) keepTidy() {
	tick := time.NewTicker(l.opt.Tidy)
	defer tick.Stop()
	for {
		if err := l.tidy(l.ctx); err != nil && !errors.Is(err, store.ErrUnavailable) && l.ctx.Err() == nil {
			l.opt.Log.Warn("failed to close runs without a process", "err", err)
		}
		select {
		case <-tick.C:
		case <-l.ctx.Done():
			return
		}
	}
}

// tidy closes the open runs that a launcher started and whose process is gone.
func (l *Launcher) tidy(ctx context.Context) error {
	ids, err := l.control.OpenRuns(ctx, maxOpen)
	if err != nil || len(ids) == 0 {
		return err
	}
	runs, err := l.control.Derived(ctx, ids...)
	if err != nil {
		return err
	}
	for _, r := range runs {
		l.mu.Lock()
		_, watched := l.started[r.ID]
		l.mu.Unlock()
		if r.Cancel != nil && r.State.Active() {
			l.nudge(r.ID) // whoever asked it to stop cannot have had it notice that at a gate
		}
		if watched || !l.abandoned(r) {
			continue
		}
		if err := l.closeAbandoned(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// abandoned reports whether a launcher started the process of a run, here or in
// an earlier console, and it is gone. That the pid is gone is not enough: it may
// be one of another container. The output that was made for the process says it,
// or the run's being lost.
func (l *Launcher) abandoned(r wave.Run) bool {
	switch identify(r) {
	case process.Gone, process.Reused:
	default:
		return false
	}
	file, err := os.Open(filepath.Join(l.opt.Logs(), r.ID+".log"))
	if err != nil {
		return false
	}
	defer file.Close()
	if r.State == wave.Lost {
		return true
	}
	info, err := file.Stat()
	return err == nil && info.Mode().Perm() == logMode && syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

func (l *Launcher) closeAbandoned(ctx context.Context, r wave.Run) error {
	l.endLeft(ctx, r, lastSign(r))
	switch {
	case r.Cancel != nil:
		return l.control.CancelRun(ctx, r.ID)
	case r.Status == "pending":
		return l.control.CloseRun(ctx, r.ID, reasonUnbegun)
	default:
		return l.control.CloseRun(ctx, r.ID, wave.ReasonGone)
	}
}
