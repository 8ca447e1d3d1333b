package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"wavedeck/store/wave"
)

// Bounds of what the figures of steps rest on.
const (
	maxStatsRuns = historyDepth
	maxStatsRows = 20_000 // of each table
)

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

// StepStats measures the steps of at most 100 runs, in the order of the steps'
// names. An attempt is a row of performance_metric; of a run that has none for a
// step (steps without a persona, other writers) a row of step_attempt; of one
// that has neither, its step_state in whole seconds.
func (s *Store) StepStats(ctx context.Context, runs []string) ([]StepStats, error) {
	return read(s.stateFile, func(o *opened) ([]StepStats, error) { return o.stepStats(ctx, runs) })
}

func (d *Reader) stepStats(ctx context.Context, runs []string) ([]StepStats, error) {
	runs = runs[:min(len(runs), maxStatsRuns)]
	if len(runs) == 0 {
		return nil, nil
	}
	type place struct{ run, step string }
	known := map[place][]wave.EndedAttempt{}
	tables, err := d.EndedAttempts(ctx, runs, maxStatsRows)
	if err != nil {
		return nil, err
	}
	for _, rows := range tables {
		found := map[place][]wave.EndedAttempt{}
		for _, row := range rows {
			at := place{row.Run, row.Step}
			found[at] = append(found[at], row)
		}
		for at, list := range found {
			if known[at] == nil {
				known[at] = list
			}
		}
	}
	byStep := map[string][][]wave.EndedAttempt{}
	for at, list := range known {
		byStep[at.step] = append(byStep[at.step], list)
	}
	spreads := make([]StepStats, 0, len(byStep))
	for step, runs := range byStep {
		spreads = append(spreads, statsOf(step, runs))
	}
	slices.SortFunc(spreads, func(a, b StepStats) int { return strings.Compare(a.Step, b.Step) })
	return spreads, nil
}

func statsOf(step string, runs [][]wave.EndedAttempt) StepStats {
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
