package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

// historyDepth is how many of a pipeline's runs its figures rest on.
const historyDepth = 100

// pipelineHistory returns the latest runs of a pipeline, children of other
// runs included, and their figures. One that never ran has an empty history.
func (d *runReader) pipelineHistory(ctx context.Context, pipeline string) (diagnose.PipelineHistory, error) {
	h := diagnose.PipelineHistory{Pipeline: pipeline}
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
	h.Count()
	return h, nil
}

// sortNewestFirst puts runs in the order of the list.
func sortNewestFirst(runs []wave.Run) {
	slices.SortFunc(runs, func(a, b wave.Run) int {
		return cmp.Or(b.StartedAt.Compare(a.StartedAt), strings.Compare(b.ID, a.ID))
	})
}
