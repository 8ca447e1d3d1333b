package handlers

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"wavedeck/runner"
	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/criteria"
	"wavedeck/store/manifest"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// canRun reports whether runs can be started and stopped from here.
func (s *Server) canRun() bool { return s.engine != nil && !s.readOnly }

// runs returns the engine, or says why there is none to act with.
func (s *Server) runs() (runner.Engine, error) {
	switch {
	case s.readOnly:
		return nil, errReadOnly()
	case s.engine == nil:
		return nil, &httpError{
			status: http.StatusServiceUnavailable, text: "nothing carries out runs here",
			next: "Start the console with --engine wave or --engine local.",
		}
	}
	return s.engine, nil
}

// describeRun tells what became of an action on a run, nil for errors that are
// no action's.
func describeRun(err error) *httpError {
	var input *runner.InputError
	var unsupported *runner.UnsupportedError
	var conflict *runner.ConflictError
	var limit *store.LimitError
	switch {
	case errors.As(err, &input):
		return &httpError{status: http.StatusBadRequest, text: input.Error(), err: err}
	case errors.As(err, &unsupported):
		return &httpError{status: http.StatusConflict, text: unsupported.Error(), next: "Nothing was started.", err: err}
	case errors.As(err, &conflict):
		return &httpError{status: http.StatusConflict, text: conflict.Error(), next: "Nothing was started.", err: err}
	case errors.As(err, &limit):
		return &httpError{
			status: http.StatusConflict, text: limit.Error(), err: err,
			next: "Nothing was started. Wait for one to end, stop one, or raise max_concurrent_workers in the manifest.",
		}
	case errors.Is(err, store.ErrBusy):
		return &httpError{status: http.StatusServiceUnavailable, text: "another process holds the state database", next: "Nothing was changed. Try again in a moment.", err: err}
	case errors.Is(err, store.ErrEnded):
		return &httpError{status: http.StatusConflict, text: "the run has ended already", err: err}
	case errors.Is(err, store.ErrTaken):
		return &httpError{
			status: http.StatusConflict, text: "this key has started another run already", err: err,
			next: "A key belongs to one request: use a new one for this.",
		}
	case errors.Is(err, runner.ErrUnknownPipeline):
		return &httpError{status: http.StatusNotFound, text: "no file defines this pipeline", next: "It may have been renamed or removed.", err: err}
	case errors.Is(err, runner.ErrUnavailable):
		return &httpError{status: http.StatusServiceUnavailable, text: shown(clip(err.Error(), maxText)), err: err}
	default:
		return nil
	}
}

// Fields of a request to run something, in forms and in JSON alike.
const (
	fieldInput     = "input"
	fieldModel     = "model"
	fieldAdapter   = "adapter"
	fieldFromStep  = "from_step"
	fieldSteps     = "steps"
	fieldExclude   = "exclude"
	fieldTimeout   = "timeout" // minutes
	fieldOnFailure = "on_failure"
	fieldDryRun    = "dry_run"
	fieldApprove   = "auto_approve"
	fieldTags      = "tags"
	fieldKey       = "key" // makes a form that is sent twice one run
	fieldForce     = "force"
)

func runFields() []string {
	return []string{
		fieldInput, fieldModel, fieldAdapter, fieldFromStep, fieldSteps, fieldExclude, fieldTimeout, fieldOnFailure, fieldDryRun, fieldApprove, fieldTags, fieldKey,
	}
}

// requestOf reads what is to be run. A browser sends the lines of a text with
// CR LF, whatever they were.
func requestOf(pipeline string, values url.Values) (runner.Request, error) {
	r := runner.Request{
		Pipeline: pipeline, Input: lines(values.Get(fieldInput)),
		Model: strings.TrimSpace(values.Get(fieldModel)), Adapter: strings.TrimSpace(values.Get(fieldAdapter)),
		FromStep: values.Get(fieldFromStep), Steps: names(values, fieldSteps), Exclude: names(values, fieldExclude),
		OnFailure: runner.OnFailure(values.Get(fieldOnFailure)), Tags: names(values, fieldTags),
	}
	var err error
	if text := strings.TrimSpace(values.Get(fieldTimeout)); text != "" {
		minutes, err := strconv.Atoi(text)
		if err != nil || minutes < 1 || minutes > maxMinutes {
			return r, &runner.InputError{Field: fieldTimeout, Text: fmt.Sprintf("is not a number of minutes from 1 to %d", maxMinutes)}
		}
		r.Timeout = time.Duration(minutes) * time.Minute
	}
	if r.DryRun, err = truth(values, fieldDryRun); err != nil {
		return r, err
	}
	r.AutoApprove, err = truth(values, fieldApprove)
	return r, err
}

