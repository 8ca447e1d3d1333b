package rundetail

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/a-h/templ"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/timeline"
)

// showRunGraph is the page of a run's graph.
func (h *Handler) showRunGraph(w http.ResponseWriter, r *http.Request) error {
	return h.renderTab(w, r, "graph", func(_ context.Context, d wave.RunDetail, _ *views.RunView) (templ.Component, error) {
		return h.RunGraph(d), nil
	})
}

// showRunTimeline is the page of a run's waterfall.
func (h *Handler) showRunTimeline(w http.ResponseWriter, r *http.Request) error {
	query, err := timeline.ParseQuery(r.URL.Query())
	if wrong, ok := errors.AsType[*timeline.QueryError](err); ok {
		return &criteria.InputError{Field: wrong.Field, Got: present.Clip(wrong.Got, 64), Want: wrong.Want}
	}
	return h.renderTab(w, r, "timeline", func(ctx context.Context, d wave.RunDetail, view *views.RunView) (templ.Component, error) {
		lanes, err := h.Lanes(ctx, d, true)
		if err != nil {
			return nil, err
		}
		for i := range lanes {
			if o := view.Diagnosis; o != nil && o.Runaway != nil && o.Runaway.Step == lanes[i].ID {
				lanes[i].Alert = o.Runaway.Flag.Word
			}
		}
		return timeline.Timeline(timeline.View{
			ID: "waterfall", Query: query, Sprite: h.Sprite(),
			Run: timeline.Run{Start: d.Run.StartedAt, End: runview.EndOf(d.Run), Now: h.NowOf(d), Lanes: lanes},
			Link: func(q url.Values) string {
				return web.WithQuery(h.Paths.RunTab(d.Run.ID, "timeline"), q)
			},
		}), nil
	})
}
