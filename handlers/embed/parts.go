package embed

import (
	"context"
	"net/http"
	"net/url"

	"github.com/a-h/templ"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/dag"
	"wavedeck/views/timeline"
)

// What may stand in a page of others. Each is read again for every change.

// runFragment is one of a run's pictures; body may add to the view.
func runFragment(what string, styles []string, body func(context.Context, *Handler, wave.RunDetail, *views.RunView) (templ.Component, error)) fragment {
	return fragment{topic: topicOfRun, styles: styles, make: func(ctx context.Context, r *http.Request, h *Handler) (fragmentView, error) {
		d, err := h.detailOf(ctx, r)
		if err != nil {
			return fragmentView{}, err
		}
		view := h.RunHeadView(r, d)
		content, err := body(ctx, h, d, &view)
		if err != nil {
			return fragmentView{}, err
		}
		made := fragmentView{title: what + " of run " + d.Run.ID, page: h.Paths.Run(d.Run.ID), body: content}
		if d.Run.Pipeline != "" {
			made.title = what + " of " + d.Run.Pipeline + ", run " + d.Run.ID
		}
		return made, nil
	}}
}

func cardFragment() fragment {
	return runFragment("Card", nil, func(ctx context.Context, h *Handler, d wave.RunDetail, v *views.RunView) (_ templ.Component, err error) {
		v.Gates, err = h.Gates(ctx, d)
		return views.RunCard(*v), err
	})
}

func stepsFragment() fragment {
	return runFragment("Steps", nil, func(_ context.Context, _ *Handler, d wave.RunDetail, v *views.RunView) (templ.Component, error) {
		for _, step := range d.Steps {
			v.Steps = append(v.Steps, present.StepRow(step, ""))
		}
		return views.RunFragment(*v, views.StepsFragment(*v)), nil
	})
}

func timelineFragment() fragment {
	return runFragment("Timeline", []string{"timeline.css"}, func(ctx context.Context, h *Handler, d wave.RunDetail, v *views.RunView) (templ.Component, error) {
		lanes, err := h.Lanes(ctx, d, true)
		if err != nil {
			return nil, err
		}
		whole, _ := timeline.ParseQuery(nil)
		return views.RunFragment(*v, timeline.Timeline(timeline.View{
			ID: "waterfall", Query: whole, Sprite: h.Sprite(),
			Run:  timeline.Run{Start: d.Run.StartedAt, End: runview.EndOf(d.Run), Now: h.Now(), Lanes: lanes},
			Link: func(q url.Values) string { return web.WithQuery(h.Paths.RunTab(d.Run.ID, "timeline"), q) },
		})), nil
	})
}

func graphFragment() fragment {
	return runFragment("Graph", []string{"dag.css"}, func(_ context.Context, h *Handler, d wave.RunDetail, v *views.RunView) (templ.Component, error) {
		layout, options := h.RunPicture(d)
		options.Sprite = h.Sprite()
		picture := dag.Graph(layout, options)
		if len(layout.Steps) > runview.TableFirst {
			picture = dag.Table(layout, options)
		}
		return views.RunFragment(*v, picture), nil
	})
}

func logFragment() fragment {
	e := runFragment("", nil, nil)
	e.styles = []string{"log.css", "ansi.css"}
	e.make = func(ctx context.Context, r *http.Request, h *Handler) (fragmentView, error) {
		id, err := web.PathVar(r, "run")
		if err != nil {
			return fragmentView{}, err
		}
		asked := url.Values{} // what a fragment's address has besides is not about the log
		for _, key := range []string{"step", "state"} {
			asked[key] = r.URL.Query()[key]
		}
		view, kept, err := h.LogPart(ctx, r, id, asked)
		if err != nil {
			return fragmentView{}, err
		}
		return fragmentView{
			title: "Log of " + id, page: h.Paths.Log(id, "", kept),
			body: views.RunFragment(view.RunView, views.LogFragment(view)),
		}, nil
	}
	return e
}

// runsShown is how many runs a list in another page has by default.
const runsShown = 10

