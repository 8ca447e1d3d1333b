package search

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"wavedeck/handlers/audit"
	"wavedeck/handlers/present"
	"wavedeck/handlers/runquery"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/store"
	"wavedeck/store/criteria"
	"wavedeck/store/search"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// How much one answer of a search is, and how long events are looked through for
// it: what is not found by then is found by going on.
const (
	searchRuns = 10
)

// actionRebuild is the action's name in the audit log.
const actionRebuild = "rebuild search index"

// searchQuery is the address of a search, understood.
type searchQuery struct {
	text   string
	terms  runquery.Query
	runs   criteria.RunFilter // all of it, for what runs say of themselves
	words  search.Query       // the words, for events
	only   criteria.RunFilter // the rest, for the runs of these events
	exact  string             // what may name a run
	before search.Cursor      // a page of events
	older  *criteria.Cursor   // a page of runs
}

// parseSearch reads q=, in the language of the list's filter, and older= or
// before=, from an earlier answer. Errors are *store.InputError, and
// *runquery.Error for q, which stands in text by then.
func parseSearch(q url.Values, now time.Time) (query searchQuery, err error) {
	values, err := web.Texts(q, "q")
	if err != nil {
		return query, err
	}
	query.text = strings.Join(values, " ")
	if query.older, err = criteria.ParseCursor(q.Get("older")); err != nil {
		return query, err
	}
	if query.before, err = search.ParseCursor(q.Get("before")); err != nil {
		return query, err
	}
	if query.older != nil && query.before.Before > 0 {
		return query, &criteria.InputError{Field: "before", Got: present.Clip(q.Get("before"), 64), Want: "given without older"}
	}
	var terms []criteria.Predicate
	if query.terms, terms, err = runview.TermsOf(query.text, now); err != nil {
		return query, err
	}
	for i, t := range query.terms.Terms {
		if t.Key != "" {
			query.only.Predicates = append(query.only.Predicates, terms[i])
			continue
		}
		v, prefix := t.Values[0], false
		if quoted := strings.HasPrefix(query.text[v.At:], `"`); !quoted {
			v.Text, prefix = strings.CutSuffix(v.Text, "*")
		}
		word, ok := search.ParseWord(v.Text, prefix, t.Not)
		if !ok {
			return query, query.terms.Fail(v, "has no letter and no digit", "a word, or words in quotes")
		}
		if word.TooShort() {
			return query, query.terms.Fail(v, "is too short to find what begins so", fmt.Sprintf("at least %d letters before the *", search.MinPrefix))
		}
		query.words = append(query.words, word)
		terms[i].Texts = []criteria.PredicateText{{Text: v.Text}}
		if len(terms) == 1 && !t.Not && !prefix {
			query.exact = v.Text
		}
	}
	query.runs = criteria.RunFilter{Predicates: terms, Older: query.older, Limit: searchRuns}
	return query, nil
}

// searchAnswer is what was found.
type searchAnswer struct {
	known bool             // false: there is no state database
	exact []wave.Run       // the run that is meant, if one is
	runs  criteria.RunPage // that say it of themselves, without exact
	found search.Found     // with events that say it
	of    map[string]wave.Run
	index search.Status // how much of all events was searched; zero without an index
}

// find answers a search: a page of events or of runs, or the first of both.
func (h *Handler) find(ctx context.Context, query searchQuery) (answer searchAnswer, err error) {
	answer.known = true
	if h.Index != nil {
		answer.index = h.Index.Status(ctx)
	}
	if len(query.terms.Terms) == 0 {
		return answer, nil
	}
	if query.before.Before == 0 {
		err = h.findRuns(ctx, query, &answer)
	}
	if err == nil && query.older == nil {
		err = h.findEvents(ctx, query, &answer)
	}
	if errors.Is(err, store.ErrUnavailable) {
		answer.known, err = false, nil // the layout says why
	}
	return answer, err
}

