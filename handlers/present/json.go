package present

import (
	"net/url"
	"time"

	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

// The JSON forms keep Wave's field names and rules of omission. What Wave's five
// status words cannot say stands in the additional field state.

// ErrorResponse is an error as JSON.
type ErrorResponse struct {
	Error    string `json:"error"`
	Word     string `json:"word,omitempty"`     // of a filter or command: the wrong one
	Position int    `json:"position,omitempty"` // where it begins, in characters from 1
}

// RunListResponse is a page of the list of runs as JSON.
type RunListResponse struct {
	Runs       []RunSummary `json:"runs"`
	NextCursor string       `json:"next_cursor,omitempty"`
	HasMore    bool         `json:"has_more"`
	AsOf       *AsOf        `json:"as_of,omitempty"`

	Query url.Values `json:"-"` // what narrows the list
}

// RunSummary is a run as JSON, in lists and as the beginning of its document.
type RunSummary struct {
	RunID        string     `json:"run_id"`
	PipelineName string     `json:"pipeline_name"`
	Status       string     `json:"status"`
	State        string     `json:"state,omitempty"`
	Reason       string     `json:"reason,omitempty"`
	Input        string     `json:"input,omitempty"`
	CurrentStep  string     `json:"current_step,omitempty"`
	TotalTokens  int64      `json:"total_tokens"`
	StartedAt    *time.Time `json:"started_at"`
	CompletedAt  *time.Time `json:"completed_at,omitempty"`
	Duration     string     `json:"duration,omitempty"`
	DurationMs   int64      `json:"duration_ms,omitempty"`
	Tags         []string   `json:"tags,omitempty"`
	Progress     int        `json:"progress,omitempty"`
	ErrorMessage string     `json:"error_message,omitempty"`
	Headline     string     `json:"headline,omitempty"`          // the line that says why it did not end well
	CausedBy     string     `json:"caused_by_run_id,omitempty"`  // the run below it that its failure began in
	CausedByStep string     `json:"caused_by_step_id,omitempty"` // the step of that run
	ParentRunID  string     `json:"parent_run_id,omitempty"`
	ParentStepID string     `json:"parent_step_id,omitempty"`
	ForkedFrom   string     `json:"forked_from_run_id,omitempty"`
	RetryOf      string     `json:"retry_of,omitempty"`     // the run that it repeats; where one run is asked for
	ResumedFrom  string     `json:"resumed_from,omitempty"` // the run that it takes up
	RunKind      string     `json:"run_kind,omitempty"`
	IterateIndex *int       `json:"iterate_index,omitempty"` // from 0
	IterateTotal *int       `json:"iterate_total,omitempty"`
	IterateMode  string     `json:"iterate_mode,omitempty"`
	BranchName   string     `json:"branch_name,omitempty"`
	DryRun       bool       `json:"dry_run,omitempty"` // nothing was executed

	SubtreeTokens  int64         `json:"subtree_tokens,omitempty"` // with all runs below it; only of one that started some
	ChildrenCounts *childSummary `json:"children_counts,omitempty"`

	Cost *CostSummary `json:"estimated_cost,omitempty"` // with all runs below; only where prices are given

	Stall *StallSummary `json:"stall,omitempty"` // of a run that has not ended, and of a lost one
	ETA   *EtaSummary   `json:"eta,omitempty"`   // of a running run, when enough earlier runs are known

	Runaway *RunawaySummary `json:"runaway,omitempty"`
}

// childSummary counts the runs that a run or a step started.
type childSummary struct {
	Total  int `json:"total"`
	Ended  int `json:"ended"`
	Failed int `json:"failed"`
}

func childSummaryOf(c wave.ChildCounts) *childSummary {
	if c.All == 0 {
		return nil
	}
	return &childSummary{Total: c.All, Ended: c.Ended, Failed: c.Failed}
}

// RunDetailResponse is a run as JSON, with its steps, events and artifacts.
type RunDetailResponse struct {
	Run       RunSummary        `json:"run"`
	Children  []RunSummary      `json:"children,omitempty"`     // the direct ones, oldest first
	Started   map[string]string `json:"started_with,omitempty"` // by the fields of the start form, as far as known
	Gates     []GateSummary     `json:"gates,omitempty"`        // that wait, of it and of the runs below it
	Steps     []stepDetail      `json:"steps"`
	Events    []eventSummary    `json:"events"`
	Artifacts []ArtifactSummary `json:"artifacts"`
	DAG       *DagData          `json:"dag,omitempty"`

	// The newest of each, oldest first, and how many there are.
	Outcomes         []outcomeSummary    `json:"outcomes,omitempty"`
	OutcomesTotal    int                 `json:"outcomes_total,omitempty"`
	Decisions        []decisionSummary   `json:"decisions,omitempty"`
	DecisionsTotal   int                 `json:"decisions_total,omitempty"`
	Checkpoints      []checkpointSummary `json:"checkpoints,omitempty"`
	CheckpointsTotal int                 `json:"checkpoints_total,omitempty"`

	AsOf *AsOf `json:"as_of,omitempty"`

	Windowed    bool  `json:"-"` // the events are a window that was asked for
	EventsTotal int64 `json:"-"` // how many there are
}

type stepDetail struct {
	StepID      string            `json:"step_id"`
	StepType    string            `json:"step_type,omitempty"` // prompt, command, gate, iterate, ... by its definition
	Persona     string            `json:"persona"`
	State       string            `json:"state"`
	Progress    int               `json:"progress"`
	Action      string            `json:"current_action,omitempty"`
	StartedAt   *time.Time        `json:"started_at,omitempty"`
	CompletedAt *time.Time        `json:"completed_at,omitempty"`
	Duration    string            `json:"duration,omitempty"`
	DurationMs  int64             `json:"duration_ms,omitempty"`
	TokensUsed  int64             `json:"tokens_used"`
	Error       string            `json:"error,omitempty"`
	Headline    string            `json:"headline,omitempty"` // the line that says why it did not end well
	Model       string            `json:"model,omitempty"`
	Adapter     string            `json:"adapter,omitempty"`
	Attempts    int               `json:"attempts,omitempty"`
	AttemptList []attemptSummary  `json:"attempt_list,omitempty"`     // oldest first
	MaxAttempts int               `json:"max_attempts,omitempty"`     // as far as a retry said so
	VisitCount  int               `json:"visit_count,omitempty"`      // of a loop or a graph
	CausedBy    string            `json:"caused_by_run_id,omitempty"` // the run it started that made it fail
	Children    *childSummary     `json:"children_counts,omitempty"`
	Contract    string            `json:"contract,omitempty"`
	ContractTxt string            `json:"contract_text,omitempty"`
	Evidence    string            `json:"contract_evidence,omitempty"`
	Note        string            `json:"note,omitempty"`
	Artifacts   []ArtifactSummary `json:"artifacts,omitempty"`
}

type attemptSummary struct {
	Number       int        `json:"number"` // from 1 again in each visit
	State        string     `json:"state"`
	FailureClass string     `json:"failure_class,omitempty"`
	Error        string     `json:"error,omitempty"`
	StartedAt    *time.Time `json:"started_at,omitempty"`
	CompletedAt  *time.Time `json:"completed_at,omitempty"`
	DurationMs   int64      `json:"duration_ms,omitempty"`
	TokensUsed   int64      `json:"tokens_used,omitempty"`
}

type eventSummary struct {
	ID         int64      `json:"id"`
	Timestamp  *time.Time `json:"timestamp"`
	StepID     string     `json:"step_id,omitempty"`
	State      string     `json:"state"`
	Persona    string     `json:"persona,omitempty"`
	Message    string     `json:"message,omitempty"`
	TokensUsed int64      `json:"tokens_used,omitempty"`
	DurationMs int64      `json:"duration_ms,omitempty"`
}

// ArtifactSummary is an artifact as JSON. Its content has an address of its own.
type ArtifactSummary struct {
	ID        int64      `json:"id"`
	StepID    string     `json:"step_id,omitempty"`
	Name      string     `json:"name"`
	Path      string     `json:"path"`
	Type      string     `json:"type,omitempty"`
	SizeBytes int64      `json:"size_bytes"`
	CreatedAt *time.Time `json:"created_at"`

	Replaced *ReplacedSummary `json:"replaced,omitempty"` // the file is not what the run wrote
}

// EventsInJSON is how many of a run's newest events its JSON holds; all of them
// are on its event stream.
const EventsInJSON = criteria.EventLimit

// AsOf says that a document is of a moment, and which of its fields are worked
// out or of a later time, because Wave overwrites them in place.
type AsOf struct {
	Event       int64      `json:"event"`
	Time        *time.Time `json:"time"`
	Approximate []string   `json:"approximate"`
}

// DetailOf is the JSON document of a run with some of its events. Found are the artifacts that something else
// has overwritten, by their ids.
func DetailOf(d wave.RunDetail, events []wave.Event, found map[int64]diagnose.Replacement) RunDetailResponse {
	body := RunDetailResponse{
		Run: SummaryOf(d.Run), Steps: []stepDetail{}, Events: []eventSummary{}, Artifacts: []ArtifactSummary{},
	}
	byStep := map[string][]ArtifactSummary{}
	for _, a := range d.Artifacts {
		summary := ArtifactSummaryOf(a)
		summary.Replaced = replacedSummaryOf(found, a.ID)
		body.Artifacts = append(body.Artifacts, summary)
		byStep[a.StepID] = append(byStep[a.StepID], summary)
	}
	for _, step := range d.Steps {
		body.Steps = append(body.Steps, BoundedTo(stepDetailOf(step, byStep[step.ID]), AccountShown))
	}
	for _, e := range events {
		body.Events = append(body.Events, BoundedTo(eventSummary{
			ID: e.ID, Timestamp: OptionalTime(e.At), StepID: e.StepID, State: Opening(e.State), Persona: Opening(e.Persona),
			Message: Redact(clipWhole(e.Message, 4*AccountShown)), TokensUsed: e.Tokens, DurationMs: e.Duration.Milliseconds(),
		}, AccountShown))
	}
	return body
}

// ArtifactSummaryOf is an artifact as JSON.
func ArtifactSummaryOf(a wave.Artifact) ArtifactSummary {
	return Bounded(ArtifactSummary{
		ID: a.ID, StepID: a.StepID, Name: a.Name, Path: a.Path, Type: a.Type, SizeBytes: a.Size, CreatedAt: OptionalTime(a.CreatedAt),
	})
}

func stepDetailOf(step wave.Step, artifacts []ArtifactSummary) stepDetail {
	d := stepDetail{
		StepID: step.ID, Persona: Opening(step.Persona), State: string(step.State), Action: Redact(step.Action),
		StartedAt: OptionalTime(step.StartedAt), CompletedAt: OptionalTime(step.CompletedAt),
		Error: Redact(step.Error), Headline: Redact(step.Headline), Model: Redact(step.Model), Adapter: Redact(step.Adapter), Attempts: len(step.Attempts), VisitCount: step.Visits, MaxAttempts: step.Retries,
		StepType: step.Kind, Children: childSummaryOf(step.Children), Note: Redact(step.Note), Artifacts: artifacts,
		TokensUsed: ValueOr0(step.Tokens), Progress: ValueOr0(step.Progress),
	}
	if step.HasDuration {
		d.Duration, d.DurationMs = step.Duration.String(), step.Duration.Milliseconds()
	}
	if step.Culprit != nil {
		d.CausedBy = step.Culprit.ID
	}
	for _, a := range step.Attempts {
		d.AttemptList = append(d.AttemptList, attemptSummary{
			Number: a.Number, State: string(a.State), FailureClass: Redact(a.FailureClass), Error: Redact(BothEnds(a.Error)),
			StartedAt: OptionalTime(a.StartedAt), CompletedAt: OptionalTime(a.CompletedAt), DurationMs: a.Duration.Milliseconds(), TokensUsed: ValueOr0(a.Tokens),
		})
	}
	if step.Contract != nil {
		d.Contract, d.ContractTxt = step.Contract.Result, Redact(BothEnds(step.Contract.Text))
	}
	if step.Evidence != nil {
		d.Evidence = Redact(BothEnds(step.Evidence.Text))
	}
	return d
}

// StatusWord is Wave's word, one of five, for a derived state, and whether the word
// says everything. It is empty for a state that Wave has no word for.
func StatusWord(s wave.State) (word string, exact bool) {
	switch s {
	case wave.Pending:
		return "pending", true
	case wave.Queued:
		return "pending", false
	case wave.Running:
		return "running", true
	case wave.Waiting:
		return "running", false
	case wave.Succeeded:
		return "completed", true
	case wave.Empty:
		return "completed", false
	case wave.Cancelled:
		return "cancelled", true
	case wave.Failed:
		return "failed", true
	case wave.Rejected, wave.Lost:
		return "failed", false
	default:
		return "", false
	}
}

// SummaryInList is a run in a list: its texts and lists are bounded.
func SummaryInList(run wave.Run) RunSummary {
	run.Input, run.Error = clipWhole(run.Input, openingRead), BothEnds(run.Error)
	return Bounded(SummaryOf(run))
}

// SummaryOf is a run as JSON, whole.
func SummaryOf(run wave.Run) RunSummary {
	sum := RunSummary{
		RunID: run.ID, PipelineName: run.Pipeline, Reason: Redact(run.Reason), Input: Redact(run.Input),
		TotalTokens: ValueOr0(run.Tokens), StartedAt: OptionalTime(run.StartedAt), CompletedAt: OptionalTime(run.CompletedAt),
		Tags: RedactAll(run.Tags), Progress: ValueOr0(run.Progress), ErrorMessage: Redact(run.Error), Headline: Redact(run.Headline),
		ParentRunID: run.Parent, ParentStepID: run.ParentStep, ForkedFrom: run.ForkedFrom, RunKind: run.Kind, BranchName: Redact(run.Branch),
		SubtreeTokens: ValueOr0(run.Subtree), ChildrenCounts: childSummaryOf(run.Children), DryRun: run.DryRun,
	}
	if run.Kind == "resume" {
		sum.ResumedFrom = run.Parent
	}
	if run.Iterate != nil {
		sum.IterateIndex, sum.IterateMode = &run.Iterate.Index, run.Iterate.Mode
		if run.Iterate.Total > 0 {
			sum.IterateTotal = &run.Iterate.Total
		}
	}
	word, exact := StatusWord(run.State)
	sum.Status = word
	if word == "" {
		sum.Status = run.Status
	}
	if !exact {
		sum.State = string(run.State)
	}
	if run.Cause != nil {
		sum.CausedBy, sum.CausedByStep = run.Cause.Run, run.Cause.Step
	}
	if len(run.Current) > 0 {
		sum.CurrentStep = run.Current[0]
	}
	if run.HasDuration {
		sum.Duration, sum.DurationMs = run.Duration.String(), run.Duration.Milliseconds()
	}
	return sum
}

// OptionalTime leaves out a time that is not known.
func OptionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC()
	return &utc
}

// ValueOr0 is what p points to, 0 when it points nowhere.
func ValueOr0[T int | int64](p *T) T {
	if p == nil {
		return 0
	}
	return *p
}

// Pointers points to each element of a list.
func Pointers[T any](list []T) []*T {
	out := make([]*T, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}
