package handlers_test

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/PuerkitoBio/goquery"
)

func TestACommandLeadsToItsPage(t *testing.T) {
	s := openSample(t).ready()
	for text, want := range map[string]string{
		"runs":                          "/runs",
		":runs status:failed since:24h": "/runs?q=status%3Afailed+since%3A24h",
		`runs "two words" -tag:x`:       "/runs?q=%22two+words%22+-tag%3Ax",
		"run " + sampleRun:              "/runs/" + sampleRun,
		"run 6a1d":                      "/runs/" + sampleRun,
		"RUN 003950-6A1D":               "/runs/" + sampleRun,
		"run slow-soak-20261123-003844": "/runs/" + lostRun,
		"logs 6a1d":                     "/runs/" + sampleRun + "/log",
		"logs 6a1d integration":         "/runs/" + sampleRun + "/log?step=integration",
		"logs 6a1d integ":               "/runs/" + sampleRun + "/log?step=integration",
		"timeline d20f":                 "/runs/" + lostRun + "/timeline",
		"graph d20f":                    "/runs/" + lostRun + "/graph",
		"artifacts 9775":                "/runs/" + markupRun + "/artifacts",
		"diff 6a1d last-green":          "/compare?left=" + sampleRun + "&right=last-green",
		"diff 6a1d":                     "/compare?left=" + sampleRun + "&right=last-green",
		"diff 6a1d da6a":                "/compare?left=" + sampleRun + "&right=" + preflightRun,
		"pipelines":                     "/pipelines",
		"pipeline fix-issue":            "/pipelines/fix-issue",
		"pipeline fix-i":                "/pipelines/fix-issue",
		"personas":                      "/personas",
		"audit":                         "/audit",
		"attention":                     "/attention",
		"at event:812":                  "/runs?at=event%3A812",
		"at 812":                        "/runs?at=event%3A812",
		"at event:812 6a1d":             "/runs/" + sampleRun + "?at=event%3A812",
		"at 2026-11-23T00:41 6a1d":      "/runs/" + sampleRun + "?at=2026-11-23T00%3A41%3A00Z",
		"at 01:00":                      "/runs?at=2026-11-23T01%3A00%3A00Z",
		"at 1h":                         "/runs?at=2026-11-23T01%3A00%3A00Z",
	} {
		r := s.get("/cmd?q=" + url.QueryEscape(text))
		if to := r.header.Get("Location"); r.status != http.StatusSeeOther || to != want {
			t.Errorf("%s: %d to %q, want %q", text, r.status, to, want)
			continue
		}
		if page := s.get(want); page.status != http.StatusOK {
			t.Errorf("%s leads to %s, which answers %d", text, want, page.status)
		}
	}
	t.Run("an attempt opens where it begins", func(t *testing.T) {
		to := s.as(t).get("/cmd?q=" + url.QueryEscape("logs 6a1d integration 2")).header.Get("Location")
		u, err := url.Parse(to)
		if err != nil || u.Query().Get("step") != "integration" || u.Query().Get("at") == "" {
			t.Fatalf("it leads to %s", to)
		}
		if text := s.as(t).get(to).text("main"); !strings.Contains(text, "attempt 2") {
			t.Error("there is no second attempt")
		}
	})
	t.Run("a command without a run is about the one that the page shows", func(t *testing.T) {
		r := s.as(t).get("/cmd?q=logs&run=" + sampleRun)
		if to := r.header.Get("Location"); to != "/runs/"+sampleRun+"/log" {
			t.Errorf("it leads to %q", to)
		}
	})
	t.Run("health leads to how the console fares", func(t *testing.T) {
		if to := s.as(t).get("/cmd?q=health").header.Get("Location"); to != "/health" {
			t.Errorf("it leads to %q", to)
		}
	})
	t.Run("what changes something leads to the page that asks", func(t *testing.T) {
		for text, want := range map[string]string{
			"retry 6a1d": "/retry", "retry": "/retry", "resume 6a1d": "/resume", "resume": "/resume",
			"resume 6a1d integ": "/resume?from_step=integration", "cancel 6a1d": "/cancel", "cancel": "/cancel",
			"at event:812": "?at=event%3A812", "at 1h": "?at=2026-11-23T01%3A00%3A00Z",
		} {
			r := s.as(t).get("/cmd?run=" + sampleRun + "&q=" + url.QueryEscape(text))
			if to := r.header.Get("Location"); r.status != http.StatusSeeOther || to != "/runs/"+sampleRun+want {
				t.Errorf("%s: %d to %q", text, r.status, to)
			}
		}
	})
	t.Run("without a command the page explains all of them", func(t *testing.T) {
		for _, path := range []string{"/cmd", "/cmd?q=help", "/cmd?q=+"} {
			r := s.as(t).get(path)
			if r.status != http.StatusOK || r.doc().Find("table.defs tbody tr").Length() < 10 {
				t.Errorf("%s: %d", path, r.status)
			}
		}
	})
}

