package store

import (
	"context"
	"slices"
	"strings"

	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

// Bounds of what the figures of steps rest on.
const (
	maxStatsRuns = historyDepth
	maxStatsRows = 20_000 // of each table
)

// StepStats measures the steps of at most 100 runs, in the order of the steps'
// names. An attempt is a row of performance_metric; of a run that has none for a
// step (steps without a persona, other writers) a row of step_attempt; of one
// that has neither, its step_state in whole seconds.
func (s *Store) StepStats(ctx context.Context, runs []string) ([]diagnose.StepStats, error) {
	return read(s.stateFile, func(o *opened) ([]diagnose.StepStats, error) { return o.stepStats(ctx, runs) })
}

func (d *Reader) stepStats(ctx context.Context, runs []string) ([]diagnose.StepStats, error) {
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
	spreads := make([]diagnose.StepStats, 0, len(byStep))
	for step, runs := range byStep {
		spreads = append(spreads, diagnose.StepStatsOf(step, runs))
	}
	slices.SortFunc(spreads, func(a, b diagnose.StepStats) int { return strings.Compare(a.Step, b.Step) })
	return spreads, nil
}
