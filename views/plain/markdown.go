package plain

import (
	"bytes"
	"net/url"
	"strings"

	"wavedeck/views/legible"
)

// maxCell bounds what a cell of Markdown holds, in bytes.
const maxCell = 2000

// Markdown writes a document as GitHub's Markdown, which chats and issues read.
func Markdown(b *bytes.Buffer, d Document) {
	b.WriteString("# " + escaped(oneLine(legible.Name(d.Title))) + "\n")
	for _, p := range d.Parts {
		if p.Heading != "" {
			b.WriteString("\n## " + escaped(oneLine(p.Heading)) + "\n")
		}
		if len(p.Facts) > 0 {
			b.WriteByte('\n')
		}
		for _, f := range p.Facts {
			b.WriteString("- **" + escaped(oneLine(f.Name)) + ":** " + f.Cell.markdown() + "\n")
		}
		p.Table.markdown(b)
		if p.Pre != "" {
			text := preText(p.Pre)
			fence := strings.Repeat("`", max(3, longest(text)+1))
			b.WriteString("\n" + fence + "text\n" + text + "\n" + fence + "\n")
		}
		if p.Note != "" {
			b.WriteString("\n" + escaped(oneLine(p.Note)) + "\n")
		}
	}
}

func (t Table) markdown(b *bytes.Buffer) {
	if len(t.Columns) == 0 {
		return
	}
	b.WriteString("\n|")
	for _, c := range t.Columns {
		b.WriteString(" " + escaped(c.Name) + " |")
	}
	b.WriteString("\n|")
	for _, c := range t.Columns {
		if c.Right {
			b.WriteString(" ---: |")
		} else {
			b.WriteString(" --- |")
		}
	}
	b.WriteByte('\n')
	for _, row := range t.Rows {
		b.WriteByte('|')
		for _, cell := range row {
			b.WriteString(" " + cell.markdown() + " |")
		}
		b.WriteByte('\n')
	}
}

// markdown is a cell as it may stand in a row of a table or of a list.
func (c Cell) markdown() string {
	s := strings.TrimSpace(clean(c.seen()))
	if s == "" {
		return unknown
	}
	if len(s) > maxCell {
		s = strings.ToValidUTF8(s[:maxCell], "") + "…"
	}
	if c.Code {
		s = code(s)
	} else {
		s = escaped(s)
	}
	if mark := marks[c.Tone]; mark != "" {
		s = mark + " " + s
	}
	if c.Href != "" {
		if u, err := url.Parse(c.Href); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
			s = "[" + s + "](<" + strings.NewReplacer("|", "%7C", "\\", "%5C").Replace(u.String()) + ">)"
		}
	}
	return s
}

// code is a name that nothing is read into. One that would end it, or the cell it
// stands in, is text.
func code(s string) string {
	if strings.ContainsAny(s, "`|\\\n") {
		return escaped(s)
	}
	return "`" + s + "`"
}

// longest is the length of the longest run of backticks.
func longest(s string) int {
	most, n := 0, 0
	for i := range len(s) {
		if n++; s[i] != '`' {
			n = 0
		}
		most = max(most, n)
	}
	return most
}

// escaper takes their meaning from the characters that have one within a line.
// The others have it at the beginning of one only, where no text stands.
//
//nolint:gochecknoglobals // read only
var escaper = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", "&#124;", "~", `\~`, "$", `\$`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;", "\n", "<br>",
)

func escaped(s string) string { return escaper.Replace(s) }
