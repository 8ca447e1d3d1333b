package criteria

import (
	"time"

	"wavedeck/store/wave"
)

// Page sizes of the run list.
const (
	DefaultLimit = 25
	MaxLimit     = 100
)

// RunFilter chooses runs. Empty fields do not restrict. Several values of one
// field mean any of them; several fields mean all of them.
type RunFilter struct {
	States     []wave.State
	Pipelines  []string
	Tags       []string
	Parent     string      // only direct children of this run
	Since      time.Time   // started at or after
	Until      time.Time   // started before
	Predicates []Predicate // all of these hold

	Older *Cursor // the page after this run, going back in time
	Newer *Cursor // the page before this run, going forward
	Limit int     // 0 is DefaultLimit; at most MaxLimit
}

// Narrow reports whether f restricts anything but the page. The list without
// restriction shows top-level runs with their children folded; a narrowed one
// shows every run that matches, children included.
func (f RunFilter) Narrow() bool {
	return len(f.States)+len(f.Pipelines)+len(f.Tags)+len(f.Predicates) > 0 || f.Parent != "" ||
		!f.Since.IsZero() || !f.Until.IsZero()
}

// Cursor is a place in the list of runs, which is ordered by (started_at,
// run_id), newest first. Many runs may share a second.
type Cursor struct {
	T  int64  `json:"t"` // unix seconds
	ID string `json:"id"`
}

// RunPage is one page of runs, newest first.
type RunPage struct {
	Runs  []wave.Run
	Older *Cursor // nil: this is the oldest page
	Newer *Cursor // nil: this is the newest page
}

// Facets counts the runs of the whole history for the filter bar.
type Facets struct {
	All       int
	States    map[wave.State]int
	Pipelines map[string]int
	Tags      map[string]int
}

// EventLimit is the largest window of events that is read at once.
const EventLimit = 1000

// EventFilter chooses a window of one run's events by their ids.
type EventFilter struct {
	Run    string
	After  int64 // only ids greater than this
	Before int64 // only ids less than this; 0: no bound
	Limit  int   // 0 and more than EventLimit are EventLimit
	Newest bool  // when the window holds more than Limit, keep its newest, not its oldest
}

// WindowSize is the number of events to read, within its bounds.
func (f EventFilter) WindowSize() int {
	if f.Limit <= 0 {
		return EventLimit
	}
	return min(f.Limit, EventLimit)
}

// PageSize is the page size within its bounds.
func (f RunFilter) PageSize() int {
	if f.Limit <= 0 {
		return DefaultLimit
	}
	return min(f.Limit, MaxLimit)
}
