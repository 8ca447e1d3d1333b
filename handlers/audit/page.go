package audit

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"wavedeck/handlers/web"
	"wavedeck/store/appdb"
	"wavedeck/store/criteria"
	"wavedeck/views"
)

// auditQuery reads the parameters of the audit page: who=, action=, run=,
// older= and limit=. Links keep values. Errors are *store.InputError.
func auditQuery(q url.Values) (f appdb.AuditFilter, values url.Values, err error) {
	values = url.Values{}
	for key, field := range map[string]*string{"who": &f.Who, "action": &f.Action, "run": &f.Run} {
		given, err := web.Texts(q, key)
		if err != nil {
			return f, nil, err
		}
		if len(given) > 0 {
			*field = given[0]
			values.Set(key, given[0])
		}
	}
	f.Older = web.FirstOf(q, "older", "cursor")
	if f.Limit, err = criteria.ParseLimit(q.Get("limit")); err != nil {
		return f, nil, err
	}
	if f.Limit != criteria.DefaultLimit {
		values.Set("limit", strconv.Itoa(f.Limit))
	}
	return f, values, nil
}

// auditPage reads what the address asks for.
func (t *Trail) auditPage(r *http.Request) (appdb.AuditPage, appdb.AuditFilter, url.Values, error) {
	f, values, err := auditQuery(r.URL.Query())
	if err != nil {
		return appdb.AuditPage{}, f, nil, err
	}
	page, err := t.Data.Audit(r.Context(), f)
	if errors.Is(err, appdb.ErrCursor) {
		err = &web.Error{
			Status: http.StatusGone, Text: "this position in the audit log no longer exists", Err: err,
			Next: "The log may have been rotated. The newest entries are at " + t.Paths.Audit(values) + ".",
		}
	}
	return page, f, values, err
}

func (t *Trail) listAudit(w http.ResponseWriter, r *http.Request) error {
	page, f, values, err := t.auditPage(r)
	if err != nil {
		return err
	}
	v := views.AuditView{
		Layout: t.Layout(r, "audit", "Audit", "list=1"),
		Who:    f.Who, Action: f.Action, Run: f.Run, Narrow: f.Who+f.Action+f.Run != "",
		Actions: t.Actions, Searched: page.Searched, Damaged: page.Damaged,
		Where: filepath.Join(t.Data.Dir(), "audit.jsonl"),
	}
	if f.Older == "" {
		v.Refresh = t.Paths.Audit(values)
	} else {
		v.Newest = t.Paths.Audit(values)
	}
	if page.Next != "" {
		older := maps.Clone(values)
		older.Set("older", page.Next)
		v.OlderURL = t.Paths.Audit(older)
	}
	for _, e := range page.Entries {
		v.Rows = append(v.Rows, auditRow(e.Entry))
	}
	w.Header().Set("Cache-Control", "no-store")
	component := views.AuditPage(v)
	if web.IsFragment(r) {
		component = views.AuditTable(v)
	}
	t.WriteHTML(w, r, http.StatusOK, component)
	return nil
}

func auditRow(e appdb.Entry) views.AuditRow {
	row := views.AuditRow{
		At: e.At, Who: e.Who, Says: e.Says, From: e.From, Action: e.Action, Word: string(e.Result), Status: e.Status,
		Run: e.Run, Runs: e.Runs, Pipeline: e.Pipeline, Note: e.Note, Error: e.Error, Request: e.Request,
	}
	switch e.Result {
	case appdb.Done:
		row.State = "succeeded"
	case appdb.Refused:
		row.State = "rejected"
	default:
		row.State = "failed"
	}
	for _, name := range slices.Sorted(maps.Keys(e.Params)) {
		row.Params = append(row.Params, views.Pair{Name: name, Value: e.Params[name]})
	}
	return row
}

type auditResponse struct {
	Entries    []appdb.Entry `json:"entries"`
	NextCursor string        `json:"next_cursor,omitempty"`
	HasMore    bool          `json:"has_more"`
	Searched   *time.Time    `json:"searched_back_to,omitempty"` // a filter gave up here before the page was full; next_cursor goes on
	Damaged    int           `json:"damaged_lines,omitempty"`
}

func (t *Trail) apiAudit(w http.ResponseWriter, r *http.Request) error {
	page, _, _, err := t.auditPage(r)
	if err != nil {
		return err
	}
	body := auditResponse{Entries: []appdb.Entry{}, NextCursor: page.Next, HasMore: page.Next != "", Damaged: page.Damaged}
	if !page.Searched.IsZero() {
		body.Searched = &page.Searched
	}
	for _, e := range page.Entries {
		body.Entries = append(body.Entries, e.Entry)
	}
	w.Header().Set("Cache-Control", "no-store")
	t.WriteJSON(w, r, http.StatusOK, body)
	return nil
}
