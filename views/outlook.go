package views

import "github.com/a-h/templ"

// Flag is something noticed of a run beside its state: a silhouette, a word,
// and the sentence behind it.
type Flag struct {
	Symbol string // of sprite.svg
	Tone   string // the told state whose colour it has
	Word   string
	Title  string
}

// OutlookView is what to make of a run that has not ended: whether it moves,
// and why not.
type OutlookView struct {
	Fine     bool // nothing needs to be done: it is told in one line
	Flag     Flag // the verdict
	Evidence []Evidence
	Action   *Action // the one thing to do; nil: nothing yet
}

// Evidence is one signal and its value: what stands there, or how long ago it
// was, which goes on, and what belongs to it.
type Evidence struct {
	Signal string
	Value  string
	Since  Stamp
	Note   string
}

// Action is a link to what can be done.
type Action struct{ Label, Href string }

// whyAttributes makes the panel ask for itself also when nothing was committed:
// a heartbeat is no change, and silence is told by the clock. The stream's pings
// are the clock, so that a hidden or disconnected page asks for nothing.
func whyAttributes(url string, going bool) templ.Attributes {
	attrs := region(url, "run-changed", "250ms")
	if trigger, ok := attrs["hx-trigger"].(string); ok && going {
		attrs["hx-trigger"] = trigger + ", ping from:document throttle:15s"
	}
	return attrs
}