func (h *Handler) findRuns(ctx context.Context, query searchQuery, answer *searchAnswer) error {
	id := ""
	if query.exact != "" {
		found, err := h.Store.FindRuns(ctx, query.exact, 1)
		if err != nil {
			return err //nolint:wrapcheck // described by the error table
		}
		if found.Sure {
			id = found.IDs[0]
		}
	}
	var err error
	if answer.runs, err = h.Store.Runs(ctx, query.runs); err != nil {
		return err //nolint:wrapcheck // described by the error table
	}
	if id == "" {
		return nil
	}
	kept := answer.runs.Runs[:0:0]
	for _, run := range answer.runs.Runs {
		if run.ID != id {
			kept = append(kept, run)
		}
	}
	answer.runs.Runs = kept
	if query.older == nil {
		answer.exact, err = h.Store.RunsByID(ctx, []string{id})
	}
	return err //nolint:wrapcheck // described by the error table
}

func (h *Handler) findEvents(ctx context.Context, query searchQuery, answer *searchAnswer) error {
	if h.Index == nil || answer.index.State == search.Unusable {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, h.Budgets.Search)
	defer cancel()
	found, err := h.Index.Find(within, query.words, query.only, query.before)
	if errors.Is(err, search.ErrUnusable) {
		h.Log.WarnContext(ctx, "failed to search events", "err", err)
		answer.index.State, answer.index.Problem = search.Unusable, "the index cannot be read right now"
		return nil
	}
	if err != nil {
		return fmt.Errorf("search events: %w", err)
	}
	answer.found = found
	ids := make([]string, len(found.Runs))
	for i, r := range found.Runs {
		ids[i] = r.ID
	}
	runs, err := h.Store.RunsByID(ctx, ids)
	answer.of = make(map[string]wave.Run, len(runs))
	for _, run := range runs {
		answer.of[run.ID] = run
	}
	return err //nolint:wrapcheck // described by the error table
}

// showSearch is the page of a search.
func (h *Handler) showSearch(w http.ResponseWriter, r *http.Request) error {
	if h.WantsJSON(r) {
		return h.apiSearch(w, r)
	}
	query, err := parseSearch(r.URL.Query(), h.Now())
	view := views.SearchView{
		Layout: h.Layout(r, "search", "Search", ""), Text: query.text, Complete: h.CompleteURL("filter"), Known: true, AsText: present.Bounded(query.terms.AsText()),
	}
	if words := present.FirstLine(query.text); words != "" {
		view.Title += ": " + present.Clip(words, 120)
	}
	if wrong, ok := errors.AsType[*runquery.Error](err); ok {
		view.Wrong, view.Index = runview.WrongWord(wrong), h.searchIndexView(h.searchStatus(r.Context()), query.text)
		h.WriteHTML(w, r, http.StatusBadRequest, views.SearchPage(view))
		return nil
	}
	if err != nil {
		return err
	}
	if err := h.searchView(r.Context(), query, &view); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store") // the index grows without a change of the state
	h.WriteHTML(w, r, http.StatusOK, views.SearchPage(view))
	return nil
}

func (h *Handler) searchView(ctx context.Context, query searchQuery, view *views.SearchView) error {
	answer, err := h.find(ctx, query)
	if err != nil {
		return err
	}
	v := url.Values{"q": {query.text}}
	view.Known, view.Asked = answer.known, len(query.terms.Terms) > 0
	view.HasWords = query.words.Finds()
	view.Index = h.searchIndexView(answer.index, query.text)
	view.Forms = []views.Form{{Label: web.Labels[web.FormatJSON], Type: web.MediaTypes[web.FormatJSON][0], Href: h.Paths.APISearch(v)}}
	if view.Exact, err = h.RunRows(ctx, answer.exact, false); err != nil {
		return err
	}
	if view.Rows, err = h.RunRows(ctx, answer.runs.Runs, false); err != nil {
		return err
	}
	view.ListURL = h.Paths.Runs(v)
	if answer.runs.Older != nil {
		view.RunsMore = h.Paths.Search(runview.With(v, "older", answer.runs.Older.String()))
	}
	view.OnlyRuns, view.OnlyEvents = query.older != nil, query.before.Before > 0
	if view.OnlyRuns || view.OnlyEvents {
		view.First = h.Paths.Search(v)
	}
	keep := logKeep(query)
	for _, found := range answer.found.Runs {
		run, there := answer.of[found.ID]
		if !there {
			continue // deleted since
		}
		group := views.FoundRun{Run: present.Listed(present.RunRow(run)), More: found.More, LogURL: h.Paths.Log(run.ID, "", keep)}
		for _, hit := range found.Hits {
			group.Hits = append(group.Hits, views.FoundEvent{
				ID: hit.ID, Step: present.Redact(hit.Step), Word: present.Redact(hit.State), At: hit.At, Parts: snippetParts(hit.Snippet),
				Href: h.LogLine(run.ID, keep, hit.ID),
			})
		}
		view.Events = append(view.Events, group)
	}
	if next := answer.found.Next; next != nil {
		view.EventsMore = h.Paths.Search(runview.With(v, "before", next.String()))
		view.SearchedTo = next.Before
	}
	view.Tired = answer.found.Tired
	return nil
}

