package criteria

import (
	"slices"
	"strings"
)

// Field is what of a run a Predicate looks at.
type Field uint8

// Fields. Those from FieldTook on are numbers; the others are texts.
const (
	FieldText     Field = iota // part of id, pipeline, input or error
	FieldID                    // part of it
	FieldInput                 // part of its first 1024 bytes
	FieldError                 // part of its first 1024 bytes
	FieldPipeline              // the whole name
	FieldTag                   // one of its tags, whole
	FieldBranch                // the whole name
	FieldKind                  // the whole word
	FieldParent                // the whole id, in its own case
	FieldState                 // one of States
	FieldDuration              // whole seconds; of a run at work, until now
	FieldTokens                // how many it spent
	FieldStarted               // unix seconds
)

// Predicate is one condition on a run: a text is, or has in it, any of Texts; a
// number is from Low to High. Case does not matter. A number that is not known
// satisfies no condition, not even one with Not.
type Predicate struct {
	Field     Field
	Not       bool
	Texts     []PredicateText
	Low, High int64 // inclusive
}

// PredicateText is one text of a Predicate. With Glob each * in it stands for any text.
type PredicateText struct {
	Text string
	Glob bool
}

// Words are the terms that have all words of a text.
func Words(text string) []Predicate {
	var terms []Predicate
	for w := range strings.FieldsSeq(text) {
		terms = append(terms, Predicate{Texts: []PredicateText{{Text: w}}})
	}
	return terms
}

// IsAny reports whether a text is one of those that are wanted.
func IsAny(text string, wanted []PredicateText) bool {
	return slices.ContainsFunc(wanted, func(w PredicateText) bool {
		if w.Glob {
			return glob(strings.ToLower(w.Text), strings.ToLower(text))
		}
		return strings.EqualFold(w.Text, text)
	})
}

// glob reports whether text is pattern, in which each * is any text.
func glob(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok || last == 0 {
		return ok && rest == ""
	}
	for _, part := range parts[1:last] {
		if _, rest, ok = strings.Cut(rest, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, parts[last])
}
