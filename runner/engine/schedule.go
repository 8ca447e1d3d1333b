//go:build unix

package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"wavedeck/runner"
	"wavedeck/store/manifest"
	"wavedeck/store/statedb"
)

// defaultWorkers is how many steps run at once where the manifest does not say.
const defaultWorkers = 5

// ended is the end of one step.
type ended struct {
	step   manifest.Step
	target string // the step that a gate leads to; empty: the next
	err    error
}

// schedule is the order of one run's steps. It belongs to one goroutine.
type schedule struct {
	*executor
	settled map[string]bool // steps that others need not wait for any more
	blocked map[string]bool // steps that failed or were passed over because of one
	started map[string]bool
	done    int
	failure error // of the first step that the run fails by
}

// work does the steps, each as soon as those that it needs are done. It
// returns when no process of any step is left.
func (x *executor) work(ctx context.Context) error {
	planned := 0
	for _, p := range x.plan {
		if p.Does == runner.Runs {
			planned++
		}
	}
	x.event(event{state: "started", message: fmt.Sprintf("input=%s steps=%d", strconv.Quote(x.opt.Request.Input), len(x.pipeline.Steps))})
	x.event(event{state: "started", message: "workspace root: " + x.relative(x.root) + "/"})
	x.sayf("%s started: %d of %d steps", x.rec.run, planned, len(x.pipeline.Steps))
	s := &schedule{executor: x, settled: map[string]bool{}, blocked: map[string]bool{}, started: map[string]bool{}}
	if err := s.settlePlanned(ctx); err != nil {
		return err
	}
	if x.opt.Request.DryRun {
		return s.dryRun(ctx)
	}
	return s.runAll(ctx)
}

// settlePlanned deals with the steps that will not run.
func (s *schedule) settlePlanned(ctx context.Context) error {
	if s.opt.Request.FromStep != "" && s.opt.Request.Original != "" {
		if err := s.takeLeftovers(); err != nil {
			return err
		}
	}
	for _, step := range s.pipeline.Steps {
		p := s.plan[step.ID]
		if p.Does == runner.Runs {
			continue
		}
		s.settled[step.ID], s.started[step.ID] = true, true
		s.done++
		if p.Does == runner.Skipped && !step.ReworkOnly { // its record begins with the failure that it makes good
			s.check(s.rec.stepState(ctx, step.ID, "skipped", statedb.Row{"error_message": p.Why}))
			s.event(event{step: step.ID, state: "skipped", message: p.Why})
		}
		s.sayf("  %s: %s (%s)", step.ID, p.Does, p.Why)
	}
	return nil
}

func (s *schedule) dryRun(ctx context.Context) error {
	s.event(event{state: "warning", message: "dry run: nothing is executed"})
	for _, step := range s.pipeline.Steps {
		if s.started[step.ID] {
			continue
		}
		s.check(s.rec.stepState(ctx, step.ID, "skipped", statedb.Row{"error_message": "dry run"}))
		s.event(event{step: step.ID, state: "skipped", message: "dry run"})
		s.sayf("  %s: would run", step.ID)
	}
	return nil
}

func (s *schedule) runAll(ctx context.Context) error {
	limit := cmp.Or(max(s.opt.Catalog.Manifest.Runtime.MaxConcurrentWorkers, 0), defaultWorkers)
	results := make(chan ended)
	var workers sync.WaitGroup
	for running := 0; ; running-- {
		for running < limit && ctx.Err() == nil {
			step, ok := s.next(ctx)
			if !ok {
				break
			}
			running++
			workers.Go(func() {
				if step.Gate != nil {
					target, err := s.runGate(ctx, step)
					results <- ended{step, target, err}
					return
				}
				results <- ended{step, "", s.runStep(ctx, step)}
			})
		}
		if running == 0 {
			break
		}
		s.settle(ctx, <-results)
	}
	workers.Wait()
	return s.failure
}

// next is a step that may start now. Those that need one that failed are
// passed over on the way.
func (s *schedule) next(ctx context.Context) (manifest.Step, bool) {
	for again := true; again; {
		again = false
	steps:
		for _, step := range s.pipeline.Steps {
			if s.started[step.ID] {
				continue
			}
			for _, need := range step.Dependencies {
				if s.blocked[need] {
					s.passOver(ctx, step)
					again = true
					continue steps
				}
			}
			for _, need := range step.Dependencies {
				if !s.settled[need] {
					continue steps
				}
			}
			s.started[step.ID] = true
			return step, true
		}
	}
	return manifest.Step{}, false
}

func (s *schedule) passOver(ctx context.Context, step manifest.Step) {
	s.started[step.ID], s.blocked[step.ID] = true, true
	s.check(s.rec.stepState(ctx, step.ID, "skipped", statedb.Row{"error_message": "dependency failed"}))
	s.event(event{step: step.ID, state: "skipped", message: "dependency failed"})
	s.sayf("  %s: skipped (dependency failed)", step.ID)
}

func (s *schedule) settle(ctx context.Context, e ended) {
	if e.err == nil {
		s.settled[e.step.ID] = true
		s.done++
		if s.settled[e.target] || s.blocked[e.target] {
			s.requeue(ctx, e.target)
			return
		}
		s.event(event{state: "running", message: fmt.Sprintf("%d/%d steps completed", s.done, len(s.pipeline.Steps))})
		return
	}
	s.blocked[e.step.ID] = true
	optional := e.step.Optional || e.step.Retry.OnFailure == "skip" || e.step.Retry.OnFailure == "continue"
	var rejected *rejection
	switch {
	case ctx.Err() != nil: // it was stopped
	case optional && !errors.As(e.err, &rejected):
		s.event(event{state: "warning", message: fmt.Sprintf("optional step %q failed, the pipeline goes on", e.step.ID)})
		if e.step.Retry.OnFailure == "continue" {
			delete(s.blocked, e.step.ID)
			s.settled[e.step.ID] = true
		}
	default:
		if s.failure == nil {
			s.failure = fmt.Errorf("step %q failed: %w", e.step.ID, e.err)
		}
		if s.opt.Request.OnFailure != runner.Skip {
			s.abandon(errHalted)
		}
	}
}

// requeue has a step done again that was done, and all that need it: a gate led back
// to it. Steps that are being done are left alone.
func (s *schedule) requeue(ctx context.Context, target string) {
	again := map[string]bool{target: true}
	for grew := true; grew; {
		grew = false
		for _, step := range s.pipeline.Steps {
			if !again[step.ID] && slices.ContainsFunc(step.Dependencies, func(need string) bool { return again[need] }) {
				again[step.ID], grew = true, true
			}
		}
	}
	for _, step := range s.pipeline.Steps {
		if !again[step.ID] || s.plan[step.ID].Does == runner.Skipped || s.started[step.ID] && !s.settled[step.ID] && !s.blocked[step.ID] {
			continue
		}
		if s.settled[step.ID] {
			s.done--
		}
		delete(s.settled, step.ID)
		delete(s.blocked, step.ID)
		delete(s.started, step.ID)
		s.check(s.rec.stepState(ctx, step.ID, "pending", statedb.Row{"error_message": "re-queued by gate routing"}))
		s.event(event{step: step.ID, state: "pending", message: fmt.Sprintf("re-queued by gate routing to %q", target)})
	}
}
