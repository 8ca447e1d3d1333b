package search

import (
	"strings"
	"unicode/utf8"
)

// Part is a piece of a snippet. Hit pieces are what was looked for.
type Part struct {
	Text string `json:"text"`
	Hit  bool   `json:"hit,omitempty"`
}

// How much of a text a snippet shows, in bytes.
const (
	snippetBefore = 60
	snippetBytes  = 240
)

// snippet is the text around the first marks, on one line.
func snippet(text string, marks []mark) []Part {
	start, first := 0, 0
	if len(marks) > 0 {
		first = marks[0].at
	}
	if first > snippetBefore {
		start = runeStart(text, first-snippetBefore)
		if i := strings.LastIndexAny(text[start:first], "\n"); i >= 0 { // lines before it say little
			start += i + 1
		} else if i := strings.IndexByte(text[start:first], ' '); i >= 0 && i < snippetBefore/2 {
			start += i + 1
		}
	}
	end := len(text)
	if end-start > snippetBytes {
		end = runeStart(text, start+snippetBytes)
		if i := strings.LastIndexByte(text[start:end], ' '); i > snippetBytes-snippetBefore/2 {
			end = start + i
		}
	}
	var parts []Part
	add := func(piece string, hit bool) {
		if piece = oneLine(piece); piece != "" {
			parts = append(parts, Part{piece, hit})
		}
	}
	if start > 0 {
		parts = append(parts, Part{Text: "… "})
	}
	at := start
	for _, m := range marks {
		if m.at >= end {
			break
		}
		add(text[at:m.at], false)
		at = min(m.end, end)
		add(text[m.at:at], true)
	}
	add(text[at:end], false)
	if end < len(strings.TrimRight(text, " \n\t")) {
		parts = append(parts, Part{Text: " …"})
	}
	return parts
}

// runeStart is the beginning of the character that byte i belongs to.
func runeStart(text string, i int) int {
	for i > 0 && !utf8.RuneStart(text[i]) {
		i--
	}
	return i
}

// oneLine keeps a blank at either end of what had one.
func oneLine(piece string) string {
	fields := strings.Fields(piece)
	line := strings.Join(fields, " ")
	if piece == "" {
		return ""
	}
	if line == "" {
		return " "
	}
	if strings.TrimLeft(piece[:1], " \n\t\r") == "" {
		line = " " + line
	}
	if strings.TrimLeft(piece[len(piece)-1:], " \n\t\r") == "" {
		line += " "
	}
	return line
}
