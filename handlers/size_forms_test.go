package handlers_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"wavedeck/store/appdb"
	"wavedeck/store/storetest"
)

const largeForm = 128 << 10 // bytes that a form with its plan has at most

// testForms asks for what acts, and for what is said before and after it.
func testForms(t *testing.T, s *site) {
	const run = "/runs/" + largeRun
	for _, path := range []string{"/start", "/pipelines/large/start", "/pipelines/step/start", "/pipelines/one-0/start", run + "/retry", run + "/resume", run + "/cancel", "/runs/many-20261123-010000-0002/cancel"} {
		s.get(path).fits(t, path, largeForm)
	}
	refused := url.Values{"timeout": {"never"}}
	for _, path := range []string{"/pipelines/large/start", "/pipelines/step/start", run + "/retry", run + "/resume", run + "/cancel"} {
		s.form(path+"/preview", url.Values{}).fits(t, path+"/preview", largeForm)
		s.form(path, refused).fits(t, path+" refused", largeForm)
		s.form(path, refused, "HX-Request", "true", "HX-Request-Type", "partial").fits(t, path+" refused, as a fragment", largeForm)
		s.json("/api"+strings.TrimPrefix(path, ""), `{"timeout":"never"}`).fits(t, path+" refused, as JSON", largeForm)
	}
	many := url.Values{"do": {"retry"}, "run": {largeRun}}
	for i := range 100 {
		many.Add("run", fmt.Sprintf("many-20261123-010000-%04x", i))
	}
	for _, do := range []string{"retry", "cancel"} {
		many.Set("do", do)
		s.form("/runs/bulk", many).fits(t, "what "+do+" of 101 runs would do", largeList)
		s.form("/runs/bulk", url.Values{"do": {do}, "all": {"true"}}).fits(t, "what "+do+" of all runs would do", largeList)
		many.Set("count", "101")
		begun := s.form("/bulk", many)
		begun.fits(t, do+" of 101 runs", largeList)
		many.Del("count")
		if page := begun.header.Get("Location"); page != "" {
			s.get(page).fits(t, "how far "+do+" has come", largeList)
			s.get(page, "Accept", "application/json").fits(t, "how far "+do+" has come, as JSON", largeList)
		}
	}
}

// TestManyThingsOfOurOwnMakeNoPageLong fills what the console itself keeps, as far as it
// lets anybody.
func TestManyThingsOfOurOwnMakeNoPageLong(t *testing.T) {
	dir, root := t.TempDir(), emptyProject(t)
	newState(t, root).Run(storetest.Run{ID: "a-20261123-010000-0001", Status: "failed"})
	change, _ := hooking(t, dir)
	s := openSite(t, root, change).ready()
	query := "q=" + url.QueryEscape(strings.Repeat("é", 640)) + "&tag=" + strings.Repeat("x", 190)
	for i := range appdb.MaxViews {
		name := strings.Repeat("<\"名", 26) + fmt.Sprintf("%02d", i)
		if r := s.form("/views", url.Values{"name": {name}, "query": {query}}); r.status != http.StatusSeeOther {
			t.Fatalf("%d %s", r.status, r.text("#view-problem"))
		}
	}
	to := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, strings.Repeat("<", 2000))
	}))
	t.Cleanup(to.Close)
	hook := s.form("/views/1/hook", url.Values{"url": {to.URL + "/" + strings.Repeat("%3C", 600)}, "on": {"failed"}})
	hook.fits(t, "/views/1/hook", largeForm)
	if hook.status != http.StatusOK {
		t.Fatalf("%d %s", hook.status, clip(hook.body))
	}
	for range 50 {
		s.form("/views/1/hook/test", url.Values{}).fits(t, "/views/1/hook/test", largeForm)
	}
	s.until("all messages are sent", func() bool { return strings.Count(s.get("/api/views/1/hook").body, `"status":418`) == 50 })
	for path, most := range map[string]int{
		"/runs": 128 << 10, "/views": largePage, "/api/views": 1 << 20, "/views/1": largePage, "/views/1/hook": largeForm, "/api/views/1/hook": largeForm,
		"/settings": largeForm, "/palette?q=": largeForm, "/palette?q=view": largeForm, "/complete?for=command&q=view%20": largeForm, "/audit": largeList, "/api/audit": largeList,
	} {
		s.get(path).fits(t, path, most)
	}
}
