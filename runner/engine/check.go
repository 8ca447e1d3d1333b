package engine

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"wavedeck/runner"
	"wavedeck/store/gate"
	"wavedeck/store/manifest"
)

// other is the engine that carries out what this one does not.
const other = "wave"

// Check says what a run would do to each step, or why it is refused: before
// anything runs, and with the step and the engine that can.
func Check(catalog *manifest.Catalog, r runner.Request) ([]runner.PlannedStep, error) {
	pipeline, ok := catalog.Pipeline(r.Pipeline)
	if !ok {
		return nil, fmt.Errorf("%w %q", runner.ErrUnknownPipeline, r.Pipeline)
	}
	plan, err := runner.Plan(pipeline, r)
	if err != nil {
		return nil, err
	}
	if err := runner.CheckOrder(pipeline); err != nil {
		return nil, err
	}
	for i, s := range pipeline.Steps {
		if plan[i].Does != runner.Runs {
			continue
		}
		if what := beyond(s); what != "" {
			return nil, &runner.UnsupportedError{Step: s.ID, What: what, Engine: other}
		}
		if r.DryRun {
			continue
		}
		if err := checkStep(catalog, s, r); err != nil {
			return nil, &runner.UnsupportedError{Step: s.ID, What: err.Error()}
		}
		if err := checkRework(catalog, pipeline, s, r); err != nil {
			return nil, err
		}
	}
	if r.FromStep != "" {
		if _, err := leftovers(catalog, pipeline, r, plan); err != nil {
			return nil, err
		}
	}
	return plan, nil
}

// beyond names what of a step this engine does not carry out.
func beyond(s manifest.Step) string {
	switch s.Kind {
	case manifest.KindCommand, manifest.KindPrompt:
	case manifest.KindGate:
		if s.Gate.Type != gate.Approval && s.Gate.Type != gate.Timer {
			return fmt.Sprintf("a gate of type %q", s.Gate.Type)
		}
	case manifest.KindPipeline:
		return "a sub-pipeline"
	case manifest.KindConditional, manifest.KindIterate, manifest.KindAggregate:
		return "an " + map[manifest.Kind]string{
			manifest.KindConditional: "if (conditional step)", manifest.KindIterate: "iteration", manifest.KindAggregate: "aggregation",
		}[s.Kind]
	default:
		return "a " + string(s.Kind)
	}
	switch {
	case len(s.Edges) > 0 || s.MaxVisits > 0:
		return "a step with edges"
	case s.Thread != "":
		return "a conversation thread"
	case s.Concurrency > 1:
		return "a step in several copies"
	case s.Exec.Type == "slash_command":
		return "a slash command"
	}
	for _, inject := range s.InjectArtifacts {
		if inject.Pipeline != "" {
			return "an artifact of another pipeline"
		}
	}
	for _, c := range s.Contracts {
		switch {
		case c.OnFailure == "rework" || c.ReworkStep != "":
			return "a rework step"
		case !slices.Contains(contractTypes(), c.Type):
			return fmt.Sprintf("a contract of type %q", c.Type)
		case c.Type == "format" && c.SchemaPath != "":
			return "a format contract with a schema"
		}
	}
	for _, text := range texts(s) {
		if err := checkTemplates(text); err != nil {
			return err.Error()
		}
	}
	return ""
}

// texts are the parts of a step in which templates are filled in.
func texts(s manifest.Step) []string {
	all := []string{s.Script, s.Exec.Source, s.Exec.Command, s.Exec.Args, s.Persona}
	for _, c := range s.Contracts {
		all = append(all, c.Command, c.Source)
	}
	return all
}

// checkStep finds what would fail for certain.
func checkStep(catalog *manifest.Catalog, s manifest.Step, r runner.Request) error {
	if s.Kind == manifest.KindGate {
		return checkGate(*s.Gate)
	}
	if s.Kind == manifest.KindCommand {
		script := commandScript(s)
		if script == "" {
			return errors.New("it has no script")
		}
		if _, err := bindScript(script); err != nil {
			return err
		}
	} else if _, err := findPersona(catalog, s, r); err != nil {
		return err
	}
	for _, c := range s.Contracts {
		if c.Type == "test_suite" {
			if _, err := bindScript(c.Command); err != nil {
				return fmt.Errorf("in its contract %w", err)
			}
		}
	}
	if !slices.Contains([]string{"", "none", "standard", "aggressive", "patient"}, s.Retry.Policy) {
		return fmt.Errorf("unknown retry policy %q", s.Retry.Policy)
	}
	if _, err := backoffOf(s.Retry); err != nil {
		return err
	}
	return nil
}

// checkGate finds what would fail a gate for certain.
func checkGate(g manifest.Gate) error {
	if g.Timeout == "" && g.Type == gate.Timer {
		return errors.New("its timer gate has no timeout")
	}
	if _, err := time.ParseDuration(g.Timeout); g.Timeout != "" && err != nil {
		return fmt.Errorf("its gate has the timeout %q, which is no duration such as 30m", g.Timeout)
	}
	keys := map[string]bool{"": true}
	for _, c := range g.Choices {
		if keys[c.Key] {
			return fmt.Errorf("its gate has a choice without a key of its own: %q", c.Key)
		}
		keys[c.Key] = true
	}
	if !keys[g.Default] {
		return fmt.Errorf("its gate has the default %q, which is no choice", g.Default)
	}
	return nil
}

// commandScript is what a command step runs.
func commandScript(s manifest.Step) string {
	switch {
	case s.Script != "":
		return s.Script
	case s.Exec.Command != "":
		return s.Exec.Command
	default:
		return s.Exec.Source
	}
}
