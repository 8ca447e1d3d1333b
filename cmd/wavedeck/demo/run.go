package demo

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"wavedeck/store/manifest"
	"wavedeck/store/statedb"
)

// perform plays the whole run.
func (r *run) perform() {
	r.reserve()
	switch r.plan.end {
	case abandoned:
		return
	case refused:
		r.now += time.Second
		r.update(statedb.Row{"status": "failed", "current_step": r.plan.steps[""].message, "completed_at": r.unix()})
		return
	case outraced:
		r.update(statedb.Row{"status": "running", "pid": int64(1<<22 - 3)}) // beyond what Linux gives out by default
		return
	}
	r.now += r.plan.reserved
	r.begin()
	err := r.work()
	switch {
	case r.plan.end != onItsOwn && r.plan.at+r.plan.endAt < r.now:
		r.endFromOutside()
	case err != nil:
		err.end(r)
	default:
		r.complete("completed")
	}
	r.beat()
}

// reserve writes the pending row that every run begins with.
func (r *run) reserve() {
	tags, _ := json.Marshal(append([]string{}, r.plan.tags...)) //nolint:errchkjson // strings always encode
	row := statedb.Row{
		"run_id": r.id, "pipeline_name": r.plan.pipeline, "status": "pending", "input": r.plan.input, "current_step": "",
		"total_tokens": int64(0), "started_at": r.unix(), "tags_json": string(tags), "branch_name": r.plan.branch,
		"forked_from_run_id": r.plan.fork,
	}
	if d := r.plan.parent; d != nil {
		row["parent_run_id"], row["parent_step_id"] = d.run, d.step
	}
	r.insert("pipeline_run", row)
}

func (r *run) begin() {
	r.begun = r.now
	row := statedb.Row{"status": "running"}
	if d := r.plan.parent; d != nil {
		row["run_kind"], row["sub_pipeline_ref"] = d.kind, r.plan.pipeline
		if d.total > 0 {
			row["iterate_index"], row["iterate_total"], row["iterate_mode"] = d.index, d.total, "parallel"
		}
	}
	r.update(row)
	r.insert("pipeline_state", statedb.Row{
		"pipeline_id": r.id, "pipeline_name": r.id, "status": "running", "input": r.plan.input,
		"created_at": r.unix(), "updated_at": r.unix(),
	})
	r.event("", "started", fmt.Sprintf("input=%q steps=%d", r.plan.input, len(r.def.Steps)), nil)
	r.event("", "started", "workspace root: .agents/workspaces/"+r.id+"/", nil)
}

// trouble is why the work of a run ended before all of it was done.
type trouble struct {
	step, message string
	result        result
}

func (t *trouble) end(r *run) {
	switch t.result {
	case findsNothing:
		r.complete("completed_empty")
	case isRejected:
		// Wave says so in pipeline_state only; the run's own row stays as it is.
		r.pipelineState("rejected")
	default:
		r.fail(fmt.Sprintf("step %q failed: %s", t.step, t.message))
	}
}

// work does the steps in stages: whatever has its dependencies is done at once.
func (r *run) work() *trouble {
	if d := r.plan.parent; d != nil && d.kind == "resume" {
		r.passBefore(d.step)
	}
	for {
		ready := r.ready()
		if len(ready) == 0 {
			return nil
		}
		start, end := r.now, r.now
		var first *trouble
		var when time.Duration
		for _, step := range ready {
			r.now = start
			r.now += r.between(5*time.Millisecond, 30*time.Millisecond)
			if t := r.step(step); t != nil && (first == nil || r.now < when) {
				first, when = t, r.now
			}
			r.done[step.ID] = true
			end = max(end, r.now)
		}
		if first != nil {
			r.now = when
			r.cut() // the other steps of the stage are stopped
			return first
		}
		r.now = end
		r.event("", "running", fmt.Sprintf("%d/%d steps completed", len(r.done), len(r.def.Steps)), nil)
	}
}

// passBefore takes the steps that step waits for as done: a resumed run has no
// records of them.
func (r *run) passBefore(step string) {
	for _, s := range r.def.Steps {
		if s.ID != step {
			continue
		}
		for _, dep := range s.Dependencies {
			r.done[dep] = true
			r.passBefore(dep)
		}
	}
}

func (r *run) ready() []manifest.Step {
	var ready []manifest.Step
steps:
	for _, s := range r.def.Steps {
		if r.done[s.ID] || s.ReworkOnly {
			continue
		}
		for _, dep := range s.Dependencies {
			if !r.done[dep] {
				continue steps
			}
		}
		ready = append(ready, s)
	}
	return ready
}

func (r *run) complete(word string) {
	r.event("", word, fmt.Sprintf("%d steps completed", len(r.done)), statedb.Row{"duration_ms": (r.now - r.begun).Milliseconds()})
	r.update(statedb.Row{"status": word, "completed_at": r.unix(), "total_tokens": r.spent()})
	r.pipelineState(word)
}

// fail ends the run as Wave does: the error goes where the current step was,
// and no event of the run tells.
func (r *run) fail(message string) {
	r.update(statedb.Row{"status": "failed", "current_step": message, "completed_at": r.unix(), "total_tokens": r.spent()})
	r.pipelineState("failed")
}

func (r *run) pipelineState(word string) {
	r.put("update", "pipeline_state", statedb.Row{"pipeline_id": r.id, "status": word, "updated_at": r.unix()})
}

// endFromOutside takes back what the run did after its end came.
func (r *run) endFromOutside() {
	r.now = r.plan.at + r.plan.endAt
	open := r.cut()
	switch r.plan.end {
	case interrupted:
		for _, step := range open {
			r.failStep(step, "context canceled")
		}
		r.update(statedb.Row{"status": "cancelled", "completed_at": r.unix(), "cancelled_at": r.unix()})
		r.pipelineState("cancelled")
	case stopped:
		r.insert("cancellation", statedb.Row{"run_id": r.id, "requested_at": r.unix(), "force": false})
		r.now += r.between(1200*time.Millisecond, 2*time.Second) // until its process looks
		for _, step := range open {
			r.event(step, "failed", "command failed: signal: killed\nstderr: ", nil)
			r.failStep(step, "signal: killed")
		}
		r.fail(fmt.Sprintf("step %q failed: signal: killed", strings.Join(open, ", ")))
	case reaped:
		beats := r.now
		r.now += 4 * time.Minute
		r.update(statedb.Row{"status": "failed", "current_step": "process gone (orphaned)", "completed_at": r.unix()})
		r.beatUntil(beats)
	}
}

func (r *run) failStep(step, message string) {
	r.event(step, "failed", message, nil)
	r.stepState(step, "failed", statedb.Row{"completed_at": r.unix(), "error_message": message})
}

// beat adds the heartbeats of a run that `wave run` began.
func (r *run) beat() {
	if r.plan.end != reaped {
		r.beatUntil(r.now)
	}
}

func (r *run) beatUntil(end time.Duration) {
	if r.plan.parent != nil {
		return
	}
	for r.now = r.begun; r.now <= end; r.now += 30 * time.Second {
		r.update(statedb.Row{"last_heartbeat": r.unix()})
	}
	r.now = end
}
