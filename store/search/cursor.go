package search

import (
	"strconv"
	"strings"

	"wavedeck/store/criteria"
)

// maxSeen is how many runs a Cursor carries.
const maxSeen = 40

// Cursor is a place in what is found, which is ordered by the newest hit of each run.
type Cursor struct {
	Before int64   // hits from here on were looked at; 0: none was
	seen   []int64 // first events of the runs that were shown and began before that
}

// ParseCursor reads what String wrote; the empty text is the beginning.
func ParseCursor(text string) (Cursor, error) {
	var c Cursor
	if text == "" {
		return c, nil
	}
	wrong := &criteria.InputError{Field: "before", Got: text[:min(len(text), 64)], Want: "taken from an earlier answer"}
	for i, part := range strings.Split(text, ".") {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil || n < 1 || i > maxSeen {
			return Cursor{}, wrong
		}
		if i == 0 {
			c.Before = n
		} else {
			c.seen = append(c.seen, n)
		}
	}
	return c, nil
}

func (c Cursor) String() string {
	text := strconv.FormatInt(c.Before, 10)
	for _, n := range c.seen {
		text += "." + strconv.FormatInt(n, 10)
	}
	return text
}
