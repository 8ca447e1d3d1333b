package diagnose

import (
	"cmp"
	"slices"
	"time"

	"wavedeck/store/wave"
)

// PipelineHistory is what the latest runs of a pipeline tell of it.
type PipelineHistory struct {
	Pipeline string
	Recent   []wave.Run // newest first, at most historyDepth, in any state

	// Of Recent, the runs that ended: well; badly (failed, rejected, lost);
	// stopped by a human, which says nothing of the pipeline. Dry runs say nothing either.
	Succeeded, Failed, Cancelled int

	// How long the runs that succeeded took, and how many tell that.
	Median, P90 time.Duration
	Timed       int
}

// SuccessRate is the share of the runs that ended by themselves and ended well,
// and the number of runs it rests on; without any, there is no rate.
func (h PipelineHistory) SuccessRate() (rate float64, n int) {
	n = h.Succeeded + h.Failed
	if n == 0 {
		return 0, 0
	}
	return float64(h.Succeeded) / float64(n), n
}

// Count makes the figures of the runs in Recent.
func (h *PipelineHistory) Count() {
	var took []time.Duration
	for _, r := range h.Recent {
		if r.DryRun {
			continue
		}
		switch r.State {
		case wave.Succeeded, wave.Empty:
			h.Succeeded++
			if r.HasDuration {
				took = append(took, r.Duration)
			}
		case wave.Failed, wave.Rejected, wave.Lost:
			h.Failed++
		case wave.Cancelled:
			h.Cancelled++
		}
	}
	if h.Timed = len(took); h.Timed > 0 {
		slices.Sort(took)
		h.Median, h.P90 = nearestRank(took, 50), nearestRank(took, 90)
	}
}

// StepStats is how long the attempts at one step took and what they spent,
// over some runs.
type StepStats struct {
	Step     string
	Runs     int // in which it was tried to an end
	Attempts int // that ended

	// Of the attempts whose duration is known.
	P50, P90 time.Duration
	Timed    int
	Coarse   bool // some are known in whole seconds only

	// Of the attempts whose tokens are known.
	Tokens50, Tokens90 int64
	Counted            int
}

// StepStatsOf measures the attempts at one step, listed by run.
func StepStatsOf(step string, runs [][]wave.EndedAttempt) StepStats {
	s := StepStats{Step: step, Runs: len(runs)}
	var took []time.Duration
	var tokens []int64
	for _, list := range runs {
		for _, a := range list {
			s.Attempts++
			if d := wave.Milliseconds(a.Duration); d > 0 || a.Coarse {
				took = append(took, d)
				s.Coarse = s.Coarse || a.Coarse
			}
			if a.Tokens != nil && *a.Tokens >= 0 {
				tokens = append(tokens, *a.Tokens)
			}
		}
	}
	if s.Timed = len(took); s.Timed > 0 {
		slices.Sort(took)
		s.P50, s.P90 = nearestRank(took, 50), nearestRank(took, 90)
	}
	if s.Counted = len(tokens); s.Counted > 0 {
		slices.Sort(tokens)
		s.Tokens50, s.Tokens90 = nearestRank(tokens, 50), nearestRank(tokens, 90)
	}
	return s
}

// nearestRank is a percentile of sorted values: one that occurred.
func nearestRank[T cmp.Ordered](sorted []T, percent int) T {
	rank := (len(sorted)*percent + 99) / 100
	return sorted[max(rank, 1)-1]
}
