package search

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Word is one condition on a text: that it has a word, or several next to each
// other, or with Not that it has not.
type Word struct {
	Not    bool
	words  []string // folded, next to each other
	prefix bool     // the last may go on
}

// ParseWord reads what is looked for: words as they stand next to each other,
// whatever is between them. With prefix, what begins so is found too. It is false
// where there is no letter and no digit in the text.
func ParseWord(text string, prefix, not bool) (Word, bool) {
	w := Word{Not: not}
	tokens(text, func(t token) bool {
		w.words = append(w.words, t.word)
		return true
	})
	if n := len(w.words); n > 0 {
		r, _ := utf8.DecodeRuneInString(w.words[n-1])
		w.prefix = prefix && !alone(r) // such a word never goes on
	}
	return w, len(w.words) > 0
}

// MinPrefix is how much of a word must be known for others that begin so to be
// found: SQLite puts the texts of all of them together before it looks at one.
const MinPrefix = 3

// TooShort reports whether w is too little of a beginning to be looked for.
func (w Word) TooShort() bool {
	return w.prefix && utf8.RuneCountInString(w.words[len(w.words)-1]) < MinPrefix
}

// Query are conditions on one text: all of them hold.
type Query []Word

// Finds reports whether q looks for anything: what only leaves out finds nothing.
func (q Query) Finds() bool { return slices.ContainsFunc(q, func(w Word) bool { return !w.Not }) }

// expression is q for FTS5.
func (q Query) expression() string {
	var with, without []string
	for _, w := range q {
		if w.Not {
			without = append(without, phrase(w.words, w.prefix))
		} else {
			with = append(with, phrase(w.words, w.prefix))
		}
	}
	return but(with, without)
}

// within is q for FTS5 among the events of a span and of the stretches it is in.
// What SQLite asks of one word after the other ends where the stretches do; where
// words stand next to each other it asks these first, wherever they meet. So such
// words are only asked for one by one, and exact is false: more is found.
func (q Query) within(in span) (expression string, exact bool) {
	var stretches, without []string
	for n := in.low >> stretchBits; n <= (in.high-1)>>stretchBits; n++ {
		stretches = append(stretches, phrase([]string{stretchWord(n)}, false))
	}
	with := []string{"(" + strings.Join(stretches, " OR ") + ")"}
	exact = true
	for _, w := range q {
		last := len(w.words) - 1
		exact = exact && last == 0
		switch {
		case !w.Not:
			for i := range w.words {
				with = append(with, phrase(w.words[i:i+1], i == last && w.prefix))
			}
		case last == 0:
			without = append(without, phrase(w.words, w.prefix))
		}
	}
	return but(with, without), exact
}

// phrase is words next to each other. They hold no quote and no space: see tokens.
func phrase(words []string, prefix bool) string {
	text := `"` + strings.Join(words, " ") + `"`
	if prefix {
		text += " *"
	}
	return text
}

func but(with, without []string) string {
	expression := strings.Join(with, " AND ")
	if len(without) == 0 {
		return expression
	}
	return "(" + expression + ") NOT (" + strings.Join(without, " OR ") + ")"
}

// mark is a place in a text that was looked for, in bytes.
type mark struct{ at, end int }

// match finds what q looks for in a text, the first marks of it in order, and
// whether all of q holds.
func (q Query) match(text string) ([]mark, bool) {
	const most = 200
	var all []token
	tokens(text, func(t token) bool {
		all = append(all, t)
		return true
	})
	var marks []mark
	for _, w := range q {
		found := false
		for i := 0; i+len(w.words) <= len(all); i++ {
			if !w.at(all[i:]) {
				continue
			}
			found = true
			if w.Not || len(marks) >= most {
				break
			}
			marks = append(marks, mark{all[i].at, all[i+len(w.words)-1].end})
		}
		if found == w.Not {
			return nil, false
		}
	}
	slices.SortFunc(marks, func(a, b mark) int {
		if a.at != b.at {
			return a.at - b.at
		}
		return b.end - a.end
	})
	return joined(marks), true
}

// at reports whether a text goes on with w.
func (w Word) at(text []token) bool {
	last := len(w.words) - 1
	for i, word := range w.words {
		if text[i].word != word && !(i == last && w.prefix && strings.HasPrefix(text[i].word, word)) {
			return false
		}
	}
	return true
}

// joined makes one mark of those that overlap.
func joined(marks []mark) []mark {
	var out []mark
	for _, m := range marks {
		if n := len(out); n > 0 && m.at < out[n-1].end {
			out[n-1].end = max(out[n-1].end, m.end)
			continue
		}
		out = append(out, m)
	}
	return out
}
