package views

import (
	"time"

	"github.com/a-h/templ"

	"wavedeck/views/ansi"
)

// RunView is one run's page.
type RunView struct {
	Layout
	Run          RunRow
	RunID        string
	Input        string
	Error        string
	Completed    time.Time
	Heartbeat    time.Time
	PID          int
	Kind         string
	Recorded     string    // Wave's own word, when the derived one differs
	Cost         *Cost     // nil: no prices are given
	Past         *AsOfView // nil: the page is of now
	Progress     *int
	Failure      *Failure
	Gates        []Gate // that wait, of it and of the runs below it
	Steps        []StepRow
	Events       EventsView
	Artifacts    []ArtifactGroup
	Outcomes     OutcomesView
	Parent       *RunRef
	ParentAt     string // the parent's step
	Resumed      bool   // it continues its parent from that step
	Orphan       string // why its parent cannot be shown; empty: it can, or there is none
	Fork         *RunRef
	RetryOf      *RunRef
	ChildRows    []RunRow
	MoreChildren int
	ChildrenURL  string
	FirstID      int64
	LastID       int64
	Defined      bool           // the pipeline is still defined
	Diagnosis    *DiagnosisView // nil: it has ended
	WhoURL       string         // who asked it to stop; empty when nobody did
	AskedBy      string         // their name; empty: not known here
	ExportURL    string         // the run as one file
	Started      []StartFact    // what it was started with, as far as that is known
	Refresh      RunRefresh
	Tabs         []Option
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

// vital reports whether it matters, and is known, when the run last showed that it
// lives: of one whose end is recorded it does not.
func (v RunView) vital() bool {
	return (v.PID > 0 || !v.Heartbeat.IsZero()) && (goesOn(v.Run.State) || v.Run.State == "lost" || v.Run.State == "unknown")
}

// going reports whether what is shown may still change.
func (v RunView) going() bool { return v.Past == nil && goesOn(v.Run.State) }

// RunRefresh holds the fragment URLs of a run's page.
type RunRefresh struct{ Head, Gates, Why, Steps, Events, Artifacts, Outcomes, Family, Tab string }

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
func causeLink(c Layout, f Failure) string {
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
	Started  time.Time
	Ended    time.Time
	Duration Duration
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
	Number   int
	State    string
	Word     string
	Class    string // failure class in words
	Error    Account
	Tail     []ansi.Line // the end of its output
	TailOf   int         // how many lines the recorded output has, when Tail is not all of it
	Started  time.Time
	Duration Duration
	Tokens   *int64
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
	ID       int64
	At       time.Time
	Step     string
	State    string
	Tone     string // derived state whose colour fits, or empty
	Persona  string
	Message  string
	Tokens   int64
	Duration Duration
	Model    string
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
	Created          time.Time
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
	Layout
	ArtifactRow
	Step     string
	Attempts []Option // when several attempts left it
	Facts    string   // what kind of file it is, in words
	Redacted int      // how many secrets were taken out
	RawURL   string   // all of it, as it is; empty when there is no file
	Body     templ.Component
	Gone     string // why there is no body
}

// endWord is what to call the recorded end of a run: that of a lost one is when
// somebody else closed its record.
func endWord(state string) string {
	if state == "lost" {
		return "closed"
	}
	return "ended"
}
