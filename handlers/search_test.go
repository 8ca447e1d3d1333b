package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"wavedeck/handlers"
	"wavedeck/handlers/present"
	"wavedeck/store/appdb"
	"wavedeck/store/search"
	"wavedeck/store/storetest"
)

// withSearch has a site index its events until the test ends.
func withSearch(t testing.TB) func(*handlers.Config) {
	t.Helper()
	return func(c *handlers.Config) { c.Search = searchIn(t, c, t.TempDir()) }
}

func searchIn(t testing.TB, c *handlers.Config, dir string) *search.Index {
	t.Helper()
	x := search.Open(c.Store, search.Options{Dir: dir, Shown: present.RedactMessage, Form: present.MessageVersion})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); x.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

// searchAnswer is what tests read of /api/search.
type searchAnswer struct {
	Run    *runID  `json:"run"`
	Runs   []runID `json:"runs"`
	Events []struct {
		Run  runID `json:"run"`
		Hits []struct {
			ID int64 `json:"event_id"`
		} `json:"hits"`
	} `json:"events"`
	NextBefore string `json:"next_before"`
	NextCursor string `json:"next_cursor"`
	Index      struct {
		State  string `json:"state"`
		Behind int64  `json:"behind"`
	} `json:"index"`
}

type runID struct {
	ID string `json:"run_id"`
}

func (s *site) search(q string, params ...string) (answer searchAnswer) {
	s.t.Helper()
	v := url.Values{"q": {q}}
	for i := 0; i+1 < len(params); i += 2 {
		v.Set(params[i], params[i+1])
	}
	r := s.get("/api/search?" + v.Encode())
	if r.status != http.StatusOK {
		s.t.Fatalf("search %q: %d %s", q, r.status, r.body)
	}
	if err := json.Unmarshal([]byte(r.body), &answer); err != nil {
		s.t.Fatal(err)
	}
	return answer
}

// indexed waits until the index holds all events.
func (s *site) indexed() *site {
	s.t.Helper()
	s.ready()
	s.until("all events are indexed", func() bool {
		a := s.search("")
		return a.Index.State == "ready" && a.Index.Behind == 0
	})
	return s
}

