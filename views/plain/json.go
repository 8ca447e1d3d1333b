package plain

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// JSON is an encoded JSON document in which the characters that act on a terminal,
// or change the order of what it shows, are escaped. It says the same.
func JSON(encoded []byte) []byte {
	first := bytes.IndexFunc(encoded, Acts)
	if first < 0 {
		return encoded
	}
	out := append(make([]byte, 0, len(encoded)+64), encoded[:first]...)
	for rest := encoded[first:]; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if Acts(r) {
			out = fmt.Appendf(out, `\u%04x`, r)
		} else {
			out = append(out, rest[:size]...)
		}
		rest = rest[size:]
	}
	return out
}

// Acts tells the characters that a terminal obeys, or that turn its text around.
// JSON escapes those below the space.
func Acts(r rune) bool {
	return r >= 0x7f && r < 0xa0 || r == 0x061c || r == 0x200e || r == 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}
