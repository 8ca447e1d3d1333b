package handlers

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"wavedeck/runner"
	"wavedeck/store/appdb"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// launchParams is what a run is started with that the state database has no
// column for, by the fields of the start form; one that is empty is left out.
func launchParams(r runner.Request) map[string]string {
	params := map[string]string{}
	for name, value := range map[string]string{
		fieldModel: r.Model, fieldAdapter: r.Adapter, fieldFromStep: r.FromStep, fieldSteps: strings.Join(r.Steps, ","),
		fieldExclude: strings.Join(r.Exclude, ","), fieldOnFailure: string(r.OnFailure),
	} {
		if value != "" {
			params[name] = value
		}
	}
	if r.Timeout > 0 {
		params[fieldTimeout] = strconv.Itoa(int(r.Timeout / time.Minute))
	}
	if r.DryRun {
		params[fieldDryRun] = "true"
	}
	if r.AutoApprove {
		params[fieldApprove] = "true"
	}
	return params
}

// fieldOriginal is the run that a start resumes.
const fieldOriginal = "original"

// noteLaunch keeps how a run was started. It has begun: what cannot be kept is
// only not shown later.
func (s *Server) noteLaunch(ctx context.Context, run string, r runner.Request) {
	params := launchParams(r)
	if r.Original != "" && r.FromStep != "" { // a retry is linked by itself
		params[fieldOriginal] = r.Original
	}
	if err := s.desk.AddLaunch(context.WithoutCancel(ctx), run, appdb.Launch{At: s.now(), Params: params}); err != nil {
		s.log.WarnContext(ctx, "failed to record how a run was started", "run", run, "err", err)
	}
}

// startedWith is how a run was started, by the fields of the start form: what was
// noted when that was done from here, and what its row says; as of a moment, if
// one is given. Nil when neither knows anything, which is not that nothing was given.
func (s *Server) startedWith(ctx context.Context, run wave.Run, at *wave.Moment) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, s.budgets.Asker)
	defer cancel()
	launch, err := s.desk.Launch(ctx, run.ID)
	if err != nil && !errors.Is(err, appdb.ErrNotFound) {
		s.log.DebugContext(ctx, "failed to look up how a run was started", "run", run.ID, "err", err)
	}
	params := map[string]string{}
	if at == nil || !launch.At.After(at.Time) { // it may have been taken up again since
		for name, value := range launch.Params {
			params[name] = shown(value)
		}
	}
	if run.Kind == "resume" && run.ParentStep != "" {
		params[fieldFromStep] = run.ParentStep
	}
	if run.DryRun {
		params[fieldDryRun] = "true"
	}
	if len(params) == 0 {
		return nil
	}
	return params
}

// startFacts says in words how a run was started.
func startFacts(params map[string]string) []views.StartFact {
	var facts []views.StartFact
	for _, f := range []struct{ field, name string }{
		{fieldDryRun, "Dry run"}, {fieldFromStep, "From step"}, {fieldSteps, "Only steps"}, {fieldExclude, "Without steps"},
		{fieldModel, "Model"}, {fieldAdapter, "Adapter"}, {fieldTimeout, "Timeout"}, {fieldOnFailure, "On failure"}, {fieldApprove, "Approval gates"},
		{fieldOriginal, "Resumed from"},
	} {
		text, given := params[f.field]
		switch {
		case !given:
			continue
		case f.field == fieldDryRun:
			text = "yes, nothing was executed"
		case f.field == fieldApprove:
			text = "passed automatically"
		case f.field == fieldTimeout:
			text += " min per step"
		default:
			text = strings.ReplaceAll(text, ",", ", ")
		}
		facts = append(facts, bounded(views.StartFact{Name: f.name, Text: text}))
	}
	return facts
}
