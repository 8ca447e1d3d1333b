package runview

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/runner"
	"wavedeck/store/appdb"
	"wavedeck/store/wave"
)

// LaunchParams is what a run is started with that the state database has no
// column for, by the fields of the start form; one that is empty is left out.
func LaunchParams(r runner.Request) map[string]string {
	params := map[string]string{}
	for name, value := range map[string]string{
		present.FieldModel: r.Model, present.FieldAdapter: r.Adapter, present.FieldFromStep: r.FromStep, present.FieldSteps: strings.Join(r.Steps, ","),
		present.FieldExclude: strings.Join(r.Exclude, ","), present.FieldOnFailure: string(r.OnFailure),
	} {
		if value != "" {
			params[name] = value
		}
	}
	if r.Timeout > 0 {
		params[present.FieldTimeout] = strconv.Itoa(int(r.Timeout / time.Minute))
	}
	if r.DryRun {
		params[present.FieldDryRun] = "true"
	}
	if r.AutoApprove {
		params[present.FieldApprove] = "true"
	}
	return params
}

// AsStarted is what repeats a run: its input, its tags, and the options that it was
// started with. A run that was not started from here has none that are known; one that
// was resumed elsewhere has those of its original. It is an error when they cannot be
// read: without them, steps that were left out would run.
func (o *offers) AsStarted(ctx context.Context, run wave.Run) (runner.Request, error) {
	r := runner.Request{Pipeline: run.Pipeline, Input: run.Input, Tags: run.Tags, Original: run.ID, DryRun: run.DryRun}
	launch, err := o.Data.Launch(ctx, run.ID)
	if errors.Is(err, appdb.ErrNotFound) && run.Kind == "resume" {
		launch, err = o.Data.Launch(ctx, run.Parent)
	}
	switch {
	case errors.Is(err, appdb.ErrNotFound):
		return r, nil
	case err != nil:
		return r, &web.Error{
			Status: http.StatusServiceUnavailable, Text: "the options that the run was started with cannot be read, and would be left out", Err: err,
			Next: "Try again, or start its pipeline at " + o.Paths.Start(run.Pipeline, nil) + ".",
		}
	}
	was := launch.Params
	r.Model, r.Adapter, r.OnFailure = was[present.FieldModel], was[present.FieldAdapter], runner.OnFailure(was[present.FieldOnFailure])
	r.Steps, r.Exclude = web.Listed(was[present.FieldSteps]), web.Listed(was[present.FieldExclude])
	if minutes, err := strconv.Atoi(was[present.FieldTimeout]); err == nil {
		r.Timeout = time.Duration(minutes) * time.Minute
	}
	r.DryRun = r.DryRun || was[present.FieldDryRun] == "true"
	r.AutoApprove = was[present.FieldApprove] == "true"
	return r, nil
}

// startedWith is how a run was started, by the fields of the start form: what was
// noted when that was done from here, and what its row says; as of a moment, if
// one is given. Nil when neither knows anything, which is not that nothing was given.
func (rv *Reader) startedWith(ctx context.Context, run wave.Run, at *wave.Moment) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, rv.Budgets.Asker)
	defer cancel()
	launch, err := rv.Data.Launch(ctx, run.ID)
	if err != nil && !errors.Is(err, appdb.ErrNotFound) {
		rv.Log.DebugContext(ctx, "failed to look up how a run was started", "run", run.ID, "err", err)
	}
	params := map[string]string{}
	if at == nil || !launch.At.After(at.Time) { // it may have been taken up again since
		for name, value := range launch.Params {
			params[name] = present.Redact(value)
		}
	}
	if run.Kind == "resume" && run.ParentStep != "" {
		params[present.FieldFromStep] = run.ParentStep
	}
	if run.DryRun {
		params[present.FieldDryRun] = "true"
	}
	if len(params) == 0 {
		return nil
	}
	return params
}
