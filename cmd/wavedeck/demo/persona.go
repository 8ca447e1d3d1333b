package demo

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"wavedeck/store/manifest"
	"wavedeck/store/statedb"
)

// models is what the demo's adapters make of a tier.
func models() map[string]string {
	return map[string]string{"cheapest": "claude-haiku-4-5", "strongest": "claude-opus-4"}
}

// persona does a step that is given to a persona, attempt by attempt.
func (r *run) persona(s manifest.Step, f fate) *trouble {
	tries := 1 + f.failed
	if f.result == breaks || f.result == isRejected || f.result == isReworked {
		tries = max(1, f.failed)
	}
	for n := 1; n <= tries; n++ {
		t := r.attempt(f, n)
		began := r.now
		r.beginAttempt(s, n, t.took)
		took := t.took
		r.now += took
		r.event(s.ID, "step_progress", "", statedb.Row{"persona": s.Persona, "tokens_used": t.tokens})
		if t.contract = r.check(s, t.holds); !t.holds {
			r.endAttempt(s, n, began, took, t)
			if n < tries {
				r.event(s.ID, "retrying", fmt.Sprintf("attempt %d/%d", n+1, max(s.Retry.MaxAttempts, tries)), nil)
				r.stepState(s.ID, "retrying", statedb.Row{"retry_count": int64(n)})
			}
			continue
		}
		word := "completed"
		if f.result == findsNothing {
			word = "completed_empty"
		}
		r.event(s.ID, word, "", statedb.Row{"persona": s.Persona, "tokens_used": t.tokens, "duration_ms": took.Milliseconds()})
		r.outputs(s)
		r.endAttempt(s, n, began, took, t)
		r.event(s.ID, "eta_updated", "", nil)
		r.stepState(s.ID, word, statedb.Row{"completed_at": r.unix()})
		if f.result == findsNothing {
			r.done[s.ID] = true
			return &trouble{step: s.ID, result: findsNothing}
		}
		return nil
	}
	return r.giveUp(s, f, tries)
}

// try is one attempt of a persona.
type try struct {
	took     time.Duration
	tokens   int64
	holds    bool   // its contract
	contract string // what the contract said
}

func (r *run) attempt(f fate, n int) try {
	return try{
		took:   orUsual(f.took, func() time.Duration { return r.between(6*time.Second, 18*time.Second) }),
		tokens: r.luck.Int64N(14_000) + 1_800,
		holds:  n > f.failed && f.result != breaks && f.result != isRejected && f.result != isReworked,
	}
}

func (r *run) beginAttempt(s manifest.Step, n int, took time.Duration) {
	who, _ := r.rec.project.Persona(s.Persona)
	model, rationale := who.EffectiveModel(), "adapter default (no override)"
	if tier, ok := models()[who.Model]; ok {
		model, rationale = tier, "per-persona model configuration"
	}
	r.stepState(s.ID, "running", nil)
	r.insert("step_attempt", statedb.Row{
		"run_id": r.id, "step_id": s.ID, "attempt": int64(n), "state": "running", "started_at": r.unix(),
	})
	r.event(s.ID, "running", "Starting "+s.Persona+" persona in "+r.workspace(s.ID), statedb.Row{
		"persona": s.Persona, "model": model, "adapter": who.Adapter, "configured_model": who.Model,
	})
	r.insert("decision_log", statedb.Row{
		"run_id": r.id, "step_id": s.ID, "timestamp": r.unix(), "category": "model_routing",
		"decision": "selected model " + model + " for step " + s.ID, "rationale": rationale,
		"context_json": fmt.Sprintf(`{"adapter":%q,"model":%q,"persona":%q}`, who.Adapter, model, s.Persona),
	})
	for _, in := range s.InjectArtifacts {
		r.event(s.ID, "step_progress", fmt.Sprintf("injected artifact %s from %s (%s)", in.As, in.Step, r.archived(in.Step, in.Artifact)), nil)
	}
	r.tools(s, who, took)
}

