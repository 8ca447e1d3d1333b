//go:build unix

package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"wavedeck/store/manifest"
	"wavedeck/store/statedb"
)

// rejection is the end that a contract with on_failure: rejected gives to a run.
type rejection struct{ err error }

func (r *rejection) Error() string { return r.err.Error() }
func (r *rejection) Unwrap() error { return r.err }

// failure is an error with the class that Wave files it under.
type failure struct {
	class string // transient, deterministic, contract_failure, test_failure or canceled
	final bool   // another attempt would fail alike
	err   error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// stepRun is one step being done.
type stepRun struct {
	*executor
	step      manifest.Step
	values    values
	workspace string
	context   string // what a persona is given before its prompt
}

// runStep does a step to its end and records it. If it fails and names a
// rework step, that one is done in its place.
func (x *executor) runStep(ctx context.Context, step manifest.Step) error {
	began := time.Now()
	err := x.doStep(ctx, step, "")
	if err == nil || ctx.Err() != nil || step.Retry.OnFailure != "rework" || errors.As(err, new(*rejection)) {
		return err
	}
	return x.rework(ctx, step, err, time.Since(began))
}

// doStep does a step; context is what its persona is given before its prompt.
func (x *executor) doStep(ctx context.Context, step manifest.Step, context string) error {
	s := &stepRun{executor: x, step: step, values: maps.Clone(x.values), workspace: filepath.Join(x.root, step.ID), context: context}
	s.values["step_id"] = step.ID
	started := time.Now()
	x.sayf("  %s: running", step.ID)
	x.check(x.rec.stepState(ctx, step.ID, "running", statedb.Row{"started_at": started.Unix(), "workspace_path": x.relative(s.workspace)}))
	err := s.prepare(ctx)
	if err == nil {
		err = s.attempts(ctx)
	}
	state, row := "completed", statedb.Row{"completed_at": time.Now().Unix()}
	var rejected *rejection
	switch {
	case err == nil:
	case ctx.Err() != nil:
		state = "cancelled"
	case errors.As(err, &rejected):
		state = "rejected"
		delete(row, "completed_at")
	default:
		state = "failed"
	}
	if err != nil {
		row["error_message"] = err.Error()
		x.event(event{step: step.ID, state: state, message: err.Error()})
	}
	x.check(x.log.flush())
	x.check(x.rec.stepState(ctx, step.ID, state, row))
	x.sayf("  %s: %s in %v%s", step.ID, state, time.Since(started).Round(time.Millisecond), because(err))
	return err
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return ": " + firstLine(err.Error())
}

// prepare makes the workspace and puts in it what the step is given.
func (s *stepRun) prepare(ctx context.Context) error {
	for _, dir := range []string{"output", "artifacts"} {
		if err := os.MkdirAll(filepath.Join(s.workspace, ".agents", dir), 0o755); err != nil {
			return err
		}
	}
	return s.inject(ctx)
}

// attempts tries the step as often as its policy says.
func (s *stepRun) attempts(ctx context.Context) error {
	policy, err := backoffOf(s.step.Retry)
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		err := s.attempt(ctx, n)
		var f *failure
		var rejected *rejection
		if err == nil || ctx.Err() != nil || n >= policy.attempts ||
			errors.As(err, &rejected) || errors.As(err, &f) && f.final {
			return err
		}
		s.event(event{step: s.step.ID, state: "retrying", message: fmt.Sprintf("attempt %d/%d", n+1, policy.attempts)})
		s.check(s.rec.stepState(ctx, s.step.ID, "retrying", statedb.Row{"retry_count": n, "error_message": err.Error()}))
		s.sayf("  %s: attempt %d of %d%s", s.step.ID, n+1, policy.attempts, because(err))
		select {
		case <-time.After(policy.wait(n + 1)):
		case <-ctx.Done():
			return err
		}
		s.check(s.rec.stepState(ctx, s.step.ID, "running", statedb.Row{"retry_count": n, "error_message": ""}))
	}
}

// timeoutError is the end of a step that took too long.
type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string { return fmt.Sprintf("timed out after %v", e.after) }

