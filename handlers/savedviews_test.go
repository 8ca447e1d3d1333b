package handlers_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"wavedeck/handlers"
)

// submit posts a form.
func (s *site) submit(path string, pairs ...string) reply {
	s.t.Helper()
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return s.send(path, values.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// saved are the names of the views above the list, with their numbers.
func (s *site) saved() string {
	s.t.Helper()
	var names []string
	s.get("/runs").doc().Find("#views a").Each(func(_ int, a *goquery.Selection) { names = append(names, strings.TrimSpace(a.Text())) })
	return strings.Join(names, ", ")
}

func TestSavedViews(t *testing.T) {
	s := openSample(t).ready()
	list := s.get("/runs?q=status%3Afailed&pipeline=flaky-integration&older=eyJ0IjoxLCJpZCI6ImEifQ").doc()
	query := list.Find("#save-view input[name=query]").AttrOr("value", "")
	if query != "pipeline=flaky-integration&q=status%3Afailed" {
		t.Fatalf("the form keeps %q", query)
	}
	if r := s.submit("/views", "name", "  on  call ", "query", query); r.status != http.StatusSeeOther || r.header.Get("Location") != "/runs?"+query {
		t.Fatalf("saved: %d to %s: %s", r.status, r.header.Get("Location"), clip(r.body))
	}
	const hostile = `<img src=x onerror=alert(1)> "quoted" & more`
	for _, name := range []string{hostile, "lost"} {
		s.submit("/views", "name", name, "query", "q=status%3Alost")
	}
	if got, want := s.saved(), "1 on call, 2 "+hostile+", 3 lost, Edit views"; got != want {
		t.Errorf("the list shows %s, want %s", got, want)
	}
	if on := s.get("/runs?" + query).doc().Find("#views a[aria-current]").Text(); on != "1 on call" {
		t.Errorf("the view that is open is %q", on)
	}
	views := s.get("/api/views").object()["views"].([]any)
	if len(views) != 3 || views[0].(object)["name"] != "on call" || views[2].(object)["number"] != 3.0 {
		t.Fatalf("the JSON has %v", views)
	}
	t.Run("a view has an address to share", func(t *testing.T) {
		page := s.as(t).get("/views").doc()
		link := page.Find("table.defs tr:first-child a.dim").First().AttrOr("href", "")
		if r := s.as(t).get(link); r.status != http.StatusSeeOther || r.header.Get("Location") != "/runs?"+query {
			t.Errorf("%s leads to %d %s", link, r.status, r.header.Get("Location"))
		}
	})
	t.Run("a command opens it by name, number or beginning", func(t *testing.T) {
		for text, want := range map[string]string{`view "on call"`: "/runs?" + query, "view 3": "/runs?q=status%3Alost", "view LO": "/runs?q=status%3Alost", "view": "/views"} {
			if to := s.as(t).get("/cmd?q=" + url.QueryEscape(text)).header.Get("Location"); to != want {
				t.Errorf("%s leads to %q, want %q", text, to, want)
			}
		}
		if r := s.as(t).get("/cmd?q=view+losst"); r.status != 400 || !strings.Contains(r.text("#cmd-q-wrong"), "“lost”") {
			t.Errorf("a view that is not there: %d", r.status)
		}
	})
	t.Run("it is moved, renamed and deleted by forms", func(t *testing.T) {
		s := s.as(t)
		row := s.get("/views").doc().Find("table.defs tbody tr").Last()
		action := func(of string) string { return row.Find("form[action$='/"+of+"']").AttrOr("action", "") }
		if r := s.submit(action("move"), "to", "up"); r.status != http.StatusSeeOther || r.header.Get("Location") != "/views" {
			t.Fatalf("moved: %d %s", r.status, clip(r.body))
		}
		s.submit(action("rename"), "name", "gone")
		if got := s.saved(); !strings.HasPrefix(got, "1 on call, 2 gone, 3 <img") {
			t.Errorf("the list shows %s", got)
		}
		s.submit(action("delete"))
		if got := s.saved(); strings.Contains(got, "gone") {
			t.Errorf("the list shows %s", got)
		}
		if r := s.submit(action("delete")); r.status != http.StatusNotFound {
			t.Errorf("deleted twice: %d", r.status)
		}
	})
	t.Run("what is wrong is told, and what was typed is kept", func(t *testing.T) {
		s := s.as(t)
		for name, c := range map[string]struct {
			name, query, says string
			status            int
		}{
			"no name":         {" ", "q=x", "name", 400},
			"a long name":     {strings.Repeat("x", 81), "q=x", "80 characters", 400},
			"a name unseen":   {"a\u202eb", "q=x", "printable", 400},
			"a taken name":    {"ON CALL", "q=x", "another view", 409},
			"a wrong filter":  {"new", "q=statsu%3Ax", "statsu", 400},
			"a wrong address": {"new", "state=nowhere", "nowhere", 400},
			"no address":      {"new", "%zz", "query", 400},
		} {
			r := s.submit("/views", "name", c.name, "query", c.query)
			if r.status != c.status || !strings.Contains(r.text("#view-problem"), c.says) {
				t.Errorf("%s: %d %s", name, r.status, clip(r.body))
				continue
			}
			if got := r.doc().Find("#new-view ~ form input[name=query]").AttrOr("value", ""); got != c.query {
				t.Errorf("%s: the form holds %q", name, got)
			}
			body := s.send("/api/views", `{"name": `+jsonText(c.name)+`, "query": `+jsonText(c.query)+`}`, "Content-Type", "application/json")
			if body.status != c.status || body.object()["error"] == "" {
				t.Errorf("%s: the JSON says %d %s", name, body.status, body.body)
			}
		}
		for path, status := range map[string]int{"/views/99": 404, "/views/x": 404, "/views/99999999999999999999": 404} {
			if r := s.get(path); r.status != status {
				t.Errorf("%s: %d", path, r.status)
			}
		}
	})
	t.Run("another site cannot save one", func(t *testing.T) {
		r := s.as(t).send("/views", "name=x&query=", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site")
		if r.status != http.StatusForbidden {
			t.Errorf("status %d", r.status)
		}
	})
	t.Run("JSON saves one and tells it", func(t *testing.T) {
		r := s.as(t).send("/api/views", `{"name": "by program", "query": "?state=failed"}`, "Content-Type", "application/json")
		if o := r.object(); r.status != http.StatusCreated || o["query"] != "state=failed" || o["url"] != "/runs?state=failed" {
			t.Errorf("%d %s", r.status, r.body)
		}
	})
}

func TestSavedViewsOfAConsoleThatOnlyReads(t *testing.T) {
	s := openSample(t, func(c *handlers.Config) { c.ReadOnly = true }).ready()
	if _, err := s.data.AddSavedView(t.Context(), "kept", "q=x"); err != nil {
		t.Fatal(err)
	}
	if got := s.saved(); got != "1 kept, Edit views" {
		t.Errorf("the list shows %s", got)
	}
	if n := s.get("/views").doc().Find("main form").Length(); n != 0 {
		t.Errorf("%d forms", n)
	}
	if s.get("/runs?q=x").doc().Find("#save-view").Length() != 0 {
		t.Error("it offers to save a view")
	}
	if r := s.submit("/views", "name", "x", "query", ""); r.status != http.StatusForbidden {
		t.Errorf("status %d", r.status)
	}
}

func jsonText(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}
