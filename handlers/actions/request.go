package actions

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"wavedeck/handlers/audit"
	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/runner"
	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/manifest"
	"wavedeck/store/wave"
	"wavedeck/views"
)

const (
	fieldTags  = "tags"
	fieldKey   = "key" // makes a form that is sent twice one run
	fieldForce = "force"
)

func runFields() []string {
	return []string{
		runview.FieldInput, present.FieldModel, present.FieldAdapter, present.FieldFromStep, present.FieldSteps, present.FieldExclude, present.FieldTimeout, present.FieldOnFailure, present.FieldDryRun, present.FieldApprove, fieldTags, fieldKey,
	}
}

// requestOf reads what is to be run. A browser sends the lines of a text with
// CR LF, whatever they were.
func requestOf(pipeline string, values url.Values) (runner.Request, error) {
	r := runner.Request{
		Pipeline: pipeline, Input: lines(values.Get(runview.FieldInput)),
		Model: strings.TrimSpace(values.Get(present.FieldModel)), Adapter: strings.TrimSpace(values.Get(present.FieldAdapter)),
		FromStep: values.Get(present.FieldFromStep), Steps: web.Names(values, present.FieldSteps), Exclude: web.Names(values, present.FieldExclude),
		OnFailure: runner.OnFailure(values.Get(present.FieldOnFailure)), Tags: web.Names(values, fieldTags),
	}
	var err error
	if text := strings.TrimSpace(values.Get(present.FieldTimeout)); text != "" {
		minutes, err := strconv.Atoi(text)
		if err != nil || minutes < 1 || minutes > maxMinutes {
			return r, &runner.InputError{Field: present.FieldTimeout, Text: fmt.Sprintf("is not a number of minutes from 1 to %d", maxMinutes)}
		}
		r.Timeout = time.Duration(minutes) * time.Minute
	}
	if r.DryRun, err = web.Bool(values, present.FieldDryRun); err != nil {
		return r, err
	}
	r.AutoApprove, err = web.Bool(values, present.FieldApprove)
	return r, err
}

// maxMinutes is four weeks.
const maxMinutes = 28 * 24 * 60

