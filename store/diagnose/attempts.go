package diagnose

import (
	"time"

	"wavedeck/store/wave"
)

// attemptsOf lists the tries at a step: from step_attempt, and where that has
// none (command steps, old schemas), from the events.
func (b *stepBuilder) attemptsOf(id string, h *stepHistory) []wave.Attempt {
	attempts := MergeAttempts(b.Attempts[id])
	if len(attempts) == 0 {
		attempts = attemptsByEvents(h)
	}
	var ended []int
	for i, a := range attempts {
		if a.State.Ended() {
			ended = append(ended, i)
		}
	}
	if metrics := b.Metrics[id]; len(metrics) == len(ended) {
		for k, i := range ended { // the k-th that ended is the k-th that was measured
			a, m := &attempts[i], metrics[k]
			if m.Duration > 0 {
				a.Duration, a.HasDuration, a.CoarseSecond = wave.Milliseconds(m.Duration), true, false
			}
			tokens := max(m.Tokens, wave.OrZero(a.Tokens))
			a.Tokens = &tokens
		}
	}
	return attempts
}

// MergeAttempts joins the two rows of an attempt: running, which is never
// updated, and how it ended. A step that is visited again counts from 1 again.
func MergeAttempts(rows []wave.AttemptRow) []wave.Attempt {
	var attempts []wave.Attempt
	open := map[int64]int{} // attempt number -> index of its running row
	for _, r := range rows {
		i, isOpen := open[r.Number]
		if r.State == "running" || !isOpen {
			attempts = append(attempts, wave.Attempt{Number: int(r.Number), State: wave.Running, StartedAt: wave.Unix(r.StartedAt)})
			i = len(attempts) - 1
			open[r.Number] = i
		}
		if r.State == "running" {
			continue
		}
		delete(open, r.Number)
		a := &attempts[i]
		a.State, a.Error, a.FailureClass, a.OutputTail = attemptState(r), r.Error, r.FailureClass, r.OutputTail
		a.CompletedAt = wave.Unix(r.CompletedAt)
		a.Duration, a.HasDuration = wave.Milliseconds(r.Duration), r.Duration > 0
		if !a.HasDuration {
			a.Duration, a.HasDuration = wave.Between(a.StartedAt, a.CompletedAt)
			a.CoarseSecond = a.HasDuration
		}
		if r.Tokens > 0 {
			a.Tokens = &r.Tokens
		}
	}
	return attempts
}

func attemptState(r wave.AttemptRow) wave.State {
	switch r.State {
	case "succeeded", "completed":
		return wave.Succeeded
	case "failed":
		if r.FailureClass == "canceled" {
			return wave.Cancelled
		}
		return wave.Failed
	case "cancelled", "canceled":
		return wave.Cancelled
	case "rejected":
		return wave.Rejected
	case "skipped":
		return wave.Skipped
	default:
		return wave.Unknown
	}
}

func attemptsByEvents(h *stepHistory) []wave.Attempt {
	var attempts []wave.Attempt
	for _, e := range h.attempts {
		a := wave.Attempt{Number: e.number, State: e.state, Error: e.err, StartedAt: e.started, CompletedAt: e.ended}
		a.Duration, a.HasDuration = wave.Between(e.started, e.ended)
		a.CoarseSecond = a.HasDuration
		attempts = append(attempts, a)
	}
	if len(attempts) == 1 && h.length > 0 && !h.workers {
		a := &attempts[0]
		a.Duration, a.HasDuration, a.CoarseSecond = h.length, true, false
	}
	return attempts
}

// settleAttempts gives attempts without a recorded end the one that follows
// from the told step: an attempt was over when the next began.
func settleAttempts(s *wave.Step) {
	for i := range s.Attempts {
		a := &s.Attempts[i]
		isLast := i == len(s.Attempts)-1
		switch {
		case a.State == wave.Running && !isLast:
			a.State = wave.Failed
		case a.State == wave.Running && s.State != wave.Waiting:
			a.State = s.State
		case a.State == wave.Failed && isLast && s.State == wave.Cancelled:
			a.State = wave.Cancelled
		case a.State == wave.Succeeded && isLast && s.State == wave.Running:
			// one of several children ended, not the attempt
			a.State, a.CompletedAt, a.HasDuration, a.Duration, a.CoarseSecond = wave.Running, time.Time{}, false, 0, false
		}
	}
}
