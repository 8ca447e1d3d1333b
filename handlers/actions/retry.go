package actions

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"wavedeck/handlers/audit"
	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/runner"
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
	audit.RecordOf(r.Context()).About(run.ID, run.Pipeline)
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
			Next: "Nothing was started. The pipelines are listed at " + h.Paths.Pipelines() + ".",
		}
	}
	return run, p, nil
}

// retried is a run that can be repeated, with what it was started with.
func (h *Handler) retried(r *http.Request) (was runner.Request, run wave.Run, p manifest.Pipeline, err error) {
	if run, p, err = h.repeatable(r); err == nil {
		was, err = h.AsStarted(r.Context(), run)
	}
	return was, run, p, err
}

// showRetry is the form of a retry, filled in with what the run was started with.
func (h *Handler) showRetry(w http.ResponseWriter, r *http.Request) error {
	if _, err := h.RequireEngine(); err != nil {
		return err
	}
	was, run, p, err := h.retried(r)
	if err != nil {
		return err
	}
	given := r.URL.Query()
	given.Del(fieldKey)
	web.SplitNames(given)
	if err := web.CheckFields(given, retryFields()); err != nil {
		return err
	}
	view := h.retryForm(run, was)(r, p, given, newFormKey(h.Now()))
	view.plan(h, r, p, given, h.retryOf(run, was))
	h.writeForm(w, r, http.StatusOK, view)
	return nil
}

// retryForm fills in the form of a retry: with what was given, and else with
// the run's own values. Secrets of the input are hidden in it.
func (h *Handler) retryForm(run wave.Run, was runner.Request) fills {
	return func(r *http.Request, p manifest.Pipeline, given url.Values, key string) startForm {
		values := retryValues(was, given)
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
		view.Model, view.Adapter = present.Redact(view.Model), present.Redact(view.Adapter)
		keep(&view, run, given)
		view.Open = view.Open && (view.Model+view.Adapter+view.Timeout != "" || view.AutoApprove || len(view.Only)+len(view.Except) > 0 || view.DryRun || view.OnFailure != string(runner.Halt))
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
func (h *Handler) retryRequest(run wave.Run, was runner.Request, values url.Values) (runner.Request, error) {
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
	for _, text := range []struct {
		given *string
		was   string
	}{{&asked.Model, was.Model}, {&asked.Adapter, was.Adapter}} {
		if *text.given == present.Redact(text.was) {
			*text.given = text.was
		}
	}
	switch given := asked.Input; {
	case given == lines(run.Input), given == lines(present.Redact(run.Input)):
		asked.Input = run.Input
	case present.Redact(run.Input) != run.Input && redact.Marked(given):
		return asked, &runner.InputError{Field: runview.FieldInput, Text: "still has a redaction marker: replace it with the secret, or leave the value unchanged"}
	}
	return asked, nil
}

// retryOf reads what a retry of the run is asked for with.
func (h *Handler) retryOf(run wave.Run, was runner.Request) reads {
	return func(given url.Values) (runner.Request, error) {
		asked, err := h.retryRequest(run, was, retryValues(was, given))
		if !given.Has(fieldTags) {
			asked.Tags = run.Tags // as they are: a form drops those that say nothing, or the same again
		}
		return asked, err
	}
}

func (h *Handler) previewRetry(w http.ResponseWriter, r *http.Request) error {
	was, run, p, err := h.retried(r)
	if err != nil {
		return err
	}
	return h.preview(w, r, p, h.retryForm(run, was), h.retryOf(run, was), retryFields()...)
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
	was, run, p, err := h.retried(r)
	if err != nil {
		return err
	}
	return h.launch(w, r, p, h.retryForm(run, was), h.retryOf(run, was), retryFields()...)
}

// retryFields are those of a start without a first step: beginning elsewhere is
// a resume.
func retryFields() []string {
	return []string{runview.FieldInput, present.FieldModel, present.FieldAdapter, present.FieldSteps, present.FieldExclude, present.FieldTimeout, present.FieldOnFailure, present.FieldDryRun, present.FieldApprove, fieldTags, fieldKey}
}

// retryValues are the values that repeat a run: what is given, and else its own. Its
// choice of steps is one value: who gives a part of it gives another one.
func retryValues(was runner.Request, given url.Values) url.Values {
	values, own := web.Clone(given), runview.LaunchParams(was)
	if values.Has(present.FieldSteps) || values.Has(present.FieldExclude) {
		delete(own, present.FieldSteps)
		delete(own, present.FieldExclude)
	}
	for _, field := range []string{present.FieldModel, present.FieldAdapter, present.FieldTimeout, present.FieldOnFailure, present.FieldDryRun, present.FieldApprove} {
		if value := own[field]; value != "" && !values.Has(field) {
			values.Set(field, value)
		}
	}
	for _, field := range []string{present.FieldSteps, present.FieldExclude} {
		if names := web.Listed(own[field]); len(names) > 0 {
			values[field] = names
		}
	}
	if !values.Has(runview.FieldInput) {
		values.Set(runview.FieldInput, was.Input)
	}
	if !values.Has(fieldTags) && len(was.Tags) > 0 {
		values[fieldTags] = was.Tags
	}
	return values
}