func TestSearch(t *testing.T) {
	s := openSample(t, withSearch(t)).indexed()
	const failed = "flaky-integration-20261123-003950-6a1d"

	t.Run("a run is found by its id, and by the end of it", func(t *testing.T) {
		for _, q := range []string{failed, "6a1d"} {
			a := s.as(t).search(q)
			if a.Run == nil || a.Run.ID != failed {
				t.Errorf("%s leads to %v", q, a.Run)
			}
			for _, run := range a.Runs {
				if run.ID == failed {
					t.Errorf("%s is listed twice", failed)
				}
			}
			page := s.as(t).get("/search?q=" + q)
			if got := page.doc().Find("#found-run + table .run").AttrOr("data-id", ""); got != failed {
				t.Errorf("the first run of the page is %q", got)
			}
		}
	})
	t.Run("a hit leads to its line of the log, where it is marked", func(t *testing.T) {
		page := s.as(t).get("/search?q=contract+status:failed")
		hit := page.doc().Find(".rungroup li a").First()
		href := hit.AttrOr("href", "")
		if !strings.HasPrefix(href, "/runs/"+failed+"/log?") || !strings.Contains(href, "L=") || hit.Find("mark").Length() == 0 {
			t.Fatalf("hit leads to %q with %d marks", href, hit.Find("mark").Length())
		}
		at, anchor, _ := strings.Cut(href, "#")
		log := s.as(t).get(at)
		if n := log.doc().Find("#" + anchor).Length(); log.status != http.StatusOK || n != 1 {
			t.Errorf("%s: %d, %d lines %s", at, log.status, n, anchor)
		}
		if got := log.text(".hits b"); !strings.HasPrefix(got, "hit ") {
			t.Errorf("the log calls the line %q", got)
		}
	})
	t.Run("the filter chooses the runs", func(t *testing.T) {
		all, some := s.as(t).search("failed"), s.as(t).search("failed pipeline:flaky-*")
		if len(some.Events) == 0 || len(some.Events) >= len(all.Events) {
			t.Errorf("%d of %d runs", len(some.Events), len(all.Events))
		}
		for _, found := range some.Events {
			if !strings.HasPrefix(found.Run.ID, "flaky-") {
				t.Errorf("%s is of another pipeline", found.Run.ID)
			}
		}
	})
	t.Run("a list that finds nothing leads to the search", func(t *testing.T) {
		link := s.as(t).get("/runs?q=zzzz").doc().Find(`a[href="/search?q=zzzz"]`)
		if link.Length() != 1 {
			t.Errorf("%d links", link.Length())
		}
		if s.as(t).get("/runs?q=flaky").doc().Find(`a[href^="/search?"]`).Length() != 0 {
			t.Error("a list that finds something leads there too")
		}
	})
	t.Run("the command leads to it, and names a wrong word", func(t *testing.T) {
		if got := s.as(t).get("/cmd?q=search+exit+status:failed").header.Get("Location"); got != "/search?q=exit+status%3Afailed" {
			t.Errorf("leads to %q", got)
		}
		wrong := s.as(t).get("/cmd?q=search+exit+statsu:failed")
		if got := wrong.text(".notice mark"); wrong.status != http.StatusBadRequest || got != "statsu" {
			t.Errorf("%d marks %q", wrong.status, got)
		}
	})
	for q, word := range map[string]string{"statsu:x": "statsu", `login "`: `"`, "login --- x": "---", "lo*": "lo*", "status:nope": "nope"} {
		t.Run("a mistake is marked: "+q, func(t *testing.T) {
			page := s.as(t).get("/search?q=" + url.QueryEscape(q))
			if got := page.text(".notice mark"); page.status != http.StatusBadRequest || got != word {
				t.Errorf("%d marks %q, want %q", page.status, got, word)
			}
			api := s.as(t).get("/api/search?q=" + url.QueryEscape(q))
			if !strings.Contains(api.body, `"position"`) || api.status != http.StatusBadRequest {
				t.Errorf("%d %s", api.status, api.body)
			}
		})
	}
	for _, path := range []string{"before=x", "before=0", "before=1.x", "older=x", "before=7&older=eyJ0IjoxLCJpZCI6IngifQ", "q=%00", "q=" + strings.Repeat("a", 2000), "before=" + strings.Repeat("1.", 60) + "1"} {
		t.Run("refused: "+path[:min(len(path), 20)], func(t *testing.T) {
			if r := s.as(t).get("/search?" + path); r.status != http.StatusBadRequest {
				t.Errorf("%d", r.status)
			}
		})
	}
}

func TestSearchPages(t *testing.T) {
	root := emptyProject(t)
	b := newState(t, root)
	var want []string
	for i := range 35 {
		run := b.Run(storetest.Run{Input: "many runs"})
		b.Event(run, storetest.Event{Step: "work", State: "stream_activity", Message: fmt.Sprint("Read many files ", i)})
		want = append(want, run)
	}
	slices.Reverse(want)
	s := openSite(t, root, withSearch(t)).indexed()
	var events, runs []string
	for before := ""; ; {
		a := s.search("many", "before", before)
		for _, found := range a.Events {
			events = append(events, found.Run.ID)
		}
		if before = a.NextBefore; before == "" {
			break
		}
	}
	for older := ""; ; {
		a := s.search("many", "older", older)
		for _, run := range a.Runs {
			runs = append(runs, run.ID)
		}
		if older = a.NextCursor; older == "" {
			break
		}
	}
	if !slices.Equal(events, want) || !slices.Equal(runs, want) {
		t.Errorf("events\n%v\nruns\n%v\nwant\n%v", events, runs, want)
	}
	next := s.get("/search?q=many").doc().Find("#found-events ~ .pager a").AttrOr("href", "")
	page := s.get(next).doc()
	if page.Find("#found-runs").Length() != 0 || page.Find(".rungroup").Length() != 10 {
		t.Errorf("%s shows %d runs with events", next, page.Find(".rungroup").Length())
	}
}

