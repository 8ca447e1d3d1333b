package plain

import (
	"encoding/csv"
	"io"
	"strings"
	"unicode/utf8"

	"wavedeck/views/legible"
)

// CSV writes rows for a spreadsheet, or for a program (RFC 4180).
type CSV struct{ w *csv.Writer }

// NewCSV writes to w, which has to take everything.
func NewCSV(w io.Writer) CSV {
	writer := csv.NewWriter(w)
	writer.UseCRLF = true
	return CSV{writer}
}

// Row writes one row. Its cells have gone through Inert unless they are the
// program's own.
func (c CSV) Row(cells []string) error {
	if err := c.w.Write(cells); err != nil {
		return err //nolint:wrapcheck // the caller knows to whom it writes
	}
	c.w.Flush()
	return c.w.Error() //nolint:wrapcheck // as above
}

// Inert is a text that no spreadsheet takes for a formula and no terminal acts
// on: one that begins with = + - @, a tab, or such a sign in full width, has an
// apostrophe before it. So has one that begins with an apostrophe, so that it
// can be taken off again.
//
// Where a spreadsheet separates cells by semicolons, as in much of Europe, it knows
// nothing of the quotes that keep a cell of this file together: there a cell begins
// behind each semicolon and each line's end. The same is done there.
func Inert(text string) string {
	text = strings.ReplaceAll(clean(text), "\r", "")
	var out strings.Builder
	for {
		if formula(text) {
			out.WriteByte('\'')
		}
		i := strings.IndexAny(text, ";\n")
		if i < 0 {
			out.WriteString(text)
			return out.String()
		}
		out.WriteString(text[:i+1])
		text = text[i+1:]
	}
}

// InertName is a name as Inert has it, with marks where it has what is not seen: names
// as they are stand in JSON.
func InertName(name string) string { return Inert(legible.Name(name)) }

// formula reports whether a cell that begins with text could be a formula, also
// behind the blanks and quotes that some programs drop, or could be taken for one
// that has been made inert.
func formula(text string) bool {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(text, " \""))
	return strings.ContainsRune("=+-@＝＋－＠", first) || strings.HasPrefix(text, "'")
}
