package handlers

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"wavedeck/store"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/address"
	"wavedeck/views/legible"
)

// eventsShown is how many of a run's events a page shows at once.
const eventsShown = 100

// eventWindow chooses which of a run's events are shown; the zero window is the
// newest.
type eventWindow struct{ after, before int64 }

func parseEventWindow(r *http.Request) (eventWindow, error) {
	q := r.URL.Query()
	after, err := eventID(q, "after")
	if err != nil {
		return eventWindow{}, err
	}
	before, err := eventID(q, "before")
	if err != nil {
		return eventWindow{}, err
	}
	if after > 0 && before > 0 {
		return eventWindow{}, &criteria.InputError{Field: "after", Got: clip(q.Get("after"), 64), Want: "given without before"}
	}
	return eventWindow{after: after, before: before}, nil
}

// showRun is one run: its page, or the same in another form.
func (s *Server) showRun(w http.ResponseWriter, r *http.Request) error {
	switch f := formOf(r); f {
	case formHTML:
		return s.renderRun(w, r, views.RunPage)
	case formLog:
		return s.peers.plainLog(w, r)
	default:
		id, window, err := runRequest(r)
		if err != nil {
			return err
		}
		return s.serveDocument(w, r, f, func(ctx context.Context) (document, error) {
			at, err := s.momentOf(ctx, r)
			if err != nil {
				return nil, err
			}
			return s.runDocument(ctx, id, at, window)
		})
	}
}

// hasRun reports whether there is a run of that name, as it stands in a path.
func (s *Server) hasRun(r *http.Request, name string) bool {
	id, err := address.ParseSegment(name)
	if err != nil {
		return false
	}
	found, err := s.store.RunsByID(r.Context(), []string{id})
	return err == nil && len(found) > 0
}

// runRequest is which run an address names, and which of its events.
func runRequest(r *http.Request) (id string, window eventWindow, err error) {
	if id, err = pathVar(r, "run"); err != nil {
		return id, window, err
	}
	window, err = parseEventWindow(r)
	return id, window, err
}

// runPart is the fragment of a run's page whose path ends with name.
func runPart(name string) func(views.RunView) templ.Component {
	switch name {
	case "steps":
		return views.RunSteps
	case "events":
		return views.RunEvents
	case "artifacts":
		return views.RunArtifacts
	case "outcomes":
		return views.RunOutcomes
	case "family":
		return views.RunFamily
	default:
		return views.RunHead
	}
}

// showRunPart is one fragment of a run's page.
func (s *Server) showRunPart(w http.ResponseWriter, r *http.Request) error {
	return s.renderRun(w, r, runPart(muxVar(r, "part")))
}

func (s *Server) renderRun(w http.ResponseWriter, r *http.Request, component func(views.RunView) templ.Component) error {
	id, window, err := runRequest(r)
	if err != nil {
		return err
	}
	return s.serveCached(w, r, typeHTML, func(ctx context.Context, b *bytes.Buffer) error {
		view, err := s.runView(ctx, r, id, window)
		if err != nil {
			return err
		}
		return component(view).Render(ctx, b)
	})
}

func (s *Server) runView(ctx context.Context, r *http.Request, id string, window eventWindow) (views.RunView, error) {
	at, err := s.momentOf(ctx, r)
	if err != nil {
		return views.RunView{}, err
	}
	d, err := s.detailOn(ctx, id, at)
	if err != nil {
		return views.RunView{}, err
	}
	return s.runDetailView(ctx, r, d, window)
}

// runHead is what a run's page shows now.
func (s *Server) runHead(ctx context.Context, r *http.Request, id string) (views.RunView, error) {
	return s.runView(ctx, r, id, eventWindow{})
}

