package handlers

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"wavedeck/runner"
	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/manifest"
	"wavedeck/store/redact"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// repeatable is the run that the path names and its pipeline, when the run has
// ended and the pipeline is still there.
func (s *Server) repeatable(r *http.Request) (wave.Run, manifest.Pipeline, error) {
	run, err := s.runOf(r)
	if err != nil {
		return run, manifest.Pipeline{}, err
	}
	p, defined := s.manifest.Current().Pipeline(run.Pipeline)
	switch {
	case run.State.Active():
		return run, p, &httpError{
			status: http.StatusConflict, text: "the run has not ended: it is " + runWord(run),
			next: "Stop it first, or wait for its end.",
		}
	case !defined:
		return run, p, &httpError{
			status: http.StatusConflict, text: "no file defines the pipeline " + quoted(clip(run.Pipeline, 80)) + " any more",
			next: "Nothing was started. Those that are defined stand at " + s.paths.Pipelines() + ".",
		}
	}
	return run, p, nil
}

// showRetry is the form of a retry, filled in with what the run was started with.
func (s *Server) showRetry(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.runs(); err != nil {
		return err
	}
	run, p, err := s.repeatable(r)
	if err != nil {
		return err
	}
	given := r.URL.Query()
	given.Del(fieldKey)
	if err := checkFields(given, retryFields()); err != nil {
		return err
	}
	view := s.retryForm(run)(r, p, given, newFormKey(s.now()))
	view.plan(s, r, p, given, s.retryOf(run))
	s.writeForm(w, r, http.StatusOK, view)
	return nil
}

// retryForm fills in the form of a retry: with what was given, and else with
// the run's own values. Secrets of the input are hidden in it.
func (s *Server) retryForm(run wave.Run) fills {
	return func(r *http.Request, p manifest.Pipeline, given url.Values, key string) startForm {
		values := again(run, given)
		view := s.startView(r, p, values, key)
		view.Section = "runs"
		view.Heading, view.Title, view.Verb, view.Description = "Retry "+p.Name, "Retry "+p.Name, "Retry", ""
		view.Action, view.Preview = s.paths.RunAction(run.ID, "retry", nil), s.paths.RunAction(run.ID, "retry", nil)+"/preview"
		view.Original = runRef(run)
		if view.Text == lines(run.Input) {
			view.Text = lines(shown(run.Input))
		}
		view.Redacted = shown(run.Input) != run.Input
		view.Tags = strings.Join(shownAll(names(values, fieldTags)), ", ")
		keep(&view, run, given)
		view.Open = view.Open && (view.Model+view.Adapter+view.Timeout != "" || view.AutoApprove || len(view.Only)+len(view.Except) > 0 || view.DryRun)
		return view
	}
}

// keep leaves out of the form of a retry what nobody can edit there. A field that is
// not sent is the run's own.
func keep(view *startForm, run wave.Run, given url.Values) {
	if len(run.Input) > textsWhole && !given.Has(fieldInput) {
		view.Text, view.Redacted = "", false
		view.KeptInput = &views.Kept{Size: views.Bytes(int64(len(run.Input))), Beginning: firstLine(opening(run.Input))}
	}
	tagged := strings.Join(run.Tags, "")
	if !given.Has(fieldTags) && (len(tagged) > accountShown || strings.Contains(tagged, ",")) {
		view.Tags, view.KeptTags = "", len(run.Tags)
	}
}

// retryRequest reads what a retry is to run. An input that was left as it was
// shown is the run's own, secrets included.
func (s *Server) retryRequest(run wave.Run, values url.Values) (runner.Request, error) {
	asked, err := requestOf(run.Pipeline, values)
	if err != nil {
		return asked, err
	}
	asked.Original = run.ID
	for i, tag := range asked.Tags { // one that was left as it was shown is the run's own
		if at := slices.Index(shownAll(run.Tags), tag); at >= 0 {
			asked.Tags[i] = run.Tags[at]
		}
	}
	switch given := asked.Input; {
	case given == lines(run.Input), given == lines(shown(run.Input)):
		asked.Input = run.Input
	case shown(run.Input) != run.Input && redact.Marked(given):
		return asked, &runner.InputError{Field: fieldInput, Text: "still has a mark where a secret was hidden: put the secret there, or leave the whole as it was"}
	}
	return asked, nil
}

// retryOf reads what a retry of the run is asked for with.
func (s *Server) retryOf(run wave.Run) reads {
	return func(given url.Values) (runner.Request, error) {
		asked, err := s.retryRequest(run, again(run, given))
		if !given.Has(fieldTags) {
			asked.Tags = run.Tags // as they are: a field splits them at commas
		}
		return asked, err
	}
}

func (s *Server) previewRetry(w http.ResponseWriter, r *http.Request) error {
	run, p, err := s.repeatable(r)
	if err != nil {
		return err
	}
	return s.preview(w, r, p, s.retryForm(run), s.retryOf(run), retryFields()...)
}

// retry starts a run's pipeline again.
func (s *Server) retry(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.runs(); err != nil {
		return err
	}
	id, err := pathVar(r, "run")
	if err != nil {
		return err
	}
	acting(r.Context()).on(id, "")
	run, p, err := s.repeatable(r)
	if err != nil {
		return err
	}
	acting(r.Context()).on(id, run.Pipeline)
	return s.launch(w, r, p, s.retryForm(run), s.retryOf(run), retryFields()...)
}

// retryRef is the run that a run repeats, nil when it repeats none that is known.
// Earlier consoles recorded a retry as a fork; of those the audit log tells.
func (s *Server) retryRef(ctx context.Context, run wave.Run) *views.RunRef {
	original, err := s.desk.RetryOf(ctx, run.ID)
	switch {
	case err == nil:
	case run.ForkedFrom != "" && s.wasRetried(ctx, run.ID):
		original = run.ForkedFrom
	default:
		return nil
	}
	if first, err := s.store.Run(ctx, original); err == nil {
		return runRef(first)
	}
	return bounded(&views.RunRef{ID: original})
}

