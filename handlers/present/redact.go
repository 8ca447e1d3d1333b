package present

import (
	"strings"

	"wavedeck/store"
	"wavedeck/store/redact"
	"wavedeck/views/ansi"
	"wavedeck/views/plain"
)

// MessageVersion names what RedactMessage does. It goes up with each change of that,
// so that no index holds what is hidden now.
const MessageVersion = "3"

// RedactMessage is what a reader may see of an event's message: as a terminal shows
// it, without colours and secrets. Only that is indexed.
func RedactMessage(message string) string { return PlainText(Terminal(message)) }

// RedactEvents hides private keys of which each line is an event.
func RedactEvents() store.Across { return redact.Keys{} }

// MaxRead is how much of one text is read to be redacted. What lies behind it
// is in the download.
const MaxRead = 1 << 20

// Redact is a recorded text as a page shows it: without secrets. Every text that
// people, agents or tools have written goes through it.
func Redact(text string) string {
	if len(text) > MaxRead {
		text = text[:MaxRead]
	}
	return RedactWhole(text)
}

// RedactWhole is what a reader may see of a recorded text, without secrets.
func RedactWhole(text string) string {
	text, _ = redact.Text(text)
	return text
}

// RedactAll is the beginning of each of some recorded texts as a page shows it.
func RedactAll(texts []string) []string {
	list := make([]string, len(texts))
	for i, text := range texts {
		list[i] = Opening(text)
	}
	return list
}

// Inline is a recorded text on one line, as a terminal shows it.
func Inline(text string) string { return OneLine(PlainText(Terminal(text))) }

// Terminal is a text with the colours that a terminal would give it, without
// secrets, also those that only come together once the colours are taken out.
func Terminal(text string) []ansi.Line {
	text = RedactWhole(text)
	lines := ParseLines(text)
	if !strings.ContainsAny(text, "\x1b\r\b") {
		return lines
	}
	plain := PlainText(lines)
	if clean := RedactWhole(plain); clean != plain {
		return ParseLines(clean)
	}
	return lines
}

// ParseLines reads text as a terminal would, line by line; a color that is not switched off goes on in the
// next line.
func ParseLines(text string) []ansi.Line {
	text = strings.TrimSuffix(text, "\n")
	lines := make([]ansi.Line, 0, 1+strings.Count(text, "\n"))
	var state ansi.State
	for part := range strings.SplitSeq(text, "\n") {
		var line ansi.Line
		line, state = ansi.Parse(part, state)
		lines = append(lines, line)
	}
	return lines
}

// PlainText is what a reader sees of lines.
func PlainText(lines []ansi.Line) string { return Joined(lines, ansi.Line.Text) }

// Joined says each line in a way, and breaks between them.
func Joined(lines []ansi.Line, say func(ansi.Line) string) string {
	var b strings.Builder
	for i, line := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(say(line))
	}
	return b.String()
}

// OneLine keeps a recorded word from ending the line of its field, and from acting
// on a terminal.
func OneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || plain.Acts(r) {
			return ' '
		}
		return r
	}, s)
}