// tools are the calls that a persona makes while it works, spread over its
// time; the run's clock stays where it was.
func (r *run) tools(s manifest.Step, who manifest.Persona, took time.Duration) {
	start, targets := r.now, toolTargets()
	defer func() { r.now = start }()
	allowed := who.Permissions.AllowedTools
	for i := range targets {
		r.now = start + took*time.Duration(i+1)/time.Duration(len(targets)+2)
		tool, _, _ := strings.Cut(allowed[r.luck.IntN(len(allowed))], "(")
		target := targets[r.luck.IntN(len(targets))]
		if tool == "Bash" {
			target = "npm test"
		}
		r.event(s.ID, "stream_activity", tool+" "+target, statedb.Row{"persona": s.Persona})
	}
}

func toolTargets() []string {
	return []string{
		"src/filter/apple.ts", "src/basket/total.ts", "src/catalogue/index.ts", "test/basket.test.ts", "rootstock", "docs/prices.md",
	}
}

// check says what the step's contract says of the work; empty without one.
func (r *run) check(s manifest.Step, holds bool) string {
	if len(s.Contracts) == 0 {
		return ""
	}
	c := s.Contracts[0]
	r.event(s.ID, "validating", "Validating "+path.Base(c.SchemaPath)+" contract", nil)
	if holds {
		r.event(s.ID, "contract_passed", path.Base(c.SchemaPath)+" contract passed", nil)
		return ""
	}
	missing := map[string]string{"catalogue.schema.json": "at '/trees/17': missing property 'rootstock'"}[path.Base(c.SchemaPath)]
	if missing == "" {
		missing = "at '': missing property 'verdict'"
	}
	message := fmt.Sprintf("contract validation failed [%s]: the output does not fit its schema\n  Details:\n    - File: %s/%s\n    - Schema: %s\n    - %s",
		c.Type, r.workspace(s.ID), c.Source, c.SchemaPath, missing)
	r.event(s.ID, "contract_failed", message, nil)
	return message
}

func (r *run) endAttempt(s manifest.Step, n int, began, took time.Duration, t try) {
	since := r.rec.unix(began)
	end := statedb.Row{
		"run_id": r.id, "step_id": s.ID, "attempt": int64(n), "state": "succeeded", "started_at": since,
		"completed_at": r.unix(), "duration_ms": took.Milliseconds() + r.luck.Int64N(40),
	}
	metric := statedb.Row{
		"run_id": r.id, "step_id": s.ID, "pipeline_name": r.plan.pipeline, "persona": s.Persona, "started_at": since,
		"completed_at": r.unix(), "duration_ms": took.Milliseconds(), "tokens_used": t.tokens,
		"artifacts_generated": int64(len(s.OutputArtifacts)), "success": t.holds,
	}
	if !t.holds {
		message := t.contract
		if message == "" {
			message = r.plan.steps[s.ID].message
		}
		end["state"], end["error_message"], end["failure_class"] = "failed", message, "contract_failure"
		metric["error_message"], metric["artifacts_generated"] = message, int64(0)
	}
	r.insert("step_attempt", end)
	r.insert("performance_metric", metric)
}

// giveUp ends a step whose contract failed in every attempt.
func (r *run) giveUp(s manifest.Step, f fate, tries int) *trouble {
	message := "contract validation failed"
	for _, e := range slices.Backward(r.entries) {
		if e.Row["state"] == "contract_failed" && e.Row["step_id"] == s.ID && e.Row["run_id"] == r.id {
			message += ": " + text(e.Row, "message")
			break
		}
	}
	switch f.result {
	case isReworked:
		other := s.Retry.ReworkStep
		r.event(s.ID, "reworking", "rework by "+other, nil)
		r.stepState(s.ID, "reworking", statedb.Row{"error_message": "reworked by " + other})
		for _, step := range r.def.Steps {
			if step.ID == other {
				r.done[other] = true
				return r.persona(step, r.plan.steps[other])
			}
		}
		return nil
	case isRejected:
		r.event(s.ID, "rejected", message, nil)
		r.stepState(s.ID, "rejected", statedb.Row{"error_message": message})
		return &trouble{step: s.ID, message: message, result: isRejected}
	default:
		if tries > 2 {
			r.event(s.ID, "failed", fmt.Sprintf("circuit breaker tripped: same failure repeated %d times", tries), nil)
		}
		r.failStep(s.ID, message)
		return r.unlessOptional(s, message)
	}
}
