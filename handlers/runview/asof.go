package runview

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/store"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// atWanted is what ?at= should be.
const atWanted = "event:N with the id of an event, or a time such as 2026-11-23T14:02:07Z"

// MomentOf reads ?at=; nil without it. Only what stays the same is taken: an age
// would name another moment tomorrow.
func (ms *moments) MomentOf(ctx context.Context, r *http.Request) (*wave.Moment, error) {
	text := r.URL.Query().Get("at")
	if text == "" {
		return nil, nil //nolint:nilnil // no moment is asked for, which is no error
	}
	wrong := &criteria.InputError{Field: "at", Got: strings.ToValidUTF8(present.Clip(text, 64), "?"), Want: atWanted}
	digits, named := strings.CutPrefix(text, "event:")
	id, err := strconv.ParseInt(digits, 10, 64)
	var m wave.Moment
	switch {
	case err == nil && id > 0:
		m, err = ms.Store.MomentOf(ctx, id)
		wrong.Want = "the id of an event that is there, or a later one"
	case named || err == nil:
		return nil, wrong
	default:
		at, ok := AbsoluteTime(text)
		if !ok {
			return nil, wrong
		}
		m, err = ms.Store.MomentAt(ctx, at)
		m.Time = at
		wrong.Want = "a time at or after the first event"
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, wrong
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // described by the error table
	}
	return &m, nil
}

// AbsoluteTime reads a moment that does not depend on now; without a zone it is UTC.
func AbsoluteTime(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil && t.Unix() > 0 {
			return t, true
		}
	}
	return time.Time{}, false
}

// DetailAsOf is a run now, or at a moment.
func (ms *moments) DetailAsOf(ctx context.Context, id string, at *wave.Moment) (wave.RunDetail, error) {
	if at == nil {
		return ms.Store.Detail(ctx, id) //nolint:wrapcheck // described by the error table
	}
	d, err := ms.Store.DetailAt(ctx, id, *at)
	if errors.Is(err, store.ErrNotFound) {
		return d, &web.Error{
			Status: http.StatusNotFound, Err: err, Text: "no such run, or it had not begun " + MomentWords(*at),
			Next: "Its current state is at " + ms.Paths.Run(id) + ".",
		}
	}
	return d, err //nolint:wrapcheck // described by the error table
}

// MomentWords says which moment a page shows.
func MomentWords(at wave.Moment) string {
	return "as of event " + strconv.FormatInt(at.Event, 10) + ", " + at.Time.UTC().Format("2006-01-02 15:04:05") + " UTC"
}

// AtQuery names a moment in an address, the same for every way to ask for it.
func AtQuery(event int64) url.Values {
	return url.Values{"at": {"event:" + strconv.FormatInt(event, 10)}}
}

// HeadAsOf is what is at the head of a run's pages, now or at a moment.
func (rv *Reader) HeadAsOf(ctx context.Context, r *http.Request, d wave.RunDetail, tab string) (views.RunView, error) {
	view := rv.RunHeadView(r, d)
	rv.OpenTab(&view, tab)
	view.Forms = rv.FormatLinks(rv.Paths.Run(d.Run.ID), web.RunFormats, web.FormatQuery(r, "at", "after", "before"))
	var err error
	if d.At == nil {
		if view.Diagnosis, err = rv.DiagnosisView(ctx, d.Run); err != nil {
			return view, err
		}
		view.Cost, err = rv.CostView(ctx, d.Run.ID)
		return view, err
	}
	Freeze(&view.Layout, *d.At)
	view.Refresh, view.Run.Acts, view.WhoURL, view.Recorded = views.RunRefresh{}, views.RunActions{}, "", ""
	view.Run.Duration = stillDuration(view.Run.Duration, d.At.Time)
	for i := range view.Tabs {
		if strings.HasSuffix(view.Tabs[i].Href, "/log") {
			if d.LastID > 0 { // the log itself never changes: it opens at the event
				line := strconv.FormatInt(d.LastID, 10)
				view.Tabs[i].Href += "?L=" + line + "#L" + line
			}
			continue
		}
		view.Tabs[i].Href += "?" + AtQuery(d.At.Event).Encode()
	}
	view.Past, err = rv.AsOfView(ctx, d.Run.ID, *d.At, rv.Paths.Run(d.Run.ID), nil)
	return view, err
}

