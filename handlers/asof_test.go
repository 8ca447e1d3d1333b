package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// TestPastPagesSayNothingLater opens the failed sample run as of each of its
// events: nothing later is shown, nothing goes on, and the same address gives
// the same page.
func TestPastPagesSayNothingLater(t *testing.T) {
	s := openSample(t).ready()
	for event := 186; event <= 227; event += 5 {
		path := fmt.Sprintf("/runs/%s?at=event:%d", sampleRun, event)
		page := s.get(path)
		if page.status != http.StatusOK {
			t.Fatalf("%s: status %d: %s", path, page.status, clip(page.body))
		}
		doc := page.doc()
		if doc.Find("#past").Length() != 1 || doc.Find("#live, section[hx-get], [data-since]").Length() != 0 {
			t.Errorf("%s: no banner, or something that goes on", path)
		}
		for _, id := range doc.Find("#events tr[id]").Map(func(_ int, e *goquery.Selection) string { return e.AttrOr("id", "") }) {
			var n int
			if _, err := fmt.Sscanf(id, "e%d", &n); err == nil && n > event {
				t.Errorf("%s shows event %d", path, n)
			}
		}
		if again := s.get(path); again.text("main") != page.text("main") { // what is around it counts what needs attention now
			t.Errorf("%s gives another page the second time", path)
		}
	}
	early := s.get(fmt.Sprintf("/runs/%s?at=event:190", sampleRun))
	if strings.Contains(early.text("#steps"), "suite_passed") || early.doc().Find("#failure").Length() != 0 {
		t.Error("a failure is told before it came")
	}
}

func TestPastPages(t *testing.T) {
	s := openSample(t).ready()
	for _, path := range []string{
		"/runs/" + sampleRun + "/timeline?at=event:200", "/runs/" + sampleRun + "/graph?at=event:200",
		"/runs/" + parentRun + "/timeline?at=event:60", "/runs?at=event:100", "/runs?at=100",
		"/runs?at=" + url.QueryEscape("2026-11-23T00:39:00Z"), "/runs/" + sampleRun + "?at=2026-11-23T00:40",
	} {
		page := s.get(path)
		if page.status != http.StatusOK || page.doc().Find("#past form input[type=range]").Length() != 1 || page.doc().Find("#live").Length() != 0 {
			t.Errorf("%s: status %d: %s", path, page.status, clip(page.body))
		}
	}
	cursor := s.get("/api/runs?limit=1").object()["next_cursor"].(string)
	list := s.get("/runs?at=event:100")
	if href := list.doc().Find("tr.run a.open").First().AttrOr("href", ""); !strings.HasSuffix(href, "?at=event%3A100") {
		t.Errorf("a row of the list leads to %s, at another moment", href)
	}
	if strings.Contains(list.body, sampleRun) {
		t.Error("the list has a run that had not begun")
	}
	for path, status := range map[string]int{
		"/runs/" + sampleRun + "?at=event:5": http.StatusNotFound,
		"/runs/" + sampleRun + "?at=event:x": http.StatusBadRequest,
		"/runs/" + sampleRun + "?at=24h":     http.StatusBadRequest,
		"/runs/" + sampleRun + "?at=0":       http.StatusBadRequest,
		"/runs?at=yesterday":                 http.StatusBadRequest,
		"/runs?at=event:100&state=nothing":   http.StatusBadRequest,
		"/runs?at=event:100&q=statsu:x":      http.StatusBadRequest,
		"/runs?at=event:100&newer=" + cursor: http.StatusBadRequest,
		"/api/runs?at=24h":                   http.StatusBadRequest,
		"/api/runs/" + sampleRun + "?at=0":   http.StatusBadRequest,
		"/runs?at=1999-01-01":                http.StatusBadRequest,
		"/runs/nobody?at=event:100":          http.StatusNotFound,
	} {
		if r := s.get(path); r.status != status {
			t.Errorf("%s: status %d, want %d", path, r.status, status)
		}
	}
}

// TestPastListIsNarrowed: the list as of a moment takes the filters of the list,
// and everything it leads to stays at that moment.
func TestPastListIsNarrowed(t *testing.T) {
	s := openSample(t).ready()
	const path = "/runs?at=event:100&q=status:running&limit=2"
	page := s.get(path).doc()
	body := s.get("/api" + path).object()
	if body["as_of"].(object)["event"] != 100.0 || len(body["runs"].([]any)) == 0 {
		t.Fatalf("as of event 100: %v", body)
	}
	for i, run := range body["runs"].([]any) {
		if status := run.(object)["status"]; status != "running" {
			t.Errorf("run %d is %v", i, status)
		}
		if id := page.Find("tr.run").Eq(i).AttrOr("id", ""); id != "run-"+run.(object)["run_id"].(string) {
			t.Errorf("row %d of the page is %s", i, id)
		}
	}
	page.Find("#past a:not(#to-now), #states a, #terms a, .pager a, #forms a").Each(func(_ int, a *goquery.Selection) {
		to, err := url.Parse(a.AttrOr("href", ""))
		if err != nil || !strings.HasPrefix(to.Query().Get("at"), "event:") {
			t.Errorf("%s leads to %s, at no moment", a.Text(), a.AttrOr("href", ""))
		}
	})
	if q := page.Find("#past form input[name=q]").AttrOr("value", ""); q != "status:running" {
		t.Errorf("the slider drops the filter: %q", q)
	}
	if at := page.Find("#filter input[name=at]").AttrOr("value", ""); at != "event:100" {
		t.Errorf("the filter drops the moment: %q", at)
	}
	if to := page.Find("#to-now").AttrOr("href", ""); to != "/runs?limit=2&q=status%3Arunning" {
		t.Errorf("now is at %s", to)
	}
	// An age in a filter is one of then: the link means the same for ever.
	if n := len(s.get("/api/runs?at=event:100&since=1m").object()["runs"].([]any)); n == 0 {
		t.Error("nothing started in the minute before event 100")
	}
	if n := len(s.get("/api/runs?since=1m").object()["runs"].([]any)); n != 0 {
		t.Errorf("%d runs started in the last minute", n)
	}
}
