package views

import (
	"strconv"
	"time"

	"github.com/a-h/templ"
)

// Flag is something noticed of a run beside its state: a silhouette, a word,
// and the sentence behind it.
type Flag struct {
	Symbol string // of sprite.svg
	Tone   string // the derived state whose colour it has
	Word   string
	Title  string
}

// DiagnosisView is what to make of a run that has not ended: whether it moves,
// and why not.
type DiagnosisView struct {
	Step     string // that it is about; empty: the whole
	Fine     bool   // nothing needs to be done: it is told in one line
	Flag     Flag   // the verdict
	Evidence []Evidence
	Action   *Action        // the one thing to do; nil: nothing yet
	ETA      *ETA           // nil: too little is known
	Runaway  *DiagnosisView // what a step does that it should not go on with
}

// ETA is when a run will be done if it ends well: half of the past runs like it
// were done by P50, nine of ten by P90.
type ETA struct {
	P50, P90 time.Time
	N        int  // past runs; 0: only Late is known
	Late     bool // past the p90 of its past
}

// Left writes how long it is until two moments, rounded up, in one unit: "40–95 s
// left", "4–9 min left", "2 h left".
func Left(from, to, now time.Time) string {
	a, b := max(from.Sub(now), 0), max(to.Sub(now), 0)
	unit, word := time.Second, " s left"
	switch {
	case b >= 2*time.Hour:
		unit, word = time.Hour, " h left"
	case b >= 2*time.Minute:
		unit, word = time.Minute, " min left"
	}
	low, high := (a+unit-1)/unit, (b+unit-1)/unit
	if low == high {
		return strconv.FormatInt(int64(high), 10) + word
	}
	return strconv.FormatInt(int64(low), 10) + "–" + strconv.FormatInt(int64(high), 10) + word
}

// Evidence is one signal and its value: what stands there, or how long ago it
// was, which goes on, and what belongs to it.
type Evidence struct {
	Signal string
	Value  string
	Since  time.Time
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

func etaTitle(e ETA) string {
	return "p50 to p90 of " + Plural(e.N, "past run", "past runs")
}

// LateFlag marks a run that is past the p90 of its past.
func LateFlag() Flag {
	return Flag{Symbol: "late", Tone: "waiting", Word: "late", Title: "It takes longer than nine of ten past runs."}
}
