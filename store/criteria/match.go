package criteria

import (
	"slices"
	"strings"
	"time"

	"wavedeck/store/wave"
)

// Lasts reports whether a term looks at what never changes of a run.
func (t Predicate) Lasts() bool {
	switch t.Field {
	case FieldID, FieldInput, FieldPipeline, FieldTag, FieldBranch, FieldKind, FieldParent, FieldStarted:
		return true
	default:
		return false
	}
}

// Chooses reports whether f chooses a run as it was then.
func (f RunFilter) Chooses(run wave.Run, then time.Time, shown func(string) string) bool {
	return (len(f.States) == 0 || slices.Contains(f.States, run.State)) &&
		!slices.ContainsFunc(f.Predicates, func(t Predicate) bool { return !t.Lasts() && !t.holdsFor(run, then, shown) })
}

// holdsFor is condition for a run instead of a row of the index.
func (t Predicate) holdsFor(run wave.Run, then time.Time, shown func(string) string) bool {
	number := int64(-1) // not known
	switch t.Field {
	case FieldState:
		return slices.ContainsFunc(t.Texts, func(x PredicateText) bool { return x.Text == string(run.State) }) != t.Not
	case FieldError:
		return hasAnyText(t.Texts, SearchText(shown, run.Error)) != t.Not
	case FieldText:
		return hasAnyText(t.Texts, strings.ToLower(run.ID), strings.ToLower(run.Pipeline), SearchText(shown, run.Input), SearchText(shown, run.Error)) != t.Not
	case FieldTokens:
		if run.Tokens != nil {
			number = *run.Tokens
		}
	case FieldDuration:
		if run.State.Active() && run.State != wave.Pending && !run.StartedAt.IsZero() {
			number = max(0, then.Unix()-run.StartedAt.Unix())
		} else if !run.CompletedAt.IsZero() {
			number = int64(DurationSeconds(run.State, run.StartedAt.Unix(), run.CompletedAt.Unix()))
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
