package handlers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"wavedeck/handlers/runquery"
	"wavedeck/store"
	"wavedeck/store/criteria"
	"wavedeck/store/redact"
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

// MessageForm names what ShownMessage does. It goes up with each change of that,
// so that no index holds what is hidden now.
const MessageForm = "3"

// ShownMessage is what a reader may see of an event's message: as a terminal shows
// it, without colours and secrets. Only that is indexed.
func ShownMessage(message string) string { return plainText(terminal(message)) }

// Shown is what a reader may see of a recorded text, without secrets.
func Shown(text string) string { return redacted(text) }

// Across hides private keys of which each line is an event.
func Across() store.Across { return redact.Keys{} }

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
	values, err := texts(q, "q")
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
		return query, &criteria.InputError{Field: "before", Got: clip(q.Get("before"), 64), Want: "given without older"}
	}
	var terms []criteria.Predicate
	if query.terms, terms, err = termsOf(query.text, now); err != nil {
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
	index search.Status // how much of all events was looked through; zero without an index
}

// find answers a search: a page of events or of runs, or the first of both.
func (s *Server) find(ctx context.Context, query searchQuery) (answer searchAnswer, err error) {
	answer.known = true
	if s.search != nil {
		answer.index = s.search.Status(ctx)
	}
	if len(query.terms.Terms) == 0 {
		return answer, nil
	}
	if query.before.Before == 0 {
		err = s.findRuns(ctx, query, &answer)
	}
	if err == nil && query.older == nil {
		err = s.findEvents(ctx, query, &answer)
	}
	if errors.Is(err, store.ErrUnavailable) {
		answer.known, err = false, nil // the chrome says why
	}
	return answer, err
}

func (s *Server) findRuns(ctx context.Context, query searchQuery, answer *searchAnswer) error {
	id := ""
	if query.exact != "" {
		found, err := s.store.FindRuns(ctx, query.exact, 1)
		if err != nil {
			return err //nolint:wrapcheck // described by the error table
		}
		if found.Sure {
			id = found.IDs[0]
		}
	}
	var err error
	if answer.runs, err = s.store.Runs(ctx, query.runs); err != nil {
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
		answer.exact, err = s.store.RunsByID(ctx, []string{id})
	}
	return err //nolint:wrapcheck // described by the error table
}

