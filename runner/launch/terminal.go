//go:build unix

package launch

import (
	"context"
	"errors"
	"os"
	"slices"
	"syscall"
	"time"

	"wavedeck/runner"
	"wavedeck/runner/process"
	"wavedeck/runner/terminal"
	"wavedeck/store/wave"
)

// input makes a terminal for a run that may be asked at a gate, and has it held. nil:
// it gets none, so that nobody can answer it from here.
func (l *Launcher) input(p Program, id string) *os.File {
	if !p.Asks || !l.Asks() {
		return nil
	}
	socket, err := l.opt.Terminals.Path(l.locate(), id)
	var input *os.File
	var holder *os.Process
	if err == nil {
		// It is found with the processes of the run, and ended with them.
		command := l.opt.Holder
		if p.TakesDefaults {
			command = append(slices.Clone(command), "--takes-defaults")
		}
		input, holder, err = terminal.Open(command, process.Marks(id, l.locate()), socket)
	}
	if err != nil {
		l.opt.Log.Warn("failed to make a terminal for a run; its gates cannot be answered from here", "run", id, "err", err)
		return nil
	}
	l.watches.Go(func() { l.reapHolder(holder.Pid) })
	return input
}

// reapHolder reaps a holder when it has gone, or leaves that to whoever inherits it.
func (l *Launcher) reapHolder(pid int) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-tick.C:
			if got, err := syscall.Wait4(pid, nil, syscall.WNOHANG, nil); got != 0 || err != nil && !errors.Is(err, syscall.EINTR) {
				return
			}
		}
	}
}

// sweep removes what holders that were killed left behind.
func (l *Launcher) sweep() { l.opt.Terminals.Sweep(l.ctx) }

// Asks reports whether runs get a terminal to be asked at.
func (l *Launcher) Asks() bool { return l.opt.Terminals != "" && len(l.opt.Holder) > 0 }

// Terminal is what the process of a run is asked at. See runner.Answerer.
func (l *Launcher) Terminal(ctx context.Context, run string) (runner.Terminal, error) {
	socket, err := l.socket(run)
	if err != nil {
		return runner.Terminal{}, err
	}
	return terminal.Look(ctx, socket)
}

// Answer gives the process of a run an answer. See runner.Answerer.
func (l *Launcher) Answer(ctx context.Context, run string, a runner.Answer) (runner.Answer, error) {
	socket, err := l.socket(run)
	if err != nil {
		return runner.Answer{}, err
	}
	return terminal.Give(ctx, socket, a)
}

func (l *Launcher) socket(run string) (string, error) {
	if l.opt.Terminals == "" {
		return "", runner.ErrNoTerminal
	}
	return l.opt.Terminals.Path(l.locate(), run)
}

// How often, and how long, a run that was asked to stop is nudged.
const (
	nudgeEvery = 250 * time.Millisecond
	nudgeFor   = 10 * time.Second
)

// nudge has a run that was interrupted notice it although it waits for an answer:
// Wave looks whether it was only when it has read a line.
func (l *Launcher) nudge(id string) {
	socket, err := l.socket(id)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nudged[id] {
		return
	}
	l.nudged[id] = true
	l.watches.Go(func() {
		tick := time.NewTicker(nudgeEvery)
		defer tick.Stop()
		for late := time.After(nudgeFor); terminal.Nudge(l.ctx, socket) == nil; {
			select {
			case <-l.ctx.Done():
				return
			case <-tick.C:
				continue
			case <-late:
			}
			break
		}
		l.mu.Lock()
		delete(l.nudged, id)
		l.mu.Unlock()
	})
}

// Place is where the process of a run is, of which root is the project.
func (l *Launcher) Place(run wave.Run, root string) runner.Place {
	host, _ := os.Hostname()
	place := runner.Place{Host: host}
	place.PID = process.Find(process.Run{ID: run.ID, Pipeline: run.Pipeline, LastSign: lastSign(run)}, run.PID, run.StartedAt, root)
	if place.PID > 0 {
		place.Terminal, place.User, place.Command = process.About(place.PID)
	}
	return place
}
