package wave

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

// FailureText is what an event says of a failure.
type FailureText struct {
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
