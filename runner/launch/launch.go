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
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"wavedeck/runner/process"
	"wavedeck/runner/terminal"
	"wavedeck/store/control"
	"wavedeck/store/wave"
)

// Options adapt a Launcher. The zero value works.
type Options struct {
	// Begin is how long a process may live before its run has begun; 0 is two minutes.
	Begin time.Duration
	// Grace is how long a process that is ended by force may take; 0 is four seconds.
	Grace time.Duration
	// Look is how often runs that were asked to stop are looked at; 0 is three seconds.
	Look time.Duration
	// Tidy is how often runs are looked for whose process is gone; 0 is ten seconds.
	Tidy time.Duration
	// Logs names the folder of the logs. nil: nobody looks for runs whose process is gone.
	Logs func() string
	// Terminals is the folder of the sockets by which runs are answered; empty: no
	// run gets a terminal. Holder is the program that holds one, see terminal.Open.
	Terminals terminal.Sockets
	Holder    []string
	// Together has Close end the runs that were started, rather than let them live on.
	Together bool
	// Log receives what an operator should know and no call returns; nil drops it.
	Log *slog.Logger
}

// Launcher owns what watches over the processes it started. The caller closes it.
type Launcher struct {
	control *control.Control
	locate  func() string
	opt     Options
	ctx     context.Context //nolint:containedctx // of the watches, which outlive the call that begins them
	cancel  context.CancelFunc
	watches sync.WaitGroup

	mu      sync.Mutex
	started map[string]int  // the processes that were started and have not ended, by run
	stopped map[string]bool // runs that were asked to stop and had not ended when last looked at
	nudged  map[string]bool // runs that are being nudged
}

// New returns a Launcher that writes to the database that locate names at each
// write.
func New(locate func() string, opt Options) *Launcher {
	opt.Begin = cmp.Or(opt.Begin, 2*time.Minute)
	opt.Grace = cmp.Or(opt.Grace, 4*time.Second)
	opt.Look = cmp.Or(opt.Look, 3*time.Second)
	opt.Tidy = cmp.Or(opt.Tidy, 10*time.Second)
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &Launcher{
		control: control.Open(locate), locate: locate, opt: opt, ctx: ctx, cancel: cancel,
		started: map[string]int{}, stopped: map[string]bool{}, nudged: map[string]bool{},
	}
	if opt.Logs != nil {
		l.watches.Go(l.keepTidy)
	}
	if opt.Terminals != "" {
		l.watches.Go(l.sweep)
	}
	return l
}

// Close ends the watches and lets go of the database. The processes live on
// unless they were to end together.
func (l *Launcher) Close() error {
	if l.opt.Together {
		l.endStarted()
	}
	l.cancel()
	l.watches.Wait()
	return l.control.Close()
}

// endStarted ends the processes that were started and live. Each is known by
// its pid for certain: it is not reaped before its watch forgets it.
func (l *Launcher) endStarted() {
	l.mu.Lock()
	started := maps.Clone(l.started)
	l.mu.Unlock()
	var ending sync.WaitGroup
	for id, pid := range started {
		ending.Go(func() { process.EndTree(l.ctx, pid, l.opt.Grace, process.Work{Run: id, DB: l.locate()}) })
	}
	ending.Wait()
}

// Program is what a run is carried out by.
type Program struct {
	Path string
	Args func(run string) []string
	Env  func(run string) []string // beside [Environ]; nil: nothing
	Dir  string
	Logs string // the folder that gets <run>.log

	// Prepare makes what the run finds when it begins, and says what has to be
	// recorded of it. Remove takes it away again. Nil: nothing is needed.
	Prepare func(ctx context.Context, run string) (h control.Handover, remove func() error, err error)

	// Asks says that the run may be asked at a gate: it gets a terminal to read
	// answers from, where there are any.
	Asks bool
	// TakesDefaults says that it takes the default of a gate by itself.
	TakesDefaults bool
	// Limit is how many runs may be active when another is started; 0 is no limit.
	Limit int
	// Empty says that an end without a word is what is expected of it, such as
	// of a plan that is only printed, as long as its exit status is 0.
	Empty bool
}

// Start records the run and starts the program for it. When that fails, the
// record is closed with the reason.
func (l *Launcher) Start(ctx context.Context, r control.NewRun, p Program) (string, error) {
	if err := l.ctx.Err(); err != nil {
		return "", fmt.Errorf("start %s: %w", r.Pipeline, err)
	}
	id, created, err := l.control.CreateRun(ctx, r, p.Limit)
	if errors.As(err, new(*control.LimitError)) && l.opt.Logs != nil && l.tidy(ctx) == nil { // some may count that are gone
		id, created, err = l.control.CreateRun(ctx, r, p.Limit)
	}
	if err != nil || !created {
		return id, err // the same call may have come before
	}
	output := filepath.Join(p.Logs, id+".log")
	pid, err := l.prepared(ctx, p, id, output)
	if err != nil {
		err = fmt.Errorf("start run %s: %w", id, err)
		return "", errors.Join(err, l.control.CloseRun(context.WithoutCancel(ctx), id, err.Error()))
	}
	l.mu.Lock()
	l.started[id] = pid
	l.mu.Unlock()
	l.watches.Go(func() { l.watch(id, pid, output, p.Empty) })
	if err := l.control.SetPID(context.WithoutCancel(ctx), id, pid); err != nil {
		l.opt.Log.Warn("failed to record the process of a run", "run", id, "pid", pid, "err", err) // the program that runs it records it itself
	}
	return id, nil
}

