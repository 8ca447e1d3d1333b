package wave

import "time"

// RunRow is pipeline_run with the rows of other tables that have one per run.
type RunRow struct {
	ID           string `db:"run_id"`
	Pipeline     string `db:"pipeline_name"`
	Status       string `db:"status"`
	Input        string `db:"input"`
	CurrentStep  string `db:"current_step"`
	Tokens       *int64 `db:"total_tokens"`
	StartedAt    int64  `db:"started_at"`
	CompletedAt  int64  `db:"completed_at"`
	CancelledAt  int64  `db:"cancelled_at"`
	ErrorMessage string `db:"error_message"`
	Tags         string `db:"tags_json"`
	Branch       string `db:"branch_name"`
	PID          int64  `db:"pid"`
	Parent       string `db:"parent_run_id"`
	ParentStep   string `db:"parent_step_id"`
	ForkedFrom   string `db:"forked_from_run_id"`
	Heartbeat    int64  `db:"last_heartbeat"`
	IterateIndex *int64 `db:"iterate_index"`
	IterateTotal *int64 `db:"iterate_total"`
	IterateMode  string `db:"iterate_mode"`
	Kind         string `db:"run_kind"`

	CancelAsked     *int64 `db:"requested_at"`
	CancelForce     int64  `db:"force"`
	PipelineState   string `db:"pipeline_state"`
	PipelineStateAt int64  `db:"pipeline_state_at"`
	ProgressTotal   *int64 `db:"total_steps"`
	ProgressDone    *int64 `db:"completed_steps"`
	Progress        *int64 `db:"overall_progress"`
}

// StepWord is a step_state row cut to what a list shows of it.
type StepWord struct {
	Run   string `db:"pipeline_id"`
	Step  string `db:"step_id"`
	State string `db:"state"`
	Error string `db:"error"` // of failed and rejected steps
}

// StepRow is step_state joined with nothing: a row of this run.
type StepRow struct {
	Step        string `db:"step_id"`
	State       string `db:"state"`
	Retries     int64  `db:"retry_count"`
	Visits      int64  `db:"visit_count"`
	StartedAt   int64  `db:"started_at"`
	CompletedAt int64  `db:"completed_at"`
	Error       string `db:"error_message"`
}

// AttemptRow is step_attempt: a running row and an ended row per attempt.
type AttemptRow struct {
	Step         string `db:"step_id"`
	Number       int64  `db:"attempt"`
	State        string `db:"state"`
	Error        string `db:"error_message"`
	FailureClass string `db:"failure_class"`
	OutputTail   string `db:"stdout_tail"`
	Tokens       int64  `db:"tokens_used"`
	Duration     int64  `db:"duration_ms"`
	StartedAt    int64  `db:"started_at"`
	CompletedAt  int64  `db:"completed_at"`
}

// MetricRow is performance_metric: an attempt of a persona that ended.
type MetricRow struct {
	Step     string `db:"step_id"`
	Persona  string `db:"persona"`
	Duration int64  `db:"duration_ms"`
	Tokens   int64  `db:"tokens_used"`
}

// ProgressRow is step_progress, whose key is the step alone: only a row that
// names this run is of it.
type ProgressRow struct {
	Step     string `db:"step_id"`
	Persona  string `db:"persona"`
	State    string `db:"state"`
	Progress *int64 `db:"progress"`
	Action   string `db:"current_action"`
	Tokens   int64  `db:"tokens_used"`
}

// OuterItem is a run of an outer row, by what its row says.
type OuterItem struct {
	ID        string `db:"run_id"`
	Parent    string `db:"parent_run_id"`
	Kind      string `db:"run_kind"`
	Pipeline  string `db:"pipeline_name"`
	Status    string `db:"status"`
	Fork      string `db:"forked_from_run_id"`
	Started   int64  `db:"started_at"`
	Completed int64  `db:"completed_at"`
	Beat      int64  `db:"last_heartbeat"`
	PID       int64  `db:"pid"`
	HasInput  bool   `db:"has_input"`
	LastEvent int64  `db:"last_event"`
}