// maxMinutes is four weeks.
const maxMinutes = 28 * 24 * 60

func lines(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

// A form's key is the time and some random digits, as the id of its run will be.
var formKey = regexp.MustCompile(`^\d{8}-\d{6}-[0-9a-f]{16}$`)

func newFormKey(now time.Time) string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	return now.Local().Format("20060102-150405-") + hex.EncodeToString(random[:])
}

// reserve gives the request the id of its run, in Wave's own shape. The console's
// own data says which run a key stands for, so that the same request sent twice is
// one run, also when another server gets the second one.
//
// A form's key counts together with what was filled in: whoever goes back,
// changes the input and starts again means another run. A program's key, in the
// header Idempotency-Key, stands for one request: with another input it is refused.
//
// Without a folder for the console's own data a form's run has an id that follows
// from its key, and a program's key is refused: nothing could remember it.
func (s *Server) reserve(ctx context.Context, h http.Header, values url.Values, r *runner.Request) (err error) {
	key := h.Get("Idempotency-Key")
	switch {
	case len(key) > maxText:
		return &criteria.InputError{Field: "Idempotency-Key", Got: clip(key, 64), Want: fmt.Sprintf("at most %d bytes", maxText)}
	case key != "":
		values := maps.Clone(values)
		values.Del(fieldKey)
		r.ID, err = s.runOfKey(ctx, r.Pipeline, digest(r.Kind(), values.Encode()), s.now(), "program", key, r.Original)
		return err
	case values.Get(fieldKey) == "":
		return nil
	case !formKey.MatchString(values.Get(fieldKey)):
		return &criteria.InputError{Field: fieldKey, Got: clip(values.Get(fieldKey), 64), Want: "the one that the form came with"}
	}
	key = values.Get(fieldKey)[:len("20060102-150405")]
	at, err := time.ParseInLocation("20060102-150405", key, time.Local)
	if err != nil {
		return &criteria.InputError{Field: fieldKey, Got: clip(values.Get(fieldKey), 64), Want: "the one that the form came with"}
	}
	r.ID, err = s.runOfKey(ctx, r.Pipeline, "", at, "form", values.Encode(), r.Original)
	if errors.As(err, new(*appdb.UnavailableError)) {
		r.ID, err = r.Pipeline+"-"+key+"-"+digest(values.Encode(), r.Original)[:4], nil
	}
	return err
}

// runOfKey is the id of the run that the parts of a key stand for together. It is
// [store.ErrTaken] when the key started a run that something else was asked of;
// one that started nothing may come with other wishes.
func (s *Server) runOfKey(ctx context.Context, pipeline, asks string, at time.Time, parts ...string) (string, error) {
	key := digest(append(parts, pipeline)...)
	for {
		of, err := s.desk.RunID(ctx, key, asks, s.now(), func() (string, error) { return s.freeID(ctx, pipeline, at) })
		if err != nil || of.Asks == "" || of.Asks == asks {
			return of.Run, err
		}
		if begun, err := s.isRecorded(ctx, of.Run); begun || err != nil {
			return "", cmp.Or(err, fmt.Errorf("key of run %s: %w", of.Run, store.ErrTaken))
		}
		if err := s.desk.ForgetKey(ctx, key, of); err != nil {
			return "", err
		}
	}
}

// freeID is the id of a run that Wave has not made yet.
func (s *Server) freeID(ctx context.Context, pipeline string, at time.Time) (string, error) {
	for {
		id := store.NewRunID(pipeline, at)
		if taken, err := s.isRecorded(ctx, id); !taken || err != nil {
			return id, err
		}
	}
}

