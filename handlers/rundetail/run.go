package rundetail

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/a-h/templ"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/address"
)

func parseEventWindow(r *http.Request) (runview.EventWindow, error) {
	q := r.URL.Query()
	after, err := runview.EventID(q, "after")
	if err != nil {
		return runview.EventWindow{}, err
	}
	before, err := runview.EventID(q, "before")
	if err != nil {
		return runview.EventWindow{}, err
	}
	if after > 0 && before > 0 {
		return runview.EventWindow{}, &criteria.InputError{Field: "after", Got: present.Clip(q.Get("after"), 64), Want: "given without before"}
	}
	return runview.EventWindow{After: after, Before: before}, nil
}

// showRun is one run: its page, or the same in another form.
func (h *Handler) showRun(w http.ResponseWriter, r *http.Request) error {
	switch f := web.FormatOf(r); f {
	case web.FormatHTML:
		return h.renderRun(w, r, views.RunPage)
	case web.FormatLog:
		return h.PlainLog(w, r)
	default:
		id, window, err := runRequest(r)
		if err != nil {
			return err
		}
		return h.ServeDocument(w, r, f, func(r *http.Request) (web.Document, error) {
			ctx := r.Context()
			at, err := h.MomentOf(ctx, r)
			if err != nil {
				return nil, err
			}
			return h.RunDocument(ctx, id, at, window)
		})
	}
}

// hasRun reports whether there is a run of that name, as it stands in a path.
func (h *Handler) hasRun(r *http.Request, name string) bool {
	id, err := address.ParseSegment(name)
	if err != nil {
		return false
	}
	found, err := h.Store.RunsByID(r.Context(), []string{id})
	return err == nil && len(found) > 0
}

// runRequest is which run an address names, and which of its events.
func runRequest(r *http.Request) (id string, window runview.EventWindow, err error) {
	if id, err = web.PathVar(r, "run"); err != nil {
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
	case "gates":
		return views.RunGates
	default:
		return views.RunHead
	}
}

// showRunPart is one fragment of a run's page.
func (h *Handler) showRunPart(w http.ResponseWriter, r *http.Request) error {
	return h.renderRun(w, r, runPart(web.RouteVar(r, "part")))
}

func (h *Handler) renderRun(w http.ResponseWriter, r *http.Request, component func(views.RunView) templ.Component) error {
	id, window, err := runRequest(r)
	if err != nil {
		return err
	}
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		view, err := h.runView(ctx, r, id, window)
		if err != nil {
			return err
		}
		return component(view).Render(ctx, b)
	})
}

// runView is what a run's page shows. Its parts share it.
func (h *Handler) runView(ctx context.Context, r *http.Request, id string, window runview.EventWindow) (views.RunView, error) {
	key := fmt.Sprintf("%s%s %q %q %d %d", h.Origin(r), h.Paths, id, r.URL.Query().Get("at"), window.After, window.Before)
	return h.loads.Get(ctx, h.Kit, key, func(ctx context.Context) (views.RunView, error) {
		return h.readRunView(ctx, r.WithContext(ctx), id, window)
	})
}

func (h *Handler) readRunView(ctx context.Context, r *http.Request, id string, window runview.EventWindow) (views.RunView, error) {
	at, err := h.MomentOf(ctx, r)
	if err != nil {
		return views.RunView{}, err
	}
	d, err := h.DetailAsOf(ctx, id, at)
	if err != nil {
		return views.RunView{}, err
	}
	return h.runDetailView(ctx, r, d, window)
}

// RunHead is what a run's page shows now.
func (h *Handler) RunHead(ctx context.Context, r *http.Request, id string) (views.RunView, error) {
	return h.runView(ctx, r, id, runview.EventWindow{})
}

// childrenListed is how many of its children a run's page lists; others stand
// behind a link.
const childrenListed = 200

// listChildren lists the first children of a run.
func listChildren(view *views.RunView, d wave.RunDetail, most int) {
	view.ChildRows = nil
	for _, kid := range d.Children[:min(len(d.Children), most)] {
		row := present.Listed(present.RunRow(kid))
		row.Orphan = false // its parent is this run
		view.ChildRows = append(view.ChildRows, row)
	}
	view.MoreChildren = max(0, d.Run.Children.All-len(view.ChildRows))
}