func TestAWrongCommandIsExplained(t *testing.T) {
	s := openSample(t).ready()
	for text, want := range map[string]struct{ word, hint, choice string }{
		"lgos 6a1d":               {"lgos", "“logs”", "/cmd?q=logs+6a1d"},
		"frobnicate":              {"frobnicate", "one of runs", ""},
		"run":                     {"", "run RUN", ""},
		"run zzzz":                {"zzzz", "an id", ""},
		"run slow-soak":           {"slow-soak", "more of the id", "/cmd?q=run+" + lostRun},
		"run 6a1d more":           {"more", "run RUN", ""},
		"logs":                    {"", "where a run is shown", ""},
		"logs 6a1d nowhere":       {"nowhere", "name of a step", ""},
		"logs 6a1d integration 9": {"9", "one that was made", ""},
		"logs 6a1d integration x": {"x", "a number from 1", ""},
		"cancel":                  {"", "where a run is shown", ""},
		"retry zzzz":              {"zzzz", "an id", ""},
		"resume 6a1d nowhere":     {"nowhere", "name of a step", ""},
		"at":                      {"", "event:N", ""},
		"at noon":                 {"noon", "event:N", ""},
		"at event:x":              {"event:x", "event:N", ""},
		"at event:0":              {"event:0", "event:N", ""},
		"at event:1h":             {"event:1h", "event:N", ""},
		"at -1h":                  {"-1h", "event:N", ""},
		"at 14:02":                {"14:02", "a later moment", ""}, // of the day before
		"start fix-issue acme":    {"acme", "-- INPUT", ""},
		"start nothing -- x":      {"nothing", "name of a pipeline", ""},
		"pipeline fix-isue":       {"fix-isue", "“fix-issue”", "/cmd?q=pipeline+fix-issue"},
		"runs statsu:failed":      {"statsu", "“status”", ""},
		"runs login status:faild": {"faild", "“failed”", ""},
		`<script>alert(1)`:        {"<script>alert(1)", "one of runs", ""},
	} {
		t.Run(text, func(t *testing.T) {
			s := s.as(t)
			r := s.get("/cmd?q=" + url.QueryEscape(text))
			if r.status != http.StatusBadRequest {
				t.Fatalf("status %d", r.status)
			}
			doc := r.doc()
			if got := doc.Find("#cmd-q").AttrOr("value", ""); got != text {
				t.Errorf("the input holds %q", got)
			}
			if got := doc.Find("#cmd-q-wrong mark").Text(); got != want.word {
				t.Errorf("marked is %q, want %q", got, want.word)
			}
			if says := r.text("#cmd-q-wrong"); !strings.Contains(says, want.hint) {
				t.Errorf("it says %q, want %q", says, want.hint)
			}
			var choices []string
			doc.Find("main .chips a").Each(func(_ int, a *goquery.Selection) { choices = append(choices, a.AttrOr("href", "")) })
			if want.choice != "" && !slices.Contains(choices, want.choice) {
				t.Errorf("offered are %v, want %s", choices, want.choice)
			}
			body := s.get("/cmd?q="+url.QueryEscape(text), "Accept", "application/json")
			if o := body.object(); body.status != 400 || want.word != "" && o["word"] != want.word {
				t.Errorf("the JSON says %d %s", body.status, body.body)
			}
		})
	}
}