func (s *stepRun) timeout() time.Duration {
	if d := s.opt.Request.Timeout; d > 0 {
		return time.Duration(float64(d) / float64(time.Minute) * float64(s.opt.minute))
	}
	minutes := s.step.TimeoutMinutes
	if minutes <= 0 {
		minutes = s.opt.Catalog.Manifest.Runtime.DefaultTimeoutMinutes
	}
	return time.Duration(max(minutes, 0)) * s.opt.minute
}

// attempt is one try: the work, what it leaves, and whether that is good.
func (s *stepRun) attempt(ctx context.Context, n int) error {
	a := attempt{step: s.step.ID, persona: s.values.fill(s.step.Persona), number: n, started: time.Now()}
	s.check(s.rec.attemptBegins(ctx, a))
	trying := ctx
	if limit := s.timeout(); limit > 0 {
		var cancel context.CancelFunc
		trying, cancel = context.WithTimeoutCause(ctx, limit, &timeoutError{limit})
		defer cancel()
	}
	done, err := s.perform(trying)
	a.tail, a.tokens = done.tail, done.tokens
	if err == nil {
		a.artifacts, err = s.collect(ctx, done.stdout)
	}
	if err == nil {
		err = s.checkContracts(trying)
	}
	var late *timeoutError
	if err != nil && ctx.Err() == nil && errors.As(context.Cause(trying), &late) {
		err = &failure{class: "transient", err: late}
	}
	a.ended, a.err, a.class = time.Now(), err, class(ctx, err)
	s.check(s.log.flush()) // what the attempt printed stands before its end
	s.check(s.rec.attemptEnds(ctx, a))
	s.mu.Lock()
	s.tokens += done.tokens
	s.mu.Unlock()
	if err == nil && s.step.Kind == manifest.KindPrompt {
		s.event(event{step: s.step.ID, state: "completed", persona: a.persona, tokens: a.tokens, duration: a.ended.Sub(a.started)})
	} else if err == nil {
		s.event(event{step: s.step.ID, state: "completed", message: "command completed successfully", duration: a.ended.Sub(a.started)})
	}
	return err
}

// class files an error as Wave does.
func class(ctx context.Context, err error) string {
	var f *failure
	var rejected *rejection
	switch {
	case err == nil:
		return ""
	case ctx.Err() != nil:
		return "canceled"
	case errors.As(err, &rejected):
		return "contract_failure"
	case errors.As(err, &f):
		return f.class
	default:
		return "deterministic"
	}
}

// performed is what the work of an attempt gave.
type performed struct {
	stdout string // the file with all of its standard output; empty when nobody wants it
	tail   string // of the output, for whoever looks at the attempt
	tokens int64
}

func (s *stepRun) perform(ctx context.Context) (performed, error) {
	if s.step.Kind == manifest.KindPrompt {
		return s.performPrompt(ctx)
	}
	return s.performCommand(ctx)
}

func (s *stepRun) performCommand(ctx context.Context) (performed, error) {
	source := commandScript(s.step)
	script, err := bindScript(source)
	if err != nil {
		return performed{}, &failure{class: "deterministic", final: true, err: err}
	}
	s.event(event{step: s.step.ID, state: "running", message: "executing command step: " + source})
	j := s.shell(script)
	if s.wantsStdout() {
		j.capture = filepath.Join(s.workspace, ".agents", "stdout")
	}
	end, err := s.exec(ctx, j)
	done := performed{stdout: j.capture, tail: end.tail}
	if err != nil {
		s.event(event{step: s.step.ID, state: "failed", message: fmt.Sprintf("command failed: %v\nstderr: %s", err, end.stderr)})
	}
	return done, err
}

// shell runs a script that bindScript made.
func (s *stepRun) shell(script string) job {
	return job{path: "sh", args: []string{"-c", script}, env: s.values.environ()}
}

func (s *stepRun) wantsStdout() bool {
	for _, out := range s.step.OutputArtifacts {
		if out.Source == "stdout" {
			return true
		}
	}
	return false
}
