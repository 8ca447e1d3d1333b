package views

import (
	"slices"
	"time"

	"github.com/a-h/templ"
)

// StartsView is where a pipeline is chosen.
type StartsView struct {
	Layout
	Rows []PipelineRow
	Not  []PipelineRow // what cannot be started: broken, disabled, without a step or refused by the engine
}

// StartView is the form of a run that is to be started: a new one, or one that
// repeats another.
type StartView struct {
	Layout
	Heading     string
	Pipeline    string
	Description string
	Original    *RunRef // the run that is repeated
	Action      string  // address of the form
	Preview     string  // address of the plan fragment
	Key         string  // makes a form that is sent twice one run
	Verb        string  // what it does

	Input     InputView
	Text      string // the input as it is filled in
	Redacted  bool   // secrets in it are hidden here, and used all the same
	KeptInput *Kept  // the input of the run that is repeated, which is too long for the form
	KeptTags  int    // so are its tags; 0: they are in the form

	Model, Adapter, FromStep, Timeout, OnFailure, Tags string
	Only, Except                                       []string
	DryRun                                             bool
	Gated, AutoApprove                                 bool     // it has approval gates that can be passed automatically; they are
	Open                                               bool     // the options are unfolded
	Steps                                              []string // ids, to choose from
	Adapters                                           []string

	Errors  map[string]string // by field, each a sentence
	Problem string            // of no field
	Next    string            // what would be right
	Plan    PlanView
}

// Kept is a text that a form sends on without showing all of it.
type Kept struct{ Size, Beginning string }

// PlanView is what a run would do to each step.
type PlanView struct {
	Refresh string // address of this fragment
	Engine  string
	Steps   []PlanRow
	DryRun  bool
	Problem string // why it would be refused
	Not     string // the same where the button is disabled for it
	Verb    string // on that button
}

// PlanRow is one step of a plan. Does is runs, reuses or skipped.
type PlanRow struct{ ID, Kind, Does, Why, Warn string }

// RunActions are the addresses of what can be done with a run now. An empty one
// cannot.
type RunActions struct {
	Answer string // where the gate is that it waits at; empty: it waits at none
	Stop   string
	Asked  bool // to stop, already: what is left is force
	Close  bool // stopping it closes its record: nothing carries it out any more
	Retry  string
	Not    string // why the engine would refuse a retry; empty: it would not
	Warn   string // what would go wrong in a retry
	Key    string // makes two clicks on Retry one run
	Resume string
}

// StopView asks whether a run is to be stopped.
type StopView struct {
	Layout
	Run    RunRow
	Action string
	Lost   bool      // nothing carries it out any more
	Asked  time.Time // when it was asked to stop; zero: not yet
	Late   bool      // that is longer ago than a run should take
	Open   int       // its children that have not ended
}

// ResumeView is where the step is chosen at which a run is taken up.
type ResumeView struct {
	Layout
	Run     RunRow
	Action  string
	Preview string
	Key     string
	Steps   []ResumeStep

	Gated, AutoApprove bool        // as in StartView
	Except             []string    // steps that are left out
	Options            []StartFact // the run's own options, which the form has no field for

	Problem string // why it was refused
	Next    string // what would be right
	Plan    PlanView
}

// ResumeStep is one step and how it stands in the run.
type ResumeStep struct {
	ID, Kind, State, Word string
	On                    bool   // chosen
	Not                   string // why the run cannot be taken up here
}

// planWord is what becomes of a step.
func planWord(does string) string {
	if does == "reuses" {
		return "its output is reused"
	}
	return does
}

// planTone is the class whose colour fits.
func planTone(does string) string {
	switch does {
	case "runs":
		return "name"
	case "reuses":
		return "succeeded"
	default:
		return "dim"
	}
}

func (v PlanView) count(does string) (n int) {
	for _, s := range v.Steps {
		if s.Does == does {
			n++
		}
	}
	return n
}

// summary says it in a line: "3 steps run, 1 is skipped".
func (v PlanView) summary() string {
	run := Plural(v.count("runs"), "step runs", "steps run")
	if v.DryRun {
		run = Plural(v.count("runs"), "step would run", "steps would run") + ", nothing is executed"
	}
	reused, skipped := "", ""
	if n := v.count("reuses"); n > 0 {
		reused = Plural(n, "is reused", "are reused")
	}
	if n := v.count("skipped"); n > 0 {
		skipped = Plural(n, "is skipped", "are skipped")
	}
	return join(", ", run, reused, skipped)
}

// marks tie a field to what is said about it: an error, a hint.
func (v StartView) marks(field string, hint bool) templ.Attributes {
	marks, ids := templ.Attributes{}, ""
	if v.Errors[field] != "" {
		marks["aria-invalid"], ids = "true", "error-"+field
	}
	if hint {
		ids = join(" ", ids, "hint-"+field)
	}
	if ids != "" {
		marks["aria-describedby"] = ids
	}
	return marks
}

// firstWrong is the first field that an error is about, for the focus.
func (v StartView) firstWrong() string {
	for _, field := range []string{"input", "from_step", "steps", "exclude", "model", "adapter", "timeout", "on_failure"} {
		if v.Errors[field] != "" {
			return field
		}
	}
	return ""
}

func (v StartView) only(step string) bool   { return slices.Contains(v.Only, step) }
func (v StartView) except(step string) bool { return slices.Contains(v.Except, step) }

func among(list []string, value string) bool { return slices.Contains(list, value) }

// whyNot says why a pipeline cannot be started.
func whyNot(p PipelineRow) string {
	switch {
	case p.Refused != "":
		return p.Refused
	case len(p.Problems) > 0:
		return firstLine(p.Problems[0].Text)
	case p.Steps == 0:
		return "it defines no steps"
	default:
		return "it is disabled"
	}
}

// stopWord is what stopping a run is called in its state.
func stopWord(a RunActions) string {
	switch {
	case a.Close:
		return "Close…"
	case a.Asked:
		return "Force stop…"
	default:
		return "Stop…"
	}
}

func stopVerb(v StopView) string {
	switch {
	case v.Lost:
		return "Close it"
	case !v.Asked.IsZero():
		return "Force stop"
	default:
		return "Stop it"
	}
}

func stopHeading(v StopView) string {
	if v.Lost {
		return "Close " + runName(v.Run) + "?"
	}
	return "Stop " + runName(v.Run) + "?"
}
