package store

import (
	"context"
	"fmt"

	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

// What a Store answers. Each method fails with ErrUnavailable while there is
// no readable database; Health says why.

// Runs returns a page of runs, newest first. Without restriction these are the
// runs that no other run started; a narrowed filter shows children too.
func (s *Store) Runs(ctx context.Context, f criteria.RunFilter) (criteria.RunPage, error) {
	return read(s.stateFile, func(o *opened) (criteria.RunPage, error) {
		if f.Narrow() {
			return o.matching(ctx, f)
		}
		return o.page(ctx, f)
	})
}

// matching returns a page of the runs that a narrowed filter chooses: the ids from
// memory, the rows by id.
func (o *opened) matching(ctx context.Context, f criteria.RunFilter) (criteria.RunPage, error) {
	if err := o.index.Wait(ctx); err != nil {
		return criteria.RunPage{}, err
	}
	places, page := o.index.Places(f)
	ids := make([]string, len(places))
	for i, p := range places {
		ids[i] = p.ID
	}
	runs, err := o.RunsByID(ctx, ids)
	if err != nil {
		return criteria.RunPage{}, fmt.Errorf("list runs: %w", err)
	}
	page.Runs = runs
	return page, nil
}

// RunsByID returns the runs with these ids in their order; an id that no run
// has is left out.
func (s *Store) RunsByID(ctx context.Context, ids []string) ([]wave.Run, error) {
	return read(s.stateFile, func(o *opened) ([]wave.Run, error) { return o.RunsByID(ctx, ids) })
}

// Run returns one run, or ErrNotFound.
func (s *Store) Run(ctx context.Context, id string) (wave.Run, error) {
	return read(s.stateFile, func(o *opened) (wave.Run, error) { return o.run(ctx, id) })
}

// Detail returns everything a run's page shows, or ErrNotFound.
func (s *Store) Detail(ctx context.Context, id string) (wave.RunDetail, error) {
	return read(s.stateFile, func(o *opened) (wave.RunDetail, error) { return o.Detail(ctx, id) })
}

// Events returns a window of one run's events, oldest first. A run without
// events and a run that does not exist both have none.
func (s *Store) Events(ctx context.Context, f criteria.EventFilter) ([]wave.Event, error) {
	return read(s.stateFile, func(o *opened) ([]wave.Event, error) { return o.events(ctx, f) })
}

// Facets counts the runs of the whole history. The maps are shared: callers
// only read them.
func (s *Store) Facets(ctx context.Context) (criteria.Facets, error) {
	return read(s.stateFile, func(o *opened) (criteria.Facets, error) { return o.index.Facets(ctx) })
}

// PipelineHistory returns the latest runs of a pipeline and their figures. One
// that never ran has an empty history.
func (s *Store) PipelineHistory(ctx context.Context, pipeline string) (diagnose.PipelineHistory, error) {
	return read(s.stateFile, func(o *opened) (diagnose.PipelineHistory, error) { return o.pipelineHistory(ctx, pipeline) })
}
