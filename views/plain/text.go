package plain

import (
	"bytes"
	"strings"

	"github.com/mattn/go-runewidth"

	"wavedeck/views/legible"
)

// places counts how many columns of a terminal a text takes. What East Asian
// fonts may draw in two is counted as one, as terminals do elsewhere.
//
//nolint:gochecknoglobals // read only
var places = &runewidth.Condition{StrictEmojiNeutral: true}

// Marks stand before the words of states, so that colour says nothing alone.
//
//nolint:gochecknoglobals // read only
var marks = map[string]string{
	"pending": "○", "queued": "◔", "running": "◐", "waiting": "◇", "succeeded": "✓", "empty": "✓", "failed": "✕",
	"cancelled": "⊘", "rejected": "◆", "skipped": "╌", "lost": "?", "unknown": "?",
}

// Colours of the states, as a terminal knows them.
//
//nolint:gochecknoglobals // read only
var colours = map[string]string{
	"pending": "90", "queued": "90", "running": "34", "waiting": "33", "succeeded": "32", "empty": "32", "failed": "31",
	"cancelled": "35", "rejected": "31", "skipped": "90", "lost": "31", "unknown": "90",
}

const (
	bold = "1"
	dim  = "2"
	gap  = "  "
)

// text writes a document to a terminal.
type text struct {
	*bytes.Buffer

	coloured bool
}

// Text writes a document in columns, with a terminal's colours when they are
// asked for. Nothing else of what is written acts on a terminal.
func Text(b *bytes.Buffer, d Document, coloured bool) {
	t := text{b, coloured}
	t.line(t.in(bold, oneLine(legible.Name(d.Title))))
	for _, p := range d.Parts {
		t.line("")
		if p.Heading != "" {
			t.line(t.in(bold, oneLine(p.Heading)))
		}
		t.facts(p.Facts)
		t.table(p.Table)
		if p.Pre != "" {
			t.line(preText(p.Pre))
		}
		if p.Note != "" {
			t.line(t.in(dim, oneLine(p.Note)))
		}
	}
}

func (t text) line(s string) {
	t.WriteString(s)
	t.WriteByte('\n')
}

// in is s in a colour.
func (t text) in(code, s string) string {
	if !t.coloured || code == "" || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// facts stand below each other, their values in one column.
func (t text) facts(facts []Fact) {
	width := 0
	for _, f := range facts {
		width = max(width, places.StringWidth(f.Name))
	}
	for _, f := range facts {
		t.WriteString(t.in(dim, f.Name) + strings.Repeat(" ", width-places.StringWidth(f.Name)) + gap)
		t.line(t.in(colours[f.Cell.Tone], f.Cell.text(0)))
	}
}

func (t text) table(table Table) {
	if len(table.Columns) == 0 {
		return
	}
	rows := make([][]string, len(table.Rows))
	widths := make([]int, len(table.Columns))
	for i, c := range table.Columns {
		widths[i] = places.StringWidth(c.Name)
	}
	for i, row := range table.Rows {
		rows[i] = make([]string, len(row))
		for k, cell := range row {
			rows[i][k] = cell.text(table.Columns[k].Max)
			widths[k] = max(widths[k], places.StringWidth(rows[i][k]))
		}
	}
	head := make([]string, len(table.Columns))
	for i, c := range table.Columns {
		head[i] = strings.ToUpper(c.Name)
	}
	t.row(table.Columns, widths, head, func(int) string { return dim })
	for i, row := range rows {
		t.row(table.Columns, widths, row, func(k int) string { return colours[table.Rows[i][k].Tone] })
	}
}

func (t text) row(columns []Column, widths []int, cells []string, colour func(int) string) {
	last := len(cells) - 1
	for i, cell := range cells {
		pad := strings.Repeat(" ", widths[i]-places.StringWidth(cell))
		if columns[i].Right {
			t.WriteString(pad)
		}
		t.WriteString(t.in(colour(i), cell))
		if i < last {
			if !columns[i].Right {
				t.WriteString(pad)
			}
			t.WriteString(gap)
		}
	}
	t.WriteByte('\n')
}

// text is what a terminal shows of a cell: one line, its state's mark before it.
func (c Cell) text(most int) string {
	s := oneLine(c.seen())
	if s == "" {
		return unknown
	}
	if mark := marks[c.Tone]; mark != "" {
		s = mark + " " + s
	}
	if most > 0 {
		s = places.Truncate(s, most, "…")
	}
	return s
}
