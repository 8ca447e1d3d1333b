package handlers_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/storetest"
)

// object is a JSON answer: its keys are part of what is promised.
type object = map[string]any

func (r reply) object() object {
	r.t.Helper()
	var body object
	if err := json.Unmarshal([]byte(r.body), &body); err != nil {
		r.t.Fatalf("not a JSON object: %v: %s", err, clip(r.body))
	}
	return body
}

func keysOf(o object) []string {
	var keys []string
	for k := range o {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func TestRunsAsJSON(t *testing.T) {
	s := openSample(t).ready()
	body := s.get("/api/runs").object()
	if body["has_more"] != false || body["next_cursor"] != nil {
		t.Errorf("11 top-level runs fit on a page: has_more %v, next_cursor %v", body["has_more"], body["next_cursor"])
	}
	got := map[string]object{}
	for _, run := range body["runs"].([]any) {
		got[run.(object)["run_id"].(string)] = run.(object)
	}
	if len(got) != 11 {
		t.Errorf("%d top-level runs, want 11", len(got))
	}
	want := object{
		"run_id": stoppedRun, "pipeline_name": "slow-soak", "status": "cancelled", "reason": "stopped by an operator",
		"input": "60", "current_step": "soak", "total_tokens": 0.0, "progress": 33.0,
		"started_at": "2026-11-23T00:38:20Z", "completed_at": "2026-11-23T00:38:30Z",
		"duration": "10s", "duration_ms": 10000.0, "error_message": `step "soak" failed: signal: killed`, "headline": "stopped by an operator",
	}
	if diff := cmp.Diff(want, got[stoppedRun]); diff != "" {
		t.Errorf("the stopped run (-want +got):\n%s", diff)
	}
	lost := got[lostRun]
	if lost["status"] != "failed" || lost["state"] != "lost" {
		t.Errorf("an orphan has status %v and state %v, want failed and lost", lost["status"], lost["state"])
	}
	if _, ok := lost["completed_at"]; ok {
		t.Error("an orphan has a time of completion")
	}
	if _, ok := got[sampleRun]["state"]; ok {
		t.Error("state repeats what status says")
	}
}

func TestRunAsJSON(t *testing.T) {
	s := openSample(t).ready()
	body := s.get("/api/runs/" + sampleRun).object()
	if got, want := keysOf(body), []string{"artifacts", "dag", "decisions", "decisions_total", "events", "run", "steps"}; !slices.Equal(got, want) {
		t.Errorf("keys %v, want %v", got, want)
	}
	steps := map[string]object{}
	var order []string
	for _, step := range body["steps"].([]any) {
		id := step.(object)["step_id"].(string)
		steps[id] = step.(object)
		order = append(order, id)
	}
	if want := []string{"provision", "integration", "deploy", "smoke", "docs"}; !slices.Equal(order, want) {
		t.Errorf("steps %v, want the definition's order %v", order, want)
	}
	integration := steps["integration"]
	expected := object{
		"state": "failed", "persona": "craftsman", "model": "claude-opus-4", "attempts": 3.0,
		"tokens_used": 21681.0, "contract": "failed",
	}
	for key, want := range expected {
		if integration[key] != want {
			t.Errorf("integration %s is %v, want %v", key, integration[key], want)
		}
	}
	if len(integration["artifacts"].([]any)) != 3 {
		t.Errorf("integration left %v, want an artifact per attempt", integration["artifacts"])
	}
	if note := steps["deploy"]["note"]; note != "blocked by integration" {
		t.Errorf("deploy says %v", note)
	}
	first := body["events"].([]any)[0].(object)
	want := object{"id": 186.0, "timestamp": "2026-11-23T00:39:50Z", "state": "started", "message": `input="staging" steps=5`}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("first event (-want +got):\n%s", diff)
	}
}

func TestPipelinesAndPersonasAsJSON(t *testing.T) {
	s := openSample(t).ready()
	pipelines := s.get("/api/pipelines").object()["pipelines"].([]any)
	if len(pipelines) != 7 {
		t.Errorf("%d pipelines, want 7", len(pipelines))
	}
	one := s.get("/api/pipelines/flaky-integration").object()
	if one["step_count"] != 5.0 || len(one["steps"].([]any)) != 5 || len(one["recent_runs"].([]any)) != 2 {
		t.Errorf("flaky-integration: %v steps, %v recent runs", one["step_count"], one["recent_runs"])
	}
	if diff := cmp.Diff(object{"succeeded": 0.0, "failed": 2.0, "cancelled": 0.0, "timed": 0.0}, one["record"]); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	personas := s.get("/api/personas").object()["personas"].([]any)
	want := object{
		"name": "summarizer", "adapter": "claude", "description": "Condenses long transcripts into a short report",
		"model": "sonnet", "temperature": 0.0, "system_prompt_file": ".agents/personas/summarizer.md",
	}
	if diff := cmp.Diff(want, personas[len(personas)-1]); diff != "" {
		t.Errorf("a persona with its adapter's model (-want +got):\n%s", diff)
	}
}

// TestPagesHoldEveryRunOnce walks runs that started in the same second.
func TestPagesHoldEveryRunOnce(t *testing.T) {
	root := emptyProject(t)
	b := newState(t, root)
	const runs = 137
	for i := range runs {
		b.Run(storetest.Run{ID: "same-second-" + strconv.Itoa(1000+i), Pipeline: "p", Status: "completed", Start: opened.Add(-time.Hour)})
	}
	s := openSite(t, root).ready()
	for _, narrowed := range []url.Values{{}, {"pipeline": {"p"}}} {
		t.Run("narrowed by "+narrowed.Encode(), func(t *testing.T) {
			seen := map[string]int{}
			q := url.Values{"limit": {"10"}, "pipeline": narrowed["pipeline"]}
			for pages := 0; ; pages++ {
				if pages > runs {
					t.Fatal("the pages do not end")
				}
				body := s.get("/api/runs?" + q.Encode()).object()
				for _, run := range body["runs"].([]any) {
					seen[run.(object)["run_id"].(string)]++
				}
				if body["has_more"] != true {
					break
				}
				q.Set("cursor", body["next_cursor"].(string))
			}
			if len(seen) != runs {
				t.Errorf("%d runs, want %d", len(seen), runs)
			}
			for id, n := range seen {
				if n != 1 {
					t.Errorf("%s is there %d times", id, n)
				}
			}
		})
	}
}

func TestListIsNarrowed(t *testing.T) {
	s := openSample(t).ready()
	for name, c := range map[string]struct {
		query string
		want  []string
	}{
		"by a told state":              {"state=cancelled", []string{stoppedRun}},
		"by two told states":           {"state=cancelled&state=lost", []string{lostRun, stoppedRun}},
		"by Wave's word":               {"status=failed", []string{sampleRun, lostRun, preflightRun}},
		"by pipeline":                  {"pipeline=slow-soak", []string{lostRun, stoppedRun}},
		"by pipeline and state":        {"pipeline=slow-soak&state=lost", []string{lostRun}},
		"by text of any case":          {"q=ONERROR+staging", []string{preflightRun}},
		"by parent":                    {"parent=" + parentRun + "&q=licences", []string{childRun}},
		"by time":                      {"since=2026-11-23T00:39:50Z", []string{sampleRun, markupRun}},
		"by an age":                    {"since=81m30s&until=81m", []string{lostRun, "fix-issue-20261123-003841-613e"}},
		"by a tag that no run has":     {"tag=none", nil},
		"by a pipeline that never ran": {"pipeline=none", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, run := range s.get("/api/runs?" + c.query).object()["runs"].([]any) {
				got = append(got, run.(object)["run_id"].(string))
			}
			slices.Sort(got)
			slices.Sort(c.want)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("runs (-want +got):\n%s", diff)
			}
			page := s.get("/runs?" + c.query)
			if rows := page.doc().Find("table.runs tr[id^='run-']").Length(); rows != len(c.want) {
				t.Errorf("the page has %d rows, want %d", rows, len(c.want))
			}
			if len(c.want) == 0 && !strings.Contains(page.text("section#runs"), "none") {
				t.Errorf("the empty page does not name its filter: %s", page.text("section#runs"))
			}
		})
	}
}

