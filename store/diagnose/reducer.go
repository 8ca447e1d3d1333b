package diagnose

import (
	"maps"
	"slices"
	"strings"
	"time"

	"wavedeck/store/wave"
)

// Bounds of what a history keeps of a run whose writer repeats itself for ever.
const (
	MaxSteps    = 5000
	maxAttempts = 200
)

// History is what the events of one run say of it, folded in id order. It is
// a pure reducer: the same events give the same history however they are cut
// into batches, and an event that was folded before changes nothing.
type History struct {
	Last   int64     // id of the newest event seen, folded or passed over
	LastAt time.Time // when that was written

	begun     bool   // a run-level started was seen
	total     int    // "steps=N" of the start; 0: unknown
	done      int    // "k/n steps completed"
	gate      bool   // the last gate event waits
	preflight string // the last text of a check before the first step
	End       string
	endLength time.Duration // of the last run-level completed; 0: none

	Order []string // steps in the order of their first event
	Steps map[string]*stepHistory
	Marks []wave.LogMark // by id
}

// stepHistory is what the events of a run say of one step.
type stepHistory struct {
	Word      string // the last event that is a state of the step
	startedAt time.Time
	endedAt   time.Time
	Persona   string
	Model     string
	adapter   string
	gate      bool // it is a gate
	asked     wave.Asked
	Tokens    int64
	HasTokens bool
	err       string // the fullest text of the last failure
	note      string // why it was skipped
	length    time.Duration
	retries   int  // n of "attempt i/n"
	visits    int  // how often a loop or an edge came to it, from 2 on
	fansOut   bool // it starts a run, or a worker, for each of several items
	workers   bool // they are workers, which are no runs
	warned    bool // its contract failed in this attempt, and the pipeline goes on with that
	attempts  []attemptHistory
	contract  *wave.Contract
	evidence  *wave.Contract
	checks    []wave.Check // oldest first, at most maxAttempts
}

type attemptHistory struct {
	number  int
	state   wave.State
	err     string
	started time.Time
	ended   time.Time
}

// Add folds one event. Events come in the order of their ids.
func (h *History) Add(e wave.Event) {
	if e.ID <= h.Last {
		return
	}
	h.Last, h.LastAt = e.ID, e.At
	if e.StepID == "" {
		h.addRunLevel(e)
		return
	}
	s := h.step(e.StepID)
	if s == nil {
		return
	}
	before := len(s.attempts)
	s.add(e)
	if s.gate && s.Word != "running" { // one that failed has no other word of it
		h.gate = false
	}
	h.mark(e, s, before)
}

func (h *History) addRunLevel(e wave.Event) {
	switch e.State {
	case "started":
		h.begun, h.End = true, ""
		if n, ok := plannedSteps(e.Message); ok {
			h.total = n
		}
	case "running":
		h.End = ""
		if k, n, ok := fraction(strings.TrimSuffix(e.Message, " steps completed")); ok {
			h.done, h.total = k, n
		}
	case "completed", "completed_empty":
		h.End, h.endLength = e.State, e.Duration
	case "preflight":
		h.preflight = e.Message
	case "gate_waiting":
		h.gate = forHuman(strings.TrimPrefix(e.Message, "gate: "))
	case "gate_resolved":
		h.gate = false
	}
}

func (h *History) step(id string) *stepHistory {
	if s := h.Steps[id]; s != nil {
		return s
	}
	if len(h.Order) >= MaxSteps {
		return nil
	}
	if h.Steps == nil {
		h.Steps = map[string]*stepHistory{}
	}
	s := &stepHistory{}
	h.Order, h.Steps[id] = append(h.Order, id), s
	return s
}

func (s *stepHistory) add(e wave.Event) {
	if e.Persona != "" {
		s.Persona = e.Persona
	}
	if e.Model != "" {
		s.Model = e.Model
	}
	if e.Adapter != "" {
		s.adapter = e.Adapter
	}
	switch e.State {
	case "running", "started":
		if !strings.HasPrefix(e.Message, outcomeNote) {
			s.begin(e)
		}
	case "retrying":
		s.endAttempt(wave.Failed, e.At)
		s.Word = e.State
		if i, n, ok := fraction(strings.TrimPrefix(e.Message, "attempt ")); ok {
			s.retries = n
			s.startAttempt(i, time.Time{})
		} else {
			s.startAttempt(0, time.Time{})
		}
	case "completed", "completed_empty":
		s.Word, s.endedAt, s.length = e.State, e.At, e.Duration
		s.endAttempt(wave.Succeeded, e.At)
	case "failed", "rejected":
		s.fail(e)
	case "matrix_start":
		s.fansOut, s.workers = true, true
	case "skipped":
		s.Word, s.note = e.State, e.Message
	case "reworking":
		s.Word, s.note = e.State, e.Message
		s.endAttempt(wave.Failed, e.At)
	case "cancelled":
		s.Word, s.endedAt = e.State, e.At
		s.endAttempt(wave.Cancelled, e.At)
	case "pending":
		s.Word = e.State
	case "step_progress":
		if e.Tokens > 0 {
			s.Tokens, s.HasTokens = s.Tokens+e.Tokens, true
		}
	default:
		s.addContract(e)
	}
}

func (s *stepHistory) begin(e wave.Event) {
	if kind, ok := strings.CutPrefix(e.Message, "gate step"); ok {
		s.gate, s.asked = true, wave.Asked{Event: e.ID, At: e.At, Type: strings.TrimPrefix(kind, ": ")}
	}
	if s.startedAt.IsZero() {
		s.startedAt = e.At
	}
	s.fansOut = s.fansOut || strings.HasPrefix(e.Message, "iterate")
	again := s.countVisit(e)
	if s.Word != "running" {
		s.err, s.warned = "", false
	}
	s.Word, s.endedAt = "running", time.Time{}
	switch n := len(s.attempts); {
	case n == 0:
		s.startAttempt(1, e.At)
	case s.attempts[n-1].started.IsZero():
		s.attempts[n-1].started = e.At // the one that retrying announced
	case again:
		s.startAttempt(1, e.At)
	}
}

