// Package views renders what handlers hand it: templ components and the plain
// values they show. It knows no database, no request and no clock: a time that
// matters is in the model.
//
// A page is XPage (a whole document), a part of it that is swapped live is
// XTable or XPanel (a fragment with a stable id), and a leaf is XRow.
package views

import (
	"net/url"
	"time"
)

// Layout is what every page has around its content.
type Layout struct {
	Paths   Paths
	Title   string // of the document, before " · wavedeck"
	Section string // which entry of the navigation is current: runs, pipelines, personas
	Project string // name in the manifest, or the folder's
	Source  string // the state database as an operator names it, e.g. ".agents/state.db · schema 33"
	Now     time.Time
	Live    Live
	Banners []Banner
	OEmbed  string // where programs read how to show this page elsewhere; empty: it is not shown elsewhere
	Share   string // the page that helps to show it elsewhere
	CanAct  bool   // buttons and forms that change something show
	CanRun  bool   // so do those that start and stop runs
	SignOut bool   // whoever reads this has signed in
	Run     string // the run that the page is about; empty: it is about none
	Forms   []Form // where the same is said in other forms

	Attention int // how many runs need a human; below 0: not known
}

// Form is where a page's content is said in another form.
type Form struct {
	Label string
	Type  string // its media type
	Href  string
}

// Live is where the page's stream goes on from.
type Live struct {
	Topic     string // query of the stream, e.g. "run=abc" or "list=1"; empty: the page does not change
	Cursor    string // "<epoch>-<event id>" that the page shows
	LastEvent int64
	Offline   string // why there is no database to watch; empty when there is one
}

// Banner is a banner: what is wrong or worth knowing, and where it was looked for.
type Banner struct {
	ID     string // stable DOM id
	Level  string // "info", "warn", "error"
	Title  string
	Detail []string
}

// Duration is a duration to show.
type Duration struct {
	D      time.Duration
	Known  bool
	Coarse bool      // from whole seconds: below one second shows "<1s"
	Since  time.Time // not zero: still ticking from here
}

// RunRow is one line of a run list.
type RunRow struct {
	ID           string
	Pipeline     string
	Title        string // the input's first line
	State        string // derived state
	Word         string // what to call it: "running", "stopping", ...
	Reason       string
	Done         int
	All          int // 0: unknown
	Current      []string
	Segments     []string // derived state of each step in order, when known; at most 24
	Started      time.Time
	Duration     Duration
	Tokens       *int64
	Subtree      *int64   // Tokens with those of all runs beneath it; nil: it started none
	At           string   // query of the moment that the list is as of, kept by its links
	Cost         string   // an estimate, marked so; empty where no prices are given
	Tags         []string // one that is cut ends in …
	MoreTags     int      // how many more than Tags there are
	Branch       string
	Children     Children
	ChildRows    []RunRow // shown folded beneath
	MoreChildren int      // how many more than ChildRows there are
	Of           *RunRef  // the parent, when this row stands alone
	Orphan       bool     // it has a parent that cannot be found
	Iterate      string   // "2 of 4"
	Cursor       string   // this row's place in the list
	Flags        []Flag   // what is noticed of it beside its state
	ETA          *ETA     // nil: too little is known
	Acts         RunActions
	Pick         bool // it can be chosen for an action on many
}

// Children says what became of the runs that a run started.
type Children struct{ All, Ended, Failed int }

// Cost is what a run is estimated to have cost, marked as an estimate.
type Cost struct {
	Text string // with all runs below it
	Own  string // without them; empty when there are none
}

// StartFact is something that a run was started with.
type StartFact struct{ Name, Text string }

// RunRef names another run.
type RunRef struct {
	ID, Pipeline, State, Word string
}

// Option is one choice of a filter, with its link.
type Option struct {
	Label  string
	Value  string
	Count  int // below 0: unknown
	On     bool
	Href   string
	State  string // its sprite, for states
	Remove string // link that drops it, when On
}

// Filter is the filter bar: the form's values and the ready links.
type Filter struct {
	Text      string
	States    []Option
	Pipelines []Option
	Tags      []Option
	Times     []Option
	Pipeline  string
	Tag       string
	Since     string
	Until     string
	Parent    string
	Narrow    bool     // anything is restricted
	Words     []string // the active restrictions in words, for empty states
	Clear     string   // link without any
	Hidden    url.Values
	Complete  string     // where Text asks how it may go on
	Terms     []Option   // the terms of Text, each with the link that drops it
	Wrong     *WrongWord // why Text cannot be read; nothing is listed then
	AsText    []string   // words of Text that look like a key and its value, and are none
}

// WrongWord is what is wrong with an input that was typed: one word of it.
type WrongWord struct {
	Before, Word, After string // the input
	Position            int    // of the word, in characters from 1
	Problem             string // "is not a key"
	Hint                string // what would be right
}

// CompletionsView is what a listbox shows; its options get ids from its own.
type CompletionsView struct {
	ID    string
	Items []Completion
}

// Completion is one way to go on with an input.
type Completion struct {
	Text  string // the whole input then
	At    int    // where its caret stands then, in UTF-16 code units
	Label string
	Hint  string
	Count *int
}

// CommandView is the page of commands.
type CommandView struct {
	Layout
	Text     string
	Complete string
	Wrong    *WrongWord
	Choices  []Option // commands that may have been meant
	Verbs    []CommandVerb
}

// CommandVerb explains one command.
type CommandVerb struct{ Usage, Means string }

// RunsView is the run list.
type RunsView struct {
	Layout
	Filter    Filter
	Rows      []RunRow
	NewerURL  string
	OlderURL  string
	Held      int        // how many newer runs wait while the list is held still
	HeldMore  bool       // at least Held
	Refresh   string     // URL of the table fragment
	First     bool       // this is the newest page
	Known     bool       // false: there is no database to list from
	StartURL  string     // where runs are started; empty: not from here
	SearchURL string     // looks for the filter in all texts; empty: the list is not empty, or there is no filter
	Views     []Option   // saved ones; Value is the number of each
	SaveQuery string     // what a view of this list keeps; empty: all runs
	Chosen    url.Values // what narrows the list, for actions on all that match
	BulkMost  int        // how many runs such an action is about at most
}

// SavedViews is the page of the saved views.
type SavedViews struct {
	Layout
	Rows    []SavedView
	Action  string // where a new one is saved
	Name    string // of the new one, as it was filled in
	Query   string
	Problem string // what was wrong with what was asked
	Next    string
}

// SavedView is one of them. Move, Rename and Remove are where forms go.
type SavedView struct {
	ID, Name             string
	Number               int
	Words                []string // its filter
	URL, Link            string   // of its list, and of itself
	Rename, Move, Remove string
	Webhook              string // where it sends word to
	First, Last          bool
}

// ErrorView is a page or a fragment that says what went wrong.
type ErrorView struct {
	Layout
	Status    int
	Heading   string
	Text      string
	Next      string // what would be right
	RequestID string
}