func TestHeldListStandsStill(t *testing.T) {
	s := openSample(t).ready()
	next := s.get("/runs?limit=2").doc().Find("a[rel=next]").AttrOr("href", "")
	third := s.get(next).doc().Find("table.runs tr[data-cursor]").AttrOr("data-cursor", "")
	if third == "" {
		t.Fatal("the first row has no cursor")
	}
	held := s.fragment("/runs?hold=" + url.QueryEscape(third))
	first, _ := held.doc().Find("table.runs tr[data-cursor]").First().Attr("data-cursor")
	if first != third {
		t.Errorf("the held list begins with %q, want %q", first, third)
	}
	if says := held.text("#held"); !strings.Contains(says, "2 new runs") {
		t.Errorf("it says %q, want that 2 runs are new", says)
	}
}

func FuzzRunsQuery(f *testing.F) {
	for _, seed := range []string{
		"", "state=failed&q=x", "q=status%3Afailed+-dur%3E1h", "q=%22a", "q=tag%3A*%2Cb", "older=eyJ0IjoxLCJpZCI6ImEifQ", "since=7d&until=2026-11-23", "limit=100&hold=e30",
		"%zz", "q=%00", "state=%ff", "tag=&tag=&tag=x", "since=-1h", "newer=x&older=y", "parent=../..",
	} {
		f.Add(seed)
	}
	s := openSample(f).ready()
	f.Fuzz(func(t *testing.T, query string) {
		if strings.ContainsAny(query, " #\r\n\t") || !isPlain(query) {
			t.Skip("not a query as a client can send it")
		}
		r := s.as(t).get("/api/runs?" + query)
		switch r.status {
		case 200:
			if r.object()["runs"] == nil {
				t.Errorf("%q: no list: %s", query, clip(r.body))
			}
		case 400:
			if r.object()["error"] == "" {
				t.Errorf("%q: no reason: %s", query, clip(r.body))
			}
		default:
			t.Errorf("%q: status %d: %s", query, r.status, clip(r.body))
		}
	})
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
