package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"wavedeck/handlers"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
	"wavedeck/views/address"
)

// unseen is a name with a blank at each end, a mark of direction, a character without a
// width, a control character and a soft hyphen.
const unseen = " x\u202e\u200b\u2066y\u00ad\x1bz "

// unseenText is what texts of several words have of it.
const unseenText = " x\u202e\u200b\u2066y\u00ad"

const unseenRunes = "\u202e\u200b\u2066\u00ad\x1b"

// openUnseen serves a project in which everything has that name, in a family of runs.
func openUnseen(t *testing.T, change ...func(*handlers.Config)) *site {
	root := emptyProject(t)
	quoted := strconv.QuoteToASCII(unseen)
	step := "{id: " + quoted + ", persona: " + quoted + ", model: " + quoted + ", exec: {type: prompt, source: x}}"
	for path, text := range map[string]string{
		"wave.yaml": "apiVersion: v1\nkind: WaveManifest\nmetadata: {name: " + quoted + "}\nadapters: {" + quoted + ": {binary: claude}}\n" +
			"personas:\n  " + quoted + ": {adapter: " + quoted + ", model: " + quoted + ", permissions: {allowed_tools: [" + quoted + "], deny: [" + quoted + "]}}\n",
		".agents/pipelines/p.yaml": "kind: WavePipeline\nmetadata: {name: " + quoted + ", category: " + quoted + "}\ninput: {source: cli, schema: {type: string, enum: [" + quoted + "]}}\n" +
			"steps:\n  - " + step + "\n  - {id: next, dependencies: [" + quoted + "], exec: {type: prompt, source: x}, memory: {inject_artifacts: [{step: " + quoted + ", artifact: " + quoted + ", as: " + quoted + "}]}}\n",
		"out.txt": "content" + unseenText,
	} {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b := newState(t, root)
	for i, status := range []string{"failed", "running", "completed"} {
		b.Clock = opened.Add(-time.Duration(3-i) * time.Hour)
		run := storetest.Run{ID: unseen + strconv.Itoa(i), Pipeline: unseen, Status: status, Tags: []string{unseen}, Branch: unseen, SubPipeline: unseen, Input: "zebra" + unseenText}
		if status == "running" { // real Wave puts the error there when a run fails
			run.CurrentStep = unseen
		}
		if i > 0 {
			run.Parent, run.ParentStep, run.ForkedFrom = unseen+"0", unseen, unseen+"0"
		}
		id := b.Run(run)
		for _, step := range []string{unseen, "next"} {
			b.Step(id, storetest.Step{ID: step, State: status, Error: "boom" + unseenText})
			b.Attempt(id, storetest.Attempt{Step: step, State: "failed", Error: "boom" + unseenText})
			b.Event(id, storetest.Event{Step: step, State: "started", Persona: unseen, Model: unseen, Adapter: unseen, ConfiguredModel: unseen, Message: "made" + unseenText})
			b.Event(id, storetest.Event{Step: step, State: status, Persona: unseen, Model: unseen, Adapter: unseen, Message: "boom" + unseenText})
			b.Artifact(id, storetest.Artifact{Step: step, Name: unseen, Path: "out.txt"})
		}
		b.Outcome(id, storetest.Outcome{Extra: statedb.Row{"label": unseen, "value": "https://example.com/", "description": "boom" + unseenText}})
	}
	return openSite(t, root, append(change, withData(t, t.TempDir()))...).ready()
}

// TestEveryFormMarksWhatIsNotSeen asks for every address there is, in every form.
func TestEveryFormMarksWhatIsNotSeen(t *testing.T) {
	e := &stage{}
	s := openUnseen(t, e.serve)
	t.Cleanup(func() { _ = e.Close() })
	if r := s.form("/views", url.Values{"name": {"unseen"}, "query": {"status=failed"}}); r.status != http.StatusSeeOther && r.status != http.StatusOK {
		t.Errorf("a saved view: %d %s", r.status, r.text("#main"))
	}
	templates, err := s.console.Addresses()
	if err != nil {
		t.Fatal(err)
	}
	run, name := address.Segment(unseen+"0"), address.Segment(unseen)
	field := url.QueryEscape
	paths := []string{
		"/runs?limit=100", "/runs?tag=" + field(unseen), "/runs?pipeline=" + field(unseen), "/runs?step=" + field(unseen), "/runs?branch=" + field(unseen), "/runs?parent=" + field(unseen+"0"),
		"/runs?q=" + field("tag:\""+unseen+"\""), "/search?q=boom", "/search?q=zebra", "/palette?q=x", "/palette/runs", "/cmd?q=x", "/cmd?q=" + field(unseen), "/cmd?q=" + field("logs "+unseen+"0 next"), "/cmd?q=" + field("start "+unseen),
		"/complete?for=filter&q=pipeline:", "/complete?for=filter&q=tag:", "/complete?for=filter&q=branch:", "/complete?for=filter&q=step:", "/complete?for=command&q=logs+", "/complete?for=command&q=start+",
		"/runs?at=event:5", "/runs/" + run + "?at=event:5", "/runs/" + run + "/log?step=" + field(unseen), "/runs/" + run + "/log?q=boom",
	}
	for _, form := range []string{"", ".txt", ".md", ".json"} {
		paths = append(paths, "/compare"+form+"?left="+field(unseen+"0")+"&right="+field(unseen+"2"))
	}
	for _, template := range templates {
		for _, part := range []string{"head", "steps", "outcomes", "events", "artifacts", "family"} {
			values := strings.NewReplacer("{run}", run, "{pipeline}", name, "{persona}", name, "{step}", name, "{artifact}", name, "{name}", name,
				"{part:head|steps|outcomes|events|artifacts|family}", part, "{view}", "1")
			path := values.Replace(template)
			if page, ok := strings.CutSuffix(path, ".{form:[A-Za-z0-9]+}"); ok && !strings.Contains(page, "{") {
				for _, form := range []string{".txt", ".md", ".json", ".csv", ".ndjson", ".log", ".svg"} {
					paths = append(paths, page+form)
				}
			}
			if path != "" && !strings.Contains(path, "{") && !strings.HasSuffix(path, "/events") {
				paths = append(paths, path)
			}
		}
	}
	slices.Sort(paths)
	unmarked, asked, kinds := map[string]string{}, 0, map[string]int{}
	for _, path := range slices.Compact(paths) {
		for _, accept := range []string{"text/html", "text/plain", "text/markdown", "text/csv", "application/json"} {
			r := s.get(path, "Accept", accept)
			kind, _, _ := strings.Cut(r.header.Get("Content-Type"), ";")
			if r.status >= 500 && r.status != http.StatusServiceUnavailable {
				t.Errorf("%s as %s: %d %s", path, accept, r.status, clip(r.body))
			}
			if r.status == http.StatusOK {
				asked++
				kinds[kind]++
			}
			for where, what := range unseenIn(kind, r) {
				unmarked[kind+" "+where] = fmt.Sprintf("%s (%s, %d): %+q", path, accept, r.status, what)
			}
		}
	}
	for where, what := range unmarked {
		t.Errorf("not marked: %s on %s", where, what)
	}
	t.Logf("%d answers: %v", asked, kinds)
	if asked < 300 {
		t.Errorf("only %d answers", asked)
	}
}

// unseenIn are the texts of an answer that hold what is not seen. JSON holds names as
// they are, escaped.
func unseenIn(kind string, r reply) map[string]string {
	found := map[string]string{}
	switch kind {
	case "text/html", "image/svg+xml":
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(r.body))
		if err != nil {
			return map[string]string{"all": err.Error()}
		}
		for _, said := range saidOn(doc) {
			if strings.ContainsAny(said.text, unseenRunes) {
				found[said.where] = said.text[:min(len(said.text), 80)]
			}
		}
	case "application/json", "application/x-ndjson":
		if strings.ContainsAny(r.body, "\u202e\u2066\x1b") {
			found["text"] = "what turns text is not escaped"
		}
	default:
		if at := strings.IndexAny(r.body, unseenRunes); at >= 0 {
			found["text"] = r.body[max(0, at-60):min(len(r.body), at+30)]
		}
	}
	return found
}
