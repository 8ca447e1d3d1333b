package views

import "time"

// SearchView is what a search found, or the form of one.
type SearchView struct {
	Layout
	Text     string
	Complete string     // where Text asks how it may go on
	Wrong    *WrongWord // why Text cannot be read; nothing is searched then
	AsText   []string   // words of Text that look like a key and its value, and are none
	Known    bool       // false: there is no database to search
	Asked    bool
	HasWords bool // there are words to look for in events

	Exact    []RunRow // the run that Text names
	Rows     []RunRow // runs that say it in their id, pipeline, input or error
	RunsMore string   // the next page of them
	ListURL  string   // the list of runs, filtered by the same

	Events     []FoundRun // those with the newest hits first
	EventsMore string     // where to go on
	SearchedTo int64      // the event that EventsMore begins before
	Tired      bool       // the time was over

	OnlyRuns, OnlyEvents bool   // a page behind the first
	First                string // leads back to it
	Index                SearchIndex
}

// FoundRun is a run with events that were looked for.
type FoundRun struct {
	Run    RunRow
	Hits   []FoundEvent
	More   int // further ones that were met
	LogURL string
}

// FoundEvent is an event that was looked for.
type FoundEvent struct {
	ID         int64
	Step, Word string
	At         time.Time
	Parts      []SnippetPart
	Href       string // its line in the log
}

// SnippetPart is a piece of what an event says.
type SnippetPart struct {
	Text string
	Hit  bool
}

// SearchIndex is how much of all events is searched.
type SearchIndex struct {
	State      string // off, waiting, building, paused, ready, unusable
	Percent    int
	Events, Of int64 // ids of events
	Bytes      int64
	Problem    string
	Refresh    string // asks again; empty: nothing is going on
	RebuildURL string
	CanRebuild bool
	Text       string // what the page searches for
}

// growing reports whether the index lacks events.
func (x SearchIndex) growing() bool {
	return x.State == "building" || x.State == "paused" || x.State == "waiting"
}

// moreEvents says where the next page of events goes on.
func moreEvents(v SearchView) string {
	if v.Tired {
		return "Continue before event " + Number(v.SearchedTo)
	}
	return "More events"
}
