package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"wavedeck/store"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// graceOfStop is how long a run that was asked to stop may take before the page
// says that it takes long.
const graceOfStop = 10 * time.Second

// actionsOf are the ways on from a run: those that make sense in its state and
// that are possible here.
func (s *Server) actionsOf(run wave.Run) views.RunActions {
	var a views.RunActions
	if !s.canRun() {
		return a
	}
	p, defined := s.manifest.Current().Pipeline(run.Pipeline)
	if isOpen(run) {
		a.Stop = s.paths.RunAction(run.ID, "cancel", nil)
		a.Asked = run.Cancel != nil
		a.Close = run.State == wave.Lost
	}
	if !run.State.Active() && defined && startable(p) {
		a.Retry = s.paths.RunAction(run.ID, "retry", nil)
		a.Key = quickKey(run, s.now())
		if run.Kind == "" || run.Kind == "resume" {
			a.Resume = s.paths.RunAction(run.ID, "resume", nil)
		}
	}
	return a
}

// askedActions is [Server.actionsOf] with what the engine says of a retry.
func (s *Server) askedActions(ctx context.Context, run wave.Run) views.RunActions {
	a := s.actionsOf(run)
	switch p, defined := s.manifest.Current().Pipeline(run.Pipeline); {
	case !s.canRun() || run.State.Active():
	case !defined:
		a.Not = "no file defines its pipeline any more"
	case !startable(p):
		a.Not = "its pipeline is disabled or cannot be read"
	default:
		a.Not, a.Warn = s.refusal(ctx, run)
	}
	return a
}

// isOpen reports whether the record of a run has no end, so that it can be
// stopped, or closed when nothing carries it out any more.
func isOpen(run wave.Run) bool {
	switch run.Status {
	case "pending", "running", "queued":
		return run.State.Active() || run.State == wave.Lost || run.State == wave.Unknown
	default:
		return false
	}
}

// quickKey is the key of a retry that is one click. It stays the same for a
// moment, so that the answer that holds it does too.
func quickKey(run wave.Run, now time.Time) string {
	const moment = 10 * time.Second
	at := now.Truncate(moment).Local().Format("20060102-150405-")
	return at + digest(run.ID, at)[:16]
}

// runOf reads the run that the path names.
func (s *Server) runOf(r *http.Request) (wave.Run, error) {
	id, err := pathVar(r, "run")
	if err != nil {
		return wave.Run{}, err
	}
	return s.store.Run(r.Context(), id)
}

// showCancel asks whether a run is to be stopped.
func (s *Server) showCancel(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.runs(); err != nil {
		return err
	}
	run, err := s.runOf(r)
	if err != nil {
		return err
	}
	if !isOpen(run) {
		return s.hasEnded(run)
	}
	row := runRow(run)
	view := views.StopView{
		Chrome: s.chrome(r, "runs", "Stop "+run.Pipeline, ""), Run: row, Action: s.paths.RunAction(run.ID, "cancel", nil),
		Lost: run.State == wave.Lost, Open: run.Children.All - run.Children.Ended,
	}
	if run.Cancel != nil {
		view.Asked, view.Late = run.Cancel.RequestedAt, s.now().Sub(run.Cancel.RequestedAt) > graceOfStop
	}
	w.Header().Set("Cache-Control", "no-store")
	s.writeHTML(w, r, http.StatusOK, views.StopPage(view))
	return nil
}

// hasEnded says how a run ended that cannot be stopped any more.
func (s *Server) hasEnded(run wave.Run) error {
	text := "the run has ended already: " + stateWord(run.State)
	if !run.CompletedAt.IsZero() {
		text += " " + views.Ago(run.CompletedAt, s.now())
	}
	if run.Reason != "" {
		text += ", " + shown(run.Reason)
	}
	return &httpError{status: http.StatusConflict, text: text, next: "Its page is at " + s.paths.Run(run.ID) + ".", err: store.ErrEnded}
}

// stop asks a run to end, or ends it by force.
func (s *Server) stop(w http.ResponseWriter, r *http.Request) error {
	engine, err := s.runs()
	if err != nil {
		return err
	}
	id, err := pathVar(r, "run")
	if err != nil {
		return err
	}
	acting(r.Context()).on(id, "")
	values, err := readBody(r, fieldForce)
	if err != nil {
		return err
	}
	force, err := truth(values, fieldForce)
	if err != nil {
		return err
	}
	before, err := s.store.Run(r.Context(), id)
	if err != nil {
		return err
	}
	acting(r.Context()).on(id, before.Pipeline)
	if force {
		acting(r.Context()).with(fieldForce, "true")
	}
	if err := s.end(r.Context(), engine.Stop, id, force); err != nil {
		return err
	}
	answer := s.answerOf(r.Context(), id, before.Pipeline)
	acting(r.Context()).note(answer.said())
	if isFragment(r) && !s.wantsJSON(r) {
		view, err := s.peers.runHead(r.Context(), r, id)
		if err != nil {
			return err
		}
		s.writeHTML(w, r, http.StatusOK, views.RunHead(view))
		return nil
	}
	s.answerRun(w, r, http.StatusOK, answer)
	return nil
}

// end stops a run. One that has ended meanwhile is told with how it did.
func (s *Server) end(ctx context.Context, stop func(context.Context, string, bool) error, id string, force bool) error {
	err := stop(ctx, id, force)
	s.acted.Add(1)
	if errors.Is(err, store.ErrEnded) {
		run, readErr := s.store.Run(ctx, id)
		if readErr != nil {
			return err
		}
		return s.hasEnded(run)
	}
	return err
}

// said is what became of a run that was to be stopped, in a few words.
func (a runAnswer) said() string {
	if a.State == stopping {
		return "it is stopping"
	}
	if a.Reason != "" {
		return a.Status + ": " + a.Reason
	}
	return a.Status
}

// retryFields are those of a start without a first step: beginning elsewhere is
// a resume.
func retryFields() []string {
	return []string{fieldInput, fieldModel, fieldAdapter, fieldSteps, fieldExclude, fieldTimeout, fieldOnFailure, fieldDryRun, fieldApprove, fieldTags, fieldKey}
}

// again are the values that repeat a run: what is given, and else its own.
func again(run wave.Run, given url.Values) url.Values {
	values := clone(given)
	if !values.Has(fieldInput) {
		values.Set(fieldInput, run.Input)
	}
	if !values.Has(fieldTags) && len(run.Tags) > 0 {
		values[fieldTags] = run.Tags
	}
	return values
}
