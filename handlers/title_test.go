package handlers_test

import (
	"strings"
	"testing"
)

// What a browser writes on a tab tells pages of the console apart.
func TestTitles(t *testing.T) {
	s := openSample(t).ready()
	const run = "flaky-integration staging"
	for path, want := range map[string]string{
		"/runs": "Runs",
		"/runs?q=status:failed+-tag:x&pipeline=flaky-integration": "Runs: pipeline: flaky-integration, status:failed, -tag:x",
		"/search":                              "Search",
		"/search?q=time+out":                   "Search: time out",
		"/runs/" + sampleRun:                   run,
		"/runs/" + sampleRun + "/timeline":     "Timeline · " + run,
		"/runs/" + sampleRun + "/graph":        "Graph · " + run,
		"/runs/" + sampleRun + "/log":          "Log · " + run,
		"/runs/" + sampleRun + "/artifacts":    "Artifacts · " + run,
		"/share?of=runs/" + sampleRun:          "Share card of run " + sampleRun,
		"/runs/" + sampleRun + "?at=event:200": run,
	} {
		if title := s.get(path).doc().Find("title").AttrOr("data-title", ""); title != want+" · wavedeck" {
			t.Errorf("%s is titled %q, not %q", path, title, want)
		}
	}
}

func TestTheFailedStepIsReachedFromEachOfARunsPages(t *testing.T) {
	s := openSample(t).ready()
	run := "/runs/" + sampleRun
	for path, want := range map[string]string{
		run: run, run + "/parts/head": run, run + "/timeline": run, run + "/log": run, run + "/artifacts": run,
	} {
		href := s.get(path).doc().Find("#failure h2 a").AttrOr("href", "")
		page, anchor, _ := strings.Cut(href, "#")
		if page != want || s.get(page).doc().Find("#"+anchor).Length() != 1 {
			t.Errorf("%s leads to the failed step at %q", path, href)
		}
	}
}