func (s *Server) findEvents(ctx context.Context, query searchQuery, answer *searchAnswer) error {
	if s.search == nil || answer.index.State == search.Unusable {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, s.budgets.Search)
	defer cancel()
	found, err := s.search.Find(within, query.words, query.only, query.before)
	if errors.Is(err, search.ErrUnusable) {
		s.log.WarnContext(ctx, "search events", "error", err)
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
	runs, err := s.store.RunsByID(ctx, ids)
	answer.of = make(map[string]wave.Run, len(runs))
	for _, run := range runs {
		answer.of[run.ID] = run
	}
	return err //nolint:wrapcheck // described by the error table
}

// showSearch is the page of a search.
func (s *Server) showSearch(w http.ResponseWriter, r *http.Request) error {
	if s.wantsJSON(r) {
		return s.apiSearch(w, r)
	}
	query, err := parseSearch(r.URL.Query(), s.now())
	view := views.SearchView{
		Chrome: s.chrome(r, "search", "Search", ""), Text: query.text, Complete: s.completeURL("filter"), Known: true, AsText: bounded(query.terms.AsText()),
	}
	if words := firstLine(query.text); words != "" {
		view.Title += ": " + clip(words, 120)
	}
	if wrong, ok := errors.AsType[*runquery.Error](err); ok {
		view.Wrong, view.Index = wrongWord(wrong), s.searchIndexView(s.searchStatus(r.Context()), query.text)
		s.writeHTML(w, r, http.StatusBadRequest, views.SearchPage(view))
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.searchView(r.Context(), query, &view); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store") // the index grows without a change of the state
	s.writeHTML(w, r, http.StatusOK, views.SearchPage(view))
	return nil
}

func (s *Server) searchView(ctx context.Context, query searchQuery, view *views.SearchView) error {
	answer, err := s.find(ctx, query)
	if err != nil {
		return err
	}
	v := url.Values{"q": {query.text}}
	view.Known, view.Asked = answer.known, len(query.terms.Terms) > 0
	view.HasWords = query.words.Finds()
	view.Index = s.searchIndexView(answer.index, query.text)
	view.Forms = []views.Form{{Label: labels[formJSON], Type: mediaTypes[formJSON][0], Href: s.paths.APISearch(v)}}
	if view.Exact, err = s.runRows(ctx, answer.exact, false); err != nil {
		return err
	}
	if view.Rows, err = s.runRows(ctx, answer.runs.Runs, false); err != nil {
		return err
	}
	view.ListURL = s.paths.Runs(v)
	if answer.runs.Older != nil {
		view.RunsMore = s.paths.Search(with(v, "older", answer.runs.Older.String()))
	}
	view.OnlyRuns, view.OnlyEvents = query.older != nil, query.before.Before > 0
	if view.OnlyRuns || view.OnlyEvents {
		view.First = s.paths.Search(v)
	}
	keep := logKeep(query)
	for _, found := range answer.found.Runs {
		run, there := answer.of[found.ID]
		if !there {
			continue // deleted since
		}
		group := views.FoundRun{Run: listed(runRow(run)), More: found.More, LogURL: s.paths.Log(run.ID, "", keep)}
		for _, hit := range found.Hits {
			group.Hits = append(group.Hits, views.FoundEvent{
				ID: hit.ID, Step: shown(hit.Step), Word: shown(hit.State), At: hit.At, Parts: snippetParts(hit.Snippet),
				Href: s.logLine(run.ID, keep, hit.ID),
			})
		}
		view.Events = append(view.Events, group)
	}
	if next := answer.found.Next; next != nil {
		view.EventsMore = s.paths.Search(with(v, "before", next.String()))
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

func (s *Server) searchStatus(ctx context.Context) search.Status {
	if s.search == nil {
		return search.Status{}
	}
	return s.search.Status(ctx)
}

// searchIndexView tells how much of all events is searched.
func (s *Server) searchIndexView(status search.Status, text string) views.SearchIndex {
	v := views.SearchIndex{
		State: string(status.State), Percent: int(status.Share * 100), Events: status.Events, Of: status.Of,
		Bytes: status.Bytes, Problem: status.Problem,
	}
	switch status.State {
	case "":
		v.State = "off"
		return v
	case search.Building, search.Paused, search.Waiting:
		v.Refresh = s.paths.SearchIndex(text)
	}
	v.Text, v.RebuildURL, v.CanRebuild = text, s.paths.SearchRebuild(), !s.readOnly && status.State != search.Unusable
	return v
}

// showSearchIndex is a fragment: how far the index is.
func (s *Server) showSearchIndex(w http.ResponseWriter, r *http.Request) error {
	values, err := texts(r.URL.Query(), "q")
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	view := views.SearchView{Chrome: views.Chrome{Paths: s.paths}, Index: s.searchIndexView(s.searchStatus(r.Context()), strings.Join(values, " "))}
	s.writeHTML(w, r, http.StatusOK, views.SearchIndexPanel(view))
	return nil
}

// rebuildSearch has the index made anew.
func (s *Server) rebuildSearch(w http.ResponseWriter, r *http.Request) error {
	values, err := readBody(r, "q")
	if err != nil {
		return err
	}
	if values, err = oneText(values, "q"); err != nil {
		return err
	}
	if s.search == nil {
		return &httpError{status: http.StatusConflict, text: "events are not indexed here", next: "Start the server with --search on."}
	}
	if err := s.search.Rebuild(r.Context()); err != nil {
		status := s.search.Status(r.Context())
		return &httpError{status: http.StatusServiceUnavailable, text: "the index cannot be made anew: " + status.Problem, err: err}
	}
	acting(r.Context()).note("the index of events is made anew")
	if s.wantsJSON(r) {
		s.writeJSON(w, r, http.StatusAccepted, indexSummaryOf(s.search.Status(r.Context())))
		return nil
	}
	http.Redirect(w, r, s.paths.Search(values), http.StatusSeeOther)
	return nil
}

// oneText keeps one checked value of a field, or none.
func oneText(values url.Values, key string) (url.Values, error) {
	given, err := texts(values, key)
	if err != nil || len(given) == 0 {
		return nil, err
	}
	return url.Values{key: given[:1]}, nil
}

// commandSearch searches for the rest of a command.
func (s *Server) commandSearch(_ context.Context, c *command) (string, error) {
	text := c.text[c.restAt():]
	_, _, err := termsOf(text, s.now())
	if word, ok := errors.AsType[*runquery.Error](err); ok {
		return "", &commandError{word: word.Within(c.text, c.restAt())}
	}
	if err != nil || text == "" {
		return s.paths.Search(nil), err
	}
	return s.paths.Search(url.Values{"q": {text}}), nil
}
