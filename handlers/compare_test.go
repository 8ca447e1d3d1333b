package handlers_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"wavedeck/store/storetest"
)

// compareBody is /api/compare as a client reads it.
type compareBody struct {
	Left  struct{ RunID string } `json:"left"`
	Right *struct {
		RunID string `json:"run_id"`
	} `json:"right"`
	Chosen, None    string
	SamePipeline    bool `json:"same_pipeline"`
	InputDiffers    bool `json:"input_differs"`
	FirstDifference *struct {
		StepID  string `json:"step_id"`
		Attempt int
		Fact    string
		Left    string
		Right   string
	} `json:"first_difference"`
	Facts []factBody
	Steps []struct {
		StepID   string `json:"step_id"`
		In       string
		Differs  bool
		Facts    []factBody
		Attempts []struct {
			Attempt int
			In      string
			Facts   []factBody
		}
	}
	Artifacts []struct {
		StepID  string `json:"step_id"`
		Name    string
		Attempt int
		Verdict string
		Note    string
		Diff    string
		Left    *struct {
			SizeBytes *int64 `json:"size_bytes"`
			Refused   string
		}
	}
}

type factBody struct {
	Fact    string
	Left    any
	Right   any
	Differs bool
	Percent *float64 `json:"delta_percent"`
}

func (s *site) compare(left, right string) compareBody {
	s.t.Helper()
	r := s.get("/api/compare?" + url.Values{"left": {left}, "right": {right}}.Encode())
	if r.status != http.StatusOK {
		s.t.Fatalf("status %d: %s", r.status, r.body)
	}
	var body compareBody
	if err := json.Unmarshal([]byte(r.body), &body); err != nil {
		s.t.Fatal(err)
	}
	return body
}

func (b compareBody) fact(step, name string) factBody {
	facts := b.Facts
	for _, s := range b.Steps {
		if s.StepID == step {
			facts = s.Facts
		}
	}
	for _, f := range facts {
		if f.Fact == name {
			return f
		}
	}
	return factBody{}
}

func TestCompareChoosesTheLastGreenRun(t *testing.T) {
	root := emptyProject(t)
	b := newState(t, root)
	at := func(minute int) time.Time { return storetest.Base.Add(time.Duration(minute) * time.Minute) }
	b.Run(storetest.Run{ID: "old-green", Start: at(0)})
	b.Run(storetest.Run{ID: "green", Start: at(1)})
	b.Run(storetest.Run{ID: "empty", Start: at(2), Status: "completed_empty"})
	b.Run(storetest.Run{ID: "other", Start: at(3), Pipeline: "other"})
	b.Run(storetest.Run{ID: "red", Start: at(4), Status: "failed", Error: "boom"})
	b.Run(storetest.Run{ID: "red-twin", Start: at(5), Status: "failed"})
	b.Run(storetest.Run{ID: "green-twin", Start: at(5)}) // in the same second: before or after, nobody knows
	b.Run(storetest.Run{ID: "later-green", Start: at(6)})
	b.Run(storetest.Run{ID: "nameless", Start: at(7), Extra: map[string]any{"pipeline_name": ""}})
	s := openSite(t, root).ready()
	for left, want := range map[string]string{
		"red": "green", "red-twin": "green", "green": "old-green", "later-green": "green-twin",
		"old-green": "", "other": "", "nameless": "",
	} {
		for _, right := range []string{"", "last-green"} {
			body := s.compare(left, right)
			switch {
			case want == "" && (body.Right != nil || body.None == ""):
				t.Errorf("%s has the partner %+v (%q), want none and why", left, body.Right, body.None)
			case want != "" && (body.Right == nil || body.Right.RunID != want || body.Chosen == ""):
				t.Errorf("%s has the partner %+v (%q), want %s", left, body.Right, body.Chosen, want)
			}
		}
	}
	page := s.get("/compare?left=red")
	if !strings.Contains(page.text("#why"), "the newest run of “build” that succeeded and started before it") {
		t.Errorf("why: %s", page.text("#why"))
	}
	if href := page.doc().Find("a#swap").AttrOr("href", ""); href != "/compare?left=green&right=red" {
		t.Errorf("swap leads to %s", href)
	}
	if none := s.get("/compare?left=old-green"); !strings.Contains(none.text("#why"), "No run of “build” that started before this one has succeeded") ||
		none.doc().Find("table").Length() != 0 || none.doc().Find("form input[name=right]").Length() != 1 {
		t.Error("without a partner the page says so and asks for one")
	}
	if href := s.get("/runs/red").doc().Find("ul.meta a:contains('Compare')").AttrOr("href", ""); href != "/compare?left=red&right=last-green" {
		t.Errorf("the run's page leads to %q", href)
	}
	if key := s.get("/runs").doc().Find("script[data-compare]").AttrOr("data-compare", ""); key != "/compare?left=%7Brun%7D&right=last-green" {
		t.Errorf("the key of a row leads to %q", key)
	}
}