// isRecorded reports whether there is a run. Without a database there is none.
func (s *Server) isRecorded(ctx context.Context, id string) (bool, error) {
	_, err := s.store.Run(ctx, id)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrUnavailable) {
		return false, nil
	}
	return err == nil, err
}

// digest names texts in hex.
func digest(texts ...string) string {
	h := sha256.New()
	for _, text := range texts {
		fmt.Fprintf(h, "%d:%s", len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// note tells the audit log what is to be run.
func note(a *act, r runner.Request) {
	a.on(r.Original, r.Pipeline)
	for name, value := range launchParams(r) {
		a.with(name, value)
	}
	if r.Input != "" {
		a.with(fieldInput, r.Input)
	}
	if len(r.Tags) > 0 {
		a.with(fieldTags, strings.Join(r.Tags, ","))
	}
	if r.AutoApprove {
		a.with(fieldApprove, "true")
	}
}

// begin starts a run and notes it in the audit log.
func (s *Server) begin(ctx context.Context, r runner.Request) (string, error) {
	engine, err := s.runs()
	if err != nil {
		return "", err
	}
	a := acting(ctx)
	note(a, r)
	id, err := engine.Start(ctx, r)
	if err != nil {
		return "", err
	}
	s.acted.Add(1)
	a.on(id, r.Pipeline)
	if r.Original != "" {
		a.with("original", r.Original)
	}
	if r.Original != "" && r.Kind() == "" {
		s.warn(ctx, "keep what a retry repeats", s.desk.AddRetry(context.WithoutCancel(ctx), id, r.Original))
	}
	s.noteLaunch(ctx, id, r)
	s.awaitDatabase(ctx)
	return id, nil
}

// awaitDatabase waits until the database is open, but not long: the first run of
// a project makes it, and whoever started that is led to its page at once.
func (s *Server) awaitDatabase(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	sub := s.store.Subscribe()
	defer sub.Close()
	for s.store.Health().Phase != store.Ready {
		select {
		case <-sub.Ready():
			sub.Take()
		case <-ctx.Done():
			return
		}
	}
}

// runAnswer is what JSON tells of a run that was acted on.
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

// answerRun tells a program of the run, htmx where to go, and sends a browser
// there.
func (s *Server) answerRun(w http.ResponseWriter, r *http.Request, status int, answer runAnswer) {
	w.Header().Set("Cache-Control", "no-store")
	page := s.paths.Run(answer.RunID)
	switch {
	case s.wantsJSON(r):
		w.Header().Set("Location", s.paths.APIRun(answer.RunID))
		s.writeJSON(w, r, status, answer)
	case r.Header.Get("HX-Request") == "true": //nolint:canonicalheader // as htmx spells it
		w.Header().Set("HX-Redirect", page) //nolint:canonicalheader // as htmx spells it
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Redirect(w, r, page, http.StatusSeeOther)
	}
}

// answerOf is what the record says of a run now. A run that was only just
// recorded may not be readable yet: then it is pending.
func (s *Server) answerOf(ctx context.Context, id, pipeline string) runAnswer {
	answer := runAnswer{RunID: id, PipelineName: pipeline, Status: string(wave.Pending), StartedAt: momentOf(s.now().Truncate(time.Second))}
	run, err := s.store.Run(ctx, id)
	if err != nil {
		return answer
	}
	sum := summaryOf(run)
	answer.PipelineName, answer.Status, answer.State, answer.Reason = run.Pipeline, sum.Status, sum.State, sum.Reason
	answer.StartedAt = sum.StartedAt
	if runWord(run) == stopping {
		answer.State = stopping
	}
	return answer
}

// planView is what a request would do to each step, or why it would be refused.
func (s *Server) planView(ctx context.Context, p manifest.Pipeline, r runner.Request) (views.PlanView, error) {
	view := views.PlanView{DryRun: r.DryRun}
	engine, err := s.runs()
	if err != nil {
		view.Problem = describe(err).text
		return view, err
	}
	view.Engine = engine.Name()
	if r.Input == "" { // which of the steps run does not depend on it
		r.Input = standIn(p.Input)
	}
	planned, err := engine.Plan(ctx, r)
	if err != nil {
		view.Problem = describe(err).text
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
