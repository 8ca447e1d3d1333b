package runner

import (
	"cmp"
	"fmt"
	"slices"

	"wavedeck/store/manifest"
)

// withGates says of the approval gates that would be reached how they end:
// nobody can answer one whose run has no terminal.
func withGates(p manifest.Pipeline, r Request, steps []PlannedStep) []PlannedStep {
	for i, s := range p.Steps {
		if !asks(s) || steps[i].Does != Runs || r.DryRun {
			continue
		}
		switch {
		case r.AutoApprove:
			steps[i].Why = "approved automatically" + choiceOf(*s.Gate)
		case len(s.Gate.Choices) > 0:
			steps[i].Warn = "waits for an answer, which nobody can give here: the run will fail at this gate"
		default:
			steps[i].Warn = "waits for an approval, which nobody can give here: the run will fail when this gate times out"
		}
	}
	return steps
}

// asks reports whether a step is a gate that a person has to answer.
func asks(s manifest.Step) bool { return s.Gate != nil && s.Gate.Type == "approval" && !s.Gate.Auto }

// WithInnerGates says the same of gates in loops, and in the pipelines that a
// step starts, however deep.
func WithInnerGates(catalog *manifest.Catalog, p manifest.Pipeline, r Request, steps []PlannedStep) {
	for i, s := range p.Steps {
		if steps[i].Does != Runs || steps[i].Warn != "" || r.DryRun {
			continue
		}
		gate := innerGate(catalog, s, map[string]bool{p.Name: true})
		switch {
		case gate == "":
		case r.AutoApprove:
			steps[i].Why = gate + " is approved automatically"
		default:
			steps[i].Warn = "reaches " + gate + ", which waits for an approval that nobody can give here: the run will fail there"
		}
	}
}

// Gated reports whether a run of the pipeline can reach a gate that a person has
// to answer.
func Gated(catalog *manifest.Catalog, p manifest.Pipeline) bool {
	seen := map[string]bool{p.Name: true}
	return slices.ContainsFunc(p.Steps, func(s manifest.Step) bool { return asks(s) || innerGate(catalog, s, seen) != "" })
}

// innerGate names the first such gate below a step; empty: there is none. Pipelines
// that were seen are passed over.
func innerGate(catalog *manifest.Catalog, s manifest.Step, seen map[string]bool) string {
	if s.Loop != nil {
		if gate := firstGate(catalog, s.Loop.Steps, "", seen); gate != "" {
			return gate
		}
	}
	started := []string{s.Pipeline}
	if s.Matrix != nil {
		started = append(started, s.Matrix.ChildPipeline)
	}
	if s.Branch != nil {
		for _, arm := range s.Branch.Cases {
			started = append(started, arm.Pipeline)
		}
	}
	for _, name := range started {
		p, known := catalog.Pipeline(name)
		if name == "" || !known || seen[name] {
			continue
		}
		seen[name] = true
		if gate := firstGate(catalog, p.Steps, fmt.Sprintf(" of %.80q", name), seen); gate != "" {
			return gate
		}
	}
	return ""
}

func firstGate(catalog *manifest.Catalog, steps []manifest.Step, of string, seen map[string]bool) string {
	for _, s := range steps {
		if asks(s) {
			return fmt.Sprintf("the gate %.80q", s.ID) + of
		}
		if gate := innerGate(catalog, s, seen); gate != "" {
			return gate
		}
	}
	return ""
}

// choiceOf words the choice that a gate takes by itself.
func choiceOf(g manifest.Gate) string {
	if len(g.Choices) == 0 {
		return ""
	}
	taken := g.Choices[0]
	for _, c := range g.Choices {
		if c.Key == g.Default {
			taken = c
		}
	}
	text := fmt.Sprintf(" with %q", cmp.Or(taken.Label, taken.Key))
	if taken.Target == "_fail" {
		text += ", which ends the run"
	}
	return text
}