// wasRetried reports whether the audit log says that a retry made the run.
func (s *Server) wasRetried(ctx context.Context, run string) bool {
	ctx, cancel := context.WithTimeout(ctx, s.budgets.Asker)
	defer cancel()
	page, err := s.desk.Audit(ctx, appdb.AuditFilter{Run: run, Action: "retry", Limit: 1})
	return err == nil && len(page.Entries) > 0 && page.Entries[0].Result == appdb.Done && page.Entries[0].Params["original"] != ""
}

// resumeFields are those of a resume: the run says the rest.
func resumeFields() []string {
	return []string{fieldFromStep, fieldModel, fieldAdapter, fieldTimeout, fieldOnFailure, fieldApprove, fieldKey}
}

// resumable is the run with its steps, and what a resume of it would ask for:
// without a step, the first that did not complete.
func (s *Server) resumable(r *http.Request, given url.Values) (wave.RunDetail, manifest.Pipeline, runner.Request, error) {
	run, p, err := s.repeatable(r)
	if err != nil {
		return wave.RunDetail{}, p, runner.Request{}, err
	}
	d, err := s.store.Detail(r.Context(), run.ID)
	if err != nil {
		return d, p, runner.Request{}, err
	}
	asked, err := requestOf(p.Name, given)
	asked.Original, asked.Input, asked.Tags = run.ID, run.Input, run.Tags
	if err == nil {
		asked.Left, err = s.store.Leftovers(r.Context(), run.ID)
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
		err = &runner.InputError{Field: fieldFromStep, Text: "is required: every step has completed"}
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
func (s *Server) showResume(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.runs(); err != nil {
		return err
	}
	given := r.URL.Query()
	given.Del(fieldKey)
	if err := checkFields(given, resumeFields()); err != nil {
		return err
	}
	return s.writeResume(w, r, given, newFormKey(s.now()), nil)
}

// previewResume answers what a resume at the chosen step would do.
func (s *Server) previewResume(w http.ResponseWriter, r *http.Request) error {
	given, err := readBody(r, resumeFields()...)
	if err != nil {
		return err
	}
	return s.writeResume(w, r, given, cmp.Or(given.Get(fieldKey), newFormKey(s.now())), nil)
}

// writeResume sends the form of a resume, or its plan for htmx. Because, if
// set, is why it was refused.
func (s *Server) writeResume(w http.ResponseWriter, r *http.Request, given url.Values, key string, because error) error {
	d, p, asked, wrong := s.resumable(r, given)
	if d.Run.ID == "" {
		return wrong
	}
	view := views.ResumeView{
		Chrome: s.chrome(r, "runs", "Resume "+p.Name, ""), Run: runRow(d.Run),
		Action: s.paths.RunAction(d.Run.ID, "resume", nil), Preview: s.paths.RunAction(d.Run.ID, "resume", nil) + "/preview", Key: key,
	}
	view.Gated, view.AutoApprove = s.canApprove() && runner.Gated(p), asked.AutoApprove
	var err error
	if view.Plan, err = s.planView(r.Context(), p, asked); wrong != nil {
		err, view.Plan = wrong, views.PlanView{Problem: describe(wrong).text}
	}
	if err != nil { // another step may do, which requests a new plan
		view.Plan.Not = view.Plan.Problem
	}
	view.Plan.Refresh, view.Plan.Verb = view.Preview, "Resume"
	w.Header().Set("Cache-Control", "no-store")
	if isFragment(r) && because == nil {
		s.writeHTML(w, r, http.StatusOK, views.Plan(view.Plan))
		return nil
	}
	view.Steps = resumeSteps(p, d, asked)
	status := http.StatusOK
	if because != nil {
		told := describe(because)
		status, view.Problem, view.Next = told.status, told.text, told.next
		if view.Plan.Problem == view.Problem {
			view.Plan.Problem = "" // the form says it already
		}
		acting(r.Context()).refused(told.text)
		if status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "1")
		}
	}
	s.writeHTML(w, r, status, views.ResumePage(view))
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
			ID: def.ID, Kind: string(def.Kind), State: string(cmp.Or(step.State, wave.Pending)), Word: stateWord(cmp.Or(step.State, wave.Pending)),
			On: def.ID == asked.FromStep,
		}
		at := asked
		at.FromStep = def.ID
		if _, err := runner.Plan(p, at); err != nil {
			row.Not = describe(err).text
		}
		list = append(list, row)
	}
	return list
}

// resume takes a run up at a step.
func (s *Server) resume(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.runs(); err != nil {
		return err
	}
	id, err := pathVar(r, "run")
	if err != nil {
		return err
	}
	acting(r.Context()).on(id, "")
	given, err := readBody(r, resumeFields()...)
	if err != nil {
		return err
	}
	d, p, asked, err := s.resumable(r, given)
	if err == nil {
		err = s.reserve(r.Context(), r.Header, given, &asked)
	}
	run, warnings := "", []string(nil)
	if err == nil {
		warnings = s.warnings(r, asked)
		run, err = s.begin(r.Context(), asked)
	}
	if err != nil {
		if status := describe(err).status; s.wantsJSON(r) || isFragment(r) || d.Run.ID == "" || !mendable(status) {
			return err
		}
		return s.writeResume(w, r, given, newFormKey(s.now()), err)
	}
	answer := s.answerOf(r.Context(), run, p.Name)
	answer.OriginalID, answer.Warnings = id, warnings
	s.answerRun(w, r, http.StatusCreated, answer)
	return nil
}
