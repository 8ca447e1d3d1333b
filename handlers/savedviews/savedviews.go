package savedviews

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"wavedeck/handlers/audit"
	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/store/appdb"
	"wavedeck/store/criteria"
	"wavedeck/views"
	"wavedeck/views/address"
)

// A saved view is a name for the address of a list: what narrows it, and
// nothing of the place in it.

const maxViewName = 80

type viewsResponse struct {
	Views []runview.ViewSummary `json:"views"`
}

func (h *Handler) apiViews(w http.ResponseWriter, r *http.Request) error {
	list, err := h.ViewSummaries(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	h.WriteJSON(w, r, http.StatusOK, viewsResponse{Views: list})
	return nil
}

// listViews is the page of the saved views. With query= it offers to save that.
func (h *Handler) listViews(w http.ResponseWriter, r *http.Request) error {
	return h.showViews(w, r, http.StatusOK, r.URL.Query(), nil)
}

// showViews is the page with what was filled in, and what is wrong with it.
func (h *Handler) showViews(w http.ResponseWriter, r *http.Request, status int, values url.Values, wrong error) error {
	list, err := h.ViewSummaries(r.Context())
	if err != nil {
		return err
	}
	view := views.SavedViews{Layout: h.Layout(r, "runs", "Views", ""), Action: h.Paths.View("", "")}
	view.Name, view.Query = present.Clip(strings.ToValidUTF8(values.Get("name"), "?"), web.MaxFilter), present.Clip(strings.ToValidUTF8(values.Get("query"), "?"), web.MaxName)
	if wrong != nil {
		failure := web.Describe(wrong)
		view.Problem, view.Next = failure.Text, failure.Next
	}
	for i, v := range list {
		q, _ := url.ParseQuery(v.Query)
		id := strconv.FormatInt(v.ID, 10)
		view.Rows = append(view.Rows, present.Bounded(views.SavedView{
			ID: id, Number: v.Number, Name: v.Name, Words: runview.FilterWords(q), URL: h.ViewLink(v), Link: h.Paths.View(id, ""),
			Rename: h.Paths.View(id, "rename"), Move: h.Paths.View(id, "move"), Remove: h.Paths.View(id, "delete"),
			Webhook: h.Paths.Webhook(id, ""), First: i == 0, Last: i == len(list)-1,
		}))
	}
	w.Header().Set("Cache-Control", "no-store")
	h.WriteHTML(w, r, status, views.ViewsPage(view))
	return nil
}

// openView leads to the list that a view names: its address to share.
func (h *Handler) openView(w http.ResponseWriter, r *http.Request) error {
	id, err := runview.ViewID(r)
	if err != nil {
		return err
	}
	v, err := h.Data.SavedView(r.Context(), id)
	if err != nil {
		return runview.ViewError(err)
	}
	q, _ := url.ParseQuery(v.Query)
	http.Redirect(w, r, h.Paths.Runs(address.DecodeQuery(q)), http.StatusSeeOther)
	return nil
}

// viewName is a name that can be read as one.
func viewName(values url.Values) (string, error) {
	name := strings.Join(strings.Fields(values.Get("name")), " ")
	wrong := func(want string) error {
		return &criteria.InputError{Field: "name", Got: present.Clip(name, 64), Want: want}
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
func (h *Handler) viewQuery(text string) (string, error) {
	if len(text) > web.MaxName {
		return "", &criteria.InputError{Field: "query", Got: present.Clip(text, 64), Want: "at most " + strconv.Itoa(web.MaxName) + " bytes"}
	}
	q, err := url.ParseQuery(strings.TrimPrefix(text, "?"))
	if err != nil {
		return "", &criteria.InputError{Field: "query", Got: present.Clip(text, 64), Want: "the query of a list's address, such as state=failed&since=24h"}
	}
	query, err := runview.ParseRunsQuery(q, h.Now())
	if err != nil {
		return "", err
	}
	return address.EncodeQuery(query.Values).Encode(), nil
}

// saveView keeps a list under a name.
func (h *Handler) saveView(w http.ResponseWriter, r *http.Request) error {
	values, err := web.ReadBody(r, "name", "query")
	if err != nil {
		return err
	}
	name, err := viewName(values)
	var query string
	if err == nil {
		query, err = h.viewQuery(values.Get("query"))
	}
	var kept appdb.SavedView
	if err == nil {
		audit.RecordOf(r.Context()).Param("name", name)
		audit.RecordOf(r.Context()).Param("query", query)
		kept, err = h.Data.AddSavedView(r.Context(), name, query)
	}
	if err != nil {
		return h.refuseView(w, r, values, runview.ViewError(err))
	}
	h.Shared.Acted.Add(1)
	q, _ := url.ParseQuery(query)
	if h.WantsJSON(r) {
		list, err := h.ViewSummaries(r.Context())
		if err != nil {
			return err
		}
		for _, v := range list {
			if v.ID == kept.ID {
				h.WriteJSON(w, r, http.StatusCreated, v)
			}
		}
		return nil
	}
	http.Redirect(w, r, h.Paths.Runs(address.DecodeQuery(q)), http.StatusSeeOther) //nolint:gosec // our own page
	return nil
}

// refuseView shows the page again, with what was typed and what is wrong.
func (h *Handler) refuseView(w http.ResponseWriter, r *http.Request, values url.Values, err error) error {
	failure := web.Describe(err)
	if h.WantsJSON(r) || failure.Status != http.StatusBadRequest && failure.Status != http.StatusConflict {
		return err
	}
	return h.showViews(w, r, failure.Status, values, err)
}

// changeView carries out a change of one view and leads back to the page.
func (h *Handler) changeView(change func(context.Context, int64, url.Values) error, fields ...string) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := runview.ViewID(r)
		if err != nil {
			return err
		}
		values, err := web.ReadBody(r, fields...)
		if err != nil {
			return err
		}
		audit.RecordOf(r.Context()).Param("view", strconv.FormatInt(id, 10))
		for _, f := range fields {
			audit.RecordOf(r.Context()).Param(f, values.Get(f))
		}
		if err := change(r.Context(), id, values); err != nil {
			return h.refuseView(w, r, url.Values{}, runview.ViewError(err))
		}
		h.Shared.Acted.Add(1)
		if h.WantsJSON(r) {
			return h.apiViews(w, r)
		}
		http.Redirect(w, r, h.Paths.View("", ""), http.StatusSeeOther)
		return nil
	}
}

func (h *Handler) renameView(ctx context.Context, id int64, values url.Values) error {
	name, err := viewName(values)
	if err != nil {
		return err
	}
	return h.Data.RenameSavedView(ctx, id, name) //nolint:wrapcheck // described by ViewError
}

func (h *Handler) moveView(ctx context.Context, id int64, values url.Values) error {
	to := values.Get("to")
	if to != "up" && to != "down" {
		return &criteria.InputError{Field: "to", Got: present.Clip(to, 64), Want: "up or down"}
	}
	return h.Data.MoveSavedView(ctx, id, to == "up") //nolint:wrapcheck // described by ViewError
}

func (h *Handler) deleteView(ctx context.Context, id int64, _ url.Values) error {
	return h.Data.RemoveSavedView(ctx, id) //nolint:wrapcheck // described by ViewError
}