// runDetailView is what a run's page shows, now or as of a moment.
func (s *Server) runDetailView(ctx context.Context, r *http.Request, d wave.RunDetail, window eventWindow) (views.RunView, error) {
	id, at := d.Run.ID, d.At
	view, err := s.headOn(ctx, r, d, "")
	if err != nil {
		return view, err
	}
	if at == nil {
		s.refreshes(&view, id, window)
	}
	for _, kid := range d.Children {
		row := listed(runRow(kid))
		row.Orphan = false // its parent is this run
		view.Kids = append(view.Kids, row)
	}
	view.KidsMore = max(0, d.Run.Children.All-len(d.Children))
	view.KidsURL = s.paths.Runs(url.Values{"parent": {id}})
	pipeline, _ := s.manifest.Current().Pipeline(d.Run.Pipeline)
	kinds := map[string]string{}
	for _, step := range pipeline.Steps {
		kinds[step.ID] = string(step.Kind)
	}
	for _, step := range d.Steps {
		view.Steps = append(view.Steps, stepRow(step, kinds[step.ID]))
	}
	if view.Artifacts, err = s.artifactGroups(ctx, d); err != nil {
		return view, err
	}
	view.Ledger = s.ledger(d)
	view.ExportURL = s.paths.RunExport(id, formQuery(r, "at"))
	if at != nil {
		stillRows(view.Kids, at.Time)
		stillSteps(view.Steps, at.Time)
	}
	view.Events, err = s.eventsView(ctx, d, window)
	return view, err
}

// refreshes names the parts of the page that follow the run.
func (s *Server) refreshes(view *views.RunView, id string, window eventWindow) {
	view.Refresh.Steps, view.Refresh.Artifacts, view.Refresh.Family = s.paths.RunPart(id, "steps"), s.paths.RunPart(id, "artifacts"), s.paths.RunPart(id, "family")
	view.Refresh.Outcomes = s.paths.RunPart(id, "outcomes")
	if window == (eventWindow{}) { // an older window stands still
		view.Refresh.Events = s.paths.RunPart(id, "events")
	}
}

// runHeadView is what stands at the head of each of a run's pages.
func (s *Server) runHeadView(r *http.Request, d wave.RunDetail) views.RunView {
	run := d.Run
	_, defined := s.manifest.Current().Pipeline(run.Pipeline)
	view := views.RunView{
		Chrome: s.chrome(r, "runs", legible.Name(run.Pipeline)+" "+firstLine(opening(run.Input)), url.Values{"run": {run.ID}}.Encode()),
		Run:    runRow(run), RunID: run.ID, Input: most(shown(run.Input), textsWhole), Error: most(shown(run.Error), textsWhole),
		Completed: run.CompletedAt, Heartbeat: run.Heartbeat, PID: run.PID, Kind: clip(run.Kind, textShown), Progress: run.Progress,
		ParentAt: clip(run.ParentStep, textShown), Resumed: run.Kind == "resume", FirstID: d.FirstID, LastID: d.LastID, Defined: defined,
		Failure: s.failureOf(d), Refresh: views.RunRefresh{Head: s.paths.RunPart(run.ID, "head"), Why: s.paths.RunPart(run.ID, "why")},
	}
	view.Run.Acts = s.askedActions(r.Context(), run)
	s.shareable(r, &view.Chrome, sharedThing{run: run.ID})
	view.Forms = s.formLinks(s.paths.Run(run.ID), formsOfRun, nil)
	view.Run.Reason = clip(shown(run.Reason), textShown) // the failure stands in its own panel here
	if word, _ := statusWord(run.State); run.Reason != "" || word != run.Status {
		view.Recorded = clip(run.Status, nameShown)
	}
	view.Started = startFacts(s.startedWith(r.Context(), run, d.At))
	if run.Cancel != nil || run.State == wave.Cancelled {
		view.AskedBy = s.askedBy(r.Context(), run.ID)
	}
	if run.Cancel != nil || view.AskedBy != "" {
		view.WhoURL = s.paths.Audit(url.Values{"run": {run.ID}})
	}
	switch {
	case d.Parent == nil && run.Parent != "":
		view.Orphan = "Its parent, " + clip(shown(run.Parent), 200) + ", was not found."
	case run.Parent == run.ID && run.ID != "":
		view.Orphan = "It is recorded as its own parent."
	case d.Parent != nil:
		view.Parent = runRef(*d.Parent)
		if run.Orphan {
			view.Orphan = "Following its parents leads back to it."
		}
	}
	view.RetryOf = s.retryRef(r.Context(), run)
	switch {
	case view.RetryOf != nil: // one of an earlier console is recorded as a fork
	case d.Fork != nil:
		view.Fork = runRef(*d.Fork)
	case run.ForkedFrom != "":
		view.Fork = bounded(&views.RunRef{ID: run.ForkedFrom})
	}
	return view
}

