package handlers

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"wavedeck/runner"
	"wavedeck/store/manifest"
	"wavedeck/views"
)

// chooseStart lists the pipelines that can be started.
func (s *Server) chooseStart(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.runs(); err != nil {
		return err
	}
	view := views.StartsView{Chrome: s.chrome(r, "runs", "Start a run", "")}
	for _, p := range s.manifest.Current().Pipelines {
		row := bounded(views.PipelineRow{Name: p.Name, Description: opening(p.Description), Category: p.Category, Steps: len(p.Steps), Problems: problemRows(p.Problems)})
		if startable(p) {
			row.Refused = s.startRefusal(r.Context(), p)
		}
		if startable(p) && row.Refused == "" {
			view.Rows = append(view.Rows, row)
		} else {
			view.Not = append(view.Not, row)
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	s.writeHTML(w, r, http.StatusOK, views.StartsPage(view))
	return nil
}

// startRefusal is why the engine would not start a pipeline, whatever its input;
// empty when it would.
func (s *Server) startRefusal(ctx context.Context, p manifest.Pipeline) string {
	plan, err := s.planView(ctx, p, runner.Request{Pipeline: p.Name})
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
	return []string{fieldInput, fieldModel, fieldAdapter, fieldFromStep, fieldSteps, fieldExclude, fieldTimeout, fieldOnFailure, fieldApprove}
}

func startable(p manifest.Pipeline) bool { return !p.Broken && !p.Disabled && len(p.Steps) > 0 }

// pipelineOf is the pipeline that the path names.
func (s *Server) pipelineOf(r *http.Request) (manifest.Pipeline, error) {
	name, err := pathVar(r, "pipeline")
	if err != nil {
		return manifest.Pipeline{}, err
	}
	p, defined := s.manifest.Current().Pipeline(name)
	if !defined {
		return p, noSuch("pipeline", name, s.paths.Pipelines())
	}
	return p, nil
}

// showStart is the form of a start. The address may fill it in; it starts nothing.
func (s *Server) showStart(w http.ResponseWriter, r *http.Request) error {
	p, err := s.pipelineOf(r)
	if err != nil {
		return err
	}
	if _, err := s.runs(); err != nil {
		return err
	}
	values := r.URL.Query()
	values.Del(fieldKey)
	if err := checkFields(values, runFields()); err != nil {
		return err
	}
	if !values.Has(fieldInput) {
		values.Set(fieldInput, p.Input.Default)
		if len(p.Input.Default) > textsWhole { // a form that nobody can read through
			values.Set(fieldInput, "")
		}
	}
	view := s.startView(r, p, values, newFormKey(s.now()))
	view.plan(s, r, p, values, asIs(p))
	s.writeForm(w, r, http.StatusOK, view)
	return nil
}

// plan adds what the form as it is filled in would do. What is wrong with it is
// said at its field.
func (f *startForm) plan(s *Server, r *http.Request, p manifest.Pipeline, values url.Values, read reads) {
	asked, err := read(values)
	if err != nil {
		f.Plan.Problem = describe(err).text
	} else {
		f.Plan, err = s.planView(r.Context(), p, asked)
	}
	if input := new(runner.InputError); errors.As(err, &input) {
		f.blame(err)
	}
	if locks(err) {
		f.Plan.Not = describe(err).text
	}
}

// writeForm sends a form. Going back to it asks for it anew, with another key.
func (s *Server) writeForm(w http.ResponseWriter, r *http.Request, status int, view startForm) {
	view.Plan.Refresh, view.Plan.Verb = view.Preview, view.Verb
	if len(view.Errors) > 0 || view.Problem == view.Plan.Problem {
		view.Plan.Problem = "" // the form says it already
	}
	w.Header().Set("Cache-Control", "no-store")
	s.writeHTML(w, r, status, views.StartPage(view.StartView))
}

// startForm is a form that errors can be put into.
type startForm struct{ views.StartView }

// blame puts an error at its field, or above the form.
func (f *startForm) blame(err error) {
	if input, ok := errors.AsType[*runner.InputError](err); ok {
		if slices.Contains(startFields(), input.Field) {
			f.Errors = map[string]string{input.Field: clip("It "+input.Text, accountShown) + "."}
			f.Open = f.Open || input.Field != fieldInput
			return
		}
	}
	told := describe(err)
	f.Problem, f.Next = told.text, told.next
}

func (s *Server) startView(r *http.Request, p manifest.Pipeline, values url.Values, key string) startForm {
	title := "Start " + p.Name
	view := views.StartView{
		Chrome: s.chrome(r, "pipelines", title, ""), Heading: title, Pipeline: p.Name, Description: most(shown(p.Description), accountShown),
		Action: s.paths.Start(p.Name, nil), Preview: s.paths.StartPreview(p.Name), Key: key, Verb: "Start",
		Input: inputView(p.Input), Text: lines(values.Get(fieldInput)),
		Model: values.Get(fieldModel), Adapter: values.Get(fieldAdapter), FromStep: values.Get(fieldFromStep),
		Timeout: values.Get(fieldTimeout), OnFailure: cmp.Or(values.Get(fieldOnFailure), string(runner.Halt)), Tags: values.Get(fieldTags),
		Only: names(values, fieldSteps), Except: names(values, fieldExclude),
	}
	view.Input.Choices = choices(p.Input.Enum)
	view.DryRun, _ = truth(values, fieldDryRun) // requestOf says what is wrong with it
	view.AutoApprove, _ = truth(values, fieldApprove)
	view.Gated = s.canApprove() && runner.Gated(p)
	for _, name := range []string{fieldModel, fieldAdapter, fieldFromStep, fieldTimeout, fieldSteps, fieldExclude, fieldDryRun, fieldApprove, fieldTags} {
		view.Open = view.Open || values.Get(name) != ""
	}
	view.Open = view.Open || view.Gated
	for _, step := range p.Steps {
		view.Steps = append(view.Steps, step.ID)
	}
	for _, adapter := range s.manifest.Current().Manifest.Adapters {
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
		if size += len(v); size > textsWhole || shown(v) != v {
			return nil
		}
	}
	return values
}

// canApprove reports whether runs can pass approval gates by themselves.
func (s *Server) canApprove() bool {
	_, can := s.engine.(runner.Approver)
	return can
}

// previewStart answers what the form as it is filled in would do: a fragment
// for htmx, and without scripts the form again.
func (s *Server) previewStart(w http.ResponseWriter, r *http.Request) error {
	p, err := s.pipelineOf(r)
	if err != nil {
		return err
	}
	return s.preview(w, r, p, s.startView, asIs(p), runFields()...)
}

// asIs reads a request that repeats no other run.
func asIs(p manifest.Pipeline) reads {
	return func(values url.Values) (runner.Request, error) { return requestOf(p.Name, values) }
}

// fills is a form filled in with values; reads is what values ask for.
type (
	fills func(*http.Request, manifest.Pipeline, url.Values, string) startForm
	reads func(url.Values) (runner.Request, error)
)

func (s *Server) preview(w http.ResponseWriter, r *http.Request, p manifest.Pipeline, form fills, read reads, fields ...string) error {
	values, err := readBody(r, fields...)
	if err != nil {
		return err
	}
	view := form(r, p, values, cmp.Or(values.Get(fieldKey), newFormKey(s.now())))
	view.plan(s, r, p, values, read)
	if isFragment(r) {
		view.Plan.Refresh, view.Plan.Verb = view.Preview, view.Verb
		s.writeHTML(w, r, http.StatusOK, views.Plan(view.Plan))
		return nil
	}
	s.writeForm(w, r, http.StatusOK, view)
	return nil
}

// start starts a run of a pipeline.
func (s *Server) start(w http.ResponseWriter, r *http.Request) error {
	p, err := s.pipelineOf(r)
	if err != nil {
		return err
	}
	return s.launch(w, r, p, s.startView, asIs(p), runFields()...)
}

// launch starts what a form or a program asks for. What is wrong with a form is
// said at its field, and nothing that was filled in is lost.
func (s *Server) launch(w http.ResponseWriter, r *http.Request, p manifest.Pipeline, form fills, read reads, fields ...string) error {
	values, err := readBody(r, fields...)
	if err != nil {
		return err
	}
	asked, err := read(values)
	id, warnings := "", []string(nil)
	if err == nil {
		warnings = s.warnings(r, asked)
		err = s.reserve(r.Context(), r.Header, values, &asked)
	}
	if err == nil {
		id, err = s.begin(r.Context(), asked)
	}
	if err != nil {
		if s.wantsJSON(r) || isFragment(r) {
			return err
		}
		return s.refuseForm(w, r, p, values, form, read, err)
	}
	answer := s.answerOf(r.Context(), id, p.Name)
	answer.OriginalID, answer.Warnings = asked.Original, warnings
	s.answerRun(w, r, http.StatusCreated, answer)
	return nil
}

// refuseForm shows the form again, with what is wrong. Errors that no form can
// mend have a page of their own.
func (s *Server) refuseForm(w http.ResponseWriter, r *http.Request, p manifest.Pipeline, values url.Values, form fills, read reads, err error) error {
	told := describe(err)
	if !mendable(told.status) {
		return err
	}
	view := form(r, p, values, newFormKey(s.now()))
	view.plan(s, r, p, values, read)
	view.blame(err)
	acting(r.Context()).refused(told.text)
	if told.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	s.writeForm(w, r, told.status, view) //nolint:contextcheck // components get theirs when they are rendered
	return nil
}

// mendable reports whether the form may be sent again and work then.
func mendable(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusConflict || status == http.StatusServiceUnavailable
}
