package runner

import (
	"cmp"
	"fmt"
	"strings"

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
		case len(s.Gate.Choices) > 0 && r.Answerable:
			steps[i].Why = "waits for an answer, which can be given here"
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
// step starts, however deep. Wave approves those of other pipelines in no case.
func WithInnerGates(catalog *manifest.Catalog, p manifest.Pipeline, r Request, steps []PlannedStep) {
	for i, s := range p.Steps {
		if steps[i].Does != Runs || steps[i].Warn != "" || r.DryRun {
			continue
		}
		find := gates{catalog: catalog, seen: map[string]bool{p.FileName(): true}, foreign: r.AutoApprove, mute: r.Answerable}
		switch gate := find.below(s, ""); {
		case gate == "":
		case r.Answerable:
			steps[i].Warn = "reaches " + gate + ", which has no choices, so that nobody can answer it: the run will fail when it times out"
		case r.AutoApprove:
			steps[i].Warn = "reaches " + gate + ", which Wave does not approve automatically: the run will fail there"
		default:
			steps[i].Warn = "reaches " + gate + ", which waits for an approval that nobody can give here: the run will fail there"
		}
	}
}

// Gated reports whether a run of the pipeline can reach a gate that can be
// approved automatically.
func Gated(p manifest.Pipeline) bool {
	find := gates{catalog: &manifest.Catalog{}}
	return find.first(p.Steps, "") != ""
}

// Asks reports whether a run of the pipeline may be asked at a gate, here, in a loop,
// or in a pipeline that it starts, as far as those are known by name.
func Asks(catalog *manifest.Catalog, p manifest.Pipeline, r Request) bool {
	find := gates{catalog: catalog, seen: map[string]bool{p.FileName(): true}, foreign: r.AutoApprove, named: true}
	return !r.DryRun && find.first(p.Steps, "") != ""
}

// gates looks for gates that a person has to answer, in loops and in pipelines
// that are started. Those that were seen are passed over.
type gates struct {
	catalog *manifest.Catalog
	seen    map[string]bool
	foreign bool // of other pipelines only
	named   bool // a pipeline whose name is filled in when the run is there may have one
	mute    bool // those without choices only, which nobody can answer
}

// below names the first one below a step of a pipeline; empty: there is none.
func (g gates) below(s manifest.Step, of string) string {
	if s.Loop != nil {
		if gate := g.first(s.Loop.Steps, of); gate != "" {
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
		p, known := g.catalog.Filed(name)
		if g.named && strings.Contains(name, "{{") {
			return "a gate of a pipeline that is named later"
		}
		if name == "" || !known || g.seen[name] {
			continue
		}
		g.seen[name] = true
		if gate := g.first(p.Steps, fmt.Sprintf(" of %.80q", name)); gate != "" {
			return gate
		}
	}
	return ""
}

func (g gates) first(steps []manifest.Step, of string) string {
	for _, s := range steps {
		if asks(s) && (of != "" || !g.foreign) && (!g.mute || len(s.Gate.Choices) == 0) {
			return fmt.Sprintf("the gate %.80q", s.ID) + of
		}
		if gate := g.below(s, of); gate != "" {
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
