package runs

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runquery"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/store"
	"wavedeck/store/criteria"
	"wavedeck/views"
	"wavedeck/views/address"
)

// heldAtMost is how many newer runs a held list counts.
const heldAtMost = criteria.MaxLimit

// listRuns is the run list: the page, its table for htmx, or the same in another form.
func (h *Handler) listRuns(w http.ResponseWriter, r *http.Request) error {
	f := web.FormatOf(r)
	l, err := h.listingOf(r, f)
	var wrong *runquery.Error
	if errors.As(err, &wrong) && f == web.FormatHTML && !web.IsFragment(r) {
		return h.showWrongFilter(w, r, l.RunsQuery, wrong)
	}
	if err != nil {
		return err
	}
	switch {
	case f.GoesOn():
		return h.streamRuns(w, r, f, l)
	case f != web.FormatHTML:
		return h.ServeDocument(w, r, f, func(r *http.Request) (web.Document, error) {
			ctx := r.Context()
			return h.RunsDocument(ctx, l)
		})
	case l.At != nil:
		return h.listRunsAsOf(w, r, l)
	}
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		view, err := h.runsView(ctx, r, l.RunsQuery)
		if err != nil {
			return err
		}
		if web.IsFragment(r) {
			return views.RunsTable(view).Render(ctx, b)
		}
		return views.RunsPage(view).Render(ctx, b)
	})
}

// listingOf reads what a request asks for. What it read before a *runquery.Error
// is in the listing.
func (h *Handler) listingOf(r *http.Request, f web.Format) (runview.Listing, error) {
	q := r.URL.Query()
	all, err := wantsAll(q, f)
	if err != nil {
		return runview.Listing{}, err
	}
	at, err := h.MomentOf(r.Context(), r)
	if err != nil {
		return runview.Listing{}, err
	}
	now := h.Now()
	if at != nil {
		now = at.Time // ages in the filter are those of then
	}
	query, err := runview.ParseRunsQuery(q, now)
	l := runview.Listing{RunsQuery: query, At: at, All: all}
	if at == nil {
		return l, err
	}
	query.Values.Set("at", runview.AtQuery(at.Event).Get("at")) // every link keeps it
	if err == nil && query.Filter.Newer != nil {
		err = &criteria.InputError{Field: "newer", Got: present.Clip(q.Get("newer"), 64), Want: "left out of a list as of a moment, which has older pages only"}
	}
	return l, err
}

// wantsAll reports whether every run that matches is asked for, as it is without
// a limit in forms that are made while they are sent. It takes the word for it
// out of q.
func wantsAll(q url.Values, f web.Format) (bool, error) {
	limit := q.Get("limit")
	switch {
	case f.GoesOn() && (limit == "" || limit == "all"):
		q.Set("limit", strconv.Itoa(criteria.MaxLimit)) // at once
		return true, nil
	case limit == "all":
		return false, &criteria.InputError{
			Field: "limit", Got: limit, Want: "a number from 1 to " + strconv.Itoa(criteria.MaxLimit) + "; the forms .csv and .ndjson hold everything that matches",
		}
	default:
		return false, nil
	}
}

// showWrongFilter is the list's page with its input kept and the wrong word marked.
func (h *Handler) showWrongFilter(w http.ResponseWriter, r *http.Request, query runview.RunsQuery, wrong *runquery.Error) error {
	view := views.RunsView{Layout: h.Layout(r, "runs", "Runs", ""), Known: true}
	var err error
	if view.Filter, err = h.FilterView(r.Context(), query); err != nil {
		return err
	}
	view.Filter.Wrong = runview.WrongWord(wrong)
	h.WriteHTML(w, r, http.StatusBadRequest, views.RunsPage(view))
	return nil
}

func (h *Handler) runsView(ctx context.Context, r *http.Request, query runview.RunsQuery) (views.RunsView, error) {
	view := views.RunsView{
		Layout: h.Layout(r, "runs", "Runs", "list=1"),
		Known:  true,
	}
	if h.CanRun() {
		view.StartURL = h.Paths.Start("", nil)
	}
	view.Forms = h.FormatLinks(h.Paths.Runs(nil), web.ListFormats, pageValues(query))
	filter := query.Filter
	if query.Hold != nil && filter.Older == nil && filter.Newer == nil {
		// The least cursor after the held run: the run itself is in the page.
		filter.Older = &criteria.Cursor{T: query.Hold.T, ID: query.Hold.ID + "\x01"}
	}
	page, err := h.Store.Runs(ctx, filter)
	switch {
	case errors.Is(err, store.ErrUnavailable):
		view.Known = false // the layout says why
	case err != nil:
		return view, err
	}
	if view.Filter, err = h.FilterView(ctx, query); err != nil {
		return view, err
	}
	if len(view.Filter.Words) > 0 {
		view.Title += ": " + present.Clip(runview.JoinWords(view.Filter.Words), 120)
	}
	if view.Rows, err = h.RunRows(ctx, page.Runs, !query.Filter.Narrow()); err != nil {
		return view, err
	}
	if text := query.Values.Get("q"); len(view.Rows) == 0 && text != "" {
		view.SearchURL = h.Paths.Search(url.Values{"q": {text}})
	}
	for i := range view.Rows {
		view.Rows[i].Pick = h.CanRun()
	}
	if len(view.Rows) > 0 { // what came since is counted from here
		view.Rows[0].Cursor = criteria.CursorOf(page.Runs[0]).String()
	}
	view.Chosen = web.Clone(query.Values)
	view.Chosen.Del("limit")
	view.BulkMost = runview.MaxBulk
	if query.Hold != nil {
		if view.Held, view.HeldMore, err = h.newerThan(ctx, query); err != nil {
			return view, err
		}
	}
	view.Views, view.SaveQuery = h.ViewOptions(ctx, query.Values), address.EncodeQuery(query.Values).Encode()
	view.First = filter.Newer == nil && query.Filter.Older == nil || page.Newer == nil
	view.Refresh = h.Paths.Runs(pageValues(query))
	if page.Older != nil {
		view.OlderURL = h.Paths.Runs(runview.With(query.Values, "older", page.Older.String()))
	}
	if page.Newer != nil && query.Hold == nil {
		view.NewerURL = h.Paths.Runs(runview.With(query.Values, "newer", page.Newer.String()))
	}
	return view, nil
}

// newerThan counts the runs that a held list does not show.
func (h *Handler) newerThan(ctx context.Context, query runview.RunsQuery) (n int, more bool, err error) {
	f := query.Filter
	f.Newer, f.Older, f.Limit = query.Hold, nil, heldAtMost
	page, err := h.Store.Runs(ctx, f)
	if errors.Is(err, store.ErrUnavailable) {
		return 0, false, nil
	}
	return len(page.Runs), page.Newer != nil, err
}

// pageValues is the address of this very page, without what holds it still.
func pageValues(query runview.RunsQuery) url.Values {
	q := web.Clone(query.Values)
	if query.Filter.Older != nil {
		q.Set("older", query.Filter.Older.String())
	}
	if query.Filter.Newer != nil {
		q.Set("newer", query.Filter.Newer.String())
	}
	return q
}
