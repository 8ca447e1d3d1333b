package handlers_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"wavedeck/store/storetest"
)

// listed are the ids of the runs that the JSON list names for a filter.
func (s *site) listed(filter string) []string {
	s.t.Helper()
	r := s.get("/api/runs?limit=100&q=" + url.QueryEscape(filter))
	if r.status != http.StatusOK {
		s.t.Fatalf("%s: status %d: %s", filter, r.status, clip(r.body))
	}
	ids := []string{}
	for _, run := range r.object()["runs"].([]any) {
		ids = append(ids, run.(object)["run_id"].(string))
	}
	slices.Sort(ids)
	return ids
}

func TestFilterLanguageNarrowsTheList(t *testing.T) {
	s := openSample(t).ready()
	for filter, want := range map[string][]string{
		"status:lost,cancelled":                         {lostRun, stoppedRun},
		"STATUS:Failed":                                 {sampleRun, preflightRun},
		"status:active":                                 {},
		"status:failed -staging":                        {},
		"pipeline:slow-*":                               {lostRun, stoppedRun},
		`pipeline:"slow-*"`:                             {},
		"pipeline:slow-soak -status:lost":               {stoppedRun},
		"error:PROVISION":                               {preflightRun},
		`"signal: killed"`:                              {stoppedRun},
		"kind:iterate_child id:337b":                    {childRun},
		"parent:" + parentRun + " id:337b":              {childRun},
		"parent:none pipeline:audit-part":               {},
		"dur>=10s status:cancelled":                     {stoppedRun},
		"dur<11s dur>9s":                                {stoppedRun},
		"tokens>21k":                                    {sampleRun, markupRun},
		"-tokens<21k status:ended pipeline:f*":          {sampleRun, markupRun},
		"since:2026-11-23T00:39:50Z":                    {sampleRun, markupRun},
		"-until:2026-11-23T00:39:50Z":                   {sampleRun, markupRun},
		"age<81m30s age>81m":                            {lostRun, "fix-issue-20261123-003841-613e"},
		"status:completed id:9775":                      {markupRun},
		"https://example.com":                           {},
		"pipeline:slow-soak,ship-gate error:" + `"sig"`: {stoppedRun},
	} {
		slices.Sort(want)
		if diff := cmp.Diff(want, s.listed(filter)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", filter, diff)
		}
	}
	t.Run("a duration that is not known satisfies no comparison", func(t *testing.T) {
		for _, filter := range []string{"dur>0s", "dur<1h", "-dur>1h", "-dur<1h", "dur>=0s"} {
			if slices.Contains(s.as(t).listed(filter), lostRun) {
				t.Errorf("%s finds the lost run", filter)
			}
		}
	})
	t.Run("it joins what the other parameters ask", func(t *testing.T) {
		page := s.as(t).get("/runs?pipeline=slow-soak&q=status%3Alost+id%3Ad20f")
		if rows := page.doc().Find("table.runs tr[id^='run-']").Length(); rows != 1 {
			t.Errorf("%d rows, want 1", rows)
		}
		terms := page.doc().Find("#terms a")
		if terms.Length() != 2 || !strings.HasPrefix(terms.First().Text(), "status:lost") {
			t.Fatalf("terms: %q", terms.Text())
		}
		if href := terms.First().AttrOr("href", ""); href != "/runs?pipeline=slow-soak&q=id%3Ad20f" {
			t.Errorf("removing the first term leads to %s", href)
		}
		if got := page.doc().Find("#filter-q").AttrOr("value", ""); got != "status:lost id:d20f" {
			t.Errorf("the input holds %q", got)
		}
	})
	t.Run("pages of a filter meet each run once", func(t *testing.T) {
		s := s.as(t)
		var seen []string
		for next := "/runs?limit=4&q=dur%3C1h"; next != ""; {
			doc := s.get(next).doc()
			doc.Find("table.runs tr.run").Each(func(_ int, row *goquery.Selection) { seen = append(seen, row.AttrOr("id", "")) })
			next = doc.Find("a[rel=next]").AttrOr("href", "")
		}
		if n := len(seen); n != 14 || len(slices.Compact(slices.Sorted(slices.Values(seen)))) != n {
			t.Errorf("%d rows, %v", n, seen)
		}
	})
}

