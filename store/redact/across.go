package redact

import "strings"

// Keys hides private keys of which each line is a text of its own, as in the events
// of a step that prints a file. One that is within a single text is found by Text.
type Keys struct{}

// marks are what a text holds in which a key begins or ends.
var marks = []string{pemPrivate, "Private-Lines:", "Private-MAC:", "LS0tLS1CRUdJTi"}

// Marks are parts of a text, one of which it holds when a key begins or ends in it.
func (Keys) Marks() []string { return marks }

// After reports whether a key goes on behind a text that holds a mark; before tells
// whether one goes on up to it.
func (Keys) After(before bool, text string) bool {
	s := &scanner{text: text, whole: true}
	at := -1
	last := func(i int, opens bool) {
		if i > at {
			at, before = i, opens
		}
	}
	for _, mark := range []string{pemBegin, pemEnd} {
		for end := len(text); end > 0; {
			i := strings.LastIndex(text[:end], mark)
			if i < 0 {
				break
			}
			if _, ok := s.marker(i, mark); ok {
				last(i, mark == pemBegin)
				break
			}
			end = i
		}
	}
	last(strings.LastIndex(text, "Private-Lines:"), true)
	last(strings.LastIndex(text, "Private-MAC:"), false)
	if i := strings.LastIndex(text, "LS0tLS1CRUdJTi"); i > at {
		if _, ok := findEncodedKey(s, i+len("LS0t")); ok {
			last(i, !strings.HasSuffix(strings.TrimRight(text, " \r\n"), "="))
		}
	}
	return before
}

// May reports quickly whether a text may hold a line of a key.
func (Keys) May(text string) bool {
	for line := range strings.Lines(text) {
		line = withoutColors(line)
		if body(line, true) || hideRuns(line) != line {
			return true
		}
	}
	return false
}

// Hide gives a text that stands within a key without the lines that are the key's,
// and without long words of base64 in other lines, such as a line of JSON. Where
// the end of the key is known, any word of base64 alone on a line is one.
func (Keys) Hide(text string, ends bool) string {
	var out strings.Builder
	hidden := false
	for line := range strings.Lines(text) {
		if plain := withoutColors(line); !body(plain, ends) {
			hidden = false
			if clean := hideRuns(plain); clean != plain {
				line = clean
			}
			out.WriteString(line)
			continue
		}
		if !hidden {
			out.WriteString(PrivateKey.Placeholder())
			if strings.HasSuffix(line, "\n") {
				out.WriteByte('\n')
			}
		}
		hidden = true
	}
	return out.String()
}

// body reports whether a line may be one within a key.
func body(line string, short bool) bool {
	line = strings.TrimRight(line, "\r\n")
	return strings.TrimSpace(line) != "" && !strings.Contains(line, "-----") && keyLine(line, short)
}

// hideRuns gives a line without the words of base64 that are as long as a line of
// a key.
func hideRuns(line string) string {
	const shortest = 40
	var out strings.Builder
	last := 0
	for i := 0; i < len(line); i++ {
		start := i
		for i < len(line) && base64Char[line[i]] {
			i++
		}
		if i-start >= shortest && mixed(line[start:i]) {
			out.WriteString(line[last:start] + PrivateKey.Placeholder())
			last = i
		}
	}
	return out.String() + line[last:]
}

// withoutColors gives a line without the control sequences that set colors.
func withoutColors(line string) string {
	if !strings.Contains(line, "[") {
		return line
	}
	var out strings.Builder
	for i := 0; i < len(line); i++ {
		if n := csiEnd(line[i:]); n > 0 {
			i += n - 1
			continue
		}
		out.WriteByte(line[i])
	}
	return out.String()
}
