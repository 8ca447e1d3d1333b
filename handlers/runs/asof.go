package runs

import (
	"bytes"
	"net/http"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/views"
)

// listRunsAsOf is the page of the list as of a moment.
func (h *Handler) listRunsAsOf(w http.ResponseWriter, r *http.Request, l runview.Listing) error {
	at := *l.At
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		page, err := h.Page(ctx, l)
		if err != nil {
			return err
		}
		view := views.RunsView{Layout: h.Layout(r, "runs", "Runs "+runview.MomentWords(at), ""), Known: true, First: l.Filter.Older == nil}
		runview.Freeze(&view.Layout, at)
		if view.Filter, err = h.FilterView(ctx, l.RunsQuery); err != nil {
			return err
		}
		for _, run := range page.Runs {
			view.Rows = append(view.Rows, present.Listed(present.RunRow(run)))
		}
		runview.StillRows(view.Rows, at.Time)
		for i := range view.Rows {
			view.Rows[i].At = runview.AtQuery(at.Event).Encode()
		}
		if page.Older != nil {
			view.OlderURL = h.Paths.Runs(runview.With(l.Values, "older", page.Older.String()))
		}
		view.Forms = h.FormatLinks(h.Paths.Runs(nil), web.ListFormats, pageValues(l.RunsQuery))
		past, err := h.AsOfView(ctx, "", at, h.Paths.Runs(nil), l.Values)
		if err != nil {
			return err
		}
		return views.RunsPastPage(view, *past).Render(ctx, b)
	})
}
