//go:build unix

// Package engine carries out pipelines of Wave by itself: commands, and
// personas whose adapter is installed. It writes what Wave would write, so that
// whoever reads the state database need not know which of the two it was.
package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"wavedeck/runner"
	"wavedeck/runner/process"
	"wavedeck/store/manifest"
	"wavedeck/store/wave"
)

// Outcome is how a run ended, in the words of pipeline_state.
type Outcome string

// The ends there are.
const (
	Completed Outcome = "completed"
	Failed    Outcome = "failed"
	Rejected  Outcome = "rejected"
	Cancelled Outcome = "cancelled"
)

// Options are what a run needs beside its request.
type Options struct {
	Catalog *manifest.Catalog
	Request runner.Request
	In      *os.File  // answers to gates are read from it, if it is a terminal; nil: nobody answers
	Out     io.Writer // gets a line for each thing that happens; nil drops them
	// Guard is the command line of a program that calls [process.Guard] with its
	// standard input and its further arguments, so that no process of a step
	// outlives this one, even if it is killed. Empty: there is no guard.
	Guard []string

	minute time.Duration // what timeouts count in; shorter in tests
	beat   time.Duration // between heartbeats
	grace  time.Duration // between TERM and KILL
	lines  int           // recorded of a step's output at most
}

func (o Options) withDefaults() Options {
	o.minute = cmp.Or(o.minute, time.Minute)
	o.beat = cmp.Or(o.beat, 30*time.Second)
	o.grace = cmp.Or(o.grace, 2*time.Second)
	o.lines = cmp.Or(o.lines, 200_000)
	if o.Out == nil {
		o.Out = io.Discard
	}
	return o
}

// Result says how a run ended.
type Result struct {
	Run     string
	Outcome Outcome
	Message string // why, unless it completed
}

// Why a run was told to end before its work was done.
var (
	errStopped = errors.New("stopped by an operator")
	errHalted  = errors.New("stopped because another step failed")
)

// lookEvery is how often the run looks whether it should stop.
const lookEvery = 200 * time.Millisecond

// executor carries out one run.
type executor struct {
	opt      Options
	pipeline manifest.Pipeline
	plan     map[string]runner.PlannedStep
	project  manifest.Project
	root     string // of the run's workspaces
	rec      *record
	log      *eventLog
	values   values
	began    time.Time
	force    context.Context //nolint:containedctx // ends when nothing may take its time any more

	mu      sync.Mutex
	outputs map[string]map[string]output // of each step, by name
	tokens  int64
	broken  error // the record could not be written
	abandon context.CancelCauseFunc
	guard   *process.Guarded

	asking chan struct{} // holds one for the gate that asks
	typed  typedLines    // of the gate that asks
}

// Run carries out a pipeline until it has ended, and returns how. The end of
// ctx stops it: it is recorded as cancelled, with the cause. An error says that
// it never began, or that its end could not be recorded.
func Run(ctx context.Context, opt Options) (Result, error) {
	opt = opt.withDefaults()
	r := opt.Request
	if err := runner.EnsureDatabase(ctx, opt.Catalog.Project.DB); err != nil {
		return Result{}, err
	}
	if r.Original != "" && r.FromStep != "" {
		var err error
		if r.Left, err = left(ctx, opt.Catalog.Project.DB, r.Original); err != nil {
			return Result{}, err
		}
		r.Completed = r.Left.Completed
		opt.Request = r
	}
	checked, refusal := Check(opt.Catalog, r)
	if refusal != nil && r.ID == "" {
		return Result{}, refusal
	}
	rec, err := openRecord(ctx, opt.Catalog.Project.DB, r)
	if err != nil {
		return Result{}, err
	}
	defer func() { _ = rec.Close() }() // all that it wrote is committed
	if refusal != nil {                // of a run that was reserved: its record must not stay open
		return Result{Run: rec.run, Outcome: Failed, Message: refusal.Error()}, errors.Join(refusal, rec.end(ctx, Failed, refusal.Error(), 0))
	}
	pipeline, _ := opt.Catalog.Pipeline(r.Pipeline)
	x := &executor{
		opt: opt, pipeline: pipeline, project: opt.Catalog.Project, rec: rec, began: time.Now(),
		plan: map[string]runner.PlannedStep{}, outputs: map[string]map[string]output{},
		asking: make(chan struct{}, 1),
		values: values{"input": r.Input, "pipeline_id": rec.run, "pipeline_name": r.Pipeline},
	}
	for _, p := range checked {
		x.plan[p.ID] = p
	}
	x.root = filepath.Join(x.workspaces(), rec.run)
	return x.run(ctx)
}

