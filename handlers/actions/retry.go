package actions

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"wavedeck/handlers/audit"
	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/runner"
	"wavedeck/store"
	"wavedeck/store/manifest"
	"wavedeck/store/redact"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// repeatable is the run that the path names and its pipeline, when the run has
// ended and the pipeline is still there.
func (h *Handler) repeatable(r *http.Request) (wave.Run, manifest.Pipeline, error) {
	run, err := h.runOf(r)
	if err != nil {
		return run, manifest.Pipeline{}, err
	}
	p, defined := h.Manifest.Current().Pipeline(run.Pipeline)
	switch {
	case run.State.Active():
		return run, p, &web.Error{
			Status: http.StatusConflict, Text: "the run has not ended: it is " + present.RunWord(run),
			Next: "Stop it first, or wait for its end.",
		}
	case !defined:
		return run, p, &web.Error{
			Status: http.StatusConflict, Text: "no file defines the pipeline " + web.Quoted(present.Clip(run.Pipeline, 80)) + " any more",
			Next: "Nothing was started. Those that are defined stand at " + h.Paths.Pipelines() + ".",
		}
	}
	return run, p, nil
}

// showRetry is the form of a retry, filled in with what the run was started with.
func (h *Handler) showRetry(w http.ResponseWriter, r *http.Request) error {
	if _, err := h.RequireEngine(); err != nil {
		return err
	}
	run, p, err := h.repeatable(r)
	if err != nil {
		return err
	}
	given := r.URL.Query()
	given.Del(fieldKey)
	if err := web.CheckFields(given, retryFields()); err != nil {
		return err
	}
	view := h.retryForm(run)(r, p, given, newFormKey(h.Now()))
	view.plan(h, r, p, given, h.retryOf(run))
	h.writeForm(w, r, http.StatusOK, view)
	return nil
}

// retryForm fills in the form of a retry: with what was given, and else with
// the run's own values. Secrets of the input are hidden in it.
func (h *Handler) retryForm(run wave.Run) fills {
	return func(r *http.Request, p manifest.Pipeline, given url.Values, key string) startForm {
		values := again(run, given)
		view := h.startView(r, p, values, key)
		view.Section = "runs"
		view.Heading, view.Title, view.Verb, view.Description = "Retry "+p.Name, "Retry "+p.Name, "Retry", ""
		view.Action, view.Preview = h.Paths.RunAction(run.ID, "retry", nil), h.Paths.RunAction(run.ID, "retry", nil)+"/preview"
		view.Original = present.RunRef(run)
		if view.Text == lines(run.Input) {
			view.Text = lines(present.Redact(run.Input))
		}
		view.Redacted = present.Redact(run.Input) != run.Input
		view.Tags = strings.Join(present.RedactAll(web.Names(values, fieldTags)), ", ")
		keep(&view, run, given)
		view.Open = view.Open && (view.Model+view.Adapter+view.Timeout != "" || view.AutoApprove || len(view.Only)+len(view.Except) > 0 || view.DryRun)
		return view
	}
}

// keep leaves out of the form of a retry what nobody can edit there. A field that is
// not sent is the run's own.
func keep(view *startForm, run wave.Run, given url.Values) {
	if len(run.Input) > present.TextsWhole && !given.Has(runview.FieldInput) {
		view.Text, view.Redacted = "", false
		view.KeptInput = &views.Kept{Size: views.Bytes(int64(len(run.Input))), Beginning: present.FirstLine(present.Opening(run.Input))}
	}
	tagged := strings.Join(run.Tags, "")
	if !given.Has(fieldTags) && (len(tagged) > present.AccountShown || strings.Contains(tagged, ",")) {
		view.Tags, view.KeptTags = "", len(run.Tags)
	}
}

// retryRequest reads what a retry is to run. An input that was left as it was
// shown is the run's own, secrets included.
func (h *Handler) retryRequest(run wave.Run, values url.Values) (runner.Request, error) {
	asked, err := requestOf(run.Pipeline, values)
	if err != nil {
		return asked, err
	}
	asked.Original = run.ID
	for i, tag := range asked.Tags { // one that was left as it was shown is the run's own
		if at := slices.Index(present.RedactAll(run.Tags), tag); at >= 0 {
			asked.Tags[i] = run.Tags[at]
		}
	}
	switch given := asked.Input; {
	case given == lines(run.Input), given == lines(present.Redact(run.Input)):
		asked.Input = run.Input
	case present.Redact(run.Input) != run.Input && redact.Marked(given):
		return asked, &runner.InputError{Field: runview.FieldInput, Text: "still has a mark where a secret was hidden: put the secret there, or leave the whole as it was"}
	}
	return asked, nil
}

// retryOf reads what a retry of the run is asked for with.
func (h *Handler) retryOf(run wave.Run) reads {
	return func(given url.Values) (runner.Request, error) {
		asked, err := h.retryRequest(run, again(run, given))
		if !given.Has(fieldTags) {
			asked.Tags = run.Tags // as they are: a field splits them at commas
		}
		return asked, err
	}
}

func (h *Handler) previewRetry(w http.ResponseWriter, r *http.Request) error {
	run, p, err := h.repeatable(r)
	if err != nil {
		return err
	}
	return h.preview(w, r, p, h.retryForm(run), h.retryOf(run), retryFields()...)
}

// retry starts a run's pipeline again.
func (h *Handler) retry(w http.ResponseWriter, r *http.Request) error {
	if _, err := h.RequireEngine(); err != nil {
		return err
	}
	id, err := web.PathVar(r, "run")
	if err != nil {
		return err
	}
	audit.RecordOf(r.Context()).About(id, "")
	run, p, err := h.repeatable(r)
	if err != nil {
		return err
	}
	audit.RecordOf(r.Context()).About(id, run.Pipeline)
	return h.launch(w, r, p, h.retryForm(run), h.retryOf(run), retryFields()...)
}

// resumeFields are those of a resume: the run says the rest.
func resumeFields() []string {
	return []string{present.FieldFromStep, present.FieldModel, present.FieldAdapter, present.FieldTimeout, present.FieldOnFailure, present.FieldApprove, fieldKey}
}

// resumable is the run with its steps, and what a resume of it would ask for:
// without a step, the first that did not complete.
func (h *Handler) resumable(r *http.Request, given url.Values) (wave.RunDetail, manifest.Pipeline, runner.Request, error) {
	run, p, err := h.repeatable(r)
	if err != nil {
		return wave.RunDetail{}, p, runner.Request{}, err
	}
	d, err := h.Store.Detail(r.Context(), run.ID)
	if err != nil {
		return d, p, runner.Request{}, err
	}
	asked, err := requestOf(p.Name, given)
	asked.Original, asked.Input, asked.Tags = run.ID, run.Input, run.Tags
	if err == nil {
		asked.Left, err = h.Store.Leftovers(r.Context(), run.ID)
	}
	done := doneIn(d, asked.Left)
	for _, step := range p.Steps {
		if done[step.ID] {
			asked.Completed = append(asked.Completed, step.ID)
		}
		if asked.FromStep == "" && !done[step.ID] && !step.ReworkOnly {
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
