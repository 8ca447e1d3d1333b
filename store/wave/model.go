package wave

import (
	"time"
)

// Run is one row of pipeline_run with what else the database knows of it.
// Pointers and zero times are unknown or not yet.
type Run struct {
	ID       string
	Pipeline string
	Status   string // as Wave recorded it
	State    State  // derived by package diagnose
	Reason   string // one sentence when State and Status differ, else empty
	Input    string
	Error    string // the whole text, wherever Wave left it
	Headline string // the line that says why it did not end well, of this run or of Cause; without secrets
	Cause    *Cause // nil: its failure began in itself

	StartedAt    time.Time
	CompletedAt  time.Time
	CancelledAt  time.Time
	Heartbeat    time.Time
	LastEvent    time.Time     // of active runs only
	Duration     time.Duration // recorded, else from whole seconds; 0 is "under a second" when HasDuration
	HasDuration  bool
	CoarseSecond bool // Duration comes from whole seconds

	Tokens    *int64 // used by its own steps and attempts; nil: not recorded
	Subtree   *int64 // Tokens with those of all runs beneath it; nil: it has none, or none is recorded
	Tags      []string
	Branch    string
	PID       int
	StepsDone int
	// StepsFailed is how many of those done failed although the run succeeded,
	// as optional steps may.
	StepsFailed int
	StepsAll    int      // 0: unknown
	Current     []string // ids of the steps that run, wait or failed now
	Progress    *int     // percent, from pipeline_progress or done/all

	Items      []string // ids of the runs that an outer row's state is derived from and that name no parent
	Parent     string
	ParentStep string
	Orphan     bool // Parent cannot be found: its row is gone, or following parents leads back here
	ForkedFrom string
	Kind       string // run_kind
	Iterate    *Iterate
	Children   ChildCounts
	Cancel     *Cancellation
	DryRun     bool // its row says that nothing was executed
}

// Inner reports whether another run that can be found carries this one out: that
// one is listed, needs attention and is retried in its place.
func (r Run) Inner() bool { return r.Parent != "" && r.Kind != "resume" && !r.Orphan }

// Iterate is a child's place in the fan-out that started it.
type Iterate struct {
	Index, Total int // Index from 0
	Mode         string
}

// ChildCounts counts the direct children of a run by what became of them.
type ChildCounts struct {
	All, Ended, Failed int
}

// Cancellation is an operator's request to stop a run. Wave never deletes it.
type Cancellation struct {
	RequestedAt time.Time
	Force       bool
}

// Step is one step of one run, from the union of all that names it.
type Step struct {
	ID       string
	State    State
	Recorded string // the last word the database has for it, for the curious
	Note     string // why it was skipped, blocked or reworked
	Error    string
	Headline string // the line that says why it did not end well; without secrets
	Cause    *Cause // nil: its failure began in itself
	Persona  string
	Model    string
	Adapter  string
	Progress *int   // percent
	Action   string // what it is doing, when a writer says

	StartedAt    time.Time
	CompletedAt  time.Time
	Duration     time.Duration
	HasDuration  bool
	CoarseSecond bool

	Tokens   *int64
	Attempts []Attempt
	Retries  int    // MaxAttempts when known from "attempt i/n", else 0
	Kind     string // prompt, command, gate, iterate, ... by its definition; empty: not known
	Visits   int    // how often a loop or an edge came to it; 0: not counted
	Culprit  *Run   // of a failed step that started runs: the one that caused it
	Contract *Contract
	Evidence *Contract   // what was last shown for or against the contract
	Checks   []Check     // each time a contract was looked at, oldest first
	Gate     bool        // it waits for a human
	Asked    *Asked      // since when it waits at a gate; nil: it does not, or no event says. Its state says whether a person has to answer
	Children ChildCounts // of a composed step
}

// Asked is one time that a gate began to wait.
type Asked struct {
	Event int64 // by which this time is known from others
	At    time.Time
	Type  string // approval, timer, pr_merge, ci_pass; as recorded
}

// Check is one look at a step's contract.
type Check struct {
	From, To time.Time // equal while it goes on, and when only its result is known
	Result   string    // as in Contract
}

// Attempt is one try at a step.
type Attempt struct {
	Number       int
	State        State
	Error        string
	FailureClass string
	OutputTail   string
	StartedAt    time.Time
	CompletedAt  time.Time
	Duration     time.Duration
	HasDuration  bool
	CoarseSecond bool
	Tokens       *int64
}

// Contract is the latest contract result of a step.
type Contract struct {
	// Result is passed, failed or validating; failed_warned, failed_continued or
	// failed_skipped where on_failure has the pipeline go on with a failed
	// contract (the last leaves out the step's other contracts); of evidence it
	// is evidence.
	Result string
	Text   string
	At     time.Time
}

// Event is one row of event_log. ID is the only reliable order.
type Event struct {
	ID       int64
	RunID    string
	At       time.Time
	StepID   string
	State    string // as recorded; unknown words show as they are
	Persona  string
	Message  string
	Tokens   int64
	Duration time.Duration
	Model    string
	Adapter  string
}

// Artifact is one row of artifact: an output of one attempt.
type Artifact struct {
	ID        int64
	RunID     string
	StepID    string
	Name      string
	Path      string
	Type      string
	Size      int64
	CreatedAt time.Time
	Preview   string // artifact_metadata.preview_text, when a writer left one
	MIME      string
}

// RunDetail is everything a run's page shows, read at one moment.
type RunDetail struct {
	Run       Run
	Steps     []Step
	Artifacts []Artifact

	FailedStep string // the step that a run failed by, or was stopped in; empty: none, or not known

	Children []Run // direct children, oldest first, at most ChildLimit
	Parent   *Run  // nil: none, or its row is gone
	Fork     *Run
	FirstID  int64 // event ids of this run; 0: it has none
	LastID   int64
	Events   int64   // how many events it has
	At       *Moment // as of when; nil: now

	Outcomes    Newest[Outcome]
	Decisions   Newest[Decision]
	Checkpoints Newest[Checkpoint]
}

// StepDef is what a pipeline's definition says of one step.
type StepDef struct {
	ID           string
	Kind         string // prompt, command, pipeline, iterate, gate, ...
	Persona      string
	Dependencies []string
}

// Cause is the run below a failed one that its failure began in.
type Cause struct {
	Run      string
	Pipeline string
	Step     string // that failed there; empty: not known
}
