package search

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A text is indexed as its words, one space between each two, so that SQLite's
// plain ascii tokenizer takes it apart just as it was put together: a word holds
// lower-case letters and digits, and of other scripts what Unicode calls a letter,
// a number or a mark. Nothing else ever reaches a query, so nothing in it is syntax.

// maxWord is the length of the words that are told apart, in bytes: what goes
// on longer is a hash or code, and found by its beginning.
const maxWord = 64

// token is a word of a text and where it stands there.
type token struct {
	word    string // folded
	at, end int    // bytes of the text
}

// tokens calls take with each word of a text until it wants no more.
func tokens(text string, take func(token) bool) {
	var word []byte
	start := -1
	end := func(at int) bool {
		if start < 0 {
			return true
		}
		t := token{word: string(clipped(word)), at: start, end: at}
		word, start = word[:0], -1
		return take(t)
	}
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			switch {
			case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			case c >= 'A' && c <= 'Z':
				c += 'a' - 'A'
			default:
				if !end(i) {
					return
				}
				i++
				continue
			}
			if start < 0 {
				start = i
			}
			word = append(word, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case alone(r): // a script without spaces: each character is a word
			if !end(i) || !take(token{word: string(r), at: i, end: i + size}) {
				return
			}
		case r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsNumber(r) || start >= 0 && unicode.IsMark(r)):
			if start < 0 {
				start = i
			}
			word = utf8.AppendRune(word, unicode.ToLower(r))
		default:
			if !end(i) {
				return
			}
		}
		i += size
	}
	end(len(text))
}

func alone(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) && unicode.IsLetter(r)
}

func clipped(word []byte) []byte {
	if len(word) <= maxWord {
		return word
	}
	cut := maxWord
	for !utf8.RuneStart(word[cut]) {
		cut--
	}
	return word[:cut]
}

// indexed is a text as it goes into the index.
func indexed(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	tokens(text, func(t token) bool {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t.word)
		return true
	})
	return b.String()
}
