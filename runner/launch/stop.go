//go:build unix

package launch

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"wavedeck/runner/process"
	"wavedeck/store"
	"wavedeck/store/control"
	"wavedeck/store/wave"
)

// stoppedAsFailed reports whether a run that was asked to stop did, and Wave
// recorded that as a failure, which it does unless it was interrupted.
func stoppedAsFailed(r wave.Run) bool {
	return r.Status == "failed" && r.State == wave.Cancelled && r.Cancel != nil && r.CancelledAt.IsZero()
}

// Stop asks the run to end, whoever started it. See runner.Engine.
//
// The request is a row that the process of the run looks for. A process that is
// proven to be the run's is interrupted too, with its group as a terminal does:
// then Wave records the run as cancelled, where the row alone has it record a
// failure, and it also reaches runs that do not look for the row. Whether there is
// such a process is told from the record as everywhere, and where nothing tells
// it now, the run is followed until something does. Only a process that is
// proven to be the run's is ever sent a signal.
func (l *Launcher) Stop(ctx context.Context, id string, force bool) error {
	run, err := l.runOf(ctx, id)
	if err != nil {
		return err
	}
	if run.State.Ended() && run.State != wave.Lost { // the row alone does not know
		return fmt.Errorf("stop run %s: %w", id, control.ErrEnded)
	}
	if err := l.control.RequestCancellation(ctx, id, force); err != nil {
		return err
	}
	if closed, err := l.closeDead(ctx, run); closed || err != nil {
		return err
	}
	if identify(run) == process.Proven {
		if force {
			l.watches.Go(func() { l.endByForce(id, run.PID) })
			return nil
		}
		process.Interrupt(run.PID)
		l.nudge(id)
	}
	l.follow(id)
	return nil
}

func (l *Launcher) runOf(ctx context.Context, id string) (wave.Run, error) {
	runs, err := l.control.Derived(ctx, id)
	switch {
	case err != nil:
		return wave.Run{}, fmt.Errorf("look at run %s: %w", id, err)
	case len(runs) == 0:
		return wave.Run{}, fmt.Errorf("run %s: %w", id, store.ErrNotFound)
	}
	return runs[0], nil
}

func identify(r wave.Run) process.Identity {
	if r.PID <= 0 {
		return process.Unproven
	}
	return process.Identify(r.PID, process.Run{ID: r.ID, Pipeline: r.Pipeline, LastSign: lastSign(r)})
}

// lastSign is the latest that a run's record holds of its process.
func lastSign(r wave.Run) time.Time {
	return slices.MaxFunc([]time.Time{r.StartedAt, r.Heartbeat, r.LastEvent}, time.Time.Compare)
}

// endLeft ends what a process that has gone left behind of a run.
func (l *Launcher) endLeft(ctx context.Context, r wave.Run, seen time.Time) {
	process.EndLeft(ctx, r.PID, seen, l.opt.Grace, process.Work{Run: r.ID, DB: l.locate()})
}

// closeDead closes a run that nothing carries out any more, and ends what it
// may have left behind.
func (l *Launcher) closeDead(ctx context.Context, r wave.Run) (bool, error) {
	var reason string
	switch {
	case r.State == wave.Lost:
		reason = wave.ReasonGone
	case identify(r) == process.Reused && time.Since(r.Heartbeat) > beatLimit:
		reason = wave.ReasonGone // the pid alone made it seem alive
	case r.State == wave.Unknown && r.Status == "pending" && r.Children.All == r.Children.Ended:
		reason = "it was stopped, and no process had begun it"
	default:
		return false, nil
	}
	l.endLeft(ctx, r, lastSign(r))
	return true, l.control.CloseRun(ctx, r.ID, reason)
}

// beatLimit is how old a heartbeat may be that shows life, as Wave counts.
const beatLimit = 90 * time.Second

// endByForce ends what is left of a run. A process that is told to end may
// still record how; what it leaves open is closed.
func (l *Launcher) endByForce(id string, pid int) {
	process.EndTree(l.ctx, pid, l.opt.Grace, process.Work{Run: id, DB: l.locate()})
	if l.ctx.Err() == nil {
		l.persist(id, func() error { return l.control.CancelRun(l.ctx, id) })
	}
}

// follow looks after a run that was asked to stop: its process may go, or turn
// out to be gone, without a word. One watch looks after all of them.
func (l *Launcher) follow(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.stopped) == 0 {
		l.watches.Go(l.followStopped)
	}
	l.stopped[id] = true
}

func (l *Launcher) followStopped() {
	tick := time.NewTicker(l.opt.Look)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-l.ctx.Done():
			return
		}
		l.mu.Lock()
		ids := slices.Collect(maps.Keys(l.stopped))
		l.mu.Unlock()
		over := l.lookAtStopped(ids)
		l.mu.Lock()
		for _, id := range over {
			delete(l.stopped, id)
		}
		done := len(l.stopped) == 0
		l.mu.Unlock()
		if done {
			return
		}
	}
}

// lookAtStopped returns which of the runs need no more looking after.
func (l *Launcher) lookAtStopped(ids []string) (over []string) {
	runs, err := l.control.Derived(l.ctx, ids...)
	if err != nil {
		return nil // in a moment again
	}
	there := map[string]bool{}
	for _, r := range runs {
		there[r.ID] = true
		if stoppedAsFailed(r) {
			if err := l.control.CorrectStopped(l.ctx, r.ID); err == nil {
				over = append(over, r.ID)
			}
			continue
		}
		closed, err := l.closeDead(l.ctx, r)
		if err == nil && (closed || !wave.IsOpen(r.Status) || r.State.Ended()) {
			over = append(over, r.ID)
		}
	}
	for _, id := range ids {
		if !there[id] {
			over = append(over, id)
		}
	}
	return over
}
