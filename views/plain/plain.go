// Package plain says what a page says without its looks: as text in columns for
// a terminal, as Markdown, as CSV. What stands in a Document may be anybody's
// text: each form neutralises what would act in it.
package plain

import (
	"strings"

	"wavedeck/views/ansi"
	"wavedeck/views/legible"
)

// maxPre bounds a text of several lines, in bytes.
const maxPre = 32 << 10

// Document is what a page says, from top to bottom.
type Document struct {
	Title string
	Parts []Part
}

// Part is one part of a document. Its fields are said in their order; empty ones
// are left out.
type Part struct {
	Heading string
	Facts   []Fact
	Table   Table
	Pre     string // lines that stand as they are
	Note    string // a sentence
}

// Fact is a value by its name. An empty value is said as unknown.
type Fact struct {
	Name string
	Cell Cell
}

// Table has as many cells in each row as it has columns.
type Table struct {
	Columns []Column
	Rows    [][]Cell
}

// Column is one column of a table.
type Column struct {
	Name  string
	Max   int  // how many places it may take in a text, 0: as many as it needs
	Right bool // numbers
}

// Cell is one value.
type Cell struct {
	Text string
	Tone string // the state whose colour it has; empty: none
	Code bool   // a name to be copied
	Href string // where Markdown leads from it, absolute
}

// seen is the text of a cell as a reader sees it: a name with marks where it has
// what is not seen.
func (c Cell) seen() string {
	if c.Code && !strings.Contains(c.Text, "\n") {
		return legible.Name(c.Text)
	}
	return c.Text
}

// unknown is said where there is no value.
const unknown = "-"

// clean is a text with what a terminal would act on taken out or made visible.
func clean(text string) string {
	if plainASCII(text) {
		return text
	}
	var b strings.Builder
	var state ansi.State
	for i, part := range strings.Split(text, "\n") {
		var line ansi.Line
		line, state = ansi.Parse(part, state)
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(strings.ReplaceAll(line.Text(), "\t", "    "))
	}
	return b.String()
}

func plainASCII(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\n' || c >= 0x7f {
			return false
		}
	}
	return true
}

// oneLine is the first line of a text that says something; … says that there is
// more of it. Blanks are single, so that two of them end a column.
func oneLine(text string) string {
	line, rest, more := strings.Cut(strings.TrimSpace(clean(text)), "\n")
	line = strings.Join(strings.Fields(line), " ")
	if more && strings.TrimSpace(rest) != "" {
		return line + " …"
	}
	return line
}

// preText is the text of a Pre, bounded.
func preText(text string) string {
	text = strings.TrimRight(clean(text), "\n")
	if len(text) > maxPre {
		text = strings.ToValidUTF8(text[:maxPre], "") + "\n…"
	}
	return text
}
