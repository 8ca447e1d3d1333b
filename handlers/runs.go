package handlers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"wavedeck/handlers/runquery"
	"wavedeck/store"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/address"
)

// heldAtMost is how many newer runs a held list counts.
const heldAtMost = criteria.MaxLimit

// kidsShown is how many children a run list shows beneath their parent.
const kidsShown = 20

// listRuns is the run list: the page, its table for htmx, or the same in another form.
func (s *Server) listRuns(w http.ResponseWriter, r *http.Request) error {
	f := formOf(r)
	l, err := s.listingOf(r, f)
	var wrong *runquery.Error
	if errors.As(err, &wrong) && f == formHTML && !isFragment(r) {
		return s.showWrongFilter(w, r, l.runsQuery, wrong)
	}
	if err != nil {
		return err
	}
	switch {
	case f.goesOn():
		return s.streamRuns(w, r, f, l)
	case f != formHTML:
		return s.serveDocument(w, r, f, func(ctx context.Context) (document, error) {
			return s.runsDocument(ctx, l)
		})
	case l.at != nil:
		return s.listRunsPast(w, r, l)
	}
	return s.serveCached(w, r, typeHTML, func(ctx context.Context, b *bytes.Buffer) error {
		view, err := s.runsView(ctx, r, l.runsQuery)
		if err != nil {
			return err
		}
		if isFragment(r) {
			return views.RunsTable(view).Render(ctx, b)
		}
		return views.RunsPage(view).Render(ctx, b)
	})
}

// listing is what a list of runs is asked for: which runs, and as of when; nil: now.
type listing struct {
	runsQuery

	at  *wave.Moment
	all bool // every run that matches, not a page of them
}

// listingOf reads what a request asks for. What it read before a *runquery.Error
// is in the listing.
func (s *Server) listingOf(r *http.Request, f format) (listing, error) {
	q := r.URL.Query()
	all, err := wantsAll(q, f)
	if err != nil {
		return listing{}, err
	}
	at, err := s.momentOf(r.Context(), r)
	if err != nil {
		return listing{}, err
	}
	now := s.now()
	if at != nil {
		now = at.Time // ages in the filter are those of then
	}
	query, err := parseRunsQuery(q, now)
	l := listing{query, at, all}
	if at == nil {
		return l, err
	}
	query.values.Set("at", atQuery(at.Event).Get("at")) // every link keeps it
	if err == nil && query.filter.Newer != nil {
		err = &criteria.InputError{Field: "newer", Got: clip(q.Get("newer"), 64), Want: "left out of a list as of a moment, which has older pages only"}
	}
	return l, err
}

