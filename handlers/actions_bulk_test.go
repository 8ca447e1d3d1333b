package handlers_test

import (
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"wavedeck/handlers"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// values are those of a form's hidden fields.
func (r reply) values(form string) url.Values {
	r.t.Helper()
	values := url.Values{}
	r.doc().Find(form + " input[type=hidden]").Each(func(_ int, e *goquery.Selection) {
		values.Add(e.AttrOr("name", ""), e.AttrOr("value", ""))
	})
	return values
}

func TestBulk(t *testing.T) {
	s, e := openStage(t, now)
	var active []string
	for range 30 {
		active = append(active, s.running())
	}
	chosen := append([]string{failedRun, "none"}, active...)
	rehearsal := s.form("/runs/bulk", url.Values{"do": {"cancel"}, "run": chosen})
	if got := rehearsal.text("h1"); rehearsal.status != http.StatusOK || got != "Stop 30 runs?" {
		t.Fatalf("status %d, %q", rehearsal.status, got)
	}
	if got := rehearsal.text("#not-0 h2") + " / " + rehearsal.text("#not-1 h2"); got != "1 run is skipped: already ended / 1 run is skipped: no such run" {
		t.Errorf("it says %q", got)
	}
	if len(e.stopped) > 0 {
		t.Fatal("a rehearsal stopped runs")
	}
	fields := rehearsal.values("#start")
	if len(fields["run"]) != 30 {
		t.Fatalf("%d runs in the form", len(fields["run"]))
	}
	fields.Set("count", "3")
	if r := s.form("/bulk", fields); r.status != http.StatusBadRequest || !strings.Contains(r.text("#error-count"), "It is about 30 runs, not “3”.") {
		t.Errorf("status %d: %s", r.status, clip(r.body))
	}
	fields.Set("count", "30")
	begun := s.form("/bulk", fields)
	if begun.status != http.StatusSeeOther {
		t.Fatalf("status %d: %s", begun.status, clip(begun.body))
	}
	page := begun.header.Get("Location")
	s.until("all are stopped", func() bool {
		return strings.Contains(s.get(page).text("#progress .meta"), "30 done0 left alone0 to do")
	})
	for _, id := range active {
		if run, err := s.store.Run(t.Context(), id); err != nil || run.Cancel == nil {
			t.Errorf("%s was not asked to stop: %v", id, err)
		}
	}
	s.until("it has ended", func() bool { return strings.HasPrefix(s.fragment(page).text("#progress .meta"), "done") })
	audit, err := s.data.Audit(t.Context(), auditOf("bulk"))
	if err != nil || len(audit.Entries) != 2 { // the one that was refused, and one
		t.Fatalf("%d entries, %v", len(audit.Entries), err)
	}
	if entry := audit.Entries[0]; len(entry.Runs) != 30 || entry.Params["do"] != "cancel" || !strings.HasPrefix(entry.Note, "30 runs") {
		t.Errorf("entry %+v", entry.Entry)
	}
}

func TestBulkRetryOfAllThatMatch(t *testing.T) {
	s, e := openStage(t)
	page, err := s.store.Runs(t.Context(), criteria.RunFilter{States: []wave.State{wave.Failed, wave.Succeeded}, Limit: criteria.MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, run := range page.Runs {
		if run.Parent == "" {
			want++
		}
	}
	rehearsal := s.form("/runs/bulk", url.Values{"do": {"retry"}, "all": {"true"}, "state": {"failed", "succeeded"}})
	fields := rehearsal.values("#start")
	if len(fields["run"]) != want || want == len(page.Runs) || !strings.Contains(rehearsal.text("#not-0 h2"), "is part of another run") {
		t.Fatalf("%d of %d runs in the form, want %d", len(fields["run"]), len(page.Runs), want)
	}
	// Two at a time: the others wait for a place that somebody frees.
	e.mu.Lock()
	e.limit = 2
	e.mu.Unlock()
	fields.Set("count", strconv.Itoa(want))
	r := s.form("/bulk", fields)
	if r.status != http.StatusSeeOther {
		t.Fatalf("status %d: %s", r.status, clip(r.body))
	}
	at := r.header.Get("Location")
	s.until("the rest waits", func() bool { return strings.Contains(s.get(at).text("#progress .meta"), "waits for a free slot") })
	if n := len(e.requests()); n != 2 {
		t.Errorf("%d were started", n)
	}
	if r := s.form(at+"/stop", nil); r.status != http.StatusSeeOther {
		t.Errorf("status %d", r.status)
	}
	if got := s.get(at).text("#progress .meta"); !strings.HasPrefix(got, "given up2 done") {
		t.Errorf("it says %q", got)
	}
}

func TestBulkOfAThousandRuns(t *testing.T) {
	const n = 1000
	s, _ := openStage(t, now)
	var active []string
	for range n {
		active = append(active, s.running())
	}
	rehearsal := s.form("/runs/bulk", url.Values{"do": {"cancel"}, "run": active})
	fields := rehearsal.values("#start")
	if len(fields["run"]) != n {
		t.Fatalf("status %d, %d runs in the form", rehearsal.status, len(fields["run"]))
	}
	if listed := rehearsal.doc().Find("#touched li"); len(rehearsal.body) > largeList || listed.Length() != 101 || strings.TrimSpace(listed.Last().Text()) != "and 900 more runs" {
		t.Errorf("the rehearsal has %d bytes and lists %d runs, the last %q", len(rehearsal.body), listed.Length(), listed.Last().Text())
	}
	fields.Set("count", strconv.Itoa(n))
	page := s.form("/bulk", fields).header.Get("Location")
	for done, look := 0, time.NewTicker(200*time.Millisecond); done < n; { // as long as it goes on; each look counts its thousand rows
		before := done
		for quiet := time.Now().Add(time.Minute); done == before; <-look.C {
			bulk, err := s.data.Bulk(t.Context(), path.Base(page))
			if err != nil || time.Now().After(quiet) {
				t.Fatalf("it stands at %d: %v", done, err)
			}
			done = bulk.Done
		}
	}
	s.until("it has ended", func() bool { return strings.HasPrefix(s.fragment(page).text("#progress .meta"), "done1") })
	audit, err := s.data.Audit(t.Context(), auditOf("bulk"))
	if err != nil || len(audit.Entries) != 1 || len(audit.Entries[0].Runs) != n {
		t.Fatalf("%d entries, %v", len(audit.Entries), err)
	}
	for _, id := range []string{active[0], active[n-1]} {
		s.until("its page, which does not wait long for the log, says who asked", func() bool {
			return s.get("/runs/"+id).text("#head .meta li:first-child a") == "by local"
		})
	}
}

func TestBulkIsRefused(t *testing.T) {
	s, _ := openStage(t)
	for name, c := range map[string]struct {
		path   string
		fields url.Values
		status int
	}{
		"nothing is chosen":      {"/runs/bulk", url.Values{"do": {"cancel"}}, 400},
		"something else is done": {"/runs/bulk", url.Values{"do": {"erase"}, "run": {failedRun}}, 400},
		"a filter is wrong":      {"/runs/bulk", url.Values{"do": {"cancel"}, "all": {"true"}, "state": {"happy"}}, 400},
		"a field there is not":   {"/runs/bulk", url.Values{"do": {"cancel"}, "runs": {failedRun}}, 400},
		"no number is typed":     {"/bulk", url.Values{"do": {"retry"}, "run": {failedRun}}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			if r := s.as(t).form(c.path, c.fields); r.status != c.status {
				t.Errorf("status %d: %s", r.status, clip(r.body))
			}
		})
	}
	if r := s.get("/bulk/none"); r.status != http.StatusNotFound {
		t.Errorf("status %d", r.status)
	}
	if s.get("/runs").doc().Find("#bulk button").Length() != 2 || s.get("/runs").doc().Find("input[name=run][form=bulk]").Length() == 0 {
		t.Error("the list has no way to choose runs")
	}
	t.Run("where nothing can be started, nothing is offered", func(t *testing.T) {
		s, _ := openStage(t, func(c *handlers.Config) { c.Engine = nil })
		if s.get("/runs").doc().Find("#bulk, input[name=run]").Length() > 0 {
			t.Error("the list offers it")
		}
		if r := s.form("/runs/bulk", url.Values{"do": {"cancel"}, "run": {failedRun}}); r.status != http.StatusServiceUnavailable {
			t.Errorf("status %d", r.status)
		}
	})
}
