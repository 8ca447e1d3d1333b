package handlers

import (
	"context"
	"net/http"
	"net/url"

	"github.com/a-h/templ"

	"wavedeck/store"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/dag"
	"wavedeck/views/legible"
	"wavedeck/views/timeline"
)

// What may stand in a page of others. Each is read anew for every change.

// runExcerpt is one of a run's pictures; body may add to the view.
func runExcerpt(what string, styles []string, body func(context.Context, *Server, wave.RunDetail, *views.RunView) (templ.Component, error)) excerptOf {
	return excerptOf{topic: topicOfRun, styles: styles, make: func(ctx context.Context, r *http.Request, s *Server) (excerptView, error) {
		d, err := s.detailOf(ctx, r)
		if err != nil {
			return excerptView{}, err
		}
		view := s.runHeadView(r, d)
		content, err := body(ctx, s, d, &view)
		if err != nil {
			return excerptView{}, err
		}
		made := excerptView{title: what + " of run " + legible.Name(d.Run.ID), page: s.paths.Run(d.Run.ID), body: content}
		if d.Run.Pipeline != "" {
			made.title = what + " of " + d.Run.Pipeline + ", run " + d.Run.ID
		}
		return made, nil
	}}
}

func excerptCard() excerptOf {
	return runExcerpt("Card", nil, func(_ context.Context, _ *Server, _ wave.RunDetail, v *views.RunView) (templ.Component, error) {
		return views.RunCard(*v), nil
	})
}

func excerptSteps() excerptOf {
	return runExcerpt("Steps", nil, func(_ context.Context, _ *Server, d wave.RunDetail, v *views.RunView) (templ.Component, error) {
		for _, step := range d.Steps {
			v.Steps = append(v.Steps, stepRow(step, ""))
		}
		return views.RunExcerpt(*v, views.StepsExcerpt(*v)), nil
	})
}

func excerptTimeline() excerptOf {
	return runExcerpt("Timeline", []string{"timeline.css"}, func(ctx context.Context, s *Server, d wave.RunDetail, v *views.RunView) (templ.Component, error) {
		lanes, err := s.lanes(ctx, d, true)
		if err != nil {
			return nil, err
		}
		whole, _ := timeline.ParseQuery(nil)
		return views.RunExcerpt(*v, timeline.Timeline(timeline.View{
			ID: "waterfall", Query: whole, Sprite: s.sprite(),
			Run:  timeline.Run{Start: d.Run.StartedAt, End: endOf(d.Run), Now: s.now(), Lanes: lanes},
			Link: func(q url.Values) string { return withQuery(s.paths.RunTab(d.Run.ID, "timeline"), q) },
		})), nil
	})
}

func excerptGraph() excerptOf {
	return runExcerpt("Graph", []string{"dag.css"}, func(_ context.Context, s *Server, d wave.RunDetail, v *views.RunView) (templ.Component, error) {
		layout, options := s.runPicture(d)
		options.Sprite = s.sprite()
		picture := dag.Graph(layout, options)
		if len(layout.Steps) > tableFirst {
			picture = dag.Table(layout, options)
		}
		return views.RunExcerpt(*v, picture), nil
	})
}

func excerptLog() excerptOf {
	e := runExcerpt("", nil, nil)
	e.styles = []string{"log.css", "ansi.css"}
	e.make = func(ctx context.Context, r *http.Request, s *Server) (excerptView, error) {
		id, err := pathVar(r, "run")
		if err != nil {
			return excerptView{}, err
		}
		asked := url.Values{} // what an excerpt's address has besides is not about the log
		for _, key := range []string{"step", "state"} {
			asked[key] = r.URL.Query()[key]
		}
		view, kept, err := s.peers.logPart(ctx, r, id, asked)
		if err != nil {
			return excerptView{}, err
		}
		return excerptView{
			title: "Log of " + legible.Name(id), page: s.paths.Log(id, "", kept),
			body: views.RunExcerpt(view.RunView, views.LogExcerpt(view)),
		}, nil
	}
	return e
}

// runsShown is how many runs a list in another page has unless told.
const runsShown = 10

