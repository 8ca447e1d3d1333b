package handlers

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"wavedeck/store"
)

// The JSON forms keep Wave's field names and rules of omission. What Wave's five
// status words cannot say stands in the additional field state.

type apiError struct {
	Error    string `json:"error"`
	Word     string `json:"word,omitempty"`     // of a filter or command: the wrong one
	Position int    `json:"position,omitempty"` // where it begins, in characters from 1
}

type runListResponse struct {
	Runs       []runSummary `json:"runs"`
	NextCursor string       `json:"next_cursor,omitempty"`
	HasMore    bool         `json:"has_more"`
}

type runSummary struct {
	RunID        string     `json:"run_id"`
	PipelineName string     `json:"pipeline_name"`
	Status       string     `json:"status"`
	State        string     `json:"state,omitempty"`
	Reason       string     `json:"reason,omitempty"`
	Input        string     `json:"input,omitempty"`
	CurrentStep  string     `json:"current_step,omitempty"`
	TotalTokens  int64      `json:"total_tokens"`
	StartedAt    time.Time  `json:"started_at"`
	CompletedAt  *time.Time `json:"completed_at,omitempty"`
	Duration     string     `json:"duration,omitempty"`
	DurationMs   int64      `json:"duration_ms,omitempty"`
	Tags         []string   `json:"tags,omitempty"`
	Progress     int        `json:"progress,omitempty"`
	ErrorMessage string     `json:"error_message,omitempty"`
	ParentRunID  string     `json:"parent_run_id,omitempty"`
	BranchName   string     `json:"branch_name,omitempty"`

	Cost *costSummary `json:"estimated_cost,omitempty"` // with all runs below; only where prices are given

	Stall *stallSummary `json:"stall,omitempty"` // of a run that has not ended, and of a lost one
	ETA   *etaSummary   `json:"eta,omitempty"`   // of a run that works, when its past tells

	Runaway *runawaySummary `json:"runaway,omitempty"`
}

type runDetailResponse struct {
	Run       runSummary        `json:"run"`
	Steps     []stepDetail      `json:"steps"`
	Events    []eventSummary    `json:"events"`
	Artifacts []artifactSummary `json:"artifacts"`
	DAG       *dagData          `json:"dag,omitempty"`

	// The newest of each, oldest first, and how many there are.
	Outcomes         []outcomeSummary    `json:"outcomes,omitempty"`
	OutcomesTotal    int                 `json:"outcomes_total,omitempty"`
	Decisions        []decisionSummary   `json:"decisions,omitempty"`
	DecisionsTotal   int                 `json:"decisions_total,omitempty"`
	Checkpoints      []checkpointSummary `json:"checkpoints,omitempty"`
	CheckpointsTotal int                 `json:"checkpoints_total,omitempty"`
}

type stepDetail struct {
	StepID      string            `json:"step_id"`
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
	Model       string            `json:"model,omitempty"`
	Attempts    int               `json:"attempts,omitempty"`
	Contract    string            `json:"contract,omitempty"`
	Note        string            `json:"note,omitempty"`
	Artifacts   []artifactSummary `json:"artifacts,omitempty"`
}

type eventSummary struct {
	ID         int64     `json:"id"`
	Timestamp  time.Time `json:"timestamp"`
	StepID     string    `json:"step_id,omitempty"`
	State      string    `json:"state"`
	Persona    string    `json:"persona,omitempty"`
	Message    string    `json:"message,omitempty"`
	TokensUsed int64     `json:"tokens_used,omitempty"`
	DurationMs int64     `json:"duration_ms,omitempty"`
}

type artifactSummary struct {
	ID        int64     `json:"id"`
	StepID    string    `json:"step_id,omitempty"`
	Name      string    `json:"name"`
	Path      string    `json:"path"`
	Type      string    `json:"type,omitempty"`
	SizeBytes int64     `json:"size_bytes"`
	CreatedAt time.Time `json:"created_at"`
}

// apiEvents is how many of a run's newest events its JSON holds; all of them
// are on its event stream.
const apiEvents = store.EventLimit

func (s *Server) apiRuns(w http.ResponseWriter, r *http.Request) error {
	query, err := parseRunsQuery(r.URL.Query(), s.now())
	if err != nil {
		return err
	}
	return s.serveCached(w, r, typeJSON, func(ctx context.Context, b *bytes.Buffer) error {
		page, err := s.store.Runs(ctx, query.filter)
		if err != nil {
			return err
		}
		body := runListResponse{Runs: []runSummary{}, HasMore: page.Older != nil}
		if page.Older != nil {
			body.NextCursor = page.Older.String()
		}
		for _, run := range page.Runs {
			body.Runs = append(body.Runs, summaryOf(run))
		}
		if err := s.addCostSummaries(ctx, pointers(body.Runs)...); err != nil {
			return err
		}
		if err := s.addOutlooks(ctx, body.Runs, page.Runs); err != nil {
			return err
		}
		return encodeJSON(b, body)
	})
}

