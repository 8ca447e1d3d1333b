//go:build unix

package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"wavedeck/runner"
	"wavedeck/store/manifest"
	"wavedeck/store/statedb"
)

// rework does the step that failed names for its failure. If it goes well, its
// outputs stand for those of failed, whose record says who did its work.
func (x *executor) rework(ctx context.Context, failed manifest.Step, cause error, took time.Duration) error {
	i := slices.IndexFunc(x.pipeline.Steps, func(s manifest.Step) bool { return s.ID == failed.Retry.ReworkStep })
	if i < 0 {
		return cause // Check refuses such a pipeline
	}
	by := x.pipeline.Steps[i]
	x.event(event{step: failed.ID, state: "reworking", message: fmt.Sprintf("rework: executing step %q after %q failed", by.ID, failed.ID)})
	x.check(x.rec.stepState(ctx, by.ID, "reworking", nil))
	if err := x.doStep(ctx, by, reworkContext(failed, cause, took)); err != nil {
		return fmt.Errorf("its rework step %q failed too: %w", by.ID, err)
	}
	for _, out := range by.OutputArtifacts {
		if o, ok := x.find(by.ID, out.Name); ok {
			x.remember(failed.ID, out.Name, o)
		}
	}
	x.check(x.rec.stepState(ctx, failed.ID, "completed", statedb.Row{
		"completed_at": time.Now().Unix(), "error_message": "reworked by " + by.ID,
	}))
	x.event(event{step: by.ID, state: "completed", message: fmt.Sprintf("rework step %q completed, artifacts replaced for %q", by.ID, failed.ID)})
	return nil
}

// maxReworkError bounds what of a failure a persona is given, in bytes.
const maxReworkError = 4000

// reworkContext says to the persona of a rework step what went wrong before it.
func reworkContext(failed manifest.Step, cause error, took time.Duration) string {
	return fmt.Sprintf("## REWORK CONTEXT\n\nThe step %q failed after %v. You do its work in its place.\n\nIts error:\n\n    %s\n\n",
		failed.ID, took.Round(time.Second), strings.ReplaceAll(strings.ToValidUTF8(cause.Error()[:min(len(cause.Error()), maxReworkError)], ""), "\n", "\n    "))
}

// checkRework finds the rework step of a step that will run, and whether it can
// be done.
func checkRework(catalog *manifest.Catalog, p manifest.Pipeline, s manifest.Step, r runner.Request) error {
	if s.Retry.OnFailure != "rework" {
		return nil
	}
	i := slices.IndexFunc(p.Steps, func(other manifest.Step) bool { return other.ID == s.Retry.ReworkStep })
	if i < 0 {
		return &runner.UnsupportedError{Step: s.ID, What: fmt.Sprintf("its rework step %q is not in the pipeline", s.Retry.ReworkStep)}
	}
	by := p.Steps[i]
	if !by.ReworkOnly {
		return &runner.UnsupportedError{Step: s.ID, What: fmt.Sprintf("its rework step %q runs by itself too; it needs rework_only: true", by.ID)}
	}
	if what := beyond(by); what != "" {
		return &runner.UnsupportedError{Step: by.ID, What: what, Engine: other}
	}
	if err := checkStep(catalog, by, r); err != nil {
		return &runner.UnsupportedError{Step: by.ID, What: err.Error()}
	}
	return nil
}
