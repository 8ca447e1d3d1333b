package diagnose

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"wavedeck/store/wave"
)

// Steps assembles and tells the steps of a run in order.
func (r *StepRows) Steps(run wave.Run) []wave.Step {
	b := stepBuilder{
		StepRows: r, run: run, blamed: blamedStep(run.Error),
		derived: make(map[string]*wave.Step, len(r.order)), deps: make(map[string][]string, len(r.Def)),
		recorded: len(r.States)+len(r.History.Order) > 0 || run.State == wave.Failed && blamedStep(run.Error) == "",
	}
	b.kinds = make(map[string]wave.StepDef, len(r.Def))
	for _, s := range r.Def {
		b.deps[s.ID], b.kinds[s.ID] = s.Dependencies, s
	}
	for _, id := range r.order {
		switch b.settled(id) {
		case "failed", "rejected":
			b.someFailed = true
		}
	}
	steps := make([]wave.Step, len(r.order))
	for i, id := range r.order {
		steps[i] = *b.step(id)
	}
	return steps
}

// stepBuilder tells steps after the steps they depend on.
type stepBuilder struct {
	*StepRows
	run        wave.Run
	blamed     string // the step that the run's error names
	someFailed bool
	recorded   bool // the run has records of its steps
	deps       map[string][]string
	kinds      map[string]wave.StepDef
	derived    map[string]*wave.Step // nil while its dependencies are being derived
}

// word is the last state recorded for a step, from who knows best: the row
// Wave keeps, a writer of progress, the events, the attempts.
func (b *stepBuilder) word(id string) string {
	if h := b.History.Steps[id]; h != nil && h.gate && h.Word == "running" && b.run.State.Active() {
		return h.Word // the row of a gate in a loop stays at the end of its first turn
	}
	if w := b.States[id].State; w != "" && w != "pending" {
		return w
	}
	if w := b.Progress[id].State; w != "" && w != "pending" {
		return w
	}
	if h := b.History.Steps[id]; h != nil && h.Word != "" {
		return h.Word
	}
	if rows := b.Attempts[id]; len(rows) > 0 {
		if w := rows[len(rows)-1].State; w != "succeeded" {
			return w
		}
		return "completed"
	}
	if b.States[id].State != "" || b.Progress[id].State != "" {
		return "pending"
	}
	return ""
}

// settled is the last word of a step, corrected by the end of its run.
func (b *stepBuilder) settled(id string) string {
	return settledWord(b.word(id), b.failure(id), id, b.run.State, b.run.Error)
}

// failure is what went wrong with a step, from whatever recorded it.
func (b *stepBuilder) failure(id string) string {
	texts := []string{""}
	switch row := b.States[id]; row.State {
	case "failed", "rejected":
		texts = append(texts, row.Error)
	}
	if h := b.History.Steps[id]; h != nil {
		texts = append(texts, h.err)
	}
	if rows := b.Attempts[id]; len(rows) > 0 {
		texts = append(texts, rows[len(rows)-1].Error)
	}
	return fullestText(texts...)
}

func (b *stepBuilder) step(id string) *wave.Step {
	if s, ok := b.derived[id]; ok {
		return s
	}
	b.derived[id] = nil // a cycle ends here
	h := b.History.Steps[id]
	if h == nil {
		h = &stepHistory{}
	}
	s := &wave.Step{ID: id, Recorded: b.word(id), Persona: h.Persona, Model: h.Model, Adapter: h.adapter, Retries: h.retries, Contract: h.contract, Evidence: h.evidence, Checks: h.checks, Gate: h.gate, Kind: b.kinds[id].Kind}
	s.Attempts = b.attemptsOf(id, h)
	row := b.States[id]
	children := b.childrenOf(id)
	s.Children = wave.ChildCounts{All: max(children.All, children.Total), Ended: children.Ended, Failed: children.Failed}
	s.Visits = max(int(wave.OrZero(&row.Visits)), h.visits)
	facts := stepFacts{
		Word: b.settled(id), Children: children, Recorded: b.recorded, DryRun: b.run.DryRun,
		Gate:   h.gate || b.kinds[id].Kind == "gate",
		Blamed: b.blamed == id || !b.someFailed,
	}
	facts.Error, facts.Note = b.failure(id), b.note(id, h)
	if facts.Error == "" && b.blamed == id {
		facts.Error = b.run.Error
	}
	switch s.Recorded {
	case "", "pending", "skipped":
		facts.Blocker = b.blocker(id)
	}
	s.State, s.Note = deriveStep(facts, b.run.State)
	s.Note = cmp.Or(b.elsewhere(s), s.Note)
	if (s.State == wave.Waiting || s.State == wave.Running) && h.gate && h.Word == "running" {
		s.Asked = &h.asked
	}
	switch s.State {
	case wave.Failed, wave.Rejected, wave.Cancelled, wave.Lost:
		s.Error = facts.Error
	}
	if s.State == wave.Failed {
		s.Culprit = b.culprit(id)
	}
	for _, row := range b.Metrics[id] {
		if s.Persona == "" {
			s.Persona = row.Persona
		}
	}
	for _, persona := range []string{b.Progress[id].Persona, b.kinds[id].Persona} {
		if s.Persona == "" {
			s.Persona = persona
		}
	}
	b.addTimes(s, h)
	b.addTokens(s, h)
	b.addProgress(s)
	settleAttempts(s)
	b.derived[id] = s
	return s
}

