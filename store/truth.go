package store

import "time"

// runFacts is everything the database says about whether a run lives and how
// it ended. Zero values are unknown.
type runFacts struct {
	Status        string // pipeline_run.status
	Error         string // error_message, else current_step of an ended run
	CancelledAt   bool   // pipeline_run.cancelled_at is set
	Cancel        bool   // a cancellation row exists
	PipelineState string // pipeline_state.status, which sometimes knows better
	Rejected      bool   // a step_state of this run says rejected
	AtGate        bool   // the last gate event waits
	Kind          string // run_kind
	HasEvents     bool
	StartedAt     time.Time
	Heartbeat     time.Time
	LastEvent     time.Time
	PID           int
	Parent        State // the parent's told state; empty without a parent
}
