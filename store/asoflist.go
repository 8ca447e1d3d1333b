package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxLooked is how many runs one page as of a moment looks at: what they were
// then is worked out of their events.
const maxLooked = 5 * MaxLimit

// PageAt returns a page of the list as of a moment, newest first: the runs that f
// chooses by what they were then, and without restriction those that no other run
// started. A page may have fewer runs than it has room for, and Older all the
// same: then it stopped looking there. Newer is not supported.
func (s *Store) PageAt(ctx context.Context, f RunFilter, at Moment) (RunPage, error) {
	return read(s, func(o *opened) (RunPage, error) {
		page, err := o.pageAt(ctx, f, at)
		if err != nil {
			return page, fmt.Errorf("list runs as of event %d: %w", at.Event, err)
		}
		return page, nil
	})
}

func (o *opened) pageAt(ctx context.Context, f RunFilter, at Moment) (RunPage, error) {
	var page RunPage
	from := Cursor{T: at.Time.Unix() + 1}
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
			if p := past[id]; p != nil && f.chooses(p.run, at.Time, o.opt.Shown) {
				page.Runs = append(page.Runs, p.run)
			}
			if len(page.Runs) == f.limit() && (more || i+1 < len(ids)) {
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
func (o *opened) placesAt(ctx context.Context, f RunFilter, from Cursor) ([]Cursor, bool, error) {
	if !f.Narrow() {
		return o.places(ctx, RunFilter{Older: &from, Limit: f.Limit})
	}
	if err := o.index.wait(ctx); err != nil {
		return nil, false, err
	}
	lasting := RunFilter{
		Pipelines: f.Pipelines, Tags: f.Tags, Parent: f.Parent, Since: f.Since, Until: f.Until, Older: &from, Limit: MaxLimit,
		Predicates: slices.DeleteFunc(slices.Clone(f.Predicates), func(t Predicate) bool { return !t.lasts() }),
	}
	places, page := o.index.places(lasting)
	return places, page.Older != nil, nil
}

// lasts reports whether a term looks at what never changes of a run.
func (t Predicate) lasts() bool {
	switch t.Field {
	case FieldID, FieldInput, FieldPipeline, FieldTag, FieldBranch, FieldKind, FieldParent, FieldStarted:
		return true
	default:
		return false
	}
}

// chooses reports whether f chooses a run as it was then.
func (f RunFilter) chooses(run Run, then time.Time, shown func(string) string) bool {
	return (len(f.States) == 0 || slices.Contains(f.States, run.State)) &&
		!slices.ContainsFunc(f.Predicates, func(t Predicate) bool { return !t.lasts() && !t.holdsFor(run, then, shown) })
}

// holdsFor is condition for a run instead of a row of the index.
func (t Predicate) holdsFor(run Run, then time.Time, shown func(string) string) bool {
	number := int64(-1) // not known
	switch t.Field {
	case FieldState:
		return slices.ContainsFunc(t.Texts, func(x PredicateText) bool { return x.Text == string(run.State) }) != t.Not
	case FieldError:
		return hasAnyText(t.Texts, searchText(shown, run.Error)) != t.Not
	case FieldText:
		return hasAnyText(t.Texts, strings.ToLower(run.ID), strings.ToLower(run.Pipeline), searchText(shown, run.Input), searchText(shown, run.Error)) != t.Not
	case FieldTokens:
		if run.Tokens != nil {
			number = *run.Tokens
		}
	case FieldDuration:
		if run.State.Active() && run.State != Pending && !run.StartedAt.IsZero() {
			number = max(0, then.Unix()-run.StartedAt.Unix())
		} else if !run.CompletedAt.IsZero() {
			number = int64(durationSeconds(run.State, run.StartedAt.Unix(), run.CompletedAt.Unix()))
		}
	default:
		return false
	}
	return number >= 0 && (number >= t.Low && number <= t.High) != t.Not
}

// hasAnyText reports whether one of the texts, which are in lower case, has any of those wanted.
func hasAnyText(wanted []PredicateText, texts ...string) bool {
	return slices.ContainsFunc(wanted, func(w PredicateText) bool {
		word := strings.ToLower(w.Text)
		return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, word) })
	})
}