// note is what was merely noted of a step: step_state keeps that in the column
// of its errors.
func (b *stepBuilder) note(id string, h *stepHistory) string {
	row := b.States[id]
	switch row.State {
	case "failed", "rejected":
		return ""
	case "running", "retrying":
		return row.Error
	default:
		return cmp.Or(row.Error, h.note)
	}
}

// elsewhere says of a step that this run has no record of where it was done; empty:
// nothing tells.
func (b *stepBuilder) elsewhere(s *wave.Step) string {
	switch {
	case s.Recorded != "":
		return ""
	case s.State == wave.Unknown && slices.ContainsFunc(b.Children, func(c wave.Run) bool { return c.Pipeline == b.run.Pipeline && c.ParentStep == "" }):
		return "runs in each child run"
	case s.State == wave.Skipped && b.run.Kind == "resume" && slices.Index(b.order, s.ID) < slices.Index(b.order, b.run.ParentStep):
		return "done in the run that it resumes"
	default:
		return ""
	}
}

// culprit is the run that a step started and that made it fail: the first that
// failed by itself, for those that were stopped because of it did not.
func (b *stepBuilder) culprit(id string) *wave.Run {
	var first *wave.Run
	for i := range b.Children {
		child := &b.Children[i]
		if child.ParentStep != id || b.isResume(*child) || child.State != wave.Failed && child.State != wave.Rejected {
			continue
		}
		if first == nil || child.CompletedAt.Before(first.CompletedAt) {
			first = child
		}
	}
	return first
}

// blocker is the dependency that keeps a step from running.
func (b *stepBuilder) blocker(id string) string {
	for _, dep := range b.deps[id] {
		if !slices.Contains(b.order, dep) {
			continue
		}
		s := b.step(dep)
		if s == nil {
			continue
		}
		switch s.State {
		case wave.Failed, wave.Rejected, wave.Cancelled, wave.Lost:
			return dep
		case wave.Skipped, wave.Pending:
			if b.blockedBy(s) {
				return dep
			}
		}
	}
	return ""
}

func (b *stepBuilder) blockedBy(s *wave.Step) bool {
	for _, dep := range b.deps[s.ID] {
		if s.Note == BlockedBy+dep {
			return true
		}
	}
	return false
}

// childrenOf counts the runs a step started, the latest try of each item only.
func (b *stepBuilder) childrenOf(id string) stepChildren {
	latest := map[string]wave.State{}
	var c stepChildren
	for _, child := range b.Children { // oldest first
		if child.ParentStep != id || b.isResume(child) {
			continue
		}
		key := child.Kind
		switch {
		case child.Iterate != nil:
			key += strconv.Itoa(child.Iterate.Index)
			c.Total = max(c.Total, child.Iterate.Total)
		case child.Kind == "":
			key = "input " + child.Input // an old schema: the item is all that tells them apart
		}
		latest[key] = child.State
	}
	c.All = len(latest)
	for _, s := range latest {
		if s.Ended() {
			c.Ended++
		}
		if s == wave.Failed || s == wave.Rejected {
			c.Failed++
		}
	}
	return c
}

func (b *stepBuilder) isResume(child wave.Run) bool {
	return child.Kind == "resume" ||
		child.Kind == "" && !b.run.CompletedAt.IsZero() && child.StartedAt.After(b.run.CompletedAt)
}

// addTimes sums the milliseconds of the attempts where they were measured, and
// else takes the whole seconds of the row.
func (b *stepBuilder) addTimes(s *wave.Step, h *stepHistory) {
	row := b.States[s.ID]
	s.StartedAt, s.CompletedAt = wave.Unix(row.StartedAt), wave.Unix(row.CompletedAt)
	if s.StartedAt.IsZero() {
		s.StartedAt = h.startedAt
	}
	if n := len(s.Attempts); s.StartedAt.IsZero() && n > 0 {
		s.StartedAt = s.Attempts[0].StartedAt
	}
	if s.CompletedAt.IsZero() {
		s.CompletedAt = h.endedAt
	}
	if !s.State.Ended() || s.State == wave.Lost || s.State == wave.Skipped {
		s.CompletedAt = time.Time{}
		return
	}
	var measured time.Duration
	for _, m := range b.Metrics[s.ID] {
		measured += wave.Milliseconds(m.Duration)
	}
	switch {
	case h.workers:
		measured = 0 // they work at once
	case measured == 0 && len(s.Attempts) <= 1:
		measured = h.length
	}
	if measured > 0 {
		s.Duration, s.HasDuration = measured, true
		return
	}
	s.Duration, s.HasDuration = wave.Between(s.StartedAt, s.CompletedAt)
	s.CoarseSecond = s.HasDuration
}

func (b *stepBuilder) addTokens(s *wave.Step, h *stepHistory) {
	var metrics, attempts int64
	for _, m := range b.Metrics[s.ID] {
		metrics += m.Tokens
	}
	for _, a := range b.Attempts[s.ID] {
		attempts += a.Tokens
	}
	n := max(metrics, attempts, h.Tokens, b.Progress[s.ID].Tokens)
	if n > 0 || h.HasTokens || len(b.Metrics[s.ID]) > 0 {
		s.Tokens = &n
	}
}

func (b *stepBuilder) addProgress(s *wave.Step) {
	if !s.State.Active() {
		return
	}
	p := b.Progress[s.ID]
	if p.Progress != nil {
		percent := int(min(max(*p.Progress, 0), 100))
		s.Progress = &percent
	}
	s.Action = p.Action
	if s.Action == "" && s.State == wave.Running {
		s.Action = b.Activity[s.ID]
	}
}