func excerptRuns() excerptOf {
	return excerptOf{topic: topicOfList, make: func(ctx context.Context, r *http.Request, s *Server) (excerptView, error) {
		q := r.URL.Query()
		if q.Get("limit") == "" {
			q.Set("limit", "10")
		}
		query, err := parseRunsQuery(q, s.now())
		if err != nil {
			return excerptView{}, err
		}
		page, err := s.store.Runs(ctx, query.filter)
		if err != nil {
			return excerptView{}, err
		}
		all := clone(query.values)
		all.Del("limit")
		view := views.RunsExcerptView{
			Chrome: s.chrome(r, "runs", "Runs", ""), All: s.paths.Runs(all), Nothing: "No runs yet.",
		}
		if words := filterWords(query.values); len(words) > 0 {
			view.Nothing = "No run matches."
			view.Title += ": " + joinWords(words)
		}
		if view.Rows, err = s.runRows(ctx, page.Runs, false); err != nil {
			return excerptView{}, err
		}
		return excerptView{title: view.Title, page: s.paths.Runs(query.values), body: views.RunsExcerpt(view)}, nil
	}}
}

func joinWords(words []string) string {
	text := ""
	for i, word := range words {
		if i > 0 {
			text += ", "
		}
		text += word
	}
	return text
}

// excerptLatest is the card of a pipeline's last run.
func excerptLatest() excerptOf {
	return excerptOf{topic: topicOfList, make: func(ctx context.Context, r *http.Request, s *Server) (excerptView, error) {
		name, history, err := s.historyOf(ctx, r)
		if err != nil {
			return excerptView{}, err
		}
		made := excerptView{title: "Last run of " + legible.Name(name), page: s.paths.Pipeline(name)}
		if len(history.Recent) == 0 {
			made.body = views.EmptyExcerpt(name, s.paths.Pipeline(name), "It has not run yet.")
			return made, nil
		}
		d, err := s.store.Detail(ctx, history.Recent[0].ID)
		if err != nil {
			return excerptView{}, err //nolint:wrapcheck // described by the error table
		}
		made.body = views.RunCard(s.runHeadView(r, d))
		return made, nil
	}}
}

// excerptHistory is a pipeline's record and its last runs.
func excerptHistory() excerptOf {
	return excerptOf{topic: topicOfList, make: func(ctx context.Context, r *http.Request, s *Server) (excerptView, error) {
		name, history, err := s.historyOf(ctx, r)
		if err != nil {
			return excerptView{}, err
		}
		limit, err := criteria.ParseLimit(r.URL.Query().Get("limit"))
		if err != nil {
			return excerptView{}, err //nolint:wrapcheck // described by the error table
		}
		if r.URL.Query().Get("limit") == "" {
			limit = runsShown
		}
		stats := statsOf(history)
		view := views.RunsExcerptView{
			Chrome: s.chrome(r, "pipelines", name, ""), All: s.paths.Pipeline(name), Stats: &stats, Nothing: "It has not run yet.",
		}
		if view.Rows, err = s.runRows(ctx, history.Recent[:min(limit, len(history.Recent))], false); err != nil {
			return excerptView{}, err
		}
		return excerptView{title: "History of " + legible.Name(name), page: s.paths.Pipeline(name), body: views.RunsExcerpt(view)}, nil
	}}
}

// excerptAttention is the list of what needs a human, without what to do: that is
// done in the console.
func excerptAttention() excerptOf {
	return excerptOf{topic: topicOfList, make: func(ctx context.Context, r *http.Request, s *Server) (excerptView, error) {
		view := views.AttentionView{Chrome: s.chrome(r, "attention", "Needs attention", "")}
		if err := s.peers.addAttention(ctx, &view); err != nil {
			return excerptView{}, err
		}
		for i := range view.Rows {
			view.Rows[i].Action = nil
		}
		return excerptView{title: "Needs attention", page: s.paths.Attention(), body: views.AttentionList(view)}, nil
	}}
}

// historyOf is the record of the pipeline that the address names.
func (s *Server) historyOf(ctx context.Context, r *http.Request) (name string, history store.PipelineHistory, err error) {
	if name, err = pathVar(r, "pipeline"); err != nil {
		return name, history, err
	}
	if history, err = s.history(ctx, name); err != nil {
		return name, history, err
	}
	if _, defined := s.manifest.Current().Pipeline(name); !defined && len(history.Recent) == 0 {
		return name, history, noSuch("pipeline", name, s.paths.Pipelines())
	}
	return name, history, nil
}
