//go:build unix

// Package launch starts the processes of runs so that they outlive this one,
// and closes the records of those that went without a word.
package launch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"wavedeck/runner/process"
	"wavedeck/store"
)

// Options adapt a Launcher. The zero value works.
type Options struct {
	// Limit is how many runs may be active when another is started; 0 is no limit.
	Limit int
	// Begin is how long a process may live before its run has begun; 0 is two minutes.
	Begin time.Duration
	// Grace is how long a process that is ended by force may take; 0 is four seconds.
	Grace time.Duration
	// Log receives what an operator should know and no call returns; nil drops it.
	Log *slog.Logger
}

// Launcher owns what watches over the processes it started. The caller closes it.
type Launcher struct {
	control *store.Control
	opt     Options
	ctx     context.Context //nolint:containedctx // of the watches, which outlive the call that begins them
	cancel  context.CancelFunc
	watches sync.WaitGroup
}

// New returns a Launcher that writes through control, which it closes in the end.
func New(control *store.Control, opt Options) *Launcher {
	opt.Begin = cmp.Or(opt.Begin, 2*time.Minute)
	opt.Grace = cmp.Or(opt.Grace, 4*time.Second)
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Launcher{control: control, opt: opt, ctx: ctx, cancel: cancel}
}

// Close ends the watches and lets go of the database. The processes live on.
func (l *Launcher) Close() error {
	l.cancel()
	l.watches.Wait()
	return l.control.Close()
}

// Program is what a run is carried out by.
type Program struct {
	Path string
	Args func(run string) []string
	Dir  string
	Logs string   // the folder that gets <run>.log
	Keep []string // further variables of the environment that it may see
}

// Start records the run and starts the program for it. When that fails, the
// record is closed with the reason.
func (l *Launcher) Start(ctx context.Context, r store.NewRun, p Program) (string, error) {
	if err := l.ctx.Err(); err != nil {
		return "", fmt.Errorf("start %s: %w", r.Pipeline, err)
	}
	id, created, err := l.control.CreateRun(ctx, r, l.opt.Limit)
	if err != nil || !created {
		return id, err // the same call may have come before
	}
	output := filepath.Join(p.Logs, id+".log")
	pid, err := spawn(p, id, output)
	if err != nil {
		err = fmt.Errorf("start run %s: %w", id, err)
		return "", errors.Join(err, l.control.CloseRun(context.WithoutCancel(ctx), id, err.Error()))
	}
	l.watches.Go(func() { l.watch(id, pid, output) })
	if err := l.control.SetPID(context.WithoutCancel(ctx), id, pid); err != nil {
		l.opt.Log.Warn("record process", "run", id, "pid", pid, "err", err) // the run goes on without
	}
	return id, nil
}

// spawn starts the program in a session of its own, so that neither a signal to
// this one nor its end reaches it.
func spawn(p Program, id, output string) (int, error) {
	if err := os.MkdirAll(p.Logs, 0o755); err != nil {
		return 0, err
	}
	log, err := os.OpenFile(output, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	cmd := exec.Command(p.Path, p.Args(id)...) //nolint:gosec,noctx // the engine's own program, which outlives the call
	cmd.Dir, cmd.Env = p.Dir, Environ(p.Keep...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	pid := cmd.Process.Pid
	return pid, cmd.Process.Release() // watch reaps it, and can be told to stop waiting
}

// poll is how often a process is looked at. A wait could not be given up.
const poll = 100 * time.Millisecond

// watch reaps the process and sees to it that its run does not stay open.
func (l *Launcher) watch(id string, pid int, output string) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	late := time.NewTimer(l.opt.Begin)
	defer late.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-late.C:
			l.endUnbegun(id, pid, output)
		case <-tick.C:
			var status syscall.WaitStatus
			switch got, err := syscall.Wait4(pid, &status, syscall.WNOHANG, nil); {
			case errors.Is(err, syscall.EINTR), err == nil && got == 0:
			case err != nil: // somebody else reaped it
				l.close(id, "its process ended"+tail(output))
				return
			default:
				l.close(id, "its process ended without a word: "+describe(status)+tail(output))
				return
			}
		}
	}
}

func describe(status syscall.WaitStatus) string {
	if status.Signaled() {
		return "signal: " + status.Signal().String()
	}
	return fmt.Sprintf("exit status %d", status.ExitStatus())
}

// close closes a run that is still open, however long the database is busy.
func (l *Launcher) close(id, reason string) {
	l.persist("close run", id, func() error { return l.control.CloseRun(l.ctx, id, reason) })
}

func (l *Launcher) endUnbegun(id string, pid int, output string) {
	reason := fmt.Sprintf("its process wrote nothing for %v and was ended%s", l.opt.Begin, tail(output))
	closed := false
	l.persist("close run", id, func() (err error) {
		closed, err = l.control.AbandonRun(l.ctx, id, reason)
		return err
	})
	if closed {
		process.EndGroup(l.ctx, pid, time.Second)
	}
}

// persist repeats what a busy database turned away.
func (l *Launcher) persist(what, id string, do func() error) {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := do()
		switch {
		case err == nil || l.ctx.Err() != nil:
			return
		case !errors.Is(err, store.ErrBusy):
			l.opt.Log.Warn(what, "run", id, "err", err)
			return
		}
		select {
		case <-time.After(wait):
		case <-l.ctx.Done():
			return
		}
	}
}

// Stop asks the run to end. See runner.Engine.
func (l *Launcher) Stop(ctx context.Context, id string, force bool) error {
	if err := l.control.RequestCancellation(ctx, id, force); err != nil {
		return err
	}
	pid, status, err := l.control.RunProcess(ctx, id)
	if err != nil {
		return err
	}
	switch alive := process.HasArgument(pid, id); {
	case pid > 0 && !alive:
		process.EndMarked(ctx, time.Second, "WAVE_RUN_ID="+id)
		return l.control.CloseRun(ctx, id, store.ReasonGone)
	case pid == 0 && status == "pending":
		_, err := l.control.AbandonRun(ctx, id, "it was stopped before its process came")
		return err
	case force && alive:
		l.watches.Go(func() { l.endByForce(id, pid) })
	}
	return nil
}

// endByForce ends what is left of a run. A process that is told to end may
// still record how; what it leaves open is closed.
func (l *Launcher) endByForce(id string, pid int) {
	process.EndGroup(l.ctx, pid, l.opt.Grace)
	process.EndMarked(l.ctx, time.Second, "WAVE_RUN_ID="+id)
	if l.ctx.Err() == nil {
		l.close(id, "signal: killed (stopped by force)")
	}
}