func TestCompletionGoesOnFromTheCaret(t *testing.T) {
	s := openSample(t).ready()
	for text, want := range map[string]string{ // | is the caret; what is offered first
		"filter sta|":                     "status:|",
		"filter login -bra|":              "login -branch:|",
		"filter status:fa|":               "status:failed |",
		"filter status:failed,lo| x":      "status:failed,lost| x",
		"filter pipeline:nightly|":        "pipeline:nightly-audit |",
		"filter größe kind:iter|":         "größe kind:iterate_child |",
		"filter parent:6f6|":              "parent:" + parentRun + " |",
		"filter dur>1|":                   "dur>1m |",
		"filter 🙂 since:7|":               "🙂 since:7d |",
		"command lo|":                     "logs |",
		"command logs 6a1|":               "logs " + sampleRun + " |",
		"command logs 6a1d inte|":         "logs 6a1d integration |",
		"command logs 6a1d integration |": "logs 6a1d integration 1 |",
		"command diff 6a1d la|":           "diff 6a1d last-green |",
		"command pipeline slow|":          "pipeline slow-soak |",
		"command runs status:fa|":         "runs status:failed |",
		"command runs |":                  "runs status:|",
		"command canc|":                   "cancel |",
		"command at 1|":                   "at 15m |",
		"command at ev|":                  "at event:232 |",
		"command at 1h 6a1|":              "at 1h " + sampleRun + " |",
		"command resume 6a1d inte|":       "resume 6a1d integration |",
	} {
		kind, rest, _ := strings.Cut(text, " ")
		before, after, _ := strings.Cut(rest, "|")
		wantBefore, wantAfter, _ := strings.Cut(want, "|")
		at := len(utf16.Encode([]rune(before)))
		q := url.Values{"for": {kind}, "q": {before + after}, "at": {strconv.Itoa(at)}, "list": {"l"}}
		r := s.get("/complete?"+q.Encode(), "Accept", "application/json")
		items, _ := r.object()["items"].([]any)
		if len(items) == 0 {
			t.Errorf("%s: nothing: %s", text, r.body)
			continue
		}
		first := items[0].(object)
		if first["text"] != wantBefore+wantAfter || first["at"] != float64(len(utf16.Encode([]rune(wantBefore)))) {
			t.Errorf("%s: %q at %v, want %s", text, first["text"], first["at"], want)
		}
		options := s.get("/complete?" + q.Encode()).doc().Find("[role=option]")
		if options.Length() != len(items) || options.First().AttrOr("data-text", "") != first["text"] || options.First().AttrOr("id", "") != "l-0" {
			t.Errorf("%s: the fragment offers %d", text, options.Length())
		}
	}
	for _, query := range []string{"", "?for=x", "?for=filter&at=-1", "?for=filter&at=x", "?for=filter&q=%ff", "?for=command&q=%00"} {
		if r := s.get("/complete" + query); r.status != http.StatusBadRequest {
			t.Errorf("%s: status %d", query, r.status)
		}
	}
}

func FuzzCommand(f *testing.F) {
	for _, seed := range []string{"", "runs", "runs status:", "run 6a1d", `logs "a b" c 1`, "diff 6a1d x", "pipeline \"", "lgos", "\xff", ":", ":: runs", "run \x00", "persona é", "at 14:02", "at event:99999999999 x", "at 9999999h", "resume 6a1d integ"} {
		f.Add(seed, len(seed))
	}
	s := openSample(f).ready()
	f.Fuzz(func(t *testing.T, text string, at int) {
		s := s.as(t)
		r := s.get("/cmd?q="+url.QueryEscape(text), "Accept", "application/json")
		if r.status != 303 && r.status != 400 && r.status != 200 {
			t.Errorf("%q: status %d: %s", text, r.status, clip(r.body))
		}
		if to := r.header.Get("Location"); r.status == 303 && !strings.HasPrefix(to, "/") {
			t.Errorf("%q leads to %q", text, to)
		}
		for _, kind := range []string{"filter", "command"} {
			q := url.Values{"for": {kind}, "q": {text}, "at": {strconv.Itoa(at)}}
			if r := s.get("/complete?" + q.Encode()); r.status != 200 && r.status != 400 {
				t.Errorf("%s %q: status %d: %s", kind, text, r.status, clip(r.body))
			}
		}
	})
}
