package diagnose

import (
	"math"
	"strings"
	"time"

	"wavedeck/store/wave"
)

// Record is a run with what was read to tell it.
type Record struct {
	wave.RunRow
	Steps   []wave.StepWord
	History *History // nil where the recorded status decides
	Facts   RunFacts
	State   wave.State
	Reason  string
	Outer   []wave.OuterItem // the runs that a row without a life of its own holds together
}

// FactsOf is what the row says, without its events and its parent.
func (r *Record) FactsOf() RunFacts {
	f := RunFacts{
		Status: r.Status, Error: r.ErrorText(), CancelledAt: wave.Unix(r.CancelledAt),
		PipelineState: r.PipelineState, PipelineStateAt: wave.Unix(r.PipelineStateAt), Kind: r.Kind,
		StartedAt: wave.Unix(r.StartedAt), CompletedAt: wave.Unix(r.CompletedAt), Heartbeat: wave.Unix(r.Heartbeat),
	}
	if r.PID <= math.MaxInt32 { // more is no pid, and the kernel would cut it to one
		f.PID = int(r.PID)
	}
	if r.CancelAsked != nil {
		f.Cancel = time.Unix(*r.CancelAsked, 0) // 0 is a request too, at an unknown time
	}
	f.RewoundTo, f.Forked, f.DryRun = r.rewoundTo(), r.ForkedFrom != "", r.CurrentStep == wave.ReasonDryRun
	for _, s := range r.Steps {
		f.Rejected = f.Rejected || s.State == "rejected"
	}
	return f
}

// AddParent adds what the parent tells of a run; nil: nothing.
func (r *Record) AddParent(p *Record) {
	if p == nil {
		return
	}
	r.Facts.Parent, r.Facts.ParentEnded, r.Facts.ParentError = p.State, wave.Unix(p.CompletedAt), p.Facts.Error
	if p.Facts.Outer != nil {
		r.Facts.Parent = wave.Unknown // it is derived from its children, not they from it
	}
}

// AddHistory adds what the events of a run say of it; nil: nothing.
func (r *Record) AddHistory(h *History) {
	if h == nil {
		return
	}
	r.History = h
	r.Facts.HasEvents, r.Facts.LastEvent, r.Facts.AtGate, r.Facts.End = h.Last > 0, h.LastAt, h.AtGate(), h.End
}

// SettleEnd gives the run the end that it really had where its row has a later
// one or none: of a rejected run the reaper writes it, of a rewound one whoever
// rewound it, and of an outer row nobody.
func (r *Record) SettleEnd() {
	var end int64
	switch {
	case !r.State.Ended() || r.State == wave.Lost:
		return
	case r.Facts.Outer != nil:
		end = r.Facts.Outer.Last.Unix()
	case r.Undecided():
		end = r.PipelineStateAt
		if r.History != nil && r.History.Last > 0 {
			end = r.History.LastAt.Unix()
		}
	}
	if end > 0 && (r.CompletedAt == 0 || end < r.CompletedAt) {
		r.CompletedAt = end
	}
}

// rewoundTo is the step that the run was rewound to after its end: Wave then
// records a failure without a text, at a step that had completed.
func (r *Record) rewoundTo() string {
	if r.Status != "failed" || r.ErrorMessage != "" || r.CurrentStep == "" {
		return ""
	}
	for _, s := range r.Steps {
		if s.Step == r.CurrentStep && s.State == "completed" {
			return s.Step
		}
	}
	return ""
}

// Undecided reports whether signs of life or its events matter to a run.
func (r *Record) Undecided() bool {
	switch r.Status {
	case "running", "pending":
		return true
	case "failed":
		return strings.Contains(r.Facts.Error, wave.ReasonGone) || r.Facts.RewoundTo != "" || r.PipelineState == "rejected"
	default:
		return false
	}
}

// ErrorText is the error of a run that ended badly, whole, from wherever Wave
// left it: mostly in current_step, where other writers keep a step's id.
func (r *Record) ErrorText() string {
	text := r.ErrorMessage
	if r.Status != "failed" && r.Status != "cancelled" {
		return text
	}
	isText := strings.ContainsAny(r.CurrentStep, " \n\t")
	if isText && (text == "" || len(r.CurrentStep) > len(text) && !strings.Contains(text, wave.ReasonGone)) {
		text = r.CurrentStep
	}
	if text != "" {
		return text
	}
	for _, s := range r.Steps {
		if s.Error != "" {
			return s.Error
		}
	}
	return ""
}

// spentTokens is what a run used, nil when nothing says: the row's sum leaves out
// attempts that failed and what came before a resumption, is written at the end
// only, and zeroed by a forced stop. The attempts that were measured have all.
func spentTokens(row *int64, measured int64, isOpen bool) *int64 {
	if measured > 0 && (row == nil || measured > *row) {
		return &measured
	}
	if row != nil && *row == 0 && isOpen {
		return nil // not written yet, or never
	}
	return row
}

// Spent is what the run used, of which so much was measured.
func (r *Record) Spent(measured int64) *int64 {
	return spentTokens(r.Tokens, measured, r.Undecided())
}

// CountChildren counts the children of r: those that were stopped because another
// failed did not fail.
func (r *Record) CountChildren(c wave.ChildTally) wave.ChildCounts {
	if c.All == 0 {
		c.All = len(r.Outer)
		for _, item := range r.Outer {
			if item.Status != "pending" && item.Status != "running" {
				c.Ended++
			}
			if item.Status == "failed" {
				c.Failed++
			}
		}
	}
	if r.State == wave.Cancelled || r.Facts.Error != "" && !Killed(r.Facts.Error) {
		c.Failed -= c.Killed
	}
	return wave.ChildCounts{All: c.All, Ended: c.Ended, Failed: c.Failed}
}