// runDetailView is what a run's page shows, now or as of a moment.
func (h *Handler) runDetailView(ctx context.Context, r *http.Request, d wave.RunDetail, window runview.EventWindow) (views.RunView, error) {
	id, at := d.Run.ID, d.At
	view, err := h.HeadAsOf(ctx, r, d, "")
	if err != nil {
		return view, err
	}
	if at == nil {
		h.refreshes(&view, id, window)
	}
	listChildren(&view, d, childrenListed)
	view.ChildrenURL = h.Paths.Runs(url.Values{"parent": {id}})
	pipeline, _ := h.Manifest.Current().Pipeline(d.Run.Pipeline)
	kinds := map[string]string{}
	for _, step := range pipeline.Steps {
		kinds[step.ID] = string(step.Kind)
	}
	for _, step := range d.Steps {
		view.Steps = append(view.Steps, present.StepRow(step, kinds[step.ID]))
	}
	if view.Artifacts, err = h.artifactGroups(ctx, d); err != nil {
		return view, err
	}
	view.Outcomes = h.OutcomesView(d)
	if at == nil {
		if view.Gates, err = h.Gates(ctx, d); err != nil {
			return view, err
		}
	}
	view.ExportURL = h.Paths.RunExport(id, web.FormatQuery(r, "at"))
	if at != nil {
		runview.StillRows(view.ChildRows, at.Time)
		runview.StillSteps(view.Steps, at.Time)
	}
	view.Events, err = h.eventsView(ctx, d, window)
	return view, err
}

// refreshes names the parts of the page that follow the run.
func (h *Handler) refreshes(view *views.RunView, id string, window runview.EventWindow) {
	view.Refresh.Steps, view.Refresh.Artifacts, view.Refresh.Family = h.Paths.RunPart(id, "steps"), h.Paths.RunPart(id, "artifacts"), h.Paths.RunPart(id, "family")
	view.Refresh.Outcomes, view.Refresh.Gates = h.Paths.RunPart(id, "outcomes"), h.Paths.RunPart(id, "gates")
	if window == (runview.EventWindow{}) { // an older window stands still
		view.Refresh.Events = h.Paths.RunPart(id, "events")
	}
}

// eventsView reads one window of a run's events.
func (h *Handler) eventsView(ctx context.Context, d wave.RunDetail, window runview.EventWindow) (views.EventsView, error) {
	id := d.Run.ID
	view := views.EventsView{RunID: id, Total: d.Events, Latest: window == runview.EventWindow{}}
	before := window.Before
	link := func(direction string, event int64) string { return h.Paths.RunEvents(id, direction, event) }
	if d.At != nil {
		if before == 0 || before > d.At.Event {
			before = d.At.Event + 1
		}
		link = func(direction string, event int64) string {
			q := runview.AtQuery(d.At.Event)
			q.Set(direction, strconv.FormatInt(event, 10))
			return web.WithQuery(h.Paths.Run(id), q) + "#events"
		}
	}
	events, err := h.Store.Events(ctx, criteria.EventFilter{
		Run: id, After: window.After, Before: before, Limit: present.EventsShown, Newest: window.After == 0,
	})
	if err != nil {
		return view, fmt.Errorf("events of %s: %w", id, err)
	}
	for _, e := range events {
		view.Rows = append(view.Rows, present.EventRow(e))
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
func (h *Handler) artifactGroups(ctx context.Context, d wave.RunDetail) ([]views.ArtifactGroup, error) {
	artifacts := d.Artifacts
	found, err := h.ReplacedIn(ctx, d)
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
			groups = append(groups, present.Bounded(views.ArtifactGroup{Step: a.StepID}))
		}
		row := h.artifactRow(d.Run.ID, a, found)
		if key := (output{a.StepID, a.Name}); rows[key] > 1 {
			seen[key]++
			row.Attempt = seen[key]
			row.Href += "?attempt=" + strconv.Itoa(row.Attempt)
		}
		groups[i].Rows = append(groups[i].Rows, row)
	}
	return groups, nil
}