func TestCompareFindsTheFirstDifference(t *testing.T) {
	root := emptyProject(t)
	b := newState(t, root)
	// Both plan alike; the second try of build is where they part.
	build := func(id string, tries []string, model string) {
		failed := tries[len(tries)-1] == "failed"
		run := storetest.Run{ID: id, Tokens: 1000}
		if failed {
			run.Status, run.CurrentStep = "failed", "step \"build\" failed: tests failed in 3.1s"
		}
		b.Run(run)
		b.Event(id, storetest.Event{State: "started", Message: `input="" steps=2`})
		b.Event(id, storetest.Event{Step: "plan", Model: "haiku"})
		b.Step(id, storetest.Step{ID: "plan"})
		b.Event(id, storetest.Event{Step: "build", Model: model})
		for i, state := range tries {
			class, text := "", ""
			if state == "failed" {
				class, text = "test_failure", fmt.Sprintf("tests failed in %d.2s", i)
			}
			b.Attempt(id, storetest.Attempt{Step: "build", N: i + 1, State: state, FailureClass: class, Error: text, DurationMs: 1000})
			b.Metric(id, storetest.Metric{Step: "build", DurationMs: 1000, Tokens: 500})
		}
		state := map[bool]string{true: "failed", false: "completed"}[failed]
		b.Step(id, storetest.Step{ID: "build", State: state})
		if !failed {
			b.Step(id, storetest.Step{ID: "ship"})
		}
	}
	build("green", []string{"failed", "succeeded"}, "opus")
	build("red", []string{"failed", "failed", "failed"}, "opus")
	build("other-model", []string{"failed", "succeeded"}, "sonnet")
	s := openSite(t, root).ready()

	body := s.compare("red", "green")
	if d := body.FirstDifference; d == nil || d.StepID != "build" || d.Attempt != 2 || d.Fact != "State" || d.Left != "failed" || d.Right != "succeeded" {
		t.Errorf("first difference %+v", d)
	}
	page := s.get("/compare?left=red&right=green")
	if got := page.text("#first header"); !strings.Contains(got, "build, attempt 2") || !strings.Contains(got, "State: failed on the left, succeeded on the right") {
		t.Errorf("at the top: %s", got)
	}
	if page.doc().Find("#difference mark").Length() != 1 || page.doc().Find("#first a[href='#difference']").Length() != 1 {
		t.Error("the difference is not marked once, and led to")
	}
	if took := body.fact("build", "duration_ms"); took.Left != 3000.0 || took.Right != 2000.0 || took.Percent == nil || *took.Percent != 50 {
		t.Errorf("took %+v", took)
	}
	if tokens := body.fact("build", "tokens"); tokens.Left != 1500.0 || tokens.Right != 1000.0 || *tokens.Percent != 50 {
		t.Errorf("tokens %+v", tokens)
	}
	if third := body.Steps[1].Attempts[2]; third.In != "left" {
		t.Errorf("the third attempt is in %s", third.In)
	}
	if body.Steps[2].StepID != "ship" || body.Steps[2].In != "right" {
		t.Errorf("ship: %+v", body.Steps[2])
	}
	if d := s.compare("other-model", "green").FirstDifference; d == nil || d.StepID != "build" || d.Fact != "Model" || d.Left != "sonnet" || d.Right != "opus" {
		t.Errorf("another model: %+v", d)
	}
	if swapped := s.compare("green", "red").FirstDifference; swapped.Left != "succeeded" || swapped.Right != "failed" || swapped.Attempt != 2 {
		t.Errorf("swapped: %+v", swapped)
	}
}