func runsFragment() fragment {
	return fragment{topic: topicOfList, make: func(ctx context.Context, r *http.Request, h *Handler) (fragmentView, error) {
		q := r.URL.Query()
		if q.Get("limit") == "" {
			q.Set("limit", "10")
		}
		query, err := runview.ParseRunsQuery(q, h.Now())
		if err != nil {
			return fragmentView{}, err
		}
		page, err := h.Store.Runs(ctx, query.Filter)
		if err != nil {
			return fragmentView{}, err
		}
		all := web.Clone(query.Values)
		all.Del("limit")
		view := views.RunsFragmentView{
			Layout: h.Layout(r, "runs", "Runs", ""), All: h.Paths.Runs(all), Nothing: "No runs yet.",
		}
		if words := runview.FilterWords(query.Values); len(words) > 0 {
			view.Nothing = "No run matches."
			view.Title += ": " + runview.JoinWords(words)
		}
		if view.Rows, err = h.RunRows(ctx, page.Runs, false); err != nil {
			return fragmentView{}, err
		}
		return fragmentView{title: view.Title, page: h.Paths.Runs(query.Values), body: views.RunsFragment(view)}, nil
	}}
}

// latestFragment is the card of a pipeline's last run.
func latestFragment() fragment {
	return fragment{topic: topicOfList, make: func(ctx context.Context, r *http.Request, h *Handler) (fragmentView, error) {
		name, history, err := h.historyOf(ctx, r)
		if err != nil {
			return fragmentView{}, err
		}
		made := fragmentView{title: "Last run of " + name, page: h.Paths.Pipeline(name)}
		if len(history.Recent) == 0 {
			made.body = views.EmptyFragment(name, h.Paths.Pipeline(name), "It has not run yet.")
			return made, nil
		}
		d, err := h.Store.Detail(ctx, history.Recent[0].ID)
		if err != nil {
			return fragmentView{}, err //nolint:wrapcheck // described by the error table
		}
		made.body = views.RunCard(h.RunHeadView(r, d))
		return made, nil
	}}
}

// historyFragment is a pipeline's record and its last runs.
func historyFragment() fragment {
	return fragment{topic: topicOfList, make: func(ctx context.Context, r *http.Request, h *Handler) (fragmentView, error) {
		name, history, err := h.historyOf(ctx, r)
		if err != nil {
			return fragmentView{}, err
		}
		limit, err := criteria.ParseLimit(r.URL.Query().Get("limit"))
		if err != nil {
			return fragmentView{}, err //nolint:wrapcheck // described by the error table
		}
		if r.URL.Query().Get("limit") == "" {
			limit = runsShown
		}
		stats := runview.StatsOf(history)
		view := views.RunsFragmentView{
			Layout: h.Layout(r, "pipelines", name, ""), All: h.Paths.Pipeline(name), Stats: &stats, Nothing: "It has not run yet.",
		}
		if view.Rows, err = h.RunRows(ctx, history.Recent[:min(limit, len(history.Recent))], false); err != nil {
			return fragmentView{}, err
		}
		return fragmentView{title: "History of " + name, page: h.Paths.Pipeline(name), body: views.RunsFragment(view)}, nil
	}}
}

// attentionFragment is the list of what needs a human, without what to do: that is
// done in the console.
func attentionFragment() fragment {
	return fragment{topic: topicOfList, make: func(ctx context.Context, r *http.Request, h *Handler) (fragmentView, error) {
		view := views.AttentionView{Layout: h.Layout(r, "attention", "Needs attention", "")}
		if err := h.AddAttention(ctx, &view); err != nil {
			return fragmentView{}, err
		}
		for i := range view.Rows {
			view.Rows[i].Action = nil
		}
		return fragmentView{title: "Needs attention", page: h.Paths.Attention(), body: views.AttentionList(view)}, nil
	}}
}

// historyOf is the record of the pipeline that the address names.
func (h *Handler) historyOf(ctx context.Context, r *http.Request) (name string, history diagnose.PipelineHistory, err error) {
	if name, err = web.PathVar(r, "pipeline"); err != nil {
		return name, history, err
	}
	if history, err = h.History(ctx, name); err != nil {
		return name, history, err
	}
	if _, defined := h.Manifest.Current().Pipeline(name); !defined && len(history.Recent) == 0 {
		return name, history, runview.NoSuch("pipeline", name, h.Paths.Pipelines())
	}
	return name, history, nil
}