// wantsAll reports whether every run that matches is asked for, as it is without
// a limit in forms that are made while they are sent. It takes the word for it
// out of q.
func wantsAll(q url.Values, f format) (bool, error) {
	limit := q.Get("limit")
	switch {
	case f.goesOn() && (limit == "" || limit == "all"):
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
func (s *Server) showWrongFilter(w http.ResponseWriter, r *http.Request, query runsQuery, wrong *runquery.Error) error {
	view := views.RunsView{Chrome: s.chrome(r, "runs", "Runs", ""), Known: true}
	var err error
	if view.Filter, err = s.filterView(r.Context(), query); err != nil {
		return err
	}
	view.Filter.Wrong = wrongWord(wrong)
	s.writeHTML(w, r, http.StatusBadRequest, views.RunsPage(view))
	return nil
}

// wrongWord is an error about one word of an input, to be shown beneath it.
func wrongWord(e *runquery.Error) *views.WrongWord {
	return &views.WrongWord{
		Before: e.Text[:e.At], Word: e.Word(), After: e.Text[e.End:], Position: e.Position(), Problem: e.Problem, Hint: e.Hint(),
	}
}

func (s *Server) runsView(ctx context.Context, r *http.Request, query runsQuery) (views.RunsView, error) {
	view := views.RunsView{
		Chrome: s.chrome(r, "runs", "Runs", "list=1"),
		Known:  true,
	}
	if s.canRun() {
		view.StartURL = s.paths.Start("", nil)
	}
	view.Forms = s.formLinks(s.paths.Runs(nil), formsOfList, pageValues(query))
	filter := query.filter
	if query.hold != nil && filter.Older == nil && filter.Newer == nil {
		// The least cursor after the held run: the run itself is in the page.
		filter.Older = &criteria.Cursor{T: query.hold.T, ID: query.hold.ID + "\x01"}
	}
	page, err := s.store.Runs(ctx, filter)
	switch {
	case errors.Is(err, store.ErrUnavailable):
		view.Known = false // the chrome says why
	case err != nil:
		return view, err
	}
	if view.Filter, err = s.filterView(ctx, query); err != nil {
		return view, err
	}
	if len(view.Filter.Words) > 0 {
		view.Title += ": " + clip(joinWords(view.Filter.Words), 120)
	}
	if view.Rows, err = s.runRows(ctx, page.Runs, !query.filter.Narrow()); err != nil {
		return view, err
	}
	if text := query.values.Get("q"); len(view.Rows) == 0 && text != "" {
		view.SearchURL = s.paths.Search(url.Values{"q": {text}})
	}
	for i := range view.Rows {
		view.Rows[i].Pick = s.canRun()
	}
	if len(view.Rows) > 0 { // what came since is counted from here
		view.Rows[0].Cursor = criteria.CursorOf(page.Runs[0]).String()
	}
	view.Chosen = clone(query.values)
	view.Chosen.Del("limit")
	view.BulkMost = maxBulk
	if query.hold != nil {
		if view.Held, view.HeldMore, err = s.newerThan(ctx, query); err != nil {
			return view, err
		}
	}
	view.Views, view.SaveQuery = s.viewOptions(ctx, query.values), address.EncodeQuery(query.values).Encode()
	view.First = filter.Newer == nil && query.filter.Older == nil || page.Newer == nil
	view.Refresh = s.paths.Runs(pageValues(query))
	if page.Older != nil {
		view.OlderURL = s.paths.Runs(with(query.values, "older", page.Older.String()))
	}
	if page.Newer != nil && query.hold == nil {
		view.NewerURL = s.paths.Runs(with(query.values, "newer", page.Newer.String()))
	}
	return view, nil
}

// newerThan counts the runs that a held list does not show.
func (s *Server) newerThan(ctx context.Context, query runsQuery) (n int, more bool, err error) {
	f := query.filter
	f.Newer, f.Older, f.Limit = query.hold, nil, heldAtMost
	page, err := s.store.Runs(ctx, f)
	if errors.Is(err, store.ErrUnavailable) {
		return 0, false, nil
	}
	return len(page.Runs), page.Newer != nil, err
}

// runRows turns runs into rows. In the list of top-level runs the children stand
// beneath their parents; elsewhere a child names its parent.
func (s *Server) runRows(ctx context.Context, runs []wave.Run, fold bool) ([]views.RunRow, error) {
	rows := make([]views.RunRow, len(runs))
	var parents, folded []string
	for i, run := range runs {
		rows[i] = listed(runRow(run))
		rows[i].Acts = s.actionsOf(run)
		switch {
		case fold && run.Children.All > 0:
			folded = append(folded, run.ID)
		case !fold && run.Parent != "" && !run.Orphan:
			parents = append(parents, run.Parent)
		}
	}
	if err := s.foldChildren(ctx, rows, runs, folded); err != nil {
		return nil, err
	}
	if err := s.addFlags(ctx, rows, runs); err != nil {
		return nil, err
	}
	if err := s.addCosts(ctx, rows); err != nil {
		return nil, err
	}
	if len(parents) == 0 {
		return rows, nil
	}
	found, err := s.store.RunsByID(ctx, parents)
	if err != nil {
		return nil, fmt.Errorf("parents of a page: %w", err)
	}
	refs := map[string]*views.RunRef{}
	for _, parent := range found {
		refs[parent.ID] = runRef(parent)
	}
	for i, run := range runs {
		if !run.Orphan {
			rows[i].Of = refs[run.Parent]
		}
	}
	return rows, nil
}

// foldChildren puts the children of the runs named in folded beneath their rows.
func (s *Server) foldChildren(ctx context.Context, rows []views.RunRow, runs []wave.Run, folded []string) error {
	if len(folded) == 0 {
		return nil
	}
	kids, err := s.store.Children(ctx, folded, kidsShown)
	if err != nil {
		return fmt.Errorf("children of a page: %w", err)
	}
	for i, run := range runs {
		if run.Children.All == 0 {
			continue
		}
		for _, kid := range kids[run.ID] {
			rows[i].Kids = append(rows[i].Kids, listed(runRow(kid)))
		}
		rows[i].KidsMore = max(0, run.Children.All-len(kids[run.ID]))
	}
	return nil
}

// pageValues is the address of this very page, without what holds it still.
func pageValues(query runsQuery) url.Values {
	q := clone(query.values)
	if query.filter.Older != nil {
		q.Set("older", query.filter.Older.String())
	}
	if query.filter.Newer != nil {
		q.Set("newer", query.filter.Newer.String())
	}
	return q
}

func clone(q url.Values) url.Values {
	out := url.Values{}
	for k, v := range q {
		out[k] = append([]string(nil), v...)
	}
	return out
}

func with(q url.Values, key, value string) url.Values {
	out := clone(q)
	out.Set(key, value)
	return out
}

func without(q url.Values, key, value string) url.Values {
	out := clone(q)
	var kept []string
	for _, v := range out[key] {
		if v != value {
			kept = append(kept, v)
		}
	}
	if len(kept) == 0 {
		out.Del(key)
	} else {
		out[key] = kept
	}
	return out
}
