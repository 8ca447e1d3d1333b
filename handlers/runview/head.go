package runview

import (
	"net/http"
	"net/url"
	"strings"

	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/legible"
)

// EventWindow chooses which of a run's events are shown; the zero window is the
// newest.
type EventWindow struct{ After, Before int64 }

// RunHeadView is what is at the head of each of a run's pages.
func (rv *Reader) RunHeadView(r *http.Request, d wave.RunDetail) views.RunView {
	run := d.Run
	_, defined := rv.Manifest.Current().Pipeline(run.Pipeline)
	view := views.RunView{
		Layout: rv.Layout(r, "runs", legible.Name(run.Pipeline)+" "+present.FirstLine(present.Opening(run.Input)), url.Values{"run": {run.ID}}.Encode()),
		Run:    present.RunRow(run), RunID: run.ID, Input: present.Whole(present.Redact(run.Input), present.TextsWhole), Error: present.Whole(present.Redact(run.Error), present.TextsWhole),
		Completed: run.CompletedAt, Heartbeat: run.Heartbeat, PID: run.PID, Kind: present.Clip(run.Kind, present.TextShown), Progress: run.Progress,
		ParentAt: present.Clip(run.ParentStep, present.TextShown), Resumed: run.Kind == "resume", FirstID: d.FirstID, LastID: d.LastID, Defined: defined,
		Failure: rv.failureOf(d), Refresh: views.RunRefresh{Head: rv.Paths.RunPart(run.ID, "head"), Why: rv.Paths.RunPart(run.ID, "why")},
	}
	view.Run.Acts = rv.askedActions(r.Context(), run)
	rv.Shareable(r, &view.Layout, SharedThing{Run: run.ID})
	view.Forms = rv.FormatLinks(rv.Paths.Run(run.ID), web.RunFormats, nil)
	view.Run.Reason = present.Clip(present.Redact(run.Reason), present.TextShown) // the failure stands in its own panel here
	if word, _ := present.StatusWord(run.State); run.Reason != "" || word != run.Status {
		view.Recorded = present.Clip(run.Status, present.NameShown)
	}
	view.Started = present.StartFacts(rv.startedWith(r.Context(), run, d.At))
	if run.Cancel != nil || run.State == wave.Cancelled {
		view.AskedBy = rv.askedBy(r.Context(), run.ID)
	}
	if run.Cancel != nil || view.AskedBy != "" {
		view.WhoURL = rv.Paths.Audit(url.Values{"run": {run.ID}})
	}
	switch {
	case d.Parent == nil && run.Parent != "":
		view.Orphan = "Its parent, " + present.Clip(present.Redact(run.Parent), 200) + ", was not found."
	case run.Parent == run.ID && run.ID != "":
		view.Orphan = "It is recorded as its own parent."
	case d.Parent != nil:
		view.Parent = present.RunRef(*d.Parent)
		if run.Orphan {
			view.Orphan = "Following its parents leads back to it."
		}
	}
	view.RetryOf = rv.retryRef(r.Context(), run)
	switch {
	case view.RetryOf != nil: // one of an earlier console is recorded as a fork
	case d.Fork != nil:
		view.Fork = present.RunRef(*d.Fork)
	case run.ForkedFrom != "":
		view.Fork = present.Bounded(&views.RunRef{ID: run.ForkedFrom})
	}
	return view
}

// failureOf is what an operator wants first of a run that did not end well: the
// step, its last attempt, and the line that says why.
func (rv *Reader) failureOf(d wave.RunDetail) *views.Failure {
	switch d.Run.State {
	case wave.Failed, wave.Rejected, wave.Lost, wave.Cancelled:
	default:
		return nil
	}
	f := &views.Failure{State: string(d.Run.State), Text: d.Run.Error}
	for _, step := range d.Steps {
		switch {
		case step.ID == d.FailedStep:
			f.Step, f.Persona, f.Model = step.ID, present.Opening(step.Persona), present.Redact(step.Model)
			if step.Error != "" {
				f.Text = step.Error
			}
			if n := len(step.Attempts); n > 0 {
				last := step.Attempts[n-1]
				f.Attempt, f.Of, f.Class = last.Number, step.Retries, present.FailureClass(last.FailureClass)
			}
		case strings.HasPrefix(step.Note, diagnose.BlockedBy):
			f.Blocked = append(f.Blocked, step.ID)
		}
	}
	f.Text, f.Line = present.Redact(f.Text), present.FailureLine(d.Run)
	if c := d.Run.Cause; c != nil {
		f.Cause = &views.RunRef{ID: c.Run, Pipeline: c.Pipeline, State: string(wave.Failed), Word: present.StateWord(wave.Failed)}
		f.CauseStep = c.Step
	}
	whole := present.Whole(f.Text, present.TextsWhole)
	*f = present.Bounded(*f)
	f.Text = whole
	return f
}
