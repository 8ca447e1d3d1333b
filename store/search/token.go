package search

import (
	"strconv"
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
	l := lexer{start: -1, take: take}
	for i := 0; i < len(text) && !l.done; {
		size := 1
		if c := text[i]; c < utf8.RuneSelf {
			l.ascii(i, c)
		} else {
			var r rune
			r, size = utf8.DecodeRuneInString(text[i:])
			l.rune(i, r, size)
		}
		i += size
	}
	l.end(len(text))
}

// lexer is the state of tokens.
type lexer struct {
	word  []byte // as folded so far
	start int    // below 0: between words
	done  bool
	take  func(token) bool
}

func (l *lexer) ascii(at int, c byte) {
	switch {
	case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
	case c >= 'A' && c <= 'Z':
		c += 'a' - 'A'
	default:
		l.end(at)
		return
	}
	if l.start < 0 {
		l.start = at
	}
	l.word = append(l.word, c)
}

func (l *lexer) rune(at int, r rune, size int) {
	switch {
	case alone(r): // a script without spaces: each character is a word
		l.end(at)
		l.done = l.done || !l.take(token{word: string(r), at: at, end: at + size})
	case r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsNumber(r) || l.start >= 0 && unicode.IsMark(r)):
		if l.start < 0 {
			l.start = at
		}
		l.word = utf8.AppendRune(l.word, unicode.ToLower(r))
	default:
		l.end(at)
	}
}

// end ends the word that goes on, if one does.
func (l *lexer) end(at int) {
	if l.start < 0 || l.done {
		return
	}
	t := token{word: string(clipped(l.word)), at: l.start, end: at}
	l.word, l.start = l.word[:0], -1
	l.done = !l.take(t)
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

// A stretch is 1<<stretchBits events by their ids. Each text has the name of its
// stretch as a word of its own, of a kind that no text has: SQLite looks for words
// that never meet down to the oldest event, whatever the ids it was given, but no
// further than the words of a stretch go.
const stretchBits = 16

func stretchWord(number int64) string { return "¶" + strconv.FormatInt(number, 36) }

// indexed is the text of an event as it goes into the index; empty when it has no
// words.
func indexed(event int64, text string) string {
	var b strings.Builder
	name := stretchWord(event >> stretchBits)
	b.Grow(len(text) + len(name) + 1)
	tokens(text, func(t token) bool {
		if b.Len() == 0 {
			b.WriteString(name)
		}
		b.WriteByte(' ')
		b.WriteString(t.word)
		return true
	})
	return b.String()
}
