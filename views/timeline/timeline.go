// Package timeline draws the waterfall of a run: a row per step, its attempts
// as bars in that row, child runs nested beneath.
//
// Lay turns what is known of a run into a Layout: whole thousandths of a percent
// of the track's width, so a page is complete without scripts or inline styles.
// It takes any input: ends before starts, times outside the run, cycles.
//
// A lane's way through the package: where its spans lie on the axis, in
// milliseconds or tokens (place.go); the axis, with idle time folded (axis.go);
// the bars (lay.go); the chain that decided how long it all took (chain.go).
package timeline

import "time"

// Run is what a timeline shows.
type Run struct {
	Start time.Time // zero: the earliest time that a span names
	End   time.Time // zero: it still runs
	Now   time.Time // when this was read; nothing is shown after it
	Lanes []Lane    // in the order of their rows
}

// Lane is a step, or a child run with its steps as Children.
type Lane struct {
	ID       string // what Depends of its siblings names; DOM ids are made of it
	Label    string // empty: ID
	Detail   string // a persona, the kind of a step
	State    string // a derived state: also a CSS class and a symbol of the sprite
	Word     string // what to call the state; empty: State
	Note     string // why it was skipped, what it waits for
	Href     string // empty: the row leads nowhere
	Duration string // as it is to be shown; empty: not known
	Tokens   *int64 // used by the lane itself, not by its children; nil: not recorded
	Whole    bool   // Tokens holds what its children used as well: where they tell theirs, it is not laid out beside them
	Attempts []Span
	Depends  []string // ids of lanes beside this one
	Children []Lane
	Blocked  string // what keeps it from running, as text: "integration"
	Alert    string // what is noticed of it, in a few words; it has a mark of its own
}

// Span is a stretch of one attempt in which one thing went on.
type Span struct {
	From        time.Time // zero: not recorded, and then it has no bar
	To          time.Time // zero: it goes on until now, or until the run's end
	Kind        Kind
	State       string // empty: the lane's
	Attempt     int    // from 1; 0: not counted
	Tokens      *int64 // nil: not recorded
	Approximate bool   // times are whole seconds, cut off
}

// Kind says what goes on during a span.
type Kind string

// The kinds of spans. Any other is drawn as work.
const (
	Queued   Kind = "queued"
	Work     Kind = "work"
	Contract Kind = "contract" // a check of what an attempt handed over
	Wait     Kind = "wait"     // for a human
	Backoff  Kind = "backoff"  // between two attempts
)

func (k Kind) known() Kind {
	switch k {
	case Queued, Contract, Wait, Backoff:
		return k
	default:
		return Work
	}
}

// knownState keeps a state that has a class and a symbol; any other text is unknown.
func knownState(state string) string {
	switch state {
	case "pending", "queued", "running", "waiting", "succeeded", "empty",
		"failed", "rejected", "lost", "cancelled", "skipped":
		return state
	default:
		return "unknown"
	}
}

// ended reports whether a lane in this state will not change any more.
func ended(state string) bool {
	switch state {
	case "succeeded", "empty", "failed", "rejected", "lost", "cancelled", "skipped":
		return true
	default:
		return false
	}
}

func wentWrong(state string) bool {
	return state == "failed" || state == "rejected" || state == "lost"
}
