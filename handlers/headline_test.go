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

// TestEachFailureOfAHistoryHasOneLine compares the places that show a failure with
// each other, for every run that really failed.
func TestEachFailureOfAHistoryHasOneLine(t *testing.T) {
	s := openHistory(t)
	plain := func(body string) string {
		body = html.UnescapeString(body)
		return strings.NewReplacer(`\"`, `"`, `""`, `"`, "\u00a0", " ", `\`, "").Replace(body)
	}
	pages := map[string]reply{}
	get := func(path string) reply {
		if pages[path].body == "" {
			pages[path] = s.get(path)
		}
		return pages[path]
	}
	for _, end := range storetest.Ends(t) {
		if end.State != "failed" && end.State != "rejected" && end.State != "lost" {
			continue
		}
		t.Run(end.Run, func(t *testing.T) {
			doc := get("/api/runs/" + end.Run).object()
			line, _ := doc["run"].(object)["headline"].(string)
			if line == "" {
				t.Fatal("no line says why")
			}
			pipeline, _, _ := strings.Cut(end.Run, "-2026")
			parts := map[string]string{
				"its row in the list": get("/runs?limit=100&q=id:" + end.Run).doc().Find("#run-" + end.Run + " .line > .dim").Text(),
				"the page's error":    get("/runs/" + end.Run).doc().Find("#failure").Parent().Text(),
				"its row elsewhere":   get("/embed/v1/runs?limit=100&q=id:" + end.Run).body,
			}
			if step, _ := doc["run"].(object)["current_step"].(string); step != "" {
				parts["the step's row"] = get("/runs/" + end.Run).doc().Find("#step-" + step + ", #more-" + step).Text()
				parts["the step's row as a part"] = get("/runs/" + end.Run + "/parts/steps").body
			}
			if end.Run != "t-inject-20261130-232812-9e56" { // its original has succeeded since
				parts["attention"] = get("/attention").doc().Find("#run-" + end.Run).Text()
				parts["attention elsewhere"] = get("/embed/v1/attention").body
				parts["attention as JSON"] = get("/api/attention").body
				parts["a pipeline's failures"] = get("/pipelines/" + pipeline + "/trends").body
			}
			for _, path := range []string{
				"/embed/v1/runs/" + end.Run + "/card", "/embed/v1/runs/" + end.Run + "/steps", "/compare?left=" + end.Run + "&right=" + grand, "/pipelines/" + pipeline,
				"/runs/" + end.Run + "/export", "/runs/" + end.Run + ".txt", "/runs/" + end.Run + ".md", "/runs.txt?q=id:" + end.Run, "/runs.md?q=id:" + end.Run,
				"/runs.csv?q=id:" + end.Run, "/runs.ndjson?q=id:" + end.Run, "/api/runs?q=id:" + end.Run, "/api/compare?left=" + end.Run + "&right=" + grand, "/api/pipelines/" + pipeline,
			} {
				parts[path] = get(path).body
			}
			for place, text := range parts {
				if !strings.Contains(plain(text), line) {
					t.Errorf("%s does not say %q", place, line)
				}
			}
		})
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

func TestAHeadlineIsShownWithoutSecrets(t *testing.T) {
	root := emptyProject(t)
	b := newState(t, root)
	const key = "ghp_0123456789abcdefghijABCDEFGHIJ456789"
	failed := b.Run(storetest.Run{Status: "failed", Error: `step "push" failed: exit status 128`})
	b.Event(failed, storetest.Event{Step: "push", State: "failed", Message: "command failed: exit status 128\nstderr: fatal: unable to access 'https://bot:" + key + "@git.example.com/shop.git/': 403"})
	pem := b.Run(storetest.Run{Status: "failed", Error: `step "sign" failed: exit status 1`})
	b.Event(pem, storetest.Event{Step: "sign", State: "failed", Message: "command failed: exit status 1\nstderr: " + strings.Repeat("reading\n", 20000) +
		"-----BEGIN RSA PRIVATE KEY-----\n" + strings.Repeat("MIIEowIBAAKCAQEAuxYc7XkqPz1f9JdVb2m3nq4vT8s0wRzYhUeKcLgHjNaBdFoQ\n", 200) + "QhJx12==\n-----END RSA PRIVATE KEY-----\n" + strings.Repeat("waiting\n", 4000)})
	s := openSite(t, root, func(c *handlers.Config) { c.Now = func() time.Time { return storetest.Base.Add(time.Hour) } }).ready()
	for _, path := range []string{"/runs", "/attention", "/runs/" + failed, "/api/runs", "/runs.csv", "/runs.txt", "/embed/v1/runs/" + failed + "/card", "/runs/" + pem, "/api/attention"} {
		r := s.get(path)
		if strings.Contains(r.body, key) || strings.Contains(r.body, "QhJx12") || strings.Contains(r.body, "MIIEow") {
			at := max(strings.Index(r.body, key), strings.Index(r.body, "QhJx12"), strings.Index(r.body, "MIIEow"))
			t.Errorf("%s shows a secret: %s", path, r.body[max(0, at-300):min(len(r.body), at+300)])
		}
	}
	if body := s.get("/api/runs").body; !strings.Contains(body, "unable to access") {
		t.Errorf("the line without its secret is missing: %s", body)
	}
}