// workspaces is the folder of all workspaces.
func (x *executor) workspaces() string {
	root := x.opt.Catalog.Manifest.Runtime.WorkspaceRoot
	switch {
	case root == "":
		return filepath.Join(x.project.StateDir, "workspaces")
	case filepath.IsAbs(root):
		return filepath.Clean(root)
	default:
		return filepath.Join(x.project.Root, root)
	}
}

func (x *executor) run(ctx context.Context) (Result, error) {
	work, abandon := context.WithCancelCause(ctx)
	defer abandon(nil)
	force, hurry := context.WithCancel(context.WithoutCancel(ctx))
	defer hurry()
	x.abandon, x.force = abandon, force
	x.log = &eventLog{ctx: context.WithoutCancel(ctx), write: x.rec.events}

	guard, err := x.startGuard()
	if err != nil {
		x.event(event{state: "warning", message: "processes may be left if this one is killed: " + err.Error()})
	}
	x.guard = guard
	defer guard.Done()

	watching, endWatch := context.WithCancel(context.WithoutCancel(ctx))
	var watches sync.WaitGroup
	watches.Go(func() { x.heartbeat(watching) })
	watches.Go(func() { x.lookForStop(watching, abandon, hurry) })
	err = x.work(work)
	endWatch()
	watches.Wait()
	process.EndMarked(force, x.opt.grace, process.Marks(x.rec.run, x.project.DB)...)
	return x.finish(work, err)
}

func (x *executor) startGuard() (*process.Guarded, error) {
	if len(x.opt.Guard) == 0 {
		return nil, nil //nolint:nilnil // it does nothing
	}
	return process.StartGuard(slices.Concat(x.opt.Guard, process.Marks(x.rec.run, x.project.DB))...)
}

// finish records the end.
func (x *executor) finish(work context.Context, err error) (Result, error) {
	res := Result{Run: x.rec.run, Outcome: Completed}
	cause := context.Cause(work)
	switch {
	case cause != nil && !errors.Is(cause, errHalted) && x.broken == nil:
		if asked, _, err := x.rec.cancellation(context.WithoutCancel(work)); err == nil && asked {
			cause = errStopped // by force, whose signal came first
		}
		res.Outcome, res.Message = Cancelled, cancelText(cause)
	case err != nil:
		res.Outcome, res.Message = Failed, err.Error()
		if errors.As(err, new(*rejection)) {
			res.Outcome = Rejected
		}
	case x.opt.Request.DryRun:
		res.Message = wave.ReasonDryRun
		x.event(event{state: "completed", message: "dry run: no step was executed", duration: time.Since(x.began)})
	default:
		done := len(x.pipeline.Steps)
		x.event(event{state: "completed", message: fmt.Sprintf("%d steps completed", done), duration: time.Since(x.began)})
	}
	x.sayf("%s %s after %v", x.rec.run, res.Outcome, time.Since(x.began).Round(time.Millisecond))
	flushed := x.log.flush()
	return res, errors.Join(x.broken, flushed, x.rec.end(work, res.Outcome, res.Message, x.tokens))
}

// cancelText words why a run was stopped.
func cancelText(cause error) string {
	if errors.Is(cause, errStopped) {
		return cause.Error()
	}
	return "stopped by a signal: " + cause.Error()
}

// heartbeat tells readers of the record that this process lives.
func (x *executor) heartbeat(ctx context.Context) {
	tick := time.NewTicker(x.opt.beat)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			x.check(x.rec.beat(ctx))
		case <-ctx.Done():
			return
		}
	}
}

// lookForStop ends the work when somebody asked for it, and without any grace
// when force was asked for.
func (x *executor) lookForStop(ctx context.Context, abandon context.CancelCauseFunc, hurry func()) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			asked, force, err := x.rec.cancellation(ctx)
			if err != nil {
				continue // the database is looked at again in a moment
			}
			if asked {
				abandon(errStopped)
			}
			if force {
				hurry()
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// check notes that the record could not be written, and gives the run up: work
// that nobody will know of is not done.
func (x *executor) check(err error) {
	if err == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.broken == nil {
		x.broken = fmt.Errorf("write record of run %s: %w", x.rec.run, err)
		x.abandon(x.broken)
	}
}

func (x *executor) event(e event) { x.check(x.log.add(e)) }

func (x *executor) sayf(format string, args ...any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	fmt.Fprintf(x.opt.Out, format+"\n", args...)
}

// relative is a path as the record gives it.
func (x *executor) relative(path string) string {
	if rel, err := filepath.Rel(x.project.Root, path); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return path
}
