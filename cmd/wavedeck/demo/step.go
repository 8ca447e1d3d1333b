package demo

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"wavedeck/store/manifest"
	"wavedeck/store/statedb"
)

// step does one step, with the fate that the plan has for it.
func (r *run) step(s manifest.Step) *trouble {
	f := r.plan.steps[s.ID]
	switch s.Kind {
	case manifest.KindGate:
		return r.gate(s, f)
	case manifest.KindIterate:
		return r.iterate(s)
	case manifest.KindBranch:
		return r.follow(s, f)
	case manifest.KindCommand:
		return r.command(s, f)
	default:
		return r.persona(s, f)
	}
}

func (r *run) command(s manifest.Step, f fate) *trouble {
	r.stepState(s.ID, "running", nil)
	r.event(s.ID, "running", "executing command step: "+s.Script, nil)
	r.now += orUsual(f.took, func() time.Duration { return r.between(2*time.Second, 9*time.Second) })
	if f.result == fails {
		// Wave tells a command's failure twice: what it printed, and what it is.
		r.event(s.ID, "failed", "command failed: exit status 1\nstderr: "+f.message, nil)
		r.failStep(s.ID, "exit status 1")
		return r.unlessOptional(s, "exit status 1")
	}
	r.event(s.ID, "completed", "command completed successfully", nil)
	r.outputs(s)
	r.stepState(s.ID, "completed", statedb.Row{"completed_at": r.unix()})
	return nil
}

func (r *run) unlessOptional(s manifest.Step, message string) *trouble {
	if s.Optional {
		r.event("", "warning", fmt.Sprintf("optional step %q failed, the pipeline goes on", s.ID), nil)
		return nil
	}
	return &trouble{step: s.ID, message: message}
}

// gate waits for a human, as long as the fate's took says.
func (r *run) gate(s manifest.Step, f fate) *trouble {
	r.stepState(s.ID, "running", nil)
	r.event(s.ID, "running", "gate step: "+s.Gate.Type, nil)
	r.event("", "gate_waiting", "gate: "+s.Gate.Type+" — "+r.fill(s.Gate.Prompt), nil)
	r.now += orUsual(f.took, func() time.Duration { return r.between(15*time.Second, 45*time.Second) })
	choice := s.Gate.Choices[0]
	if f.result == declines {
		choice = s.Gate.Choices[len(s.Gate.Choices)-1]
	}
	r.event("", "gate_resolved", fmt.Sprintf("gate resolved: %s (%s)", choice.Label, choice.Key), nil)
	if choice.Target == "_fail" {
		message := fmt.Sprintf("gate: choice %q ends the pipeline", choice.Label)
		r.failStep(s.ID, message)
		return &trouble{step: s.ID, message: message}
	}
	r.event(s.ID, "completed", "gate step completed", nil)
	r.stepState(s.ID, "completed", statedb.Row{"completed_at": r.unix()})
	return nil
}

// iterate runs the step's pipeline for each item, two at a time.
func (r *run) iterate(s manifest.Step) *trouble {
	items := iterateItems(s.Iterate.Over)
	r.stepState(s.ID, "running", nil)
	r.event(s.ID, "running", fmt.Sprintf("iterate: %d items (mode: %s)", len(items), s.Iterate.Mode), nil)
	lanes := make([]time.Duration, max(1, s.Iterate.MaxConcurrent)) // when each is free
	for i := range lanes {
		lanes[i] = r.now
	}
	failed := ""
	for i, item := range items {
		lane := earliest(lanes)
		r.now = lanes[lane]
		r.event(s.ID, "running", fmt.Sprintf("iterate parallel item %d/%d: %s", i+1, len(items), s.Pipeline), nil)
		r.event(s.ID, "running", fmt.Sprintf("composition: loading sub-pipeline %q", s.Pipeline), nil)
		r.event(s.ID, "running", fmt.Sprintf("composition: executing sub-pipeline %q", s.Pipeline), nil)
		steps := map[string]fate{}
		if f, ok := r.plan.steps[item]; ok { // the fate of an item is that of its first step
			def, _ := r.rec.project.Pipeline(s.Pipeline)
			steps[def.Steps[0].ID] = f
		}
		c := r.child(plan{pipeline: s.Pipeline, input: item, steps: steps, parent: &descent{
			run: r.id, step: s.ID, kind: "iterate_child", index: int64(i), total: int64(len(items)),
		}})
		lanes[lane] = r.now
		if len(c.done) < len(c.def.Steps) {
			failed = c.id
		} else {
			r.event(s.ID, "completed", fmt.Sprintf("composition: sub-pipeline %q completed", s.Pipeline), nil)
		}
	}
	for _, free := range lanes {
		r.now = max(r.now, free)
	}
	if failed != "" {
		message := "iterate: 1 of " + strconv.Itoa(len(items)) + " items failed: " + failed
		r.failStep(s.ID, message)
		return &trouble{step: s.ID, message: message}
	}
	r.event(s.ID, "completed", fmt.Sprintf("iterate: all %d items completed (parallel)", len(items)), nil)
	r.stepState(s.ID, "completed", statedb.Row{"completed_at": r.unix()})
	return nil
}

// follow takes the arm of a branch that the fate names: the last one, or skip.
func (r *run) follow(s manifest.Step, f fate) *trouble {
	r.stepState(s.ID, "running", nil)
	arm := s.Branch.Cases[len(s.Branch.Cases)-1]
	if f.result == skips {
		arm = s.Branch.Cases[0]
	}
	r.event(s.ID, "running", fmt.Sprintf("branch: %q selects %q", arm.Value, arm.Pipeline), nil)
	if arm.Pipeline == "skip" {
		// A branch that leads nowhere has no event of its end.
		r.stepState(s.ID, "skipped", statedb.Row{"error_message": "skipped by branch"})
		return nil
	}
	r.event(s.ID, "running", fmt.Sprintf("composition: loading sub-pipeline %q", arm.Pipeline), nil)
	r.event(s.ID, "running", fmt.Sprintf("composition: executing sub-pipeline %q", arm.Pipeline), nil)
	r.child(plan{pipeline: arm.Pipeline, input: f.message, parent: &descent{run: r.id, step: s.ID, kind: "branch_arm"}})
	r.event(s.ID, "completed", fmt.Sprintf("composition: sub-pipeline %q completed", arm.Pipeline), nil)
	r.stepState(s.ID, "completed", statedb.Row{"completed_at": r.unix()})
	return nil
}

// outputs leaves the step's files where Wave archives them.
func (r *run) outputs(s manifest.Step) {
	for _, out := range s.OutputArtifacts {
		path := r.archived(s.ID, out.Name)
		content := artifactContent(r.plan.input, out, r.luck)
		r.rec.files[path] = content
		r.insert("artifact", statedb.Row{
			"run_id": r.id, "step_id": s.ID, "name": out.Name, "path": path, "type": out.Type,
			"size_bytes": int64(len(content)), "created_at": r.unix(),
		})
	}
}

func (r *run) archived(step, name string) string {
	return r.workspace(step) + "/.agents/artifacts/" + step + "/" + name
}

func (r *run) workspace(step string) string { return ".agents/workspaces/" + r.id + "/" + step }

// fill puts the run's input into a text of the pipeline.
func (r *run) fill(text string) string { return strings.ReplaceAll(text, "{{ input }}", r.plan.input) }

func orUsual(d time.Duration, usual func() time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return usual()
}

func earliest(times []time.Duration) int {
	first := 0
	for i, t := range times {
		if t < times[first] {
			first = i
		}
	}
	return first
}