func (s *Server) apiRun(w http.ResponseWriter, r *http.Request) error {
	id, err := pathVar(r, "run")
	if err != nil {
		return err
	}
	return s.serveCached(w, r, typeJSON, func(ctx context.Context, b *bytes.Buffer) error {
		detail, err := s.store.Detail(ctx, id)
		if err != nil {
			return err
		}
		events, err := s.store.Events(ctx, store.EventFilter{Run: id, Limit: apiEvents, Newest: true})
		if err != nil {
			return err
		}
		body := detailOf(detail, events)
		body.DAG = s.dagOf(detail)
		body.addLedger(detail)
		if err := s.addCostSummaries(ctx, &body.Run); err != nil {
			return err
		}
		sums := []runSummary{body.Run}
		if err := s.addOutlooks(ctx, sums, []store.Run{detail.Run}); err != nil {
			return err
		}
		body.Run = sums[0]
		return encodeJSON(b, body)
	})
}

func detailOf(d store.RunDetail, events []store.Event) runDetailResponse {
	body := runDetailResponse{
		Run: summaryOf(d.Run), Steps: []stepDetail{}, Events: []eventSummary{}, Artifacts: []artifactSummary{},
	}
	byStep := map[string][]artifactSummary{}
	for _, a := range d.Artifacts {
		summary := artifactSummaryOf(a)
		body.Artifacts = append(body.Artifacts, summary)
		byStep[a.StepID] = append(byStep[a.StepID], summary)
	}
	for _, step := range d.Steps {
		body.Steps = append(body.Steps, stepDetailOf(step, byStep[step.ID]))
	}
	for _, e := range events {
		body.Events = append(body.Events, eventSummary{
			ID: e.ID, Timestamp: e.At.UTC(), StepID: e.StepID, State: e.State, Persona: e.Persona,
			Message: shown(e.Message), TokensUsed: e.Tokens, DurationMs: e.Duration.Milliseconds(),
		})
	}
	return body
}

func artifactSummaryOf(a store.Artifact) artifactSummary {
	return artifactSummary{
		ID: a.ID, StepID: a.StepID, Name: a.Name, Path: a.Path, Type: a.Type, SizeBytes: a.Size, CreatedAt: a.CreatedAt.UTC(),
	}
}

func stepDetailOf(step store.Step, artifacts []artifactSummary) stepDetail {
	d := stepDetail{
		StepID: step.ID, Persona: step.Persona, State: string(step.State), Action: shown(step.Action),
		StartedAt: momentOf(step.StartedAt), CompletedAt: momentOf(step.CompletedAt),
		Error: shown(step.Error), Model: step.Model, Attempts: len(step.Attempts), Note: shown(step.Note), Artifacts: artifacts,
		TokensUsed: valueOf(step.Tokens), Progress: valueOf(step.Progress),
	}
	if step.HasDuration {
		d.Duration, d.DurationMs = step.Duration.String(), step.Duration.Milliseconds()
	}
	if step.Contract != nil {
		d.Contract = step.Contract.Result
	}
	return d
}

// statusWord is Wave's word, one of five, for a told state, and whether the word
// says everything. It is empty for a state that Wave has no word for.
func statusWord(s store.State) (word string, exact bool) {
	switch s {
	case store.Pending:
		return "pending", true
	case store.Queued:
		return "pending", false
	case store.Running:
		return "running", true
	case store.Waiting:
		return "running", false
	case store.Succeeded:
		return "completed", true
	case store.Empty:
		return "completed", false
	case store.Cancelled:
		return "cancelled", true
	case store.Failed:
		return "failed", true
	case store.Rejected, store.Lost:
		return "failed", false
	default:
		return "", false
	}
}

func summaryOf(run store.Run) runSummary {
	sum := runSummary{
		RunID: run.ID, PipelineName: run.Pipeline, Reason: shown(run.Reason), Input: shown(run.Input),
		TotalTokens: valueOf(run.Tokens), StartedAt: run.StartedAt.UTC(), CompletedAt: momentOf(run.CompletedAt),
		Tags: run.Tags, Progress: valueOf(run.Progress), ErrorMessage: shown(run.Error),
		ParentRunID: run.Parent, BranchName: run.Branch,
	}
	word, exact := statusWord(run.State)
	sum.Status = word
	if word == "" {
		sum.Status = run.Status
	}
	if !exact {
		sum.State = string(run.State)
	}
	if len(run.Current) > 0 {
		sum.CurrentStep = run.Current[0]
	}
	if run.HasDuration {
		sum.Duration, sum.DurationMs = run.Duration.String(), run.Duration.Milliseconds()
	}
	return sum
}

// momentOf leaves out a time that is not known.
func momentOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC()
	return &utc
}

func valueOf[T int | int64](p *T) T {
	if p == nil {
		return 0
	}
	return *p
}

func pointers[T any](list []T) []*T {
	out := make([]*T, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}
