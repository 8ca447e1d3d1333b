package actions

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"

	"wavedeck/handlers/audit"
	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/runner"
	"wavedeck/store"
	"wavedeck/store/manifest"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// resumeFields are those of a resume: the run says the rest.
func resumeFields() []string {
	return []string{present.FieldFromStep, present.FieldModel, present.FieldAdapter, present.FieldTimeout, present.FieldOnFailure, present.FieldExclude, present.FieldApprove, fieldKey}
}

// resumeValues are the options of a resume: what is given, and else the run's own. A
// choice of steps becomes those that are left out: the first step is another one now.
func resumeValues(p manifest.Pipeline, was runner.Request, given url.Values) url.Values {
	values := retryValues(was, given)
	if values.Has(present.FieldSteps) {
		for _, step := range p.Steps {
			if !slices.Contains(values[present.FieldSteps], step.ID) {
				values.Add(present.FieldExclude, step.ID)
			}
		}
		values.Del(present.FieldSteps)
	}
	values.Del(present.FieldDryRun)
	return values
}

// resumable is the run with its steps, and what a resume of it would ask for:
// without a step, the first that did not complete.
func (h *Handler) resumable(r *http.Request, given url.Values) (wave.RunDetail, manifest.Pipeline, runner.Request, error) {
	was, run, p, err := h.retried(r)
	if err == nil && was.DryRun {
		err = &web.Error{Status: http.StatusConflict, Text: "the run was a dry run: it executed nothing that could be resumed", Next: "Retry it, without \"Dry run\"."}
	}
	if err != nil {
		return wave.RunDetail{}, p, runner.Request{}, err
	}
	d, err := h.Store.Detail(r.Context(), run.ID)
	if err != nil {
		return d, p, runner.Request{}, err
	}
	asked, err := requestOf(p.Name, resumeValues(p, was, given))
	asked.Original, asked.Input, asked.Tags = run.ID, run.Input, run.Tags
	if err == nil {
		asked.Left, err = h.Store.Leftovers(r.Context(), run.ID)
	}
	done := doneIn(d, asked.Left)
	for _, step := range p.Steps {
		if done[step.ID] {
			asked.Completed = append(asked.Completed, step.ID)
		}
		if asked.FromStep == "" && !done[step.ID] && !step.ReworkOnly && !slices.Contains(asked.Exclude, step.ID) {
			asked.FromStep = step.ID
		}
	}
	if err == nil && asked.FromStep == "" {
		err = &runner.InputError{Field: present.FieldFromStep, Text: "is required: every step has completed"}
	}
	return d, p, asked, err
}

// doneIn are the steps that a run has done, and that it found done when it
// resumed another one.
func doneIn(d wave.RunDetail, left store.Leftovers) map[string]bool {
	done := map[string]bool{}
	for _, step := range left.Completed {
		done[step] = true
	}
	for _, step := range d.Steps {
		switch step.State {
		case wave.Succeeded, wave.Empty:
			done[step.ID] = true
		case wave.Pending, wave.Skipped:
		default:
			delete(done, step.ID)
		}
	}
	return done
}

// showResume is where the step is chosen at which a run is taken up.
func (h *Handler) showResume(w http.ResponseWriter, r *http.Request) error {
	if _, err := h.RequireEngine(); err != nil {
		return err
	}
	given := r.URL.Query()
	given.Del(fieldKey)
	if err := web.CheckFields(given, resumeFields()); err != nil {
		return err
	}
	return h.writeResume(w, r, given, newFormKey(h.Now()), nil)
}

// previewResume answers what a resume at the chosen step would do.
func (h *Handler) previewResume(w http.ResponseWriter, r *http.Request) error {
	given, err := web.ReadBody(r, resumeFields()...)
	if err != nil {
		return err
	}
	return h.writeResume(w, r, given, cmp.Or(given.Get(fieldKey), newFormKey(h.Now())), nil)
}