// TestSearchHidesSecrets looks for what the log does not show.
func TestSearchHidesSecrets(t *testing.T) {
	root := emptyProject(t)
	b := newState(t, root)
	secret := "gh" + "p_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"
	run := b.Run(storetest.Run{Input: "deploy with " + secret, Status: "failed", CurrentStep: "bad token " + secret})
	b.Event(run, storetest.Event{Step: "work", State: "stream_activity", Message: "Bash curl -H 'Authorization: Bearer " + secret + "'"})
	b.Event(run, storetest.Event{Step: "work", State: "stream_activity", Message: "gh\x1b[1mp_\x1b[0m" + secret[4:] + " in colours"})
	s := openSite(t, root, withSearch(t)).indexed()
	for _, q := range []string{secret, secret[4:], secret[4:20] + "*", "input:" + secret[:20], "error:" + secret[4:12]} {
		if a := s.search(q); len(a.Runs) != 0 || len(a.Events) != 0 {
			t.Errorf("%s finds %d runs and events of %d", q, len(a.Runs), len(a.Events))
		}
	}
	if rows := s.get("/runs?q=" + secret).doc().Find("#runs tr.run").Length(); rows != 0 {
		t.Errorf("the list finds %d runs by it", rows)
	}
	page := s.get("/search?q=curl")
	if page.doc().Find(".rungroup li").Length() != 1 || strings.Contains(page.body, secret) {
		t.Error("the hit is not shown, or with its secret")
	}
	if a := s.search("deploy with"); len(a.Runs) != 1 {
		t.Errorf("%d runs by what is no secret", len(a.Runs))
	}
}

func TestSearchWithoutIndex(t *testing.T) {
	blocked := t.TempDir() + "/file"
	for name, row := range map[string]struct {
		change func(*handlers.Config)
		state  string
		says   string
	}{
		"switched off":                {func(*handlers.Config) {}, "off", "--search off"},
		"a folder that cannot be had": {func(c *handlers.Config) { c.Search = searchIn(t, c, blocked) }, "unusable", "--data"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(blocked, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			s := openSample(t, row.change).ready()
			a := s.search("flaky")
			if len(a.Runs) == 0 || len(a.Events) != 0 || a.Index.State != row.state {
				t.Errorf("%d runs, %d with events, index %+v", len(a.Runs), len(a.Events), a.Index)
			}
			page := s.get("/search?q=flaky")
			if got := page.text("#search-index"); !strings.Contains(got, row.says) {
				t.Errorf("the page says %q", got)
			}
			if got := page.text("#found-events + p"); got != "Events were not searched." {
				t.Errorf("and of events: %q", got)
			}
		})
	}
}

func TestRebuildSearch(t *testing.T) {
	t.Run("it is made anew, and the log has who asked", func(t *testing.T) {
		s := openSample(t, withSearch(t)).indexed()
		r := s.send("/search/rebuild", "q=contract", "Content-Type", "application/x-www-form-urlencoded")
		if r.status != http.StatusSeeOther || r.header.Get("Location") != "/search?q=contract" {
			t.Fatalf("%d to %q", r.status, r.header.Get("Location"))
		}
		s.indexed()
		if len(s.search("contract").Events) == 0 {
			t.Error("nothing is found after it")
		}
		page, err := s.data.Audit(t.Context(), appdb.AuditFilter{Action: "rebuild search index", Limit: 10})
		if err != nil || len(page.Entries) != 1 || page.Entries[0].Result != appdb.Done {
			t.Errorf("%+v, %v", page.Entries, err)
		}
		if r := s.send("/api/search/rebuild", ""); r.status != http.StatusAccepted || !strings.Contains(r.body, `"state"`) {
			t.Errorf("%d %s", r.status, r.body)
		}
	})
	t.Run("a console that only reads refuses it, and has no button", func(t *testing.T) {
		s := openSample(t, withSearch(t), func(c *handlers.Config) { c.ReadOnly = true }).indexed()
		if r := s.send("/search/rebuild", ""); r.status != http.StatusForbidden {
			t.Errorf("%d", r.status)
		}
		if n := s.get("/search").doc().Find(`form[action="/search/rebuild"]`).Length(); n != 0 {
			t.Errorf("%d buttons", n)
		}
	})
	t.Run("without an index there is nothing to make", func(t *testing.T) {
		s := openSample(t).ready()
		if r := s.send("/api/search/rebuild", ""); r.status != http.StatusConflict {
			t.Errorf("%d %s", r.status, r.body)
		}
	})
}

func TestSearchWithoutDatabase(t *testing.T) {
	s := openSite(t, emptyProject(t), withSearch(t))
	if got := s.get("/search?q=x").text(".nothing h2"); got != "Search is not available" {
		t.Errorf("the page says %q", got)
	}
	if r := s.get("/api/search?q=x"); r.status != http.StatusServiceUnavailable {
		t.Errorf("%d %s", r.status, r.body)
	}
}