// Freeze makes what is around a page that of a moment: nothing in it goes on.
func Freeze(c *views.Layout, at wave.Moment) {
	c.Now = at.Time
	c.Live = views.Live{LastEvent: at.Event, Offline: c.Live.Offline}
}

func stillDuration(t views.Duration, now time.Time) views.Duration {
	if t.Since.IsZero() {
		return t
	}
	return views.Duration{D: max(now.Sub(t.Since), 0), Known: true, Coarse: true}
}

// StillRows takes from rows what goes on, and what can be done.
func StillRows(rows []views.RunRow, now time.Time) {
	for i := range rows {
		rows[i].Duration, rows[i].Acts = stillDuration(rows[i].Duration, now), views.RunActions{}
	}
}

// StillSteps lets what a step took stand still at now.
func StillSteps(rows []views.StepRow, now time.Time) {
	for i := range rows {
		rows[i].Duration = stillDuration(rows[i].Duration, now)
		for k := range rows[i].Attempts {
			rows[i].Attempts[k].Duration = stillDuration(rows[i].Attempts[k].Duration, now)
		}
	}
}

// AsOfView is the banner of a page as of a moment. Run is empty for the list, of
// which keep is what narrows it.
func (rv *Reader) AsOfView(ctx context.Context, run string, at wave.Moment, page string, keep url.Values) (*views.AsOfView, error) {
	n, err := rv.Store.Neighbours(ctx, run, at.Event)
	if err != nil {
		return nil, err //nolint:wrapcheck // described by the error table
	}
	keep = web.Clone(keep)
	keep.Del("at")
	link := func(event int64) string { return web.WithQuery(page, With(keep, "at", AtQuery(event).Get("at"))) }
	v := &views.AsOfView{
		Event: at.Event, Time: at.Time, First: n.First, Last: n.Last, OfRun: run != "",
		NowURL: web.WithQuery(page, keep), Action: page, Keep: keep, Link: link(at.Event),
	}
	if n.Previous > 0 {
		v.PreviousURL = link(n.Previous)
	}
	if n.Next > 0 {
		v.NextURL = link(n.Next)
	}
	return v, nil
}

// Fields in JSON that may say something else as of a moment than they did then.
// Of a run and a step Wave writes over how they stand, a commit before or after
// the event that records it; and it keeps whole seconds of when rows were added.
//
//nolint:gochecknoglobals // read only
var (
	approximateRun = []string{
		"children_counts", "subtree_tokens",
		"status", "state", "reason", "current_step", "progress", "total_tokens", "completed_at", "duration", "duration_ms", "error_message",
		"headline", "caused_by_run_id", "caused_by_step_id", "dry_run",
	}
	approximateRest = []string{
		"steps.state", "steps.progress", "steps.current_action", "steps.completed_at", "steps.duration", "steps.duration_ms", "steps.tokens_used",
		"steps.error", "steps.artifacts", "artifacts", "dag.nodes.status", "dag.nodes.progress",
		"steps.visit_count", "steps.attempt_list", "steps.children_counts", "steps.caused_by_run_id", "children", "started_with",
		"outcomes", "outcomes_total", "decisions", "decisions_total", "checkpoints", "checkpoints_total",
	}
)

// NewAsOf marks a document as of a moment. Of is where its runs stand in it, such
// as "runs."; empty: it is one.
func NewAsOf(at wave.Moment, of string, rest ...string) *present.AsOf {
	a := &present.AsOf{Event: at.Event, Time: present.OptionalTime(at.Time)}
	for _, field := range approximateRun {
		a.Approximate = append(a.Approximate, of+field)
	}
	a.Approximate = append(a.Approximate, rest...)
	return a
}
