// Package legible makes visible what a reader of a name does not see: blanks at its
// ends, control characters, marks of direction and characters without a width.
// Without that two names look alike that are not.
package legible

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// blank stands for a blank that would not be seen.
const blank = '␣'

// Name is a name as every display shows it. ␣ stands for a blank at an end or behind
// another blank, <U+202E> for a character that would not be seen as one. A name that
// is seen as it is stays as it is.
func Name(name string) string {
	if plain(name) {
		return name
	}
	var b strings.Builder
	before := ' ' // a blank at the beginning is one behind a blank
	for i, r := range name {
		next, size := utf8.DecodeRuneInString(name[i:])
		after, _ := utf8.DecodeRuneInString(name[i+size:])
		switch {
		case r == ' ' && (before == ' ' || i+size == len(name)):
			b.WriteRune(blank)
		case r == ' ', next == utf8.RuneError && size == 1:
			b.WriteRune(r)
		case hidden(r) && !inEmoji(before, r, after):
			b.WriteString(Mark(r))
		default:
			b.WriteRune(r)
		}
		before = r
	}
	return b.String()
}

// Text is a text of several words or lines as every display shows it: <U+202E> for a
// character that is not seen or that turns the text around it. Blanks, tabs and the ends
// of lines stay as they are, and so does what scripts and emoji need to be joined.
func Text(text string) string {
	if !strings.ContainsFunc(text, mayHide) {
		return text
	}
	var b strings.Builder
	before := ' '
	for i, r := range text {
		size := utf8.RuneLen(r)
		if r == utf8.RuneError {
			_, size = utf8.DecodeRuneInString(text[i:])
		}
		after, _ := utf8.DecodeRuneInString(text[i+size:])
		if Hides(before, r, after) {
			b.WriteString(Mark(r))
		} else {
			b.WriteRune(r)
		}
		before = r
	}
	return b.String()
}

// mayHide reports whether a character needs a look at its neighbours.
func mayHide(r rune) bool { return (r < ' ' || r >= 0x7f) && Hides(0, r, 0) }

// Hides reports whether a character between two others of a text is not seen, or turns
// the text around it.
func Hides(before, r, after rune) bool {
	switch {
	case r == '\t', r == '\n', r == '\r':
		return false
	case r == '\u200c', r == '\u200d': // some scripts are written with them
		return !inEmoji(before, r, after) && !(isForeign(before) && isForeign(after))
	case unicode.IsControl(r), Turns(r):
		return true
	}
	return unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) && !inEmoji(before, r, after)
}

// isForeign reports whether a character is a letter beyond ASCII or a mark on one.
func isForeign(r rune) bool { return r >= 0x80 && unicode.In(r, unicode.L, unicode.M) }

// Names are some names in a row.
func Names(list []string) string {
	marked := make([]string, len(list))
	for i, name := range list {
		marked[i] = Name(name)
	}
	return strings.Join(marked, ", ")
}

// Mark stands for a character that is not seen: <U+202E>.
func Mark(r rune) string { return fmt.Sprintf("<U+%04X>", r) }

// Turns reports whether a character turns the direction of the text around it, or
// ends a line of it unseen.
func Turns(r rune) bool {
	return unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// hidden reports whether a character has no looks of its own, the blank apart.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.IsSpace(r) || Turns(r) ||
		unicode.In(r, unicode.Cf, unicode.Z, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// inEmoji reports whether a character joins or colours the symbols beside it, where
// it is seen.
func inEmoji(before, r, after rune) bool {
	symbol := func(r rune) bool {
		return r != utf8.RuneError && unicode.In(r, unicode.So, unicode.Sk) || r == '\ufe0f'
	}
	switch r {
	case '\ufe0e', '\ufe0f':
		return symbol(before)
	case '\u200d':
		return symbol(before) && symbol(after)
	}
	return false
}

// plain reports whether a name is nothing but printable ASCII without blanks that
// need a mark, as almost every name is.
func plain(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c < ' ' || c >= 0x7f || c == ' ' && (i == 0 || i == len(name)-1 || name[i-1] == ' ') {
			return false
		}
	}
	return true
}
