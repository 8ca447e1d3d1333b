package views

import (
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"
)

// AttentionView is the list of what needs a human.
type AttentionView struct {
	Layout
	Rows     []AttentionRow // the most urgent first
	More     int            // how many more there are
	Known    bool           // false: there is no database to tell from, or
	Unjudged bool           // nobody has looked yet
	Failed   bool           // some of Rows failed, and can be marked as seen
	CanMark  bool
	Unkept   string // why nothing can be marked
	Refresh  string
	SeenURL  string // where marks are sent to
}

// AttentionRow is one run, why it needs a human, and the one thing to do.
type AttentionRow struct {
	Run     RunRow
	In      *RunRef // the run below it that the reason lies in
	Urgency string
	Flag    Flag
	Since   time.Time
	Action  *Action
	Failed  bool // it is over: it can be marked as seen
}

// acts reports whether anything can be done from the list.
func (v AttentionView) acts() bool {
	return v.CanMark || slices.ContainsFunc(v.Rows, func(row AttentionRow) bool { return row.Action != nil })
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func attentionAttributes(c Layout) templ.Attributes {
	if c.Live.Topic == "" {
		return nil
	}
	attrs := region(c.Paths.AttentionCount(c.Section), "runs-changed", "2s")
	if trigger, ok := attrs["hx-trigger"].(string); ok {
		attrs["hx-trigger"] = trigger + ", ping from:document throttle:10s"
	}
	return attrs
}
