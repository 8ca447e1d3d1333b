package runview

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"wavedeck/handlers/audit"
	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/runner"
	"wavedeck/store/appdb"
	"wavedeck/store/manifest"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// CanRun reports whether runs can be started and stopped from here.
func (o *offers) CanRun() bool { return o.Engine != nil && !o.ReadOnly }

// RequireEngine returns the engine, or says why there is none to act with.
func (o *offers) RequireEngine() (runner.Engine, error) {
	switch {
	case o.ReadOnly:
		return nil, audit.ErrReadOnly()
	case o.Engine == nil:
		return nil, &web.Error{
			Status: http.StatusServiceUnavailable, Text: "starting runs is not enabled",
			Next: "Start the console with --engine wave or --engine local.",
		}
	}
	return o.Engine, nil
}

// FieldInput is the field with the input of a run, in forms and addresses.
const FieldInput = "input"

// Digest names texts in hex.
func Digest(texts ...string) string {
	h := sha256.New()
	for _, text := range texts {
		fmt.Fprintf(h, "%d:%s", len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Fields of an action on many runs, beside those of the run list's filter.
const (
	FieldDo  = "do"  // cancel or retry
	FieldAll = "all" // those that the filter matches, instead
)

// MaxBulk is how many runs one action is about at most.
const MaxBulk = 1000

// Warn notes in the log what went wrong, unless it did because the work was ended.
func (rv *Reader) Warn(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		rv.Log.WarnContext(ctx, what, "err", err)
	}
}

// Refusal is why the engine would not carry out what repeats a run, and what would go
// wrong if it did. Both are empty when nothing would.
func (o *offers) Refusal(ctx context.Context, again runner.Request) (not, warn string) {
	engine, err := o.RequireEngine()
	var steps []runner.PlannedStep
	if err == nil {
		steps, err = engine.Plan(ctx, again)
	}
	if err != nil {
		return web.Describe(err).Text, ""
	}
	for _, step := range steps {
		if step.Warn != "" {
			return "", Warning(step)
		}
	}
	return "", ""
}

// Warning is what will go wrong in a step, in a sentence.
func Warning(step runner.PlannedStep) string {
	return fmt.Sprintf("Step %s %s.", web.Quoted(present.Clip(step.ID, present.NameShown)), step.Warn)
}

// retryRef is the run that a run repeats, nil when it repeats none that is known.
// Earlier consoles recorded a retry as a fork; those are known from the audit log.
func (rv *Reader) retryRef(ctx context.Context, run wave.Run) *views.RunRef {
	original, err := rv.Data.RetryOf(ctx, run.ID)
	switch {
	case err == nil:
	case run.ForkedFrom != "" && rv.wasRetried(ctx, run.ID):
		original = run.ForkedFrom
	default:
		return nil
	}
	if first, err := rv.Store.Run(ctx, original); err == nil {
		return present.RunRef(first)
	}
	return present.Bounded(&views.RunRef{ID: original})
}

// wasRetried reports whether the audit log says that a retry made the run.
func (rv *Reader) wasRetried(ctx context.Context, run string) bool {
	ctx, cancel := context.WithTimeout(ctx, rv.Budgets.Asker)
	defer cancel()
	page, err := rv.Data.Audit(ctx, appdb.AuditFilter{Run: run, Action: "retry", Limit: 1})
	return err == nil && len(page.Entries) > 0 && page.Entries[0].Result == appdb.Done && page.Entries[0].Params["original"] != ""
}

// Startable reports whether a pipeline can be started.
func Startable(p manifest.Pipeline) bool { return !p.Broken && !p.Disabled && len(p.Steps) > 0 }

// actionsOf are the ways on from a run: those that make sense in its state and
// that are possible here.
func (o *offers) actionsOf(run wave.Run) views.RunActions {
	var a views.RunActions
	if !o.CanRun() {
		return a
	}
	p, defined := o.Manifest.Current().Pipeline(run.Pipeline)
	if run.State == wave.Waiting {
		a.Answer = o.Paths.Gates(run.ID)
	}
	if IsOpen(run) {
		a.Stop = o.Paths.RunAction(run.ID, "cancel", nil)
		a.Asked = run.Cancel != nil
		a.Close = run.State == wave.Lost
	}
	if !run.State.Active() && defined && Startable(p) {
		a.Retry = o.Paths.RunAction(run.ID, "retry", nil)
		a.Key = quickKey(run, o.Now())
		if (run.Kind == "" || run.Kind == "resume") && !run.DryRun {
			a.Resume = o.Paths.RunAction(run.ID, "resume", nil)
		}
	}
	return a
}

// askedActions is [Server.actionsOf] with what the engine says of a retry.
func (o *offers) askedActions(ctx context.Context, run wave.Run) views.RunActions {
	a := o.actionsOf(run)
	switch p, defined := o.Manifest.Current().Pipeline(run.Pipeline); {
	case !o.CanRun() || run.State.Active():
	case !defined:
		a.Not = "its pipeline is no longer defined"
	case !Startable(p):
		a.Not = "its pipeline is disabled or cannot be read"
	default:
		again, err := o.AsStarted(ctx, run)
		if err != nil {
			a.Not = web.Describe(err).Text
			break
		}
		a.Not, a.Warn = o.Refusal(ctx, again)
	}
	return a
}

// IsOpen reports whether the record of a run has no end, so that it can be
// stopped, or closed when nothing carries it out any more.
func IsOpen(run wave.Run) bool {
	return wave.IsOpen(run.Status) && (run.State.Active() || run.State == wave.Lost || run.State == wave.Unknown)
}

// quickKey is the key of a retry that is one click. It stays the same for a
// moment, so that the answer that holds it does too.
func quickKey(run wave.Run, now time.Time) string {
	const moment = 10 * time.Second
	at := now.Truncate(moment).Local().Format("20060102-150405-")
	return at + Digest(run.ID, at)[:16]
}
