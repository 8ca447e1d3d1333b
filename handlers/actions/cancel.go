package actions

import (
	"context"
	"errors"
	"net/http"
	"time"

	"wavedeck/handlers/audit"
	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/store/control"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// graceOfStop is how long a run that was asked to stop may take before the page
// says that it takes long.
const graceOfStop = 10 * time.Second

// runOf reads the run that the path names.
func (h *Handler) runOf(r *http.Request) (wave.Run, error) {
	id, err := web.PathVar(r, "run")
	if err != nil {
		return wave.Run{}, err
	}
	return h.Store.Run(r.Context(), id)
}

// showCancel asks whether a run is to be stopped.
func (h *Handler) showCancel(w http.ResponseWriter, r *http.Request) error {
	if _, err := h.RequireEngine(); err != nil {
		return err
	}
	run, err := h.runOf(r)
	if err != nil {
		return err
	}
	if !runview.IsOpen(run) {
		return h.hasEnded(run)
	}
	row := present.RunRow(run)
	view := views.StopView{
		Layout: h.Layout(r, "runs", "Stop "+run.Pipeline, ""), Run: row, Action: h.Paths.RunAction(run.ID, "cancel", nil),
		Lost: run.State == wave.Lost, Open: run.Children.All - run.Children.Ended,
	}
	if run.Cancel != nil {
		view.Asked, view.Late = run.Cancel.RequestedAt, h.Now().Sub(run.Cancel.RequestedAt) > graceOfStop
	}
	w.Header().Set("Cache-Control", "no-store")
	h.WriteHTML(w, r, http.StatusOK, views.StopPage(view))
	return nil
}

// hasEnded says how a run ended that cannot be stopped any more.
func (h *Handler) hasEnded(run wave.Run) error {
	text := "the run has already ended: " + present.StateWord(run.State)
	if !run.CompletedAt.IsZero() {
		text += " " + views.Ago(run.CompletedAt, h.Now())
	}
	if run.Reason != "" {
		text += ", " + present.Redact(run.Reason)
	}
	return &web.Error{Status: http.StatusConflict, Text: text, Next: "Its page is at " + h.Paths.Run(run.ID) + ".", Err: control.ErrEnded}
}

// stop asks a run to end, or ends it by force.
func (h *Handler) stop(w http.ResponseWriter, r *http.Request) error {
	engine, err := h.RequireEngine()
	if err != nil {
		return err
	}
	id, err := web.PathVar(r, "run")
	if err != nil {
		return err
	}
	audit.RecordOf(r.Context()).About(id, "")
	values, err := web.ReadBody(r, fieldForce)
	if err != nil {
		return err
	}
	force, err := web.Bool(values, fieldForce)
	if err != nil {
		return err
	}
	before, err := h.Store.Run(r.Context(), id)
	if err != nil {
		return err
	}
	audit.RecordOf(r.Context()).About(id, before.Pipeline)
	if force {
		audit.RecordOf(r.Context()).Param(fieldForce, "true")
	}
	if err := h.end(r.Context(), engine.Stop, id, force); err != nil {
		return err
	}
	answer := h.answerOf(r.Context(), id, before.Pipeline)
	audit.RecordOf(r.Context()).Note(answer.said())
	if web.IsFragment(r) && !h.WantsJSON(r) {
		view, err := h.RunHead(r.Context(), r, id)
		if err != nil {
			return err
		}
		h.WriteHTML(w, r, http.StatusOK, views.RunHead(view))
		return nil
	}
	h.answerRun(w, r, http.StatusOK, answer)
	return nil
}

// end stops a run. One that has ended meanwhile is answered with its final state.
func (h *Handler) end(ctx context.Context, stop func(context.Context, string, bool) error, id string, force bool) error {
	err := stop(ctx, id, force)
	h.Shared.Acted.Add(1)
	if errors.Is(err, control.ErrEnded) {
		run, readErr := h.Store.Run(ctx, id)
		if readErr != nil {
			return err
		}
		return h.hasEnded(run)
	}
	return err
}

// said is what became of a run that was to be stopped, in a few words.
func (a runAnswer) said() string {
	if a.State == present.Stopping {
		return "it is stopping"
	}
	if a.Reason != "" {
		return a.Status + ": " + a.Reason
	}
	return a.Status
}