// eventsView reads one window of a run's events.
func (s *Server) eventsView(ctx context.Context, d wave.RunDetail, window eventWindow) (views.EventsView, error) {
	id := d.Run.ID
	view := views.EventsView{RunID: id, Total: d.Events, Latest: window == eventWindow{}}
	before := window.before
	link := func(direction string, event int64) string { return s.paths.RunEvents(id, direction, event) }
	if d.At != nil {
		if before == 0 || before > d.At.Event {
			before = d.At.Event + 1
		}
		link = func(direction string, event int64) string {
			q := atQuery(d.At.Event)
			q.Set(direction, strconv.FormatInt(event, 10))
			return withQuery(s.paths.Run(id), q) + "#events"
		}
	}
	events, err := s.store.Events(ctx, criteria.EventFilter{
		Run: id, After: window.after, Before: before, Limit: eventsShown, Newest: window.after == 0,
	})
	if err != nil {
		return view, fmt.Errorf("events of %s: %w", id, err)
	}
	for _, e := range events {
		view.Rows = append(view.Rows, eventRow(e))
	}
	if len(events) == 0 {
		return view, nil
	}
	if first := events[0].ID; first > d.FirstID {
		view.Older = link("before", first)
	}
	if last := events[len(events)-1].ID; last < d.LastID {
		view.Newer = link("after", last)
	} else {
		view.Latest = true
	}
	return view, nil
}

// artifactGroups puts outputs under their steps, in the order of their first one.
// A step that was tried again has a row per attempt.
func (s *Server) artifactGroups(ctx context.Context, d wave.RunDetail) ([]views.ArtifactGroup, error) {
	artifacts := d.Artifacts
	found, err := s.replacedIn(ctx, d)
	if err != nil {
		return nil, err
	}
	type output struct{ step, name string }
	rows := map[output]int{}
	for _, a := range artifacts {
		rows[output{a.StepID, a.Name}]++
	}
	var groups []views.ArtifactGroup
	at := map[string]int{}
	seen := map[output]int{}
	for _, a := range artifacts {
		i, ok := at[a.StepID]
		if !ok {
			i = len(groups)
			at[a.StepID] = i
			groups = append(groups, bounded(views.ArtifactGroup{Step: a.StepID}))
		}
		row := s.artifactRow(d.Run.ID, a, found)
		if key := (output{a.StepID, a.Name}); rows[key] > 1 {
			seen[key]++
			row.Attempt = seen[key]
			row.Href += "?attempt=" + strconv.Itoa(row.Attempt)
		}
		groups[i].Rows = append(groups[i].Rows, row)
	}
	return groups, nil
}

// failureOf is what an operator wants first of a run that did not end well: the
// step, its last attempt, and the line that says why.
func (s *Server) failureOf(d wave.RunDetail) *views.Failure {
	switch d.Run.State {
	case wave.Failed, wave.Rejected, wave.Lost, wave.Cancelled:
	default:
		return nil
	}
	f := &views.Failure{State: string(d.Run.State), Text: d.Run.Error}
	for _, step := range d.Steps {
		switch {
		case step.ID == d.FailedStep:
			f.Step, f.Persona, f.Model = step.ID, step.Persona, shown(step.Model)
			if step.Error != "" {
				f.Text = step.Error
			}
			if n := len(step.Attempts); n > 0 {
				last := step.Attempts[n-1]
				f.Attempt, f.Of, f.Class = last.Number, step.Retries, failureClass(last.FailureClass)
			}
		case strings.HasPrefix(step.Note, store.BlockedBy):
			f.Blocked = append(f.Blocked, step.ID)
		}
	}
	f.Text, f.Line = shown(f.Text), failureLine(d.Run)
	if c := d.Run.Cause; c != nil {
		f.Cause = &views.RunRef{ID: c.Run, Pipeline: c.Pipeline, State: string(wave.Failed), Word: stateWord(wave.Failed)}
		f.CauseStep = c.Step
	}
	whole := most(f.Text, textsWhole)
	*f = bounded(*f)
	f.Text = whole
	return f
}

func words(identifier string) string { return strings.ReplaceAll(identifier, "_", " ") }
