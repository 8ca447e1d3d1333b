package runview

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"wavedeck/handlers/present"
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
