package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"wavedeck/store/appdb"
	"wavedeck/store/criteria"
	"wavedeck/views"
	"wavedeck/views/address"
)

// A saved view is a name for the address of a list: what narrows it, and
// nothing of the place in it.

const maxViewName = 80

type viewSummary struct {
	ID     int64  `json:"id"`
	Number int    `json:"number"` // its place, from 1
	Name   string `json:"name"`
	Query  string `json:"query"` // of /runs and /api/runs
	URL    string `json:"url"`
}

type viewsResponse struct {
	Views []viewSummary `json:"views"`
}

func (s *Server) viewSummaries(ctx context.Context) ([]viewSummary, error) {
	kept, err := s.desk.SavedViews(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // described by the error table
	}
	list := []viewSummary{}
	for i, v := range kept {
		q, _ := url.ParseQuery(v.Query) // checked when it was kept
		list = append(list, viewSummary{ID: v.ID, Number: i + 1, Name: v.Name, Query: v.Query, URL: s.paths.Runs(address.DecodeQuery(q))})
	}
	return list, nil
}

// viewLink leads to the list that a view names. Every list has all these links, so
// a long one goes by the view.
func (s *Server) viewLink(v viewSummary) string {
	if len(v.URL) > textShown {
		return s.paths.View(strconv.FormatInt(v.ID, 10), "")
	}
	return v.URL
}

// viewOptions are the views as links above a list, which shows q. A desk that
// cannot be read has none: the chrome says why.
func (s *Server) viewOptions(ctx context.Context, q url.Values) []views.Option {
	list, err := s.viewSummaries(ctx)
	if err != nil {
		return nil
	}
	var options []views.Option
	for _, v := range list {
		options = append(options, views.Option{Label: v.Name, Value: strconv.Itoa(v.Number), Count: -1, Href: s.viewLink(v), On: v.Query == address.EncodeQuery(q).Encode()})
	}
	return options
}

func (s *Server) apiViews(w http.ResponseWriter, r *http.Request) error {
	list, err := s.viewSummaries(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	s.writeJSON(w, r, http.StatusOK, viewsResponse{Views: list})
	return nil
}

// listViews is the page of the saved views. With query= it offers to save that.
func (s *Server) listViews(w http.ResponseWriter, r *http.Request) error {
	return s.showViews(w, r, http.StatusOK, r.URL.Query(), nil)
}

// showViews is the page with what was filled in, and what is wrong with it.
func (s *Server) showViews(w http.ResponseWriter, r *http.Request, status int, values url.Values, wrong error) error {
	list, err := s.viewSummaries(r.Context())
	if err != nil {
		return err
	}
	view := views.SavedViews{Chrome: s.chrome(r, "runs", "Views", ""), Action: s.paths.View("", "")}
	view.Name, view.Query = clip(strings.ToValidUTF8(values.Get("name"), "?"), maxFilter), clip(strings.ToValidUTF8(values.Get("query"), "?"), maxName)
	if wrong != nil {
		told := describe(wrong)
		view.Problem, view.Next = told.text, told.next
	}
	for i, v := range list {
		q, _ := url.ParseQuery(v.Query)
		id := strconv.FormatInt(v.ID, 10)
		view.Rows = append(view.Rows, bounded(views.SavedView{
			ID: id, Number: v.Number, Name: v.Name, Words: filterWords(q), URL: s.viewLink(v), Link: s.paths.View(id, ""),
			Rename: s.paths.View(id, "rename"), Move: s.paths.View(id, "move"), Remove: s.paths.View(id, "delete"),
			Hook: s.paths.Hook(id, ""), First: i == 0, Last: i == len(list)-1,
		}))
	}
	w.Header().Set("Cache-Control", "no-store")
	s.writeHTML(w, r, status, views.ViewsPage(view))
	return nil
}

// openView leads to the list that a view names: its address to share.
func (s *Server) openView(w http.ResponseWriter, r *http.Request) error {
	id, err := viewID(r)
	if err != nil {
		return err
	}
	v, err := s.desk.SavedView(r.Context(), id)
	if err != nil {
		return viewError(err)
	}
	q, _ := url.ParseQuery(v.Query)
	http.Redirect(w, r, s.paths.Runs(address.DecodeQuery(q)), http.StatusSeeOther)
	return nil
}

func viewID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(muxVar(r, "view"), 10, 64)
	if err != nil {
		return 0, viewError(appdb.ErrNotFound)
	}
	return id, nil
}