// TestCompareClaimsNothingUnknown: what one side does not know, and what is not
// over yet, is no difference.
func TestCompareClaimsNothingUnknown(t *testing.T) {
	root := emptyProject(t)
	b := newState(t, root)
	b.Run(storetest.Run{ID: "green"})
	b.Event("green", storetest.Event{Step: "build", Model: "opus"})
	b.Step("green", storetest.Step{ID: "build"})
	b.Run(storetest.Run{ID: "bare"})
	b.Step("bare", storetest.Step{ID: "build"})
	b.Run(storetest.Run{ID: "going", Status: "running", Start: opened.Add(-time.Second), Heartbeat: opened})
	b.Event("going", storetest.Event{Step: "build", Model: "opus"})
	b.Step("going", storetest.Step{ID: "build", State: "running"})
	s := openSite(t, root).ready()
	body := s.compare("bare", "green")
	if body.FirstDifference != nil || body.fact("build", "model").Left != nil || body.fact("build", "model").Right != "opus" {
		t.Errorf("%+v %+v", body.FirstDifference, body.fact("build", "model"))
	}
	going := s.get("/compare?left=going&right=green")
	if got := going.text("#first header"); !strings.Contains(got, "So far") {
		t.Errorf("a run that goes on: %s", got)
	}
	doc := going.doc()
	if doc.Find("section#compare").AttrOr("hx-get", "") == "" || !strings.Contains(doc.Find("#live").AttrOr("hx-sse:connect", ""), "run=going&run=green") {
		t.Error("the page does not follow both runs")
	}
	if doc := s.get("/compare?left=bare&right=green").doc(); doc.Find("#live").Length() != 0 || doc.Find("section#compare[hx-get]").Length() != 0 {
		t.Error("the page follows runs that have ended")
	}
	if s.compare("going", "green").fact("", "duration_ms").Percent != nil {
		t.Error("a duration that goes on has a share")
	}
}

func TestCompareOfTwoPipelines(t *testing.T) {
	s := openSample(t).ready()
	body := s.compare(sampleRun, "release-check-20261123-003812-6e22")
	if body.SamePipeline {
		t.Error("they are of two pipelines")
	}
	page := s.get("/compare?" + url.Values{"left": {markupRun}, "right": {sampleRun}}.Encode())
	if got := page.text("#other"); !strings.Contains(got, "fix-issue and flaky-integration") || !strings.Contains(got, "0 steps that both have") || !strings.Contains(got, "Only on the left: assess, plan, implement, review") {
		t.Errorf("other: %s", got)
	}
	if n := page.doc().Find("details.input").Length(); n != 0 {
		t.Errorf("%d steps are compared that only one has", n)
	}
}

func TestCompareOutputs(t *testing.T) {
	root := emptyProject(t)
	write := func(name, content string) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const secret = "ghp_0123456789abcdefghijklmnopqrstuvwxyz" // of the form of a token, and none
	large := strings.Repeat("a line of a large text\n", 20_000)
	pairs := map[string]struct{ left, right, verdict, note, diff, never string }{
		"same":      {"a\nb\n", "a\nb\n", "same", "", "", "@@"},
		"text":      {"a\nb\nc\n", "a\nx\nc\n", "differs", "", " a\n-b\n+x\n c\n", ""},
		"json":      {`{"k":[` + strings.Repeat(`"value",`, 40) + `"a"]}`, `{"k":[` + strings.Repeat(`"value",`, 40) + `"b"]}`, "differs", "laid out", "-    \"a\"\n+    \"b\"\n", ""},
		"binary":    {"\x00\x01\x02", "\x00\x01\x03", "differs", "not a text", "", "@@"},
		"secret":    {"token=" + secret + "\nx\n", "token=" + secret + "\ny\n", "differs", "", "-x\n+y\n", secret},
		"two-keys":  {"token=" + secret + "\n", "token=" + secret[:36] + "0000\n", "differs", "redacted", "", secret},
		"large":     {large + "x\n", large + "y\n", "differs", "beginning", "", "@@"},
		"large-one": {large + "x\n", large + "x\n", "same", "", "", "@@"},
		"only-end":  {"a\n", "a", "differs", "end of the last line", "", "@@"},
	}
	b := newState(t, root)
	b.Run(storetest.Run{ID: "left"})
	b.Run(storetest.Run{ID: "right"})
	add := func(run, name, path string) {
		b.Artifact(run, storetest.Artifact{Step: "s", Name: name, Path: path})
	}
	for name, p := range pairs {
		write("left/"+name, p.left)
		write("right/"+name, p.right)
		add("left", name, "left/"+name)
		add("right", name, "right/"+name)
	}
	write("shared", "what was written last")
	add("left", "shared", "shared")
	add("right", "shared", "./shared")
	add("left", "gone", "left/gone")
	add("right", "gone", "right/same")
	add("left", "outside", "/etc/passwd")
	add("right", "outside", "/etc/hostname")
	add("right", "more", "right/same")
	add("left", "tries", "left/same")
	add("left", "tries", "left/text")
	add("right", "tries", "right/same")
	s := openSite(t, root).ready()
	body := s.compare("left", "right")
	verdicts := map[string]string{}
	for _, a := range body.Artifacts {
		verdicts[fmt.Sprint(a.Name, a.Attempt)] = a.Verdict
		p, ok := pairs[a.Name]
		if !ok {
			continue
		}
		if a.Verdict != p.verdict || !strings.Contains(a.Note, p.note) || !strings.Contains(a.Diff, p.diff) || p.never != "" && strings.Contains(a.Diff, p.never) {
			t.Errorf("%s: %s %q\n%s", a.Name, a.Verdict, a.Note, a.Diff)
		}
		delete(pairs, a.Name)
	}
	if len(pairs) != 0 {
		t.Errorf("not compared: %v", pairs)
	}
	for name, want := range map[string]string{
		"shared0": "same_file", "gone0": "missing_left", "outside0": "missing_both", "more0": "only_right", "tries1": "same", "tries2": "only_left",
	} {
		if verdicts[name] != want {
			t.Errorf("%s: %s, want %s", name, verdicts[name], want)
		}
	}
	page := s.get("/compare?left=left&right=right")
	if strings.Contains(page.body, secret) || strings.Contains(page.body, "root:x:") {
		t.Error("the page tells a secret, or a file outside of the project")
	}
	// The page and the JSON say the same of each output.
	doc := page.doc()
	if n := doc.Find(".output").Length(); n != len(body.Artifacts) {
		t.Errorf("%d outputs on the page, %d in the JSON", n, len(body.Artifacts))
	}
	doc.Find(".output pre.m-diff").Each(func(i int, pre *goquery.Selection) {
		if !strings.HasPrefix(pre.Text(), "@@ -") {
			t.Errorf("diff %d begins with %q", i, clip(pre.Text()))
		}
	})
}

