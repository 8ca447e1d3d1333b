// Package headline picks the one line of a failure's texts that says what went
// wrong: an assertion, an exception or a compiler's error, rather than "exit
// status 1" or "1 failing". It reads texts only, so that every list, page and
// form that reports a failure can ask it and agree.
package headline

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of what is read of a text and returned. The beginning has the first
// error of a compiler, the end the last words of a program.
const (
	MaxBytes = 300 // of a headline, "…" included

	maxHead  = 12 << 10 // bytes that are read from the beginning of a text
	maxTail  = 36 << 10 // bytes that are read from its end
	maxLine  = 2 << 10  // bytes that are read of a line
	maxTexts = 16

	firstLines, lastLines = 400, 800 // lines that are judged of a text with more
)

// Of returns the most telling line of the texts of one failure, the most
// specific text first: of two lines that say equally much, that of the earlier
// text is taken. It is one line of at most MaxBytes bytes without control
// characters, empty when no text has any word. Secrets must be removed before:
// a secret is recognized by the lines around it.
func Of(texts ...string) string {
	var best candidate
	for _, text := range texts[:min(len(texts), maxTexts)] {
		if c := choose(lines(Window(text))); c.score > best.score {
			best = c
		}
	}
	return clip(best.text)
}

// Window is the part of a text that Of reads: all of it, or its beginning and
// its end, cut at line breaks where there are any. Callers that redact a text
// first need not redact more than this.
func Window(text string) string {
	if len(text) <= maxHead+maxTail {
		return text
	}
	head, tail := text[:maxHead], text[len(text)-maxTail:]
	if i := strings.LastIndexByte(head, '\n'); i > 0 {
		head = head[:i]
	}
	if i := strings.IndexByte(tail, '\n'); i >= 0 {
		tail = tail[i+1:]
	}
	return head + "\n" + tail
}

// line is a line of a text as it is judged.
type line struct {
	text   string // without wrapping, control characters and blanks around it
	indent int    // of the line in its text
	said   bool   // a program printed it: its last words count, not its first
	raised bool   // pytest marks it as what was raised
}

// candidate is a line with how much it says.
type candidate struct {
	text  string
	score int
}

// choose finds the line of a text that says most.
func choose(list []line) candidate {
	if len(list) > firstLines+lastLines {
		list = slices.Delete(list, firstLines, len(list)-lastLines)
	}
	best, at := candidate{}, -1
	inTraceback := false
	for i, l := range list {
		r := judge(l)
		switch {
		case strings.HasPrefix(l.text, "Traceback (most recent call last)"):
			inTraceback = true
		case inTraceback && l.indent == 0 && !strings.HasPrefix(l.text, "|"):
			// Whatever its class is called, this is what was raised.
			inTraceback = false
			if r.score != scoreRelayed {
				r = verdict{score: scoreRaised, last: true}
			}
		}
		if r.score > best.score || r.score == best.score && r.last {
			best.score, at = r.score, i
		}
	}
	if at >= 0 {
		best.text = withDetail(list, at)
	}
	return best
}

// maxDetails is how many following lines complete a line that needs them.
const maxDetails = 3

// withDetail is a line with those that complete it: what follows a colon, and
// the two sides of an assertion.
func withDetail(list []line, at int) string {
	text := list[at].text
	open := strings.HasSuffix(text, ":")
	sides := open || comparison.MatchString(text)
	next := at + 1
	if open && next < len(list) && judgeDetail(list[next].text) {
		text += " " + list[next].text
		next++
	}
	for n := 0; sides && next < len(list) && n < maxDetails && side.MatchString(list[next].text); n++ {
		text += " " + list[next].text
		next++
	}
	return text
}

// clip bounds a line and makes its blanks single ones.
func clip(text string) string {
	if len(text) > maxLine {
		text = text[:maxLine]
	}
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "\uFFFD")), " ")
	const more = "…"
	if len(text) <= MaxBytes {
		return text
	}
	end := MaxBytes - len(more)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + more
}

// Tells reports whether the texts of a failure say more than how it ended: more
// than an exit status, a signal or a sum.
func Tells(texts ...string) bool {
	return slices.ContainsFunc(texts, func(text string) bool { return choose(lines(Window(text))).score > scoreRelayed })
}