// viewError is what a client is told of an error of the desk.
func viewError(err error) error {
	switch {
	case errors.Is(err, appdb.ErrNotFound):
		return &httpError{status: http.StatusNotFound, text: "there is no such view", next: "Somebody may have deleted it.", err: err}
	case errors.Is(err, appdb.ErrTaken):
		return &httpError{status: http.StatusConflict, text: "another view has this name", next: "Choose another name, or rename or delete that one first.", err: err}
	case errors.Is(err, appdb.ErrFull):
		return &httpError{status: http.StatusConflict, text: "there are " + strconv.Itoa(appdb.MaxViews) + " views already", next: "Delete one first.", err: err}
	default:
		return err
	}
}

// viewName is a name that can be read as one.
func viewName(values url.Values) (string, error) {
	name := strings.Join(strings.Fields(values.Get("name")), " ")
	wrong := func(want string) error {
		return &criteria.InputError{Field: "name", Got: clip(name, 64), Want: want}
	}
	switch {
	case name == "":
		return "", wrong("a name")
	case utf8.RuneCountInString(name) > maxViewName:
		return "", wrong("at most " + strconv.Itoa(maxViewName) + " characters")
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "", wrong("printable characters only")
	default:
		return name, nil
	}
}

// viewQuery is what of a list's address is kept, once it can be read.
func (s *Server) viewQuery(text string) (string, error) {
	if len(text) > maxName {
		return "", &criteria.InputError{Field: "query", Got: clip(text, 64), Want: "at most " + strconv.Itoa(maxName) + " bytes"}
	}
	q, err := url.ParseQuery(strings.TrimPrefix(text, "?"))
	if err != nil {
		return "", &criteria.InputError{Field: "query", Got: clip(text, 64), Want: "the query of a list's address, such as state=failed&since=24h"}
	}
	query, err := parseRunsQuery(q, s.now())
	if err != nil {
		return "", err
	}
	return address.EncodeQuery(query.values).Encode(), nil
}

// saveView keeps a list under a name.
func (s *Server) saveView(w http.ResponseWriter, r *http.Request) error {
	values, err := readBody(r, "name", "query")
	if err != nil {
		return err
	}
	name, err := viewName(values)
	var query string
	if err == nil {
		query, err = s.viewQuery(values.Get("query"))
	}
	var kept appdb.SavedView
	if err == nil {
		acting(r.Context()).with("name", name)
		acting(r.Context()).with("query", query)
		kept, err = s.desk.AddSavedView(r.Context(), name, query)
	}
	if err != nil {
		return s.refuseView(w, r, values, viewError(err))
	}
	s.acted.Add(1)
	q, _ := url.ParseQuery(query)
	if s.wantsJSON(r) {
		list, err := s.viewSummaries(r.Context())
		if err != nil {
			return err
		}
		for _, v := range list {
			if v.ID == kept.ID {
				s.writeJSON(w, r, http.StatusCreated, v)
			}
		}
		return nil
	}
	http.Redirect(w, r, s.paths.Runs(address.DecodeQuery(q)), http.StatusSeeOther)
	return nil
}

// refuseView shows the page again, with what was typed and what is wrong.
func (s *Server) refuseView(w http.ResponseWriter, r *http.Request, values url.Values, err error) error {
	told := describe(err)
	if s.wantsJSON(r) || told.status != http.StatusBadRequest && told.status != http.StatusConflict {
		return err
	}
	return s.showViews(w, r, told.status, values, err)
}

// changeView carries out a change of one view and leads back to the page.
func (s *Server) changeView(change func(context.Context, int64, url.Values) error, fields ...string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := viewID(r)
		if err != nil {
			return err
		}
		values, err := readBody(r, fields...)
		if err != nil {
			return err
		}
		acting(r.Context()).with("view", strconv.FormatInt(id, 10))
		for _, f := range fields {
			acting(r.Context()).with(f, values.Get(f))
		}
		if err := change(r.Context(), id, values); err != nil {
			return s.refuseView(w, r, url.Values{}, viewError(err))
		}
		s.acted.Add(1)
		if s.wantsJSON(r) {
			return s.apiViews(w, r)
		}
		http.Redirect(w, r, s.paths.View("", ""), http.StatusSeeOther)
		return nil
	}
}

func (s *Server) renameView(ctx context.Context, id int64, values url.Values) error {
	name, err := viewName(values)
	if err != nil {
		return err
	}
	return s.desk.RenameSavedView(ctx, id, name) //nolint:wrapcheck // described by viewError
}

func (s *Server) moveView(ctx context.Context, id int64, values url.Values) error {
	to := values.Get("to")
	if to != "up" && to != "down" {
		return &criteria.InputError{Field: "to", Got: clip(to, 64), Want: "up or down"}
	}
	return s.desk.MoveSavedView(ctx, id, to == "up") //nolint:wrapcheck // described by viewError
}

func (s *Server) deleteView(ctx context.Context, id int64, _ url.Values) error {
	return s.desk.RemoveSavedView(ctx, id) //nolint:wrapcheck // described by viewError
}