func TestAWrongFilterIsShownBeneathItsInput(t *testing.T) {
	s := openSample(t).ready()
	for filter, want := range map[string]struct {
		word, hint string
		position   float64
	}{
		"login statsu:failed":             {"statsu", "“status”", 7},
		"status:faild":                    {"faild", "“failed”", 8},
		"-pipeline:a dur>10":              {"10", "10m", 17},
		"größe since:yesterday":           {"yesterday", "24h", 13},
		`<img src=x> tag:"<b>`:            {`"<b>`, "at its end", 17},
		strings.Repeat("x ", 40) + "late": {"late", "40 terms", 81},
	} {
		t.Run(filter, func(t *testing.T) {
			s := s.as(t)
			address := "/runs?state=lost&q=" + url.QueryEscape(filter)
			page := s.get(address)
			if page.status != http.StatusBadRequest {
				t.Fatalf("status %d", page.status)
			}
			doc := page.doc()
			input := doc.Find("#filter-q")
			if input.AttrOr("value", "") != filter || input.AttrOr("aria-invalid", "") != "true" || input.AttrOr("aria-describedby", "") != "filter-q-wrong" {
				t.Error("the input is not kept, or not marked as wrong")
			}
			if got := doc.Find("#filter-q-wrong mark").Text(); got != want.word {
				t.Errorf("marked is %q, want %q", got, want.word)
			}
			if says := page.text("#filter-q-wrong"); !strings.Contains(says, want.hint) {
				t.Errorf("it says %q, want %q", says, want.hint)
			}
			if doc.Find("#runs").Length() != 0 || doc.Find("#filter input[name=state]").AttrOr("value", "") != "lost" {
				t.Error("there is a list that means nothing, or another parameter is lost")
			}
			body := s.get("/api" + address)
			if o := body.object(); body.status != 400 || o["word"] != want.word || o["position"] != want.position || !strings.Contains(o["error"].(string), want.hint) {
				t.Errorf("the JSON says %d %s", body.status, body.body)
			}
			if r := s.fragment(address); r.status != 400 || r.doc().Find("#error").Length() != 1 {
				t.Errorf("the fragment is %d %s", r.status, clip(r.body))
			}
		})
	}
}

// The counts are those of all runs: beside another filter they would promise
// what the list does not show.
func TestCountsStandOnlyWhereTheyHold(t *testing.T) {
	s := openSample(t).ready()
	for path, counted := range map[string]bool{
		"/runs":                               true,
		"/runs?state=failed":                  true,
		"/runs?pipeline=flaky-integration":    false,
		"/runs?q=staging":                     false,
		"/runs?state=failed&since=2026-11-01": false,
	} {
		if n := s.get(path).doc().Find("#states b").Length(); (n > 0) != counted {
			t.Errorf("%s: %d of the states have a count", path, n)
		}
	}
	if text := s.get("/runs?pipeline=flaky-integration").text("#states"); !strings.Contains(text, "failed") || strings.Contains(text, "rejected") {
		t.Errorf("the states to choose from are %q", text)
	}
}

func TestTextWithAColonIsSearched(t *testing.T) {
	root := storetest.Project(t)
	b := storetest.At(t, storetest.StatePath(root))
	for id, text := range map[string]string{
		"go-0001": "panic: runtime error: index out of range", "cpp-0002": "terminate: std::string is empty", "win-0003": `cannot open C:\Users\x\a.txt`,
		"sh-0004": "error: exit status 3", "find-0005": "find: no such file",
	} {
		b.Run(storetest.Run{ID: id, Status: "failed", Error: text})
	}
	s := openSite(t, root).ready()
	for _, tt := range []struct{ name, text, run, says string }{
		{"a panic", "panic: runtime error", "go-0001", "panic:"},
		{"a name with colons", "std::string", "cpp-0002", "std::string"},
		{"a path of Windows", `C:\Users\x`, "win-0003", `C:\Users\x`},
		{"an error, which is a key too", "error: exit status 3", "sh-0004", "error:"},
		{"a word that is nearly a key", "find: no such file", "find-0005", "find:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, page := range []string{"/runs?q=", "/search?q="} {
				got := s.as(t).get(page + url.QueryEscape(tt.text))
				if got.status != http.StatusOK || !strings.Contains(got.body, "/runs/"+tt.run) {
					t.Errorf("%s: %d, without %s", page, got.status, tt.run)
				}
				if says := got.doc().Find("#filter-q-text, #search-q-text").Text(); !strings.Contains(says, tt.says) {
					t.Errorf("%s says %q, want %s", page, says, tt.says)
				}
			}
			if got := s.as(t).get("/cmd?q=" + url.QueryEscape("runs "+tt.text)); got.status != http.StatusSeeOther {
				t.Errorf("the command answers %d", got.status)
			}
			if got := s.as(t).get("/api/search?q=" + url.QueryEscape(tt.text)); got.status != http.StatusOK || !strings.Contains(got.body, tt.run) {
				t.Errorf("JSON: %d, without %s", got.status, tt.run)
			}
		})
	}
	for _, text := range []string{"stauts:failed", "pipline:x", "status:", "since:yesterday"} {
		if got := s.get("/runs?q=" + text); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d, want 400", text, got.status)
		}
	}
}
