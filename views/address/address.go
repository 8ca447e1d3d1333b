// Package address writes names so that they survive in an address, a query and a
// field of a form. Names come out of a database and may hold anything.
package address

import (
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"
)

// mark begins the code of a name. Within a code it stands before the letter of what
// the code replaces.
const mark = '~'

//nolint:gochecknoglobals // a table
var letters = map[byte]byte{mark: mark, 0: '0', '\n': 'n', '\r': 'r'}

// Encode is a name as a text that browsers and proxies leave as it is. Almost every
// name is its own code. The others are those that an address cannot hold: the empty
// name and the names . and .. are parts that browsers resolve, also where they are
// escaped; NUL is refused by proxies and replaced in HTML; the line ends are changed
// in forms. Their code is ~ and the name, with ~~, ~0, ~n and ~r for what cannot
// stand in it. A name that reads as such a code is encoded too, so that Decode gives
// back every name.
func Encode(name string) string {
	if _, isCode := decode(name); !isCode && !unfit(name) {
		return name
	}
	var b strings.Builder
	b.WriteByte(mark)
	for i := range len(name) {
		c := name[i]
		if letter, ok := letters[c]; ok {
			b.WriteByte(mark)
			c = letter
		}
		b.WriteByte(c)
	}
	return b.String()
}

// Decode is the name of which Encode made a text. A text that is not a code is a
// name.
func Decode(text string) string {
	if name, ok := decode(text); ok {
		return name
	}
	return text
}

// unfit reports whether a name needs a code although it does not read as one.
func unfit(name string) bool {
	return name == "" || name == "." || name == ".." || strings.ContainsAny(name, "\x00\n\r")
}

// decode reports whether a text is what Encode makes of a name: only a name that
// needs a code has one.
func decode(text string) (name string, ok bool) {
	if text == "" || text[0] != mark {
		return "", false
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		c := text[i]
		if c == mark {
			i++
			if c, ok = replaced(text, i); !ok {
				return "", false
			}
		} else if _, never := letters[c]; never {
			return "", false
		}
		b.WriteByte(c)
	}
	name = b.String()
	if !unfit(name) {
		_, ok = decode(name)
		return name, ok
	}
	return name, true
}

// replaced is what the letter at i of a code stands for.
func replaced(code string, i int) (c byte, ok bool) {
	for c, letter := range letters {
		if i < len(code) && code[i] == letter {
			return c, true
		}
	}
	return 0, false
}

// Segment is a name as one segment of a path.
func Segment(name string) string { return url.PathEscape(Encode(name)) }

// ErrName tells of a segment that no name has.
var ErrName = errors.New("not a name in UTF-8")

// ParseSegment is the name of a segment as it was sent. NUL stands in no segment
// but as part of a code.
func ParseSegment(raw string) (string, error) {
	text, err := url.PathUnescape(raw)
	if err != nil || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "", ErrName
	}
	return Decode(text), nil
}

// EncodeField is a value of a query or of a form as its field has it: encoded where
// the field holds a name.
func EncodeField(field, value string) string {
	if IsName(field) && value != "" {
		return Encode(value)
	}
	return value
}

// IsName reports whether a parameter of a query, or a field of a form, holds a name.
// What is sent there is decoded, and no blanks are taken off it.
func IsName(field string) bool {
	switch field {
	case "run", "pipeline", "step", "tag", "parent", "left", "right", "from_step":
		return true
	}
	return false
}

// EncodeQuery is a query as it stands in an address.
func EncodeQuery(q url.Values) url.Values { return eachName(q, Encode) }

// DecodeQuery is the query that EncodeQuery was given.
func DecodeQuery(q url.Values) url.Values { return eachName(q, Decode) }

func eachName(q url.Values, to func(string) string) url.Values {
	out := make(url.Values, len(q))
	for field, values := range q {
		for _, value := range values {
			if IsName(field) && value != "" {
				value = to(value)
			}
			out.Add(field, value)
		}
	}
	return out
}
