package runner

import (
	"cmp"
	"fmt"

	"wavedeck/store/manifest"
)

// withGates says of the approval gates that would be reached how they end:
// nobody can answer one whose run has no terminal.
func withGates(p manifest.Pipeline, r Request, steps []PlannedStep) []PlannedStep {
	for i, s := range p.Steps {
		if s.Gate == nil || s.Gate.Type != "approval" || s.Gate.Auto || steps[i].Does != Runs || r.DryRun {
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
