package runquery

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Error says which word of a query is wrong, and what would be right.
type Error struct {
	Text    string // the whole query
	At, End int    // the word, in bytes of Text
	Problem string // what is wrong with the word: "is not a key"
	Want    string // what would be right
	Nearest string // a known word that was probably meant, or empty
}

// NewError is an error about the bytes at to end of a text.
func NewError(text string, at, end int, problem, want string) *Error {
	return &Error{Text: text, At: min(at, len(text)), End: min(max(end, at), len(text)), Problem: problem, Want: want}
}

// Fail is an error about a value of a query that was read.
func (q Query) Fail(v Value, problem, want string) *Error {
	return NewError(q.Text, v.At, v.End, problem, want)
}

// Within is the error in a longer text that holds the query from byte at on.
func (e *Error) Within(text string, at int) *Error {
	moved := *e
	moved.Text, moved.At, moved.End = text, e.At+at, e.End+at
	return &moved
}

// Word is the wrong word.
func (e *Error) Word() string { return e.Text[e.At:e.End] }

// Position is where the word begins, in characters from 1.
func (e *Error) Position() int { return utf8.RuneCountInString(e.Text[:e.At]) + 1 }

// Hint is what would be right, in a sentence.
func (e *Error) Hint() string {
	var hints []string
	if e.Nearest != "" {
		hints = append(hints, "Did you mean “"+e.Nearest+"”?")
	}
	if e.Want != "" {
		hints = append(hints, "It should be "+e.Want+".")
	}
	return strings.Join(hints, " ")
}

func (e *Error) Error() string {
	return "“" + e.Word() + "” at character " + strconv.Itoa(e.Position()) + " " + e.Problem
}

func keyNames() string {
	keys := Keys()
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.Name
	}
	return "one of " + strings.Join(names, ", ") + "; a word with a colon in it stands in quotes"
}

func nearest(name string) string {
	var names []string
	for _, k := range Keys() {
		names = append(names, k.Name, k.Also)
	}
	return Nearest(name, names)
}

// Nearest is the one of known that word was probably meant to be, or empty:
// one that it begins or ends with few letters wrong.
func Nearest(word string, known []string) string {
	word = strings.ToLower(word)
	if len(word) > 64 { // longer words are no slip of the finger
		return ""
	}
	best, least := "", max(1, len(word)/3)+1
	for _, k := range known {
		if k == "" {
			continue
		}
		d := distance(word, strings.ToLower(k))
		if len(word) > 1 && strings.HasPrefix(k, word) {
			d = min(d, 1)
		}
		if d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is how many letters must be added, dropped, changed or swapped with
// the next to make b of a.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
