package actions

import (
	"cmp"
	"context"
	"errors"
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
	"wavedeck/views"
)

// chooseStart lists the pipelines that can be started.
func (h *Handler) chooseStart(w http.ResponseWriter, r *http.Request) error {
	if _, err := h.RequireEngine(); err != nil {
		return err
	}
	view := views.StartsView{Layout: h.Layout(r, "runs", "Start a run", "")}
	for _, p := range h.Manifest.Current().Pipelines {
		row := present.Bounded(views.PipelineRow{Name: p.Name, Description: present.Opening(p.Description), Category: p.Category, Steps: len(p.Steps), Problems: runview.ProblemRows(p.Problems)})
		if runview.Startable(p) {
			row.Refused = h.StartRefusal(r.Context(), p)
		}
		if runview.Startable(p) && row.Refused == "" {
			view.Rows = append(view.Rows, row)
		} else {
			view.Not = append(view.Not, row)
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	h.WriteHTML(w, r, http.StatusOK, views.StartsPage(view))
	return nil
}

// StartRefusal is why the engine would not start a pipeline, whatever its input;
// empty when it would.
func (h *Handler) StartRefusal(ctx context.Context, p manifest.Pipeline) string {
	plan, err := h.planView(ctx, p, runner.Request{Pipeline: p.Name})
	if locks(err) {
		return plan.Problem
	}
	return ""
}

// locks reports whether an error of a plan disables the button that would start
// it: nothing that is typed into a field mends it.
func locks(err error) bool {
	input, of := errors.AsType[*runner.InputError](err)
	return err != nil && (!of || !slices.Contains(startFields(), input.Field))
}

// startFields are those that a form says an error at.
func startFields() []string {
	return []string{runview.FieldInput, present.FieldModel, present.FieldAdapter, present.FieldFromStep, present.FieldSteps, present.FieldExclude, present.FieldTimeout, present.FieldOnFailure, present.FieldApprove}
}

// pipelineOf is the pipeline that the path names.
func (h *Handler) pipelineOf(r *http.Request) (manifest.Pipeline, error) {
	name, err := web.PathVar(r, "pipeline")
	if err != nil {
		return manifest.Pipeline{}, err
	}
	p, defined := h.Manifest.Current().Pipeline(name)
	if !defined {
		return p, runview.NoSuch("pipeline", name, h.Paths.Pipelines())
	}
	return p, nil
}

// showStart is the form of a start. The address may fill it in; it starts nothing.
func (h *Handler) showStart(w http.ResponseWriter, r *http.Request) error {
	p, err := h.pipelineOf(r)
	if err != nil {
		return err
	}
	if _, err := h.RequireEngine(); err != nil {
		return err
	}
	values := r.URL.Query()
	values.Del(fieldKey)
	web.SplitNames(values)
	if err := web.CheckFields(values, runFields()); err != nil {
		return err
	}
	if !values.Has(runview.FieldInput) {
		values.Set(runview.FieldInput, p.Input.Default)
		if len(p.Input.Default) > present.TextsWhole { // a form that nobody can read through
			values.Set(runview.FieldInput, "")
		}
	}
	view := h.startView(r, p, values, newFormKey(h.Now()))
	view.plan(h, r, p, values, asIs(p))
	h.writeForm(w, r, http.StatusOK, view)
	return nil
}

// plan adds what the form as it is filled in would do. What is wrong with it is
// said at its field.
func (f *startForm) plan(h *Handler, r *http.Request, p manifest.Pipeline, values url.Values, read reads) {
	asked, err := read(values)
	if err != nil {
		f.Plan.Problem = web.Describe(err).Text
	} else {
		f.Plan, err = h.planView(r.Context(), p, asked)
	}
	if input := new(runner.InputError); errors.As(err, &input) {
		f.blame(err)
	}
	if locks(err) {
		f.Plan.Not = web.Describe(err).Text
	}
}

// writeForm sends a form. Going back to it requests it again, with another key.
func (h *Handler) writeForm(w http.ResponseWriter, r *http.Request, status int, view startForm) {
	view.Plan.Refresh, view.Plan.Verb = view.Preview, view.Verb
	if len(view.Errors) > 0 || view.Problem == view.Plan.Problem {
		view.Plan.Problem = "" // the form says it already
	}
	w.Header().Set("Cache-Control", "no-store")
	h.WriteHTML(w, r, status, views.StartPage(view.StartView))
}

// startForm is a form that errors can be put into.
type startForm struct{ views.StartView }

// blame puts an error at its field, or above the form.
func (f *startForm) blame(err error) {
	if input, ok := errors.AsType[*runner.InputError](err); ok {
		if slices.Contains(startFields(), input.Field) {
			f.Errors = map[string]string{input.Field: present.Clip("It "+input.Text, present.AccountShown) + "."}
			f.Open = f.Open || input.Field != runview.FieldInput
			return
		}
	}
	failure := web.Describe(err)
	f.Problem, f.Next = failure.Text, failure.Next
}

func (h *Handler) startView(r *http.Request, p manifest.Pipeline, values url.Values, key string) startForm {
	title := "Start " + p.Name
	view := views.StartView{
		Layout: h.Layout(r, "pipelines", title, ""), Heading: title, Pipeline: p.Name, Description: present.Whole(present.Redact(p.Description), present.AccountShown),
		Action: h.Paths.Start(p.Name, nil), Preview: h.Paths.StartPreview(p.Name), Key: key, Verb: "Start",
		Input: runview.InputView(p.Input), Text: lines(values.Get(runview.FieldInput)),
		Model: values.Get(present.FieldModel), Adapter: values.Get(present.FieldAdapter), FromStep: values.Get(present.FieldFromStep),
		Timeout: values.Get(present.FieldTimeout), OnFailure: cmp.Or(values.Get(present.FieldOnFailure), string(runner.Halt)), Tags: strings.Join(web.Names(values, fieldTags), ", "),
		Only: web.Names(values, present.FieldSteps), Except: web.Names(values, present.FieldExclude),
	}
	view.Input.Choices = choices(p.Input.Enum)
	view.DryRun, _ = web.Bool(values, present.FieldDryRun) // requestOf says what is wrong with it
	view.AutoApprove, _ = web.Bool(values, present.FieldApprove)
	view.Gated = h.canApprove() && runner.Gated(p)
	for _, name := range []string{present.FieldModel, present.FieldAdapter, present.FieldFromStep, present.FieldTimeout, present.FieldSteps, present.FieldExclude, present.FieldDryRun, present.FieldApprove, fieldTags} {
		view.Open = view.Open || values.Get(name) != ""
	}
	view.Open = view.Open || view.Gated
	for _, step := range p.Steps {
		view.Steps = append(view.Steps, step.ID)
	}
	for _, adapter := range h.Manifest.Current().Manifest.Adapters {
		view.Adapters = append(view.Adapters, adapter.Name)
	}
	return startForm{view}
}

// choices are the values to choose an input from, each as it will be sent. There
// are none where they are too long for a form, or one holds a secret: then the
// input is typed.
func choices(values []string) []string {
	size := 0
	for _, v := range values {
		if size += len(v); size > present.TextsWhole || present.Redact(v) != v {
			return nil
		}
	}
	return values
}

// canApprove reports whether runs can pass approval gates by themselves.
func (h *Handler) canApprove() bool {
	_, can := h.Engine.(runner.Approver)
	return can
}

// previewStart answers what the form as it is filled in would do: a fragment
// for htmx, and without scripts the form again.
func (h *Handler) previewStart(w http.ResponseWriter, r *http.Request) error {
	p, err := h.pipelineOf(r)
	if err != nil {
		return err
	}
	return h.preview(w, r, p, h.startView, asIs(p), runFields()...)
}

// asIs reads a request that repeats no other run.
func asIs(p manifest.Pipeline) reads {
	return func(values url.Values) (runner.Request, error) { return requestOf(p.Name, values) }
}

type (
	// fills returns the form of a pipeline filled in with values.
	fills func(*http.Request, manifest.Pipeline, url.Values, string) startForm
	// reads returns the request that values ask for.
	reads func(url.Values) (runner.Request, error)
)

func (h *Handler) preview(w http.ResponseWriter, r *http.Request, p manifest.Pipeline, form fills, read reads, fields ...string) error {
	values, err := web.ReadBody(r, fields...)
	if err != nil {
		return err
	}
	view := form(r, p, values, cmp.Or(values.Get(fieldKey), newFormKey(h.Now())))
	view.plan(h, r, p, values, read)
	if web.IsFragment(r) {
		view.Plan.Refresh, view.Plan.Verb = view.Preview, view.Verb
		h.WriteHTML(w, r, http.StatusOK, views.Plan(view.Plan))
		return nil
	}
	h.writeForm(w, r, http.StatusOK, view)
	return nil
}

// start starts a run of a pipeline.
func (h *Handler) start(w http.ResponseWriter, r *http.Request) error {
	p, err := h.pipelineOf(r)
	if err != nil {
		return err
	}
	return h.launch(w, r, p, h.startView, asIs(p), runFields()...)
}

// launch starts what a form or a program asks for. What is wrong with a form is
// said at its field, and nothing that was filled in is lost.
func (h *Handler) launch(w http.ResponseWriter, r *http.Request, p manifest.Pipeline, form fills, read reads, fields ...string) error {
	values, err := web.ReadBody(r, fields...)
	if err != nil {
		return err
	}
	asked, err := read(values)
	id, warnings := "", []string(nil)
	if err == nil {
		warnings = h.warnings(r, asked)
		err = h.ids.reserve(r.Context(), r.Header, values, &asked)
	}
	if err == nil {
		id, err = h.begin(r.Context(), asked)
	}
	if err != nil {
		if h.WantsJSON(r) || web.IsFragment(r) {
			return err
		}
		return h.refuseForm(w, r, p, values, form, read, err)
	}
	answer := h.answerOf(r.Context(), id, p.Name)
	answer.OriginalID, answer.Warnings = asked.Original, warnings
	h.answerRun(w, r, http.StatusCreated, answer)
	return nil
}

// refuseForm shows the form again, with what is wrong. Errors that no form can
// mend have a page of their own.
func (h *Handler) refuseForm(w http.ResponseWriter, r *http.Request, p manifest.Pipeline, values url.Values, form fills, read reads, err error) error {
	failure := web.Describe(err)
	if !mendable(failure.Status) {
		return err
	}
	view := form(r, p, values, newFormKey(h.Now()))
	view.plan(h, r, p, values, read)
	view.blame(err)
	audit.RecordOf(r.Context()).Refused(failure.Text)
	if failure.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	h.writeForm(w, r, failure.Status, view) //nolint:contextcheck // components get theirs when they are rendered
	return nil
}

// mendable reports whether the form may be sent again and work then.
func mendable(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusConflict || status == http.StatusServiceUnavailable
}
