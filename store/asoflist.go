package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// maxLooked is how many runs one page as of a moment looks at: what they were
// then is worked out of their events.
const maxLooked = 5 * criteria.MaxLimit

// PageAt returns a page of the list as of a moment, newest first: the runs that f
// chooses by what they were then, and without restriction those that no other run
// started. A page may have fewer runs than it has room for, and Older all the
// same: then it stopped looking there. Newer is not supported.
func (s *Store) PageAt(ctx context.Context, f criteria.RunFilter, at wave.Moment) (criteria.RunPage, error) {
	return read(s.stateFile, func(o *opened) (criteria.RunPage, error) {
		page, err := o.pageAt(ctx, f, at)
		if err != nil {
			return page, fmt.Errorf("list runs as of event %d: %w", at.Event, err)
		}
		return page, nil
	})
}

func (o *opened) pageAt(ctx context.Context, f criteria.RunFilter, at wave.Moment) (criteria.RunPage, error) {
	var page criteria.RunPage
	from := criteria.Cursor{T: at.Time.Unix() + 1}
	if f.Older != nil && cmp.Or(cmp.Compare(f.Older.T, from.T), strings.Compare(f.Older.ID, from.ID)) < 0 {
		from = *f.Older
	}
	for looked := 0; looked < maxLooked; {
		places, more, err := o.placesAt(ctx, f, from)
		if err != nil {
			return page, err
		}
		ids := make([]string, len(places))
		for i, p := range places {
			ids[i] = p.ID
		}
		past, err := o.pastOfRuns(ctx, o, ids, at)
		if err != nil {
			return page, err
		}
		for i, id := range ids {
			if p := past[id]; p != nil && f.Chooses(p.run, at.Time, o.opt.Shown) {
				page.Runs = append(page.Runs, p.run)
			}
			if len(page.Runs) == f.PageSize() && (more || i+1 < len(ids)) {
				page.Older = &places[i]
				return page, nil
			}
		}
		if page.Older = nil; !more {
			return page, nil
		}
		from = places[len(places)-1]
		page.Older = &from
		looked += len(places)
		if !f.Narrow() && len(page.Runs) > 0 {
			return page, nil // those left out began later in the same second
		}
	}
	return page, nil
}

// placesAt finds runs that f may choose: by what never changes of a run.
func (o *opened) placesAt(ctx context.Context, f criteria.RunFilter, from criteria.Cursor) ([]criteria.Cursor, bool, error) {
	if !f.Narrow() {
		return o.places(ctx, criteria.RunFilter{Older: &from, Limit: f.Limit})
	}
	if err := o.index.Wait(ctx); err != nil {
		return nil, false, err
	}
	lasting := criteria.RunFilter{
		Pipelines: f.Pipelines, Tags: f.Tags, Parent: f.Parent, Since: f.Since, Until: f.Until, Older: &from, Limit: criteria.MaxLimit,
		Predicates: slices.DeleteFunc(slices.Clone(f.Predicates), func(t criteria.Predicate) bool { return !t.Lasts() }),
	}
	places, page := o.index.Places(lasting)
	return places, page.Older != nil, nil
}
