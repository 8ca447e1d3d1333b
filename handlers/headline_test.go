package handlers_test

import (
	"html"
	"strings"
	"testing"
	"time"

	"wavedeck/handlers"
	"wavedeck/store/storetest"
)

// openHistory serves the runs of a real Wave, an hour after the last of them.
func openHistory(t testing.TB) *site {
	t.Helper()
	return openSite(t, storetest.History(t), func(c *handlers.Config) { c.Now = func() time.Time { return storetest.HistoryNow } }).ready()
}

// A run whose cause is in its events only, and one that failed two levels below.
const (
	diskFull = "t-cmdfail-20261130-231319-e99e"
	nested   = "t-nest-20261130-231342-c0f2"
	grand    = "t-child-20261130-231342-76b3"
)

func TestEverythingThatShowsAFailureShowsTheSameLine(t *testing.T) {
	s := openHistory(t)
	for run, line := range map[string]string{diskFull: "oh no: disk is full", nested: `step "x" failed: exit status 1`} {
		pipeline, _, _ := strings.Cut(run, "-2026")
		for name, path := range map[string]string{
			"the list":                   "/runs?pipeline=" + pipeline,
			"what needs attention":       "/attention",
			"the page":                   "/runs/" + run,
			"a card in another page":     "/embed/v1/runs/" + run + "/card",
			"the steps in another page":  "/embed/v1/runs/" + run + "/steps",
			"the list in another page":   "/embed/v1/runs?pipeline=" + pipeline,
			"a comparison":               "/compare?left=" + run + "&right=" + grand,
			"the failures of a pipeline": "/pipelines/" + pipeline,
			"the file for keeping":       "/runs/" + run + "/export",
			"text":                       "/runs/" + run + ".txt",
			"Markdown":                   "/runs/" + run + ".md",
			"the list as text":           "/runs.txt?pipeline=" + pipeline,
			"the list as CSV":            "/runs.csv?pipeline=" + pipeline,
			"the list as lines of JSON":  "/runs.ndjson?pipeline=" + pipeline,
			"the run as JSON":            "/api/runs/" + run,
			"the list as JSON":           "/api/runs?pipeline=" + pipeline,
			"attention as JSON":          "/api/attention",
			"a comparison as JSON":       "/api/compare?left=" + run + "&right=" + grand,
			"a pipeline as JSON":         "/api/pipelines/" + pipeline,
		} {
			t.Run(pipeline+" "+name, func(t *testing.T) {
				r := s.as(t).get(path)
				body := html.UnescapeString(r.body)
				body = strings.NewReplacer(`\"`, `"`, `""`, `"`, "\u00a0", " ").Replace(body)
				if r.status != 200 || !strings.Contains(body, line) {
					t.Errorf("%d without %q:\n%s", r.status, line, clip(r.body))
				}
			})
		}
	}
}

func TestAFailureLeadsToTheRunThatItBeganIn(t *testing.T) {
	s := openHistory(t)
	for _, path := range []string{"/runs/" + nested, "/embed/v1/runs/" + nested + "/card"} {
		link := s.get(path).doc().Find("p.cause a")
		if href, _ := link.Attr("href"); !strings.HasSuffix(href, "/runs/"+grand+"#step-x") || !strings.Contains(link.Text(), "t-child › x") {
			t.Errorf("%s leads to %q as %q", path, href, link.Text())
		}
	}
	run := s.get("/api/runs/" + nested).object()["run"].(object)
	if run["caused_by_run_id"] != grand || run["caused_by_step_id"] != "x" {
		t.Errorf("JSON: caused by %v, step %v", run["caused_by_run_id"], run["caused_by_step_id"])
	}
	if text := s.get("/runs/" + nested + ".txt").body; !strings.Contains(text, grand) {
		t.Errorf("text does not name %s:\n%s", grand, text)
	}
}
