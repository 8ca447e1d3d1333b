package plain

import (
	"encoding/csv"
	"io"
	"strings"
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
func Inert(text string) string {
	text = strings.ReplaceAll(clean(text), "\r", "")
	if strings.IndexFunc(text, func(r rune) bool { return strings.ContainsRune("=+-@'＝＋－＠", r) }) == 0 || text != strings.TrimLeft(text, " \n") && dangerous(text) {
		return "'" + text
	}
	return text
}

// dangerous reports whether a text is a formula behind the blanks that some
// programs drop.
func dangerous(text string) bool {
	text = strings.TrimLeft(text, " \n")
	return text != "" && strings.ContainsAny(text[:1], "=+-@")
}
