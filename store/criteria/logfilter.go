package criteria

import (
	"slices"
	"strings"

	"wavedeck/store/wave"
)

// LogFilter chooses events of one run. Empty fields do not restrict.
type LogFilter struct {
	Run    string
	Step   string
	States []string // as recorded, any of them
	Text   string   // part of the message, in either case of ASCII letters
	// Shown gives what a reader sees of a message. A text is looked for in that:
	// what is coloured, overwritten or taken out may read otherwise than it is
	// recorded. nil: the message itself.
	Shown func(message string) string
}

// Narrow reports whether f leaves out anything.
func (f LogFilter) Narrow() bool { return f.Step != "" || len(f.States) > 0 || f.Text != "" }

// Matches reports whether an event of the run is among those chosen.
func (f LogFilter) Matches(e wave.Event) bool {
	return (f.Step == "" || e.StepID == f.Step) &&
		(len(f.States) == 0 || slices.Contains(f.States, e.State)) &&
		(f.Text == "" || f.Contains(e.Message))
}

// Contains reports whether a message holds the text that is searched for.
func (f LogFilter) Contains(message string) bool {
	if f.Shown != nil {
		message = f.Shown(message)
	}
	return strings.Contains(lowerASCII(message), lowerASCII(f.Text))
}

// lowerASCII folds as SQLite's LIKE does.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// LogWindow is a part of a log by the ids of its events.
type LogWindow struct {
	After, Before int64 // only ids between these; Before 0: no bound
	Newest        bool  // when there are more, keep the newest, not the oldest
	Limit         int   // 0 and more than EventLimit are EventLimit
	Bytes         int   // stop where the messages are this long together, 0: do not; one event always fits
}

// LogHits is what was found in a whole log.
type LogHits struct {
	IDs   []int64 // in order, at most as many as were asked for
	More  bool    // there are more
	Tired bool    // the time was over before the end: there may be more
}
