// Package runner starts, stops and repeats runs. What carries a run out is an
// [Engine], of which there is one per folder: the real Wave, and one of our own
// for machines without it. Their processes outlive this one.
package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wavedeck/store"
	"wavedeck/store/control"
)

// Engine carries out runs. It is safe for concurrent use.
type Engine interface {
	// Name is how an operator chooses the engine: "wave" or "local".
	Name() string
	// Plan says what a start would do to each step, in the order of the file,
	// or why it would be refused.
	Plan(ctx context.Context, r Request) ([]PlannedStep, error)
	// Start records a run and starts its process. It returns as soon as the
	// process lives; how the run fares is told by its record. When there is no
	// process in the end, the record says so: it does not stay pending.
	Start(ctx context.Context, r Request) (runID string, err error)
	// Stop asks a run to end. With force its processes are ended now. A run
	// whose process is gone is closed. store.ErrNotFound, store.ErrEnded.
	Stop(ctx context.Context, runID string, force bool) error
	// Close lets go of the processes, which live on, and of the database.
	Close() error
}

// Approver is an Engine whose runs can pass approval gates by themselves, when
// the request says so.
type Approver interface {
	Engine
	AutoApproves()
}

// Request is what an operator asks to be run.
type Request struct {
	ID        string // empty: one is made. The same id again is the same run, as long as it has not begun
	Pipeline  string
	Input     string
	FromStep  string
	Steps     []string // only these; empty: all
	Exclude   []string
	Model     string        // instead of every persona's
	Adapter   string        // instead of every persona's
	Timeout   time.Duration // of each step, in whole minutes; 0: what the files say
	OnFailure OnFailure     // empty: halt
	DryRun    bool          // the plan is recorded, nothing is executed
	// AutoApprove has approval gates take their default choice, or their first.
	// Only an [Approver] can.
	AutoApprove bool
	// Answerable says that gates can be answered while the run is there. An engine
	// sets it, see [Answerer].
	Answerable bool
	Tags       []string

	// Original is the run that this one repeats, or resumes when FromStep is set.
	Original string
	// Completed are the steps that the original completed: what a resumed run
	// may build on.
	Completed []string
	// Left is what the original left for the steps that follow.
	Left store.Leftovers
}

// OnFailure says what becomes of the other steps when one has failed.
type OnFailure string

// Halt stops them. Skip passes over those that need the failed one, and lets
// the rest go on.
const (
	Halt OnFailure = "halt"
	Skip OnFailure = "skip"
)

// Kind is the run_kind that the run's record gets.
func (r Request) Kind() string {
	if r.Original != "" && r.FromStep != "" {
		return "resume"
	}
	return ""
}

// Errors that callers tell apart, beside those of package store: ErrBusy,
// LimitError, ErrTaken, ErrNotFound, ErrEnded.
var (
	// ErrUnknownPipeline says that no file defines the pipeline.
	ErrUnknownPipeline = errors.New("unknown pipeline")
	// ErrUnavailable says that the engine itself does not exist, such as Wave's binary.
	ErrUnavailable = errors.New("engine is not available")
)

// InputError says which field of a request cannot be taken, and why.
type InputError struct {
	Field string // pipeline, input, from_step, steps, exclude, model, adapter, timeout, on_failure, auto_approve, id
	Text  string
}

func (e *InputError) Error() string { return e.Field + " " + e.Text }

// UnsupportedError says which step an engine cannot carry out, and which engine can.
type UnsupportedError struct {
	Step   string // empty: the pipeline as a whole
	What   string // a noun, such as "a gate"
	Engine string // that can; empty: none does
}

func (e *UnsupportedError) Error() string {
	text := e.What
	if e.Step != "" {
		text = fmt.Sprintf("step %q: %s", e.Step, e.What)
	}
	if e.Engine == "" {
		return text
	}
	return text + " is not supported by this engine; use --engine " + e.Engine
}

// ConflictError says why a run cannot be resumed where it was asked to.
type ConflictError struct {
	Step string
	Text string
}

func (e *ConflictError) Error() string { return fmt.Sprintf("step %q %s", e.Step, e.Text) }

// NewRun is the record that a request begins with. A resumed run names its
// original as parent, as Wave does. A repeated one names none: to Wave it is a
// run like any other, and a fork is something else.
func NewRun(r Request) control.NewRun {
	n := control.NewRun{ID: r.ID, Pipeline: r.Pipeline, Input: r.Input, Kind: r.Kind(), Tags: r.Tags}
	if n.Kind == "resume" {
		n.Parent, n.ParentStep = r.Original, r.FromStep
	}
	return n
}