// logMode is for the user alone: what a run writes may hold the secrets that it was
// started with, and whoever else may list the project has no use for it.
const logMode = 0o600

// prepared starts the program when all that it needs is there.
func (l *Launcher) prepared(ctx context.Context, p Program, id, output string) (int, error) {
	if p.Prepare == nil {
		return l.spawn(p, id, output)
	}
	h, remove, err := p.Prepare(ctx, id)
	if err != nil {
		return 0, err
	}
	var pid int
	if err = l.control.HandOver(ctx, id, h); err == nil {
		pid, err = l.spawn(p, id, output)
	}
	if err != nil {
		err = errors.Join(err, remove())
	}
	return pid, err
}

// spawn starts the program in a session of its own, so that neither a signal to
// this one nor its end reaches it.
func (l *Launcher) spawn(p Program, id, output string) (int, error) {
	if err := os.MkdirAll(p.Logs, 0o755); err != nil {
		return 0, err
	}
	log, err := os.OpenFile(output, os.O_CREATE|os.O_APPEND|os.O_WRONLY, logMode)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	if err := log.Chmod(logMode); err != nil { // of one that is there already
		return 0, err
	}
	// The process holds the lock by its output for as long as it lives, however
	// it ends, and whoever watches over it then. Where there are no locks, the
	// record alone tells.
	_ = syscall.Flock(int(log.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	cmd := exec.Command(p.Path, p.Args(id)...) //nolint:gosec,noctx // the engine's own program, which outlives the call
	cmd.Dir, cmd.Env = p.Dir, Environ()
	if p.Env != nil {
		cmd.Env = append(cmd.Env, p.Env(id)...)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if input := l.input(p, id); input != nil {
		defer input.Close()
		cmd.Stdin = input
	}
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
func (l *Launcher) watch(id string, pid int, output string, empty bool) {
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
			switch got, err := l.reap(id, pid, &status); {
			case errors.Is(err, syscall.EINTR), err == nil && got == 0:
				continue
			case err != nil: // somebody else reaped it
				l.closeEnded(id, pid, "", output)
			case empty && status.Exited() && status.ExitStatus() == 0:
				l.persist(id, func() error { return l.control.CloseEmpty(l.ctx, id) })
			default:
				l.closeEnded(id, pid, describe(status), output)
			}
			return
		}
	}
}

// reap is wait4 without waiting. A process that has ended is forgotten with it,
// so that its pid is never used for another one's.
func (l *Launcher) reap(id string, pid int, status *syscall.WaitStatus) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	got, err := syscall.Wait4(pid, status, syscall.WNOHANG, nil)
	if got != 0 || err != nil && !errors.Is(err, syscall.EINTR) {
		delete(l.started, id)
	}
	return got, err
}

// closeEnded closes a run whose process has just ended without a word, if it did,
// and ends what that left behind, which would go on with nobody to look after it.
func (l *Launcher) closeEnded(id string, pid int, status, output string) {
	died := time.Now()
	l.persist(id, func() error {
		runs, err := l.control.Derived(l.ctx, id)
		if err != nil || len(runs) == 0 {
			return err
		}
		switch r := runs[0]; {
		case stoppedAsFailed(r):
			return l.control.CorrectStopped(l.ctx, id)
		case !wave.IsOpen(r.Status):
			return nil
		default:
			r.PID = pid // which may not have been recorded
			l.endLeft(l.ctx, r, died)
			if r.Cancel != nil {
				return l.control.CancelRun(l.ctx, id)
			}
		}
		printed := "; it printed nothing"
		if text := tail(output); text != "" {
			printed = "; it printed:\n" + text
		}
		reason := reasonUnbegun
		if runs[0].Status == "running" {
			reason = wave.ReasonGone
		}
		if status != "" {
			reason += ": " + status
		}
		return l.control.CloseRun(l.ctx, id, reason+printed)
	})
}

// reasonUnbegun closes a run whose process recorded nothing.
const reasonUnbegun = "its process ended before the run had begun"

func describe(status syscall.WaitStatus) string {
	if status.Signaled() {
		return "signal: " + status.Signal().String()
	}
	return fmt.Sprintf("exit status %d", status.ExitStatus())
}

func (l *Launcher) endUnbegun(id string, pid int, output string) {
	reason := fmt.Sprintf("its process recorded nothing for %v and was ended", l.opt.Begin)
	if text := tail(output); text != "" {
		reason += "; it printed:\n" + text
	}
	closed := false
	l.persist(id, func() (err error) {
		closed, err = l.control.AbandonRun(l.ctx, id, reason)
		return err
	})
	if closed {
		process.EndGroup(l.ctx, pid, time.Second)
	}
}

// persist gives a run its end, however long the database is busy.
func (l *Launcher) persist(id string, end func() error) {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := end()
		switch {
		case err == nil || l.ctx.Err() != nil:
			return
		case !errors.Is(err, control.ErrBusy):
			l.opt.Log.Warn("failed to close a run", "run", id, "err", err)
			return
		}
		select {
		case <-time.After(wait):
		case <-l.ctx.Done():
			return
		}
	}
}
