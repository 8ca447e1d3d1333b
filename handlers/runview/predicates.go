package runview

import (
	"math"
	"slices"
	"strings"
	"time"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runquery"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// stateWords are the values of status: each derived state, Wave's word for those
// that succeeded, and two that stand for several.
func stateWords() []string {
	words := []string{"active", "ended", "completed"}
	for _, s := range wave.States {
		if s != wave.Skipped { // steps only
			words = append(words, string(s))
		}
	}
	return words
}

// statesOf are the derived states that a word of the filter names.
func statesOf(word string) []wave.State {
	word = strings.ToLower(word)
	var states []wave.State
	for _, s := range wave.States {
		status, _ := present.StatusWord(s)
		switch {
		case word == string(s), word == "active" && s.Active(), word == "ended" && s.Ended(), word == "completed" && status == word:
			states = append(states, s)
		}
	}
	return states
}

// TermsOf reads a text in the filter language into the terms of the store.
// Errors are *runquery.Error.
func TermsOf(text string, now time.Time) (runquery.Query, []criteria.Predicate, error) {
	q, err := runquery.Parse(text)
	if err != nil {
		return q, nil, err
	}
	terms := make([]criteria.Predicate, len(q.Terms))
	for i, t := range q.Terms {
		if terms[i], err = termOf(q, t, now); err != nil {
			return q, nil, err
		}
	}
	return q, terms, nil
}

// FieldOf is what of a run a key looks at.
func FieldOf(key string) criteria.Field {
	switch key {
	case "status":
		return criteria.FieldState
	case "pipeline":
		return criteria.FieldPipeline
	case "tag":
		return criteria.FieldTag
	case "branch":
		return criteria.FieldBranch
	case "parent":
		return criteria.FieldParent
	case "kind":
		return criteria.FieldKind
	case "id":
		return criteria.FieldID
	case "input":
		return criteria.FieldInput
	case "error":
		return criteria.FieldError
	case "since", "until", "age":
		return criteria.FieldStarted
	case "dur":
		return criteria.FieldDuration
	case "tokens":
		return criteria.FieldTokens
	default:
		return criteria.FieldText
	}
}

func termOf(q runquery.Query, t runquery.Term, now time.Time) (criteria.Predicate, error) {
	term := criteria.Predicate{Field: FieldOf(t.Key), Not: t.Not}
	switch t.Key {
	case "status":
		for _, v := range t.Values {
			states := statesOf(v.Text)
			if len(states) == 0 {
				err := q.Fail(v, "is not a status", "one of "+strings.Join(stateWords(), ", "))
				err.Nearest = runquery.Nearest(v.Text, stateWords())
				return term, err
			}
			for _, s := range states {
				term.Texts = append(term.Texts, criteria.PredicateText{Text: string(s)})
			}
		}
	case "since", "until":
		v := t.Values[0]
		at, err := parseMoment(t.Key, v.Text, now)
		if err != nil {
			return term, q.Fail(v, "is not a time", "an age such as 24h or 7d, a date such as 2026-11-23, or a time such as 2026-11-23T14:00:00Z")
		}
		term.Low, term.High = 0, math.MaxInt64
		if t.Key == "since" {
			term.Low = ceilSeconds(at)
		} else {
			term.High = ceilSeconds(at) - 1
		}
	case "age": // the older, the earlier it started
		least, most := rangeOf(t.Op, t.Number)
		term.Low, term.High = 0, math.MaxInt64
		if most < math.MaxInt64 {
			term.Low = now.Unix() - most
		}
		if least > 0 {
			term.High = now.Unix() - least
		}
	case "dur", "tokens":
		term.Low, term.High = rangeOf(t.Op, t.Number)
	case "parent":
		for _, v := range t.Values {
			text := v.Text
			if text == "none" {
				text = ""
			}
			term.Texts = append(term.Texts, criteria.PredicateText{Text: text})
		}
	default:
		for _, v := range t.Values {
			term.Texts = append(term.Texts, criteria.PredicateText{Text: v.Text, Glob: v.Glob})
		}
	}
	return term, nil
}

// rangeOf are the whole numbers, from and to, that compare with n as op says.
func rangeOf(op runquery.Op, n int64) (low, high int64) {
	switch op {
	case runquery.Less:
		return 0, n - 1
	case runquery.AtMost:
		return 0, n
	case runquery.Greater:
		return n + 1, math.MaxInt64
	default:
		return n, math.MaxInt64
	}
}

// ceilSeconds is the first whole second that is not before t.
func ceilSeconds(t time.Time) int64 {
	seconds := t.Unix()
	if t.Nanosecond() > 0 {
		seconds++
	}
	return seconds
}

// termTexts are the terms of a text in the filter language, one by one and
// plainly written; the whole text where it cannot be read.
func termTexts(text string) []string {
	q, err := runquery.Parse(text)
	if err != nil {
		return []string{text}
	}
	texts := make([]string, len(q.Terms))
	for i, t := range q.Terms {
		texts[i] = t.String()
	}
	return slices.Compact(texts)
}