// ChildTally has the children of a run by their recorded status and whether
// they were asked to stop, without telling each of them.
type ChildTally struct {
	Parent string `db:"parent"`
	All    int    `db:"n"`
	Ended  int    `db:"ended"`
	Failed int    `db:"failed"`
	Killed int    `db:"killed"` // of those that failed
}

// BaselineRow is when a run that ended was at work, in unix seconds.
type BaselineRow struct {
	ID        string `db:"run_id"`
	Started   int64  `db:"started_at"`
	Completed int64  `db:"completed_at"`
}

// ToolCallRow is an event that reports a tool call.
type ToolCallRow struct {
	ID      int64  `db:"id"`
	At      int64  `db:"timestamp"`
	Step    string `db:"step_id"`
	Message string `db:"message"`
}

// MessageRow is an event cut to what it says.
type MessageRow struct {
	ID      int64  `db:"id"`
	Run     string `db:"run_id"`
	Step    string `db:"step_id"`
	Message string `db:"message"`
}

// EndedAttempt is one attempt that ended; a duration of 0 and nil tokens are not known.
type EndedAttempt struct {
	Run      string `db:"run"`
	Step     string `db:"step_id"`
	Duration int64  `db:"ms"`
	Tokens   *int64 `db:"tokens"`
	Coarse   bool   `db:"-"` // the duration is of whole seconds
}

// EventSpan is where the events of one run lie in event_log.
type EventSpan struct {
	First int64 `db:"first"`
	Last  int64 `db:"last"`
	Count int64 `db:"n"`
}

// EventEnd is the newest event of a run, of all or up to a moment.
type EventEnd struct {
	Run   string `db:"run_id"`
	ID    int64  `db:"id"` // 0: there is none
	At    int64  `db:"timestamp"`
	Later bool   `db:"later"` // the run has events after the moment
}

// EventReach is a part of a run's events: those behind one, up to another.
type EventReach struct {
	Run         string
	After, UpTo int64
}

// EntryRow is what an index of all runs needs of pipeline_run, and of the rows
// beside it that tell how a run ended.
type EntryRow struct {
	Row           int64
	ID            string
	Pipeline      string
	Status        string
	StartedAt     int64
	CompletedAt   int64
	CancelledAt   int64
	Tags          string
	Parent        string
	Branch        string
	Kind          string
	Tokens        *int64
	Input         string // its beginning
	ErrorMessage  string
	CurrentStep   string // of runs that failed or were cancelled
	PipelineState string // of runs that failed
	CancelAsked   *int64 // likewise
}

// TokenSum is what the runs beneath one used together.
type TokenSum struct {
	Root   string `db:"root"`
	Runs   int    `db:"n"`
	Tokens int64  `db:"tokens"`
}

// PastStepRow is step_state of a run that ended.
type PastStepRow struct {
	Run       string `db:"run_id"`
	Step      string `db:"step_id"`
	State     string `db:"state"`
	Started   int64  `db:"started_at"`
	Completed int64  `db:"completed_at"`
}

// SilenceRow is the longest time between two events of a step, in seconds.
type SilenceRow struct {
	Run  string `db:"run_id"`
	Step string `db:"step_id"`
	Gap  int64  `db:"gap"`
}

// SpendingRow is what pipeline_run says of what a run used.
type SpendingRow struct {
	ID     string `db:"run_id"`
	Status string `db:"status"`
	Tokens int64  `db:"total_tokens"`
	Parent string `db:"parent_run_id"`
}

// Descendant is a run beneath another one, or that run itself.
type Descendant struct {
	Root string `db:"root"`
	ID   string `db:"id"`
}

// EventText is an event with the beginning of its message.
type EventText struct {
	ID      int64
	Run     string
	Step    string
	State   string // as recorded
	At      time.Time
	Message string // its first MaxEventText bytes
	Cut     bool   // it goes on
}

// MaxEventText is how many bytes of a message are read for an [EventText].
const MaxEventText = 64 << 10

// RunSpan is where the events of one run lie among those of all.
type RunSpan struct{ First, Last int64 }

// EventMark is the end of event_log as last seen. Ids are never reused by one
// history, so a shorter or different one shows that it was rolled back.
type EventMark struct {
	Last int64
	Row  string // the event itself, empty when it is gone
}
