package diagnose

import "wavedeck/store/wave"

// ExistedAt reports whether a run's row was there. An event proves it; without
// one, a start before the moment, unless its first event comes later: it may have
// been pending then, or started in the same second.
func (r *Record) ExistedAt(later bool, at wave.Moment) bool {
	switch {
	case r.History.Last > 0:
		return true
	case later:
		return r.StartedAt < at.Time.Unix()
	default:
		return r.StartedAt <= at.Time.Unix()
	}
}

// At is the run as of a moment. What its row would have said by then is worked
// out: the end, its error and the sum of its tokens are written last.
func (r *Record) At(later bool, at wave.Moment, measured int64, def []wave.StepDef) wave.Run {
	past, h := *r, r.History
	ended := !later && r.CompletedAt > 0 && r.CompletedAt <= at.Time.Unix()
	if ended && h.End == "" || !later && h.Last == 0 && r.Status == "pending" {
		past.State, past.Reason = Derive(past.Facts, at.Time, func(int) bool { return true })
		past.SettleEnd()
	} else {
		past.Outer = nil
		past.CompletedAt, past.CancelledAt, past.Heartbeat, past.PID = 0, 0, 0, 0
		past.ErrorMessage, past.CurrentStep, past.PipelineState = "", "", ""
		past.ProgressTotal, past.ProgressDone, past.Progress = nil, nil, nil
		past.State = h.stateAt()
		past.Status, _ = recordedWord(past.State)
		if past.State.Ended() {
			past.CompletedAt = h.LastAt.Unix()
		}
	}
	if past.CancelAsked != nil && *past.CancelAsked > at.Time.Unix() {
		past.CancelAsked = nil
	}
	run := past.Run(def)
	if run.Tokens = h.sumTokens(); ended {
		run.Tokens = r.Spent(measured)
	}
	if run.State.Ended() {
		run.LastEvent = h.LastAt
	}
	return run
}

// stateAt is what a run's events alone say of it.
func (h *History) stateAt() wave.State {
	switch {
	case h.End == "completed":
		return wave.Succeeded
	case h.End == "completed_empty":
		return wave.Empty
	case h.Last == 0:
		return wave.Pending
	case h.AtGate():
		return wave.Waiting
	default:
		return wave.Running
	}
}

func recordedWord(s wave.State) (string, bool) {
	switch s {
	case wave.Succeeded:
		return "completed", true
	case wave.Empty:
		return "completed_empty", true
	case wave.Pending:
		return "pending", true
	default:
		return "running", false
	}
}

// sumTokens is what the steps had used, nil when no event says.
func (h *History) sumTokens() *int64 {
	var sum int64
	known := false
	for _, s := range h.Steps {
		if s.HasTokens {
			sum, known = sum+s.Tokens, true
		}
	}
	if !known {
		return nil
	}
	return &sum
}