// logKeep is the filter that a log is opened with: it marks all of the hits where
// the search is for one word, for a log knows no more.
func logKeep(query searchQuery) url.Values {
	if len(query.words) != 1 || query.words[0].Not {
		return nil
	}
	for _, t := range query.terms.Terms {
		if t.Key == "" {
			return url.Values{"q": {strings.TrimSuffix(t.Values[0].Text, "*")}, "show": {"all"}}
		}
	}
	return nil
}

func snippetParts(parts []search.Part) []views.SnippetPart {
	list := make([]views.SnippetPart, len(parts))
	for i, p := range parts {
		list[i] = views.SnippetPart{Text: p.Text, Hit: p.Hit}
	}
	return list
}

func (h *Handler) searchStatus(ctx context.Context) search.Status {
	if h.Index == nil {
		return search.Status{}
	}
	return h.Index.Status(ctx)
}

// searchIndexView reports how much of all events is searched.
func (h *Handler) searchIndexView(status search.Status, text string) views.SearchIndex {
	v := views.SearchIndex{
		State: string(status.State), Percent: int(status.Share * 100), Events: status.Events, Of: status.Of,
		Bytes: status.Bytes, Problem: status.Problem,
	}
	switch status.State {
	case "":
		v.State = "off"
		return v
	case search.Building, search.Paused, search.Waiting:
		v.Refresh = h.Paths.SearchIndex(text)
	}
	v.Text, v.RebuildURL, v.CanRebuild = text, h.Paths.SearchRebuild(), !h.ReadOnly && status.State != search.Unusable
	return v
}

// showSearchIndex is a fragment: how far the index is.
func (h *Handler) showSearchIndex(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Texts(r.URL.Query(), "q")
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	view := views.SearchView{Layout: views.Layout{Paths: h.Paths}, Index: h.searchIndexView(h.searchStatus(r.Context()), strings.Join(values, " "))}
	h.WriteHTML(w, r, http.StatusOK, views.SearchIndexPanel(view))
	return nil
}

// rebuildSearch builds the index again.
func (h *Handler) rebuildSearch(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadBody(r, "q")
	if err != nil {
		return err
	}
	if values, err = oneText(values, "q"); err != nil {
		return err
	}
	if h.Index == nil {
		return &web.Error{Status: http.StatusConflict, Text: "events are not indexed here", Next: "Start the server with --search on."}
	}
	if err := h.Index.Rebuild(r.Context()); err != nil {
		status := h.Index.Status(r.Context())
		return &web.Error{Status: http.StatusServiceUnavailable, Text: "failed to rebuild the search index: " + status.Problem, Err: err}
	}
	audit.RecordOf(r.Context()).Note("rebuilding the search index")
	if h.WantsJSON(r) {
		h.WriteJSON(w, r, http.StatusAccepted, indexSummaryOf(h.Index.Status(r.Context())))
		return nil
	}
	http.Redirect(w, r, h.Paths.Search(values), http.StatusSeeOther) //nolint:gosec // our own page
	return nil
}

// oneText keeps one checked value of a field, or none.
func oneText(values url.Values, key string) (url.Values, error) {
	given, err := web.Texts(values, key)
	if err != nil || len(given) == 0 {
		return nil, err
	}
	return url.Values{key: given[:1]}, nil
}