func lines(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

// note records for the audit log what is to be run.
func note(a *audit.Record, r runner.Request) {
	a.About(r.Original, r.Pipeline)
	for name, value := range runview.LaunchParams(r) {
		a.Param(name, value)
	}
	if r.Input != "" {
		a.Param(runview.FieldInput, r.Input)
	}
	if len(r.Tags) > 0 {
		a.Param(fieldTags, strings.Join(r.Tags, ","))
	}
	if r.AutoApprove {
		a.Param(present.FieldApprove, "true")
	}
}

// begin starts a run and notes it in the audit log.
func (h *Handler) begin(ctx context.Context, r runner.Request) (string, error) {
	engine, err := h.RequireEngine()
	if err != nil {
		return "", err
	}
	a := audit.RecordOf(ctx)
	note(a, r)
	id, err := engine.Start(ctx, r)
	if err != nil {
		return "", err
	}
	h.Shared.Acted.Add(1)
	a.About(id, r.Pipeline)
	if r.Original != "" {
		a.Param("original", r.Original)
	}
	if r.Original != "" && r.Kind() == "" {
		h.Warn(ctx, "failed to record the options of a run", h.Data.AddRetry(context.WithoutCancel(ctx), id, r.Original))
	}
	h.noteLaunch(ctx, id, r)
	h.awaitDatabase(ctx)
	return id, nil
}

// awaitDatabase waits until the database is open, but not long: the first run of
// a project makes it, and whoever started that is led to its page at once.
func (h *Handler) awaitDatabase(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	sub := h.Store.Subscribe()
	defer sub.Close()
	for h.Store.Health().Phase != store.Ready {
		select {
		case <-sub.Ready():
			sub.Take()
		case <-ctx.Done():
			return
		}
	}
}

// runAnswer is the JSON answer about a run that was acted on.
type runAnswer struct {
	RunID        string     `json:"run_id"`
	PipelineName string     `json:"pipeline_name"`
	Status       string     `json:"status"`
	State        string     `json:"state,omitempty"`
	Reason       string     `json:"reason,omitempty"`
	StartedAt    *time.Time `json:"started_at"`
	OriginalID   string     `json:"original_run_id,omitempty"`
	Warnings     []string   `json:"warnings,omitempty"` // what will go wrong in it, each a sentence
}

// answerRun describes the run to a program, names the next page to htmx, and sends a browser
// there.
func (h *Handler) answerRun(w http.ResponseWriter, r *http.Request, status int, answer runAnswer) {
	w.Header().Set("Cache-Control", "no-store")
	page := h.Paths.Run(answer.RunID)
	switch {
	case h.WantsJSON(r):
		w.Header().Set("Location", h.Paths.APIRun(answer.RunID))
		h.WriteJSON(w, r, status, answer)
	case r.Header.Get("HX-Request") == "true": //nolint:canonicalheader // as htmx spells it
		w.Header().Set("HX-Redirect", page) //nolint:canonicalheader // as htmx spells it
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Redirect(w, r, page, http.StatusSeeOther)
	}
}

// answerOf is what the record says of a run now. A run that was only just
// recorded may not be readable yet: then it is pending.
func (h *Handler) answerOf(ctx context.Context, id, pipeline string) runAnswer {
	answer := runAnswer{RunID: id, PipelineName: pipeline, Status: string(wave.Pending), StartedAt: present.OptionalTime(h.Now().Truncate(time.Second))}
	run, err := h.Store.Run(ctx, id)
	if err != nil {
		return answer
	}
	sum := present.SummaryOf(run)
	answer.PipelineName, answer.Status, answer.State, answer.Reason = run.Pipeline, sum.Status, sum.State, sum.Reason
	answer.StartedAt = sum.StartedAt
	if present.RunWord(run) == present.Stopping {
		answer.State = present.Stopping
	}
	return answer
}

// planView is what a request would do to each step, or why it would be refused.
func (h *Handler) planView(ctx context.Context, p manifest.Pipeline, r runner.Request) (views.PlanView, error) {
	view := views.PlanView{DryRun: r.DryRun}
	engine, err := h.RequireEngine()
	if err != nil {
		view.Problem = web.Describe(err).Text
		return view, err
	}
	view.Engine = engine.Name()
	if r.Input == "" { // which of the steps run does not depend on it
		r.Input = standIn(p.Input)
	}
	planned, err := engine.Plan(ctx, r)
	if err != nil {
		view.Problem = web.Describe(err).Text
		return view, err
	}
	kinds := map[string]manifest.Kind{}
	for _, step := range p.Steps {
		kinds[step.ID] = step.Kind
	}
	for _, step := range planned {
		view.Steps = append(view.Steps, views.PlanRow{ID: step.ID, Kind: string(kinds[step.ID]), Does: string(step.Does), Why: step.Why, Warn: step.Warn})
	}
	return view, nil
}

// standIn is an input that a pipeline takes.
func standIn(in manifest.Input) string {
	switch {
	case len(in.Enum) > 0:
		return in.Enum[0]
	case in.Default != "":
		return in.Default
	case in.Example != "":
		return in.Example
	case in.Required:
		return "…"
	default:
		return ""
	}
}

// noteLaunch keeps how a run was started. It has begun: what cannot be kept is
// only not shown later.
func (h *Handler) noteLaunch(ctx context.Context, run string, r runner.Request) {
	params := runview.LaunchParams(r)
	if r.Original != "" && r.FromStep != "" { // a retry is linked by itself
		params[present.FieldOriginal] = r.Original
	}
	if err := h.Data.AddLaunch(context.WithoutCancel(ctx), run, appdb.Launch{At: h.Now(), Params: params}); err != nil {
		h.Log.WarnContext(ctx, "failed to record how a run was started", "run", run, "err", err)
	}
}