// writeResume sends the form of a resume, or its plan for htmx. Because, if
// set, is why it was refused.
func (h *Handler) writeResume(w http.ResponseWriter, r *http.Request, given url.Values, key string, because error) error {
	d, p, asked, wrong := h.resumable(r, given)
	if d.Run.ID == "" {
		return wrong
	}
	view := views.ResumeView{
		Layout: h.Layout(r, "runs", "Resume "+p.Name, ""), Run: present.RunRow(d.Run),
		Action: h.Paths.RunAction(d.Run.ID, "resume", nil), Preview: h.Paths.RunAction(d.Run.ID, "resume", nil) + "/preview", Key: key,
	}
	options := runview.LaunchParams(asked)
	for _, field := range []string{present.FieldFromStep, present.FieldExclude, present.FieldApprove} { // the form has them
		delete(options, field)
	}
	for field, value := range options {
		options[field] = present.Redact(value)
	}
	view.Options, view.Except = present.StartFacts(options), asked.Exclude
	view.Gated, view.AutoApprove = h.canApprove() && runner.Gated(p), asked.AutoApprove
	var err error
	if view.Plan, err = h.planView(r.Context(), p, asked); wrong != nil {
		err, view.Plan = wrong, views.PlanView{Problem: web.Describe(wrong).Text}
	}
	if err != nil { // another step may do, which requests a new plan
		view.Plan.Not = view.Plan.Problem
	}
	view.Plan.Refresh, view.Plan.Verb = view.Preview, "Resume"
	w.Header().Set("Cache-Control", "no-store")
	if web.IsFragment(r) && because == nil {
		h.WriteHTML(w, r, http.StatusOK, views.Plan(view.Plan))
		return nil
	}
	view.Steps = resumeSteps(p, d, asked)
	status := http.StatusOK
	if because != nil {
		failure := web.Describe(because)
		status, view.Problem, view.Next = failure.Status, failure.Text, failure.Next
		if view.Plan.Problem == view.Problem {
			view.Plan.Problem = "" // the form says it already
		}
		audit.RecordOf(r.Context()).Refused(failure.Text)
		if status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "1")
		}
	}
	h.WriteHTML(w, r, status, views.ResumePage(view))
	return nil
}

// resumeSteps are the steps to choose from, and why a run cannot be taken up at
// some of them.
func resumeSteps(p manifest.Pipeline, d wave.RunDetail, asked runner.Request) []views.ResumeStep {
	steps := map[string]wave.Step{}
	for _, step := range d.Steps {
		steps[step.ID] = step
	}
	var list []views.ResumeStep
	for _, def := range p.Steps {
		step := steps[def.ID]
		row := views.ResumeStep{
			ID: def.ID, Kind: string(def.Kind), State: string(cmp.Or(step.State, wave.Pending)), Word: present.StateWord(cmp.Or(step.State, wave.Pending)),
			On: def.ID == asked.FromStep,
		}
		at := asked
		at.FromStep = def.ID
		if _, err := runner.Plan(p, at); err != nil {
			row.Not = web.Describe(err).Text
		}
		list = append(list, row)
	}
	return list
}

// resume takes a run up at a step.
func (h *Handler) resume(w http.ResponseWriter, r *http.Request) error {
	if _, err := h.RequireEngine(); err != nil {
		return err
	}
	id, err := web.PathVar(r, "run")
	if err != nil {
		return err
	}
	audit.RecordOf(r.Context()).About(id, "")
	given, err := web.ReadBody(r, resumeFields()...)
	if err != nil {
		return err
	}
	d, p, asked, err := h.resumable(r, given)
	if err == nil {
		err = h.ids.reserve(r.Context(), r.Header, given, &asked)
	}
	run, warnings := "", []string(nil)
	if err == nil {
		warnings = h.warnings(r, asked)
		run, err = h.begin(r.Context(), asked)
	}
	if err != nil {
		if status := web.Describe(err).Status; h.WantsJSON(r) || web.IsFragment(r) || d.Run.ID == "" || !mendable(status) {
			return err
		}
		return h.writeResume(w, r, given, newFormKey(h.Now()), err)
	}
	answer := h.answerOf(r.Context(), run, p.Name)
	answer.OriginalID, answer.Warnings = id, warnings
	h.answerRun(w, r, http.StatusCreated, answer)
	return nil
}