// outcomeNote begins an event of a step that has ended, which says what it left.
const outcomeNote = "outcome: "

// resumedNote begins an event of a run that is resumed in place.
const resumedNote = "Starting step "

// countVisit counts how often a step was come to: a loop says which turn it is,
// another step begins again after its end. One that fans out ends with each item.
// It reports whether the step began again.
func (s *stepHistory) countVisit(e wave.Event) (again bool) {
	if turn, ok := strings.CutPrefix(e.Message, "loop iteration "); ok {
		if i, _, ok := fraction(turn); ok {
			s.visits = max(s.visits, i)
		}
		return false
	}
	switch s.Word {
	case "completed", "completed_empty", "failed":
		again = !s.fansOut
	}
	if again && !strings.HasPrefix(e.Message, resumedNote) {
		s.visits = max(s.visits, 1) + 1
	}
	return again
}

// fail keeps the fullest text: a failing command writes two events, the first
// with its stderr and the second with the exit status alone.
func (s *stepHistory) fail(e wave.Event) {
	if s.Word != e.State || len(e.Message) > len(s.err) {
		s.err = e.Message
	}
	s.Word, s.endedAt = e.State, e.At
	state := wave.Failed
	if e.State == "rejected" {
		state = wave.Rejected
	}
	s.endAttempt(state, e.At)
	if n := len(s.attempts); n > 0 {
		s.attempts[n-1].err = wave.Clip(s.err, 4096)
	}
}

func (s *stepHistory) startAttempt(number int, at time.Time) {
	if len(s.attempts) >= maxAttempts {
		return
	}
	if number <= 0 {
		number = len(s.attempts) + 1
	}
	s.attempts = append(s.attempts, attemptHistory{number: number, state: wave.Running, started: at})
}

func (s *stepHistory) endAttempt(state wave.State, at time.Time) {
	if n := len(s.attempts); n > 0 {
		a := &s.attempts[n-1]
		a.state, a.ended = state, at
	}
}

func (s *stepHistory) addContract(e wave.Event) {
	if e.State == "contract_evidence" { // beside a result, never in its place
		s.evidence = &wave.Contract{Result: "evidence", Text: e.Message, At: e.At}
		return
	}
	result, ok := contractResult(e.State)
	if !ok {
		return
	}
	isOpen := len(s.checks) > 0 && s.checks[len(s.checks)-1].Result == "validating"
	if s.warned && result == "passed" && !isOpen {
		return // all contracts were looked at, which is not that all hold
	}
	if s.warned && (result == "passed" || result == "validating") {
		s.addCheck(result, e.At) // of another contract: the step's worst result stays
		return
	}
	s.warned = s.warned || result == "failed_warned" || result == "failed_continued"
	s.contract = &wave.Contract{Result: result, Text: e.Message, At: e.At}
	s.addCheck(result, e.At)
	if n := len(s.attempts); n > 0 && result == "failed" {
		s.attempts[n-1].err = wave.Clip(e.Message, 4096)
	}
}

// addCheck notes how long a contract was looked at: from validating to a result.
func (s *stepHistory) addCheck(result string, at time.Time) {
	n := len(s.checks)
	if n > 0 && (s.checks[n-1].Result == "validating" || s.checks[n-1].Result == "failed" && followsFailure(result)) {
		s.checks[n-1].Result, s.checks[n-1].To = result, at
		return
	}
	if n < maxAttempts {
		s.checks = append(s.checks, wave.Check{From: at, To: at, Result: result})
	}
}

// followsFailure reports whether a result says what was made of one that failed.
func followsFailure(result string) bool {
	return strings.HasPrefix(result, "failed_")
}

// contractResult is the outcome a contract event names.
func contractResult(state string) (string, bool) {
	switch state {
	case "validating":
		return "validating", true
	case "contract_passed":
		return "passed", true
	case "contract_failed":
		return "failed", true
	case "contract_warning":
		return "failed_warned", true
	case "contract_skip":
		return "failed_skipped", true
	case "contract_soft_failure":
		return "failed_continued", true
	default:
		return "", false
	}
}

// forHuman reports whether a gate that is described so waits for a person, and not for
// its time, a merge or checks.
func forHuman(what string) bool {
	for _, other := range []string{"timer", "pr_merge", "ci_pass", "polling ", "pr_merge:", "ci_pass:"} {
		if strings.HasPrefix(what, other) {
			return false
		}
	}
	return true
}

// AtGate reports whether a gate waits for a person. Wave writes the event of a gate in a child run
// to the run that the process was started for: the child's own step says it too.
func (h *History) AtGate() bool {
	if h.gate {
		return true
	}
	for _, s := range h.Steps {
		if s.gate && s.Word == "running" && forHuman(s.asked.Type) {
			return true
		}
	}
	return false
}

// PassOver notes that nothing up to id is left to fold.
func (h *History) PassOver(id int64, at time.Time) {
	if id > h.Last {
		h.Last, h.LastAt = id, at
	}
}

// Clone copies h so that it can be read while the original goes on.
func (h *History) Clone() *History {
	c := *h
	c.Order, c.Marks = slices.Clone(h.Order), slices.Clip(h.Marks) // marks are only added
	c.Steps = maps.Clone(h.Steps)
	for id, s := range c.Steps {
		copied := *s
		copied.attempts, copied.checks = slices.Clone(s.attempts), slices.Clone(s.checks)
		c.Steps[id] = &copied
	}
	return &c
}
