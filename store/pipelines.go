package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"wavedeck/store/wave"
)

// historyDepth is how many of a pipeline's runs its figures rest on.
const historyDepth = 100

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

// pipelineHistory returns the latest runs of a pipeline, children of other
// runs included, and their figures. One that never ran has an empty history.
func (d *runReader) pipelineHistory(ctx context.Context, pipeline string) (PipelineHistory, error) {
	h := PipelineHistory{Pipeline: pipeline}
	ids, err := d.PipelineRuns(ctx, pipeline, historyDepth)
	if err != nil {
		return h, fmt.Errorf("load history of pipeline %s: %w", pipeline, err)
	}
	runs, err := d.runsOf(ctx, d, ids)
	if err != nil {
		return h, fmt.Errorf("load history of pipeline %s: %w", pipeline, err)
	}
	sortNewestFirst(runs)
	h.Recent = runs
	h.count()
	return h, nil
}

func (h *PipelineHistory) count() {
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

// sortNewestFirst puts runs in the order of the list.
func sortNewestFirst(runs []wave.Run) {
	slices.SortFunc(runs, func(a, b wave.Run) int {
		return cmp.Or(b.StartedAt.Compare(a.StartedAt), strings.Compare(b.ID, a.ID))
	})
}
