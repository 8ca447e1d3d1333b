package handlers

import (
	"strings"

	"wavedeck/store/redact"
	"wavedeck/views/ansi"
)

// maxRead is how much of one text is looked at to be shown. What lies behind it
// is in the download.
const maxRead = 1 << 20

// shown is a recorded text as a page shows it: without secrets. Every text that
// people, agents or tools have written goes through it.
func shown(text string) string {
	if len(text) > maxRead {
		text = text[:maxRead]
	}
	return redacted(text)
}

func redacted(text string) string {
	text, _ = redact.Text(text)
	return text
}

// shownAll is the beginning of each of some recorded texts as a page shows it.
func shownAll(texts []string) []string {
	list := make([]string, len(texts))
	for i, text := range texts {
		list[i] = opening(text)
	}
	return list
}

// inline is a recorded text on one line, as a terminal shows it.
func inline(text string) string { return oneLine(plainText(terminal(text))) }

// terminal is a text with the colours that a terminal would give it, without
// secrets, also those that only come together once the colours are taken out.
func terminal(text string) []ansi.Line {
	text = redacted(text)
	lines := parseLines(text)
	if !strings.ContainsAny(text, "\x1b\r\b") {
		return lines
	}
	plain := plainText(lines)
	if clean := redacted(plain); clean != plain {
		return parseLines(clean)
	}
	return lines
}

func parseLines(text string) []ansi.Line {
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

// plainText is what a reader sees of lines.
func plainText(lines []ansi.Line) string { return joined(lines, ansi.Line.Text) }

// joined says each line in a way, and breaks between them.
func joined(lines []ansi.Line, say func(ansi.Line) string) string {
	var b strings.Builder
	for i, line := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(say(line))
	}
	return b.String()
}
