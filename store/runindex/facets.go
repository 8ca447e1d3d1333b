package runindex

import (
	"context"

	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// Facets counts all runs. The answer is shared: callers do not write to it.
func (ix *Index) Facets(ctx context.Context) (criteria.Facets, error) {
	if err := ix.Wait(ctx); err != nil {
		return criteria.Facets{}, err
	}
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	ix.facetMu.Lock()
	defer ix.facetMu.Unlock()
	if ix.counts == nil {
		ix.counts = ix.count()
	}
	return *ix.counts, nil
}

func (ix *table) count() *criteria.Facets {
	states := make([]int, len(wave.States))
	pipelines := make([]int, len(ix.pipelines.list))
	lists := make([]int, len(ix.tags.lists))
	for i := range ix.rows {
		if r := &ix.rows[i]; r.used {
			states[r.state]++
			pipelines[r.pipeline]++
			lists[r.tags]++
		}
	}
	f := &criteria.Facets{All: len(ix.order), States: map[wave.State]int{}, Pipelines: map[string]int{}, Tags: map[string]int{}}
	for i, n := range states {
		if n > 0 {
			f.States[wave.States[i]] = n
		}
	}
	for i, n := range pipelines {
		if n > 0 {
			f.Pipelines[ix.pipelines.list[i]] = n
		}
	}
	for i, n := range lists {
		for _, tag := range ix.tags.lists[i] {
			if n > 0 {
				f.Tags[tag] += n
			}
		}
	}
	return f
}

func (ix *Index) forgetCounts() {
	ix.facetMu.Lock()
	ix.counts = nil
	ix.facetMu.Unlock()
}

// Health is how far the index of all runs is.
type Health struct {
	Ready bool
	Runs  int // so far
	Bytes int // of memory, estimated
}

// Health returns how far the index is, and how large.
func (ix *Index) Health() Health {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	const rowBytes, cellBytes = 88 + 3, 4
	return Health{
		Ready: ix.IsReady(), Runs: len(ix.order),
		Bytes: cap(ix.rows)*rowBytes + (cap(ix.order)+len(ix.ids.cells))*cellBytes + ix.text.size(),
	}
}
