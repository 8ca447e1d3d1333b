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

	"github.com/a-h/templ"

	"wavedeck/views/ansi"
)

// Chrome is what every page has around its content.
type Chrome struct {
	Paths   Paths
	Title   string // of the document, before " · wavedeck"
	Section string // which entry of the navigation is current: runs, pipelines, personas
	Project string // name in the manifest, or the folder's
	Source  string // the state database as an operator names it, e.g. ".agents/state.db · schema 33"
	Now     time.Time
	Live    Live
	Notices []Notice
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

// Notice is a banner: what is wrong or worth knowing, and where it was looked for.
type Notice struct {
	ID     string // stable DOM id
	Level  string // "info", "warn", "error"
	Title  string
	Detail []string
}

// Stamp is a moment to show; the zero Stamp shows as a dash.
type Stamp = time.Time

// Took is a duration to show.
type Took struct {
	D      time.Duration
	Known  bool
	Coarse bool      // from whole seconds: below one second shows "<1s"
	Since  time.Time // not zero: still ticking from here
}

// RunRow is one line of a run list.
type RunRow struct {
	ID       string
	Pipeline string
	Title    string // the input's first line
	State    string // told state
	Word     string // what to call it: "running", "stopping", ...
	Reason   string
	Done     int
	All      int // 0: unknown
	Current  []string
	Segments []string // told state of each step in order, when known; at most 24
	Started  Stamp
	Took     Took
	Tokens   *int64
	Subtree  *int64 // Tokens with those of all runs beneath it; nil: it started none
	At       string // query of the moment that the list is as of, kept by its links
	Cost     string // an estimate, marked so; empty where no prices are given
	Tags     []string
	Branch   string
	Children Children
	Kids     []RunRow // shown folded beneath
	KidsMore int      // how many more than Kids there are
	Of       *RunRef  // the parent, when this row stands alone
	Orphan   bool     // it has a parent that cannot be found
	Iterate  string   // "2 of 4"
	Cursor   string   // this row's place in the list
	Flags    []Flag   // what is noticed of it beside its state
	ETA      *ETA     // nil: too little is known
	Acts     RunActions
	Pick     bool // it can be chosen for an action on many
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
	Problem             string // "is no key"
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
	Chrome
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
	Chrome
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
	Chrome
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
	Hook                 string // where it sends word to
	First, Last          bool
}

// RunView is one run's page.
type RunView struct {
	Chrome
	Run       RunRow
	RunID     string
	Input     string
	Error     string
	Completed Stamp
	Heartbeat Stamp
	PID       int
	Kind      string
	Recorded  string    // Wave's own word, when the told one differs
	Cost      *Cost     // nil: no prices are given
	Past      *PastView // nil: the page is of now
	Progress  *int
	Failure   *Failure
	Steps     []StepRow
	Events    EventsView
	Artifacts []ArtifactGroup
	Ledger    LedgerView
	Parent    *RunRef
	ParentAt  string // the parent's step
	Resumed   bool   // it continues its parent from that step
	Orphan    string // why its parent cannot be shown; empty: it can, or there is none
	Fork      *RunRef
	RetryOf   *RunRef
	Kids      []RunRow
	KidsMore  int
	KidsURL   string
	FirstID   int64
	LastID    int64
	Defined   bool         // the pipeline is still defined
	Outlook   *OutlookView // nil: it has ended
	WhoURL    string       // who asked it to stop; empty when nobody did
	AskedBy   string       // their name; empty: not known here
	ExportURL string       // the run as one file
	Started   []StartFact  // what it was started with, as far as that is known
	Refresh   RunRefresh
	Tabs      []Option
}

// tab is the label of the page that is shown.
func (v RunView) tab() string {
	for _, t := range v.Tabs {
		if t.On {
			return t.Label
		}
	}
	return ""
}

// stepLink leads to a step on the run's summary, from whichever of its pages the
// head stands on.
func (v RunView) stepLink(step string) string {
	page := v.Paths.Run(v.RunID)
	if len(v.Tabs) > 0 {
		page = v.Tabs[0].Href // as of the same moment
	}
	return page + "#" + domID("step", step)
}

// vital tells whether it matters, and is known, when the run last showed that it
// lives: of one whose end is recorded it does not.
func (v RunView) vital() bool {
	return (v.PID > 0 || !v.Heartbeat.IsZero()) && (goesOn(v.Run.State) || v.Run.State == "lost" || v.Run.State == "unknown")
}

// going tells whether what is shown may still change.
func (v RunView) going() bool { return v.Past == nil && goesOn(v.Run.State) }

// RunRefresh holds the fragment URLs of a run's page.
type RunRefresh struct{ Head, Why, Steps, Events, Artifacts, Outcomes, Family, Tab string }

// Failure is what an operator wants first: where and why.
type Failure struct {
	State     string
	Step      string
	Attempt   int
	Of        int
	Persona   string
	Model     string
	Class     string  // failure class in words
	Line      string  // the line that says what is wrong
	Text      string  // all of it
	Cause     *RunRef // the run below that it began in
	CauseStep string  // the step of that run
	EventURL  string
	EventID   int64
	Blocked   []string // steps that did not run because of it
}

// causeLink leads to where a failure began.
func causeLink(c Chrome, f Failure) string {
	link := c.Paths.Run(f.Cause.ID)
	if f.CauseStep != "" {
		link += "#" + StepAnchor(f.CauseStep)
	}
	return link
}

// Culprit is the run that made a step fail which had started it.
type Culprit struct {
	RunRef

	Item string // "2 of 3"; empty: it is no item of several
}

// StepRow is one step of a run.
type StepRow struct {
	ID       string
	State    string
	Word     string
	Kind     string
	Persona  string
	Model    string
	Adapter  string
	Note     string
	Error    Account
	Action   string
	Progress *int
	Started  Stamp
	Ended    Stamp
	Took     Took
	Tokens   *int64
	Attempts []AttemptRow
	Max      int
	Contract string // result in a word
	ContText Account
	Evidence Account // what was shown for or against the contract
	Children Children
	Visits   int      // how often a loop or an edge came to it; 0: not counted
	Culprit  *Culprit // nil: it failed by itself, or did not fail
	Anchor   string   // DOM id
}

// AttemptRow is one try.
type AttemptRow struct {
	Number  int
	State   string
	Word    string
	Class   string // failure class in words
	Error   Account
	Tail    []ansi.Line // the end of its output
	TailOf  int         // how many lines the recorded output has, when Tail is not all of it
	Started Stamp
	Took    Took
	Tokens  *int64
}

// Account is a recorded text and the line of it that says most.
type Account struct{ Line, Text string }

// EventsView is a window of a run's events, newest last.
type EventsView struct {
	RunID  string
	Rows   []EventRow
	Total  int64
	Older  string // URL of the window before
	Newer  string // URL of the window after
	Latest bool
}

// EventRow is one event; ID is its permanent line number.
type EventRow struct {
	ID      int64
	At      Stamp
	Step    string
	State   string
	Tone    string // told state whose colour fits, or empty
	Persona string
	Message string
	Tokens  int64
	Took    Took
	Model   string
}

// ArtifactGroup is what one step put out.
type ArtifactGroup struct {
	Step string
	Rows []ArtifactRow
}

// ArtifactRow is one output.
type ArtifactRow struct {
	Name, Path, Type string
	Size             int64
	Created          Stamp
	Preview          string
	Attempt          int // from 1 when several rows share step and name, else 0
	Href             string
	Replaced         *Replaced // nil: nothing speaks against the file
}

// Replaced says that a file is not what the run wrote.
type Replaced struct {
	Text     string // whole, without a link
	By, Href string // the run that wrote it since; empty: not known
}

// ArtifactView is one output, opened.
type ArtifactView struct {
	Chrome
	ArtifactRow
	Step     string
	Attempts []Option // when several attempts left it
	Facts    string   // what kind of file it is, in words
	Redacted int      // how many secrets were taken out
	RawURL   string   // all of it, as it is; empty when there is no file
	Body     templ.Component
	Gone     string // why there is no body
}

// PipelineRow is one line of the pipeline list.
type PipelineRow struct {
	Name, Description, Category, File string
	Steps                             int
	Problems                          []Problem
	Last                              *RunRow
	Stats                             Stats
	StartURL                          string // empty: it cannot be started from here
	Refused                           string // why the engine would not start it
}

// Problem is what is wrong with a file, and where.
type Problem struct {
	File string
	Line int // 0: the whole file
	Text string
}

// Stats is a pipeline's record over its last N ended runs.
type Stats struct {
	N         int // 0: it has no ended run
	Succeeded int
	Median    time.Duration
	P90       time.Duration
	Timed     int // how many of N had a duration
}

// PipelinesView is the pipeline list.
type PipelinesView struct {
	Chrome
	Rows     []PipelineRow
	Problems []Problem
	Where    []string // where pipelines were looked for
	Missing  bool
	Refresh  string
}

// PipelineView is one pipeline.
type PipelineView struct {
	Chrome
	PipelineRow
	Defined bool // false: only its runs are known
	Input   InputView
	Defs    []StepDefRow
	Graph   templ.Component // nil: nothing to draw
	Trends  TrendsView
	Recent  []RunRow
	RunsURL string
	Refresh string
}

// InputView is what a pipeline asks for.
type InputView struct {
	Source, Type, Description, Example, Default string
	Required                                    bool
	Choices                                     []string
}

// StepDefRow is one step of a definition.
type StepDefRow struct {
	ID, Kind, Persona, Detail string // Detail: script, prompt or referenced pipeline, shortened
	Dependencies              []string
	Artifacts                 []string
	Contract                  string
	Retry                     string
	Optional                  bool
	Timeout                   string
}

// PersonaRow is one persona.
type PersonaRow struct {
	Name, Adapter, Description, Model, DefaultModel string
	Temperature                                     *float64
	PromptFile                                      string
	Allowed, Denied                                 []string
	InheritAllowed, InheritDenied                   []string // from the adapter
	UsedBy                                          []string // pipelines
	Problems                                        []Problem
}

// PersonasView is the persona list.
type PersonasView struct {
	Chrome
	Rows     []PersonaRow
	Problems []Problem
	Where    []string
	Missing  bool
	Refresh  string
}

// PersonaView is one persona.
type PersonaView struct {
	Chrome
	PersonaRow
	Prompt     string
	PromptNote string // why the prompt is not shown, or that it is cut
	Adapters   []AdapterRow
}

// AdapterRow is the program behind a persona.
type AdapterRow struct{ Name, Binary, DefaultModel, Mode, OutputFormat string }

// ErrorView is a page or a fragment that says what went wrong.
type ErrorView struct {
	Chrome
	Status    int
	Heading   string
	Text      string
	Next      string // what would be right
	RequestID string
}
