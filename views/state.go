package views

import (
	"fmt"
	"slices"

	"github.com/a-h/templ"

	"wavedeck/static"
)

// States lists the derived states, in the order in which filters offer them. Each
// is a class of app.css and a symbol of sprite.svg.
func States() []string {
	return []string{
		"running", "waiting", "queued", "pending", "succeeded", "empty",
		"failed", "rejected", "lost", "cancelled", "skipped", "unknown",
	}
}

// knownState keeps a state that has a class and a symbol; any other text is unknown.
func knownState(state string) string {
	if slices.Contains(States(), state) {
		return state
	}
	return "unknown"
}

// wordOf is what to call a state when its row does not say.
func wordOf(state, word string) string {
	if word != "" {
		return word
	}
	return knownState(state)
}

func (c Layout) asset(name string) string { return static.URL(string(c.Paths), name) }

func (c Layout) symbol(state string) string {
	if slices.Contains(flags(), state) {
		return c.asset("sprite.svg") + "#" + state
	}
	return c.asset("sprite.svg") + "#" + knownState(state)
}

// flags are the symbols of sprite.svg that are no states.
func flags() []string { return []string{"stuck", "runaway", "late"} }

// region makes an element refetch itself from url when the stream says event,
// at once and then at most every pause (the last one is never dropped), when
// everything is to be read again (refresh), and when live.js tries once more
// after a failure (again). Without url it stands still.
//
// The attributes must not differ between two answers for one region: htmx
// would set the element up again and lose what it was about to do.
func region(url, event, pause string) templ.Attributes {
	if url == "" {
		return nil
	}
	return templ.Attributes{
		"hx-get":      url,
		"hx-swap":     "outerMorph",
		"hx-trigger":  event + " from:document throttle:" + pause + ", refresh from:document, again",
		"data-region": true,
	}
}

// segment is one step in the small bar of a run.
type segment struct{ State, Outline string }

// segments places a run's steps side by side; the more there are, the narrower
// each. A failed one is taller, so that it is found without colour.
func segments(states []string) (bar []segment, width string) {
	const most = 24
	states = states[:min(len(states), most)]
	step, gap := 12, 2
	switch {
	case len(states) > 12:
		step, gap = 4, 1
	case len(states) > 6:
		step, gap = 7, 1
	}
	for i, state := range states {
		state, top, height := knownState(state), 2, 6
		switch state {
		case "failed", "rejected", "lost":
			top, height = 0, 10
		case "pending", "queued", "skipped", "unknown":
			top, height = 4, 2
		}
		outline := fmt.Sprintf("M%d %dh%dv%dh-%dz", i*step, top, step-gap, height, step-gap)
		if n := len(bar); n > 0 && bar[n-1].State == state { // one shape for several: a list has a hundred such bars
			bar[n-1].Outline += outline
			continue
		}
		bar = append(bar, segment{State: state, Outline: outline})
	}
	return bar, itoa(max(len(states)*step-gap, 0))
}

// runDay is a day's part of a run list.
type runDay struct {
	ID, Heading string
	Rows        []RunRow
}

// byDay splits rows at the midnights of UTC, keeping their order. In another zone the
// script splits them again, by the same rules.
func byDay(c Layout, rows []RunRow) []runDay {
	var days []runDay
	for _, row := range rows {
		heading := Day(row.Started, c.Now)
		if n := len(days); n == 0 || days[n-1].Heading != heading {
			days = append(days, runDay{Heading: heading})
		}
		last := &days[len(days)-1]
		last.Rows = append(last.Rows, row)
	}
	for i := range days {
		id := "day-none"
		if t := days[i].Rows[0].Started; !t.IsZero() {
			id = "day-" + t.UTC().Format("2006-01-02")
		}
		if i > 0 && slices.ContainsFunc(days[:i], func(d runDay) bool { return d.ID == id }) {
			id += "-" + itoa(i) // a list that is not sorted by start
		}
		days[i].ID = id
	}
	return days
}
