//go:build unix

package wave

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"wavedeck/runner"
	"wavedeck/store/manifest"
)

// preflight foresees what Wave refuses before the first step: an order of steps
// that cannot be, steps that cannot be left out, tools and skills that are not
// installed, and a forge that is not there. For those it looks neither when it only
// plans nor when it resumes a run; nor for tools and skills where it walks along edges.
func preflight(ctx context.Context, catalog *manifest.Catalog, p manifest.Pipeline, r runner.Request) error {
	if !isGraph(p) {
		if err := runner.CheckOrder(p); err != nil {
			return err
		}
	}
	if err := filtered(p, r); err != nil || r.DryRun || r.FromStep != "" {
		return err
	}
	if !isGraph(p) {
		if err := installed(p); err != nil {
			return err
		}
	}
	return hasForge(ctx, catalog, p)
}

// installed foresees which tools and skills Wave does not find. It looks for tools on
// the PATH that it gets from here.
func installed(p manifest.Pipeline) error {
	for _, skill := range p.Skills {
		if !skill.Optional && skill.Check == "" {
			return &runner.UnsupportedError{What: fmt.Sprintf("the pipeline requires the skill %.80q, which has no \"check\" command by which Wave would find it installed", skill.Name)}
		}
	}
	var missing []string
	for _, tool := range p.Tools {
		if strings.Contains(tool, "{{") || strings.TrimSpace(tool) == "" {
			continue // what it stands for is known to Wave alone
		}
		if _, err := exec.LookPath(tool); err != nil && len(missing) < maxMissing {
			missing = append(missing, fmt.Sprintf("%.80q", tool))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &runner.UnsupportedError{What: fmt.Sprintf("the pipeline requires %s, which the console does not find on its PATH", strings.Join(missing, ", "))}
}

// withChecks says at the first step that runs what Wave checks before it in a way that
// only a start can: skills, with commands of the pipeline, and the scopes of tokens.
func withChecks(catalog *manifest.Catalog, p manifest.Pipeline, r runner.Request, steps []runner.PlannedStep) {
	first := slices.IndexFunc(steps, func(s runner.PlannedStep) bool { return s.Does == runner.Runs })
	if first < 0 || r.DryRun || r.FromStep != "" || isGraph(p) {
		return
	}
	var checks []string
	if text := skillChecks(p.Skills); text != "" {
		checks = append(checks, text)
	}
	if slices.ContainsFunc(p.Steps, func(s manifest.Step) bool {
		persona, _ := catalog.Persona(s.Persona)
		return len(persona.TokenScopes) > 0
	}) {
		checks = append(checks, "Wave checks whether the token of the forge has the token_scopes of the personas")
	}
	if len(checks) == 0 {
		return
	}
	text := "before it, " + strings.Join(checks, "; ") + ": the result is unknown here"
	if why := steps[first].Why; why != "" {
		text = why + "; " + text
	}
	steps[first].Why = text
}

// skillChecks says which skills Wave checks, and which it installs.
func skillChecks(skills []manifest.Skill) string {
	var checked, tried []string
	for _, skill := range skills {
		if skill.Optional {
			continue
		}
		checked = append(checked, fmt.Sprintf("%.80q", skill.Name))
		if skill.Install != "" {
			tried = append(tried, fmt.Sprintf("%.80q", skill.Name))
		}
	}
	var text string
	switch len(checked) {
	case 0:
		return ""
	case 1:
		text = "Wave checks whether the skill " + listed(checked) + " is installed"
	default:
		text = "Wave checks whether the skills " + listed(checked) + " are installed"
	}
	if len(tried) > 0 {
		text += ", and installs " + listed(tried) + " if not"
	}
	return text
}

// listed is a list of names in a sentence, the first of them when there are many.
func listed(names []string) string {
	last := "and " + names[len(names)-1]
	switch {
	case len(names) == 1:
		return names[0]
	case len(names) > maxMissing:
		names, last = names[:maxMissing], fmt.Sprintf("and %d more", len(names)-maxMissing)
	default:
		names = names[:len(names)-1]
	}
	return strings.Join(names, ", ") + " " + last
}

// filtered foresees what becomes of a choice of steps. Wave takes only one of the two
// lists, and none where it walks along edges; it waits for ever for a step that is left
// out, unless the run is resumed.
func filtered(p manifest.Pipeline, r runner.Request) error {
	field, runs := "steps", func(id string) bool { return slices.Contains(r.Steps, id) }
	if len(r.Exclude) > 0 {
		field, runs = "exclude", func(id string) bool { return !slices.Contains(r.Exclude, id) }
	}
	refuse := func(format string, args ...any) error {
		return &runner.InputError{Field: field, Text: fmt.Sprintf(format, args...)}
	}
	switch {
	case len(r.Steps)+len(r.Exclude) == 0:
		return nil
	case len(r.Steps) > 0 && len(r.Exclude) > 0:
		return refuse("cannot be combined with steps: give Wave the steps to run or those to leave out")
	case isGraph(p):
		return refuse("cannot be used: Wave follows the edges of this pipeline, and would run every step")
	case len(r.Steps) > 0 && r.FromStep != "":
		return refuse("cannot be used when a run is resumed: Wave runs every step from there on, but those to leave out")
	case !slices.ContainsFunc(p.Steps, func(s manifest.Step) bool { return runs(s.ID) }):
		return refuse("leaves no step to run")
	case r.FromStep != "":
		return nil
	}
	for _, s := range p.Steps {
		for _, need := range s.Dependencies {
			if runs(s.ID) && !s.ReworkOnly && !runs(need) {
				return refuse("leaves out %.80q, which the step %.80q waits for: run both or none", need, s.ID)
			}
		}
	}
	return nil
}

// maxMissing bounds how many tools a refusal names.
const maxMissing = 5

// isGraph reports whether Wave walks the pipeline along its edges, where a circle
// is a way to go back.
func isGraph(p manifest.Pipeline) bool {
	return slices.ContainsFunc(p.Steps, func(s manifest.Step) bool { return len(s.Edges) > 0 || s.Kind == manifest.KindConditional })
}