// TestComparePageSaysWhatTheJSONSays for every pair of the sample's runs.
func TestComparePageSaysWhatTheJSONSays(t *testing.T) {
	s := openSample(t).ready()
	runs := []string{sampleRun, stoppedRun, lostRun, parentRun, childRun, markupRun, preflightRun}
	for _, left := range runs {
		for _, right := range runs {
			if left == right {
				continue
			}
			body := s.compare(left, right)
			doc := s.get("/compare?" + url.Values{"left": {left}, "right": {right}}.Encode()).doc()
			differing := 0
			for _, f := range body.Facts {
				if f.Differs {
					differing++
				}
			}
			for _, step := range body.Steps {
				if !body.SamePipeline && step.In != "both" {
					continue
				}
				for _, f := range step.Facts {
					if f.Differs {
						differing++
					}
				}
				for _, a := range step.Attempts {
					for _, f := range a.Facts {
						if f.Differs {
							differing++
						}
					}
				}
			}
			if n := doc.Find("td.c-delta mark").Length(); n != differing {
				t.Errorf("%s and %s: %d marks, %d differing facts", left, right, n, differing)
			}
			if first := doc.Find("#difference").Length(); first != 0 != (body.FirstDifference != nil) || first > 1 {
				t.Errorf("%s and %s: %d first differences, %+v", left, right, first, body.FirstDifference)
			}
		}
	}
}

func TestCompareRefusesWhatItCannotUse(t *testing.T) {
	s := openSample(t).ready()
	for path, status := range map[string]int{
		"/compare":             http.StatusOK,
		"/api/compare":         http.StatusBadRequest,
		"/compare?left=nobody": http.StatusNotFound,
		"/compare?left=" + sampleRun + "&right=nobody":             http.StatusNotFound,
		"/compare?left=" + sampleRun + "&right=" + sampleRun:       http.StatusBadRequest,
		"/compare?left=a&left=b":                                   http.StatusBadRequest,
		"/compare?left=%00":                                        http.StatusBadRequest,
		"/compare?left=%ff":                                        http.StatusBadRequest,
		"/compare?left=" + strings.Repeat("x", 5000):               http.StatusBadRequest,
		"/api/compare?left=" + sampleRun + "&right=nobody":         http.StatusNotFound,
		"/api/compare?left=" + url.QueryEscape("<script>alert(1)"): http.StatusNotFound,
		"/compare?left=" + sampleRun + "&right=last-green&extra=1": http.StatusOK,
		"/compare?left=" + url.QueryEscape("'; DROP TABLE x; --"):  http.StatusNotFound,
	} {
		if r := s.get(path); r.status != status {
			t.Errorf("%s: status %d, want %d", clip(path), r.status, status)
		}
	}
}
