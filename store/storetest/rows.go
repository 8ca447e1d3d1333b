package storetest

import (
	"cmp"
	"time"

	"wavedeck/store/statedb"
)

// Event is a row of event_log.
type Event struct {
	Step            string // empty for events of the run itself
	State           string // default "running"
	Persona         string
	Message         string
	Tokens          int
	DurationMs      int64
	Model           string
	Adapter         string
	ConfiguredModel string
	At              time.Time // default: the start of the run
	Extra           statedb.Row
}

// Event adds an event to the run and returns its id.
func (b *Builder) Event(run string, e Event) int64 {
	b.t.Helper()
	return b.insert("event_log", statedb.Row{
		"run_id": run, "timestamp": b.at(run, e.At).Unix(), "step_id": e.Step, "state": cmp.Or(e.State, "running"),
		"persona": e.Persona, "message": e.Message, "tokens_used": e.Tokens, "duration_ms": e.DurationMs,
		"model": e.Model, "adapter": e.Adapter, "configured_model": e.ConfiguredModel,
	}, e.Extra)
}

// Step is a row of step_state.
type Step struct {
	ID      string // default "build"
	State   string // default "completed"
	Start   time.Time
	End     time.Time // default: none for running, pending, retrying, skipped and rejected, else a minute after Start
	Retries int
	Visits  int
	Error   string
	Extra   statedb.Row
}

// Step adds the state of a step of the run.
func (b *Builder) Step(run string, s Step) {
	b.t.Helper()
	s.Start = b.at(run, s.Start)
	s.State = cmp.Or(s.State, "completed")
	if s.End.IsZero() && (s.State == "completed" || s.State == "failed" || s.State == "cancelled") {
		s.End = s.Start.Add(time.Minute)
	}
	b.insert("step_state", statedb.Row{
		"step_id": cmp.Or(s.ID, "build"), "pipeline_id": run, "state": s.State, "retry_count": s.Retries,
		"started_at": s.Start.Unix(), "completed_at": seconds(s.End), "error_message": s.Error, "visit_count": s.Visits,
	}, s.Extra)
}

// Attempt is one attempt of a step by a persona.
type Attempt struct {
	Step         string // default "build"
	N            int    // default 1
	State        string // running, failed or succeeded; default "succeeded"
	Error        string
	FailureClass string
	DurationMs   int64
	Start        time.Time // default: the start of the run
	Extra        statedb.Row
}

// Attempt adds an attempt the way Wave does: a row that says running for ever,
// and, unless State is running, a second one with the end.
func (b *Builder) Attempt(run string, a Attempt) {
	b.t.Helper()
	a.Start = b.at(run, a.Start)
	row := func(state string) statedb.Row {
		return statedb.Row{
			"run_id": run, "step_id": cmp.Or(a.Step, "build"), "attempt": cmp.Or(a.N, 1), "state": state,
			"started_at": a.Start.Unix(),
		}
	}
	b.insert("step_attempt", row("running"), a.Extra)
	state := cmp.Or(a.State, "succeeded")
	if state == "running" {
		return
	}
	end := row(state)
	end["error_message"], end["failure_class"], end["duration_ms"] = a.Error, a.FailureClass, a.DurationMs
	end["completed_at"] = a.Start.Add(time.Duration(a.DurationMs) * time.Millisecond).Unix()
	b.insert("step_attempt", end, a.Extra)
}

// Metric is a row of performance_metric: an attempt of a persona, in true milliseconds.
type Metric struct {
	Step       string // default "build"
	Pipeline   string // default "build"
	Persona    string
	Start      time.Time // default: the start of the run
	DurationMs int64
	Tokens     int
	Failed     bool
	Error      string
	Extra      statedb.Row
}

// Metric adds the measurements of an attempt and returns their id.
func (b *Builder) Metric(run string, m Metric) int64 {
	b.t.Helper()
	m.Start = b.at(run, m.Start)
	return b.insert("performance_metric", statedb.Row{
		"run_id": run, "step_id": cmp.Or(m.Step, "build"), "pipeline_name": cmp.Or(m.Pipeline, "build"),
		"persona": m.Persona, "started_at": m.Start.Unix(),
		"completed_at": m.Start.Add(time.Duration(m.DurationMs) * time.Millisecond).Unix(),
		"duration_ms":  m.DurationMs, "tokens_used": m.Tokens, "success": !m.Failed, "error_message": m.Error,
	}, m.Extra)
}

// Artifact is a row of artifact. Only the row: the file is the test's to write.
type Artifact struct {
	Step  string // default "build"
	Name  string // default "report"
	Path  string // default: where Wave would put it, relative to the project
	Type  string // default "text"
	Size  int64
	At    time.Time // default: the start of the run
	Extra statedb.Row
}

// Artifact adds an artifact of the run and returns its id.
func (b *Builder) Artifact(run string, a Artifact) int64 {
	b.t.Helper()
	step, name := cmp.Or(a.Step, "build"), cmp.Or(a.Name, "report")
	path := ".agents/workspaces/" + run + "/" + step + "/.agents/artifacts/" + step + "/" + name
	return b.insert("artifact", statedb.Row{
		"run_id": run, "step_id": step, "name": name, "path": cmp.Or(a.Path, path),
		"type": cmp.Or(a.Type, "text"), "size_bytes": a.Size, "created_at": b.at(run, a.At).Unix(),
	}, a.Extra)
}

// Outcome is a row of pipeline_outcome.
type Outcome struct {
	Step        string // default "build"
	Type        string // file, url, pr, issue, deployment, artifact or branch; default "url"
	Label       string // default "outcome"
	Value       string // default "https://example.org/"
	Description string
	At          time.Time // default: the start of the run
	Extra       statedb.Row
}

// Outcome adds an outcome of the run and returns its id.
func (b *Builder) Outcome(run string, o Outcome) int64 {
	b.t.Helper()
	return b.insert("pipeline_outcome", statedb.Row{
		"run_id": run, "step_id": cmp.Or(o.Step, "build"), "type": cmp.Or(o.Type, "url"),
		"label": cmp.Or(o.Label, "outcome"), "value": cmp.Or(o.Value, "https://example.org/"),
		"description": o.Description, "created_at": b.at(run, o.At).Unix(),
	}, o.Extra)
}

// Cancel adds a request to cancel the run, a second after its start.
func (b *Builder) Cancel(run string) {
	b.t.Helper()
	b.Insert("cancellation", statedb.Row{
		"run_id": run, "requested_at": b.start(run).Add(time.Second).Unix(), "force": false,
	})
}

// PipelineState adds the other record of the run, which at times knows its true
// end. As in real databases the run's id stands for the pipeline's name too.
func (b *Builder) PipelineState(run, status string) {
	b.t.Helper()
	at := b.start(run).Unix()
	b.Insert("pipeline_state", statedb.Row{
		"pipeline_id": run, "pipeline_name": run, "status": status, "input": "", "created_at": at, "updated_at": at,
	})
}

// at is the given time, or the start of the run.
func (b *Builder) at(run string, at time.Time) time.Time {
	if at.IsZero() {
		return b.start(run)
	}
	return at
}
