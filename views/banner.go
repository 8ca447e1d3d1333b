package views

import (
	"slices"
	"strconv"

	"wavedeck/views/legible"
)

// documentTitle is the name of a page in its tab.
func (c Layout) documentTitle() string { return legible.Name(c.Title) + " · wavedeck" }

// counted is the title with how many runs need attention, when any do.
func (c Layout) counted() string {
	if c.Attention <= 0 {
		return c.documentTitle()
	}
	return "(" + strconv.Itoa(c.Attention) + ") " + c.documentTitle()
}

// Icon is the console's picture with how many runs need attention on it.
func (p Paths) Icon(n int) string { return p.at("favicon.svg") + "?n=" + strconv.Itoa(max(n, 0)) }

// Ended says which of some runs have ended, as JSON.
func (p Paths) Ended() string { return p.at("api", "ended") }

// badgeText is what fits on an icon.
func badgeText(n int) string {
	if n > 9 {
		return "9+"
	}
	return strconv.Itoa(n)
}

// goesOn reports whether the end of a run in this state is still to come.
func goesOn(state string) bool {
	return slices.Contains([]string{"pending", "queued", "running", "waiting"}, state)
}
