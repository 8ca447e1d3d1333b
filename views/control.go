package views

import "slices"

// StartsView is where a pipeline is chosen.
type StartsView struct {
	Chrome
	Rows []PipelineRow
	Not  []PipelineRow // what cannot be started: broken, disabled or without a step
}

// StartView is the form of a run that is to be started: a new one, or one that
// repeats another.
type StartView struct {
	Chrome
	Heading     string
	Pipeline    string
	Description string
	Original    *RunRef // the run that is repeated
	Action      string  // address of the form
	Preview     string  // address of the plan fragment
	Key         string  // makes a form that is sent twice one run
	Verb        string  // on the button

	Input    InputView
	Text     string // the input as it is filled in
	Redacted bool   // secrets in it are hidden here, and used all the same

	Model, Adapter, FromStep, Timeout, OnFailure, Tags string
	Only, Except                                       []string
	DryRun                                             bool
	Open                                               bool     // the options are unfolded
	Steps                                              []string // ids, to choose from
	Adapters                                           []string

	Errors  map[string]string // by field, each a sentence
	Problem string            // of no field
	Next    string            // what would be right
	Plan    PlanView
}

// PlanView is what a run would do to each step.
type PlanView struct {
	Refresh string // address of this fragment
	Engine  string
	Steps   []PlanRow
	DryRun  bool
	Problem string // why it would be refused
}

// PlanRow is one step of a plan. Does is runs, reuses or skipped.
type PlanRow struct{ ID, Kind, Does, Why string }

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

// described are the ids of what describes a field.
func (v StartView) described(field string, hint bool) string {
	ids := ""
	if v.Errors[field] != "" {
		ids = "error-" + field
	}
	if hint {
		ids = join(" ", ids, "hint-"+field)
	}
	return ids
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

func (v StartView) wrong(field string) bool { return v.Errors[field] != "" }

func (v StartView) only(step string) bool   { return slices.Contains(v.Only, step) }
func (v StartView) except(step string) bool { return slices.Contains(v.Except, step) }

func among(list []string, value string) bool { return slices.Contains(list, value) }

// whyNot says why a pipeline cannot be started.
func whyNot(p PipelineRow) string {
	switch {
	case len(p.Problems) > 0:
		return firstLine(p.Problems[0].Text)
	case p.Steps == 0:
		return "it defines no steps"
	default:
		return "it is disabled"
	}
}
