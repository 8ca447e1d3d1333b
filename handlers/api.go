package handlers

import (
	"context"
	"net/url"
	"time"

	"wavedeck/store"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
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
	AsOf       *asOf        `json:"as_of,omitempty"`

	query url.Values // what narrows the list
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

	Cost *costSummary `json:"estimated_cost,omitempty"` // with all runs below; only where prices are given

	Stall *stallSummary `json:"stall,omitempty"` // of a run that has not ended, and of a lost one
	ETA   *etaSummary   `json:"eta,omitempty"`   // of a run that works, when its past tells

	Runaway *runawaySummary `json:"runaway,omitempty"`
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

type runDetailResponse struct {
	Run       runSummary        `json:"run"`
	Children  []runSummary      `json:"children,omitempty"`     // the direct ones, oldest first
	Started   map[string]string `json:"started_with,omitempty"` // by the fields of the start form, as far as known
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

	AsOf *asOf `json:"as_of,omitempty"`

	windowed    bool  // the events are a window that was asked for
	eventsTotal int64 // how many there are
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
	VisitCount  int               `json:"visit_count,omitempty"`      // of a loop or a graph
	CausedBy    string            `json:"caused_by_run_id,omitempty"` // the run it started that made it fail
	Children    *childSummary     `json:"children_counts,omitempty"`
	Contract    string            `json:"contract,omitempty"`
	Note        string            `json:"note,omitempty"`
	Artifacts   []artifactSummary `json:"artifacts,omitempty"`
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

type artifactSummary struct {
	ID        int64      `json:"id"`
	StepID    string     `json:"step_id,omitempty"`
	Name      string     `json:"name"`
	Path      string     `json:"path"`
	Type      string     `json:"type,omitempty"`
	SizeBytes int64      `json:"size_bytes"`
	CreatedAt *time.Time `json:"created_at"`

	Replaced *replacedSummary `json:"replaced,omitempty"` // the file is not what the run wrote
}

// apiEvents is how many of a run's newest events its JSON holds; all of them
// are on its event stream.
const apiEvents = criteria.EventLimit

// asOf says that a document is of a moment, and which of its fields are worked
// out or of a later time, because Wave overwrites them in place.
type asOf struct {
	Event       int64      `json:"event"`
	Time        *time.Time `json:"time"`
	Approximate []string   `json:"approximate"`
}

// runsDocument is a page of the list.
func (s *Server) runsDocument(ctx context.Context, l listing) (runListResponse, error) {
	body := runListResponse{Runs: []runSummary{}, query: l.values}
	page, err := s.page(ctx, l)
	if err != nil {
		return body, err
	}
	if page.Older != nil {
		body.NextCursor, body.HasMore = page.Older.String(), true
	}
	if l.at != nil {
		body.AsOf = newAsOf(*l.at, "runs.")
	}
	body.Runs, err = s.summaries(ctx, page.Runs, l.at)
	return body, err
}

// page is a page of the list, now or as of a moment.
func (s *Server) page(ctx context.Context, l listing) (criteria.RunPage, error) {
	if l.at == nil {
		return s.store.Runs(ctx, l.filter) //nolint:wrapcheck // described by the error table
	}
	return s.store.PageAt(ctx, l.filter, *l.at) //nolint:wrapcheck // described by the error table
}

// summaries are runs in JSON. What they cost and how they will go on is known of
// now only.
func (s *Server) summaries(ctx context.Context, runs []wave.Run, at *wave.Moment) ([]runSummary, error) {
	sums := make([]runSummary, len(runs))
	for i, run := range runs {
		sums[i] = summaryInList(run)
	}
	if at != nil {
		return sums, nil
	}
	if err := s.addCostSummaries(ctx, pointers(sums)...); err != nil {
		return nil, err
	}
	return sums, s.addOutlooks(ctx, sums, runs)
}

// runDocument is a run, now or as of a moment, with the newest of its events or
// those of a window.
func (s *Server) runDocument(ctx context.Context, id string, at *wave.Moment, window eventWindow) (runDetailResponse, error) {
	detail, err := s.detailOn(ctx, id, at)
	if err != nil {
		return runDetailResponse{}, err
	}
	f := criteria.EventFilter{Run: id, After: window.after, Before: window.before, Limit: apiEvents, Newest: window.after == 0}
	if at != nil && (f.Before == 0 || f.Before > at.Event) {
		f.Before = at.Event + 1
	}
	events, err := s.store.Events(ctx, f)
	if err != nil {
		return runDetailResponse{}, err //nolint:wrapcheck // described by the error table
	}
	found, err := s.replacedIn(ctx, detail)
	if err != nil {
		return runDetailResponse{}, err
	}
	body := detailOf(detail, events, found)
	body.DAG, body.windowed, body.eventsTotal = s.dagOf(detail), window != eventWindow{}, detail.Events
	body.addLedger(detail)
	body.Started = s.startedWith(ctx, detail.Run, at)
	if body.Children, err = s.summaries(ctx, detail.Children, at); err != nil {
		return body, err
	}
	if at != nil {
		body.AsOf = newAsOf(*at, "run.", approximateRest...)
	}
	sums, err := s.summaries(ctx, []wave.Run{detail.Run}, at)
	if err != nil {
		return body, err
	}
	whole := summaryOf(detail.Run)
	sums[0].Input, sums[0].ErrorMessage, sums[0].Tags, sums[0].Reason = whole.Input, whole.ErrorMessage, whole.Tags, whole.Reason
	body.Run = sums[0]
	if original := s.retryRef(ctx, detail.Run); original != nil {
		body.Run.RetryOf = original.ID
	}
	return body, nil
}

func detailOf(d wave.RunDetail, events []wave.Event, found map[int64]store.Replacement) runDetailResponse {
	body := runDetailResponse{
		Run: summaryOf(d.Run), Steps: []stepDetail{}, Events: []eventSummary{}, Artifacts: []artifactSummary{},
	}
	byStep := map[string][]artifactSummary{}
	for _, a := range d.Artifacts {
		summary := artifactSummaryOf(a)
		summary.Replaced = replacedSummaryOf(found, a.ID)
		body.Artifacts = append(body.Artifacts, summary)
		byStep[a.StepID] = append(byStep[a.StepID], summary)
	}
	for _, step := range d.Steps {
		body.Steps = append(body.Steps, boundedTo(stepDetailOf(step, byStep[step.ID]), accountShown))
	}
	for _, e := range events {
		body.Events = append(body.Events, boundedTo(eventSummary{
			ID: e.ID, Timestamp: momentOf(e.At), StepID: e.StepID, State: e.State, Persona: e.Persona,
			Message: shown(clipWhole(e.Message, 4*accountShown)), TokensUsed: e.Tokens, DurationMs: e.Duration.Milliseconds(),
		}, accountShown))
	}
	return body
}

func artifactSummaryOf(a wave.Artifact) artifactSummary {
	return bounded(artifactSummary{
		ID: a.ID, StepID: a.StepID, Name: a.Name, Path: a.Path, Type: a.Type, SizeBytes: a.Size, CreatedAt: momentOf(a.CreatedAt),
	})
}

func stepDetailOf(step wave.Step, artifacts []artifactSummary) stepDetail {
	d := stepDetail{
		StepID: step.ID, Persona: step.Persona, State: string(step.State), Action: shown(step.Action),
		StartedAt: momentOf(step.StartedAt), CompletedAt: momentOf(step.CompletedAt),
		Error: shown(step.Error), Headline: shown(step.Headline), Model: shown(step.Model), Adapter: shown(step.Adapter), Attempts: len(step.Attempts), VisitCount: step.Visits,
		StepType: step.Kind, Children: childSummaryOf(step.Children), Note: shown(step.Note), Artifacts: artifacts,
		TokensUsed: valueOf(step.Tokens), Progress: valueOf(step.Progress),
	}
	if step.HasDuration {
		d.Duration, d.DurationMs = step.Duration.String(), step.Duration.Milliseconds()
	}
	if step.Culprit != nil {
		d.CausedBy = step.Culprit.ID
	}
	for _, a := range step.Attempts {
		d.AttemptList = append(d.AttemptList, attemptSummary{
			Number: a.Number, State: string(a.State), FailureClass: a.FailureClass, Error: shown(a.Error),
			StartedAt: momentOf(a.StartedAt), CompletedAt: momentOf(a.CompletedAt), DurationMs: a.Duration.Milliseconds(), TokensUsed: valueOf(a.Tokens),
		})
	}
	if step.Contract != nil {
		d.Contract = step.Contract.Result
	}
	return d
}

// statusWord is Wave's word, one of five, for a told state, and whether the word
// says everything. It is empty for a state that Wave has no word for.
func statusWord(s wave.State) (word string, exact bool) {
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

// summaryInList is a run in a list: its texts and lists are bounded.
func summaryInList(run wave.Run) runSummary {
	run.Input, run.Error = clipWhole(run.Input, openingRead), ends(run.Error)
	return bounded(summaryOf(run))
}

func summaryOf(run wave.Run) runSummary {
	sum := runSummary{
		RunID: run.ID, PipelineName: run.Pipeline, Reason: shown(run.Reason), Input: shown(run.Input),
		TotalTokens: valueOf(run.Tokens), StartedAt: momentOf(run.StartedAt), CompletedAt: momentOf(run.CompletedAt),
		Tags: shownAll(run.Tags), Progress: valueOf(run.Progress), ErrorMessage: shown(run.Error), Headline: shown(run.Headline),
		ParentRunID: run.Parent, ParentStepID: run.ParentStep, ForkedFrom: run.ForkedFrom, RunKind: run.Kind, BranchName: shown(run.Branch),
		SubtreeTokens: valueOf(run.Subtree), ChildrenCounts: childSummaryOf(run.Children), DryRun: run.DryRun,
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
	word, exact := statusWord(run.State)
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
