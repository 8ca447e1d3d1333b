package runner

import (
	"fmt"
	"slices"
	"time"

	"wavedeck/store/manifest"
)

// Does is what becomes of a step in a run that is yet to start.
type Does string

// A step runs; its artifact of an earlier run is used again; or it is passed over.
const (
	Runs    Does = "runs"
	Reuses  Does = "reuses"
	Skipped Does = "skipped"
)

// PlannedStep is what a run would do to one step.
type PlannedStep struct {
	ID   string
	Does Does
	Why  string // empty when it simply runs
	Warn string // what will go wrong there; empty: nothing that is known
}

// Plan says what r would do to each step of p.
//
// From a step on, which takes an original: that step and all that need it run,
// and those that the original did not complete; what it completed is used again.
// It is a [*ConflictError] when the step needs one that is neither.
func Plan(p manifest.Pipeline, r Request) ([]PlannedStep, error) {
	if err := checkRequest(p, r); err != nil {
		return nil, err
	}
	steps, index := make([]PlannedStep, len(p.Steps)), map[string]int{}
	for i, s := range p.Steps {
		index[s.ID] = i
		steps[i] = PlannedStep{ID: s.ID, Does: Runs}
		switch {
		case s.ReworkOnly:
			steps[i].Does, steps[i].Why = Skipped, "runs only when another step's rework names it"
		case len(r.Steps) > 0 && !slices.Contains(r.Steps, s.ID):
			steps[i].Does, steps[i].Why = Skipped, "not among the steps asked for"
		case slices.Contains(r.Exclude, s.ID):
			steps[i].Does, steps[i].Why = Skipped, "excluded"
		}
	}
	if r.FromStep == "" {
		return withGates(p, r, steps), nil
	}
	after := dependents(p, r.FromStep)
	for i := range steps {
		id := steps[i].ID
		switch {
		case steps[i].Does == Skipped || after[id]:
		case slices.Contains(r.Completed, id):
			steps[i].Does, steps[i].Why = Reuses, "completed by "+r.Original
		}
	}
	return withGates(p, r, steps), checkResume(p, r, steps, index)
}

// checkResume refuses to begin at a step that waits for one which has to run
// first: it would not be the step that the run begins with.
func checkResume(p manifest.Pipeline, r Request, steps []PlannedStep, index map[string]int) error {
	for _, need := range p.Steps[index[r.FromStep]].Dependencies {
		if i, known := index[need]; known && steps[i].Does == Runs {
			return &ConflictError{Step: r.FromStep, Text: fmt.Sprintf("needs %q, which %s did not complete: resume there", need, r.Original)}
		}
	}
	return nil
}

// dependents are step and all that need it, directly or not.
func dependents(p manifest.Pipeline, step string) map[string]bool {
	after := map[string]bool{step: true}
	for grew := true; grew; {
		grew = false
		for _, s := range p.Steps {
			if !after[s.ID] && slices.ContainsFunc(s.Dependencies, func(d string) bool { return after[d] }) {
				after[s.ID], grew = true, true
			}
		}
	}
	return after
}

// checkRequest looks at what every engine needs to be right.
func checkRequest(p manifest.Pipeline, r Request) error {
	switch {
	case p.Broken, len(p.Steps) == 0:
		return &InputError{Field: "pipeline", Text: fmt.Sprintf("%q cannot be read; see its page", p.Name)}
	case p.Disabled:
		return &InputError{Field: "pipeline", Text: fmt.Sprintf("%q is disabled", p.Name)}
	case p.Input.Required && r.Input == "":
		return &InputError{Field: "input", Text: "is required"}
	case len(p.Input.Enum) > 0 && !slices.Contains(p.Input.Enum, r.Input) && r.Input != "":
		return &InputError{Field: "input", Text: fmt.Sprintf("is not one of %q", p.Input.Enum)}
	case r.OnFailure != "" && r.OnFailure != Halt && r.OnFailure != Skip:
		return &InputError{Field: "on_failure", Text: "is neither halt nor skip"}
	case r.FromStep != "" && r.Original == "" && known(p, r.FromStep):
		return &InputError{Field: "from_step", Text: "needs a run whose outputs the steps before it left: resume that run at this step"}
	case r.Timeout < 0 || r.Timeout%time.Minute != 0:
		return &InputError{Field: "timeout", Text: "is not a number of minutes"}
	}
	if err := CheckName(p.Name); err != nil {
		return &InputError{Field: "pipeline", Text: err.Error()}
	}
	if err := CheckName(r.ID); r.ID != "" && err != nil {
		return &InputError{Field: "id", Text: err.Error()}
	}
	for _, s := range p.Steps {
		if err := CheckName(s.ID); err != nil {
			return &InputError{Field: "pipeline", Text: fmt.Sprintf("has the step %q: its id %v", s.ID, err)}
		}
	}
	for _, text := range []struct{ field, value string }{
		{"input", r.Input},
		{"model", r.Model},
		{"adapter", r.Adapter},
	} {
		if err := CheckText(text.value); err != nil {
			return &InputError{Field: text.field, Text: err.Error()}
		}
	}
	return checkSteps(p, r)
}

// known reports whether a pipeline has a step.
func known(p manifest.Pipeline, id string) bool {
	return slices.ContainsFunc(p.Steps, func(s manifest.Step) bool { return s.ID == id && id != "" })
}

func checkSteps(p manifest.Pipeline, r Request) error {
	for _, named := range []struct {
		field string
		ids   []string
	}{{"steps", r.Steps}, {"exclude", r.Exclude}, {"from_step", only(r.FromStep)}} {
		for _, id := range named.ids {
			if !known(p, id) {
				return &InputError{Field: named.field, Text: fmt.Sprintf("names %q, which is not a step of %s", id, p.Name)}
			}
		}
	}
	return nil
}

func only(id string) []string {
	if id == "" {
		return nil
	}
	return []string{id}
}

// defaultLimit is how many runs Wave lets be active where the manifest does not say.
const defaultLimit = 5

// Limit is how many runs of a project may be active at once.
func Limit(c *manifest.Catalog) int {
	if n := c.Manifest.Runtime.MaxConcurrentWorkers; n > 0 {
		return n
	}
	return defaultLimit
}
