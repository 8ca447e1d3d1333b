package handlers_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"wavedeck/store/storetest"
)

// TestTrendsGroupFailures counts the same failure once, whatever changes in it
// from run to run, and leads to its runs.
func TestTrendsGroupFailures(t *testing.T) {
	root := emptyProject(t)
	b := newState(t, root)
	at := func(i int) time.Time { return storetest.Base.Add(time.Duration(i) * time.Minute) }
	for i := range 12 {
		run := storetest.Run{ID: fmt.Sprintf("run-%02d", i), Start: at(i)}
		switch {
		case i%3 == 0: // 0 3 6 9
			run.Status = "failed"
			run.CurrentStep = fmt.Sprintf("step \"build\" failed: cannot reach 10.0.0.%d:5432 after %d.5s\nmore %d", i, i, i)
		case i == 4:
			run.Status, run.CurrentStep = "failed", "step \"build\" failed: token=ghp_0123456789abcdefghijklmnopqrstuvwxyz is refused"
		case i == 5:
			run.Status = "cancelled"
		}
		b.Run(run)
		b.Metric(run.ID, storetest.Metric{DurationMs: int64(1000 * (i + 1)), Tokens: 10 * i})
	}
	b.Run(storetest.Run{ID: "other", Pipeline: "other", Status: "failed", CurrentStep: `step "x" failed: cannot reach 10.0.0.1:5432 after 1.5s`})
	s := openSite(t, root).ready()

	var body struct {
		Record struct{ Succeeded, Failed, Cancelled int }
		Trends struct {
			Runs     int
			Failures []struct {
				Line, Pattern string
				Count         int
				FirstSeen     time.Time `json:"first_seen"`
				LastSeen      time.Time `json:"last_seen"`
				Newest        string    `json:"newest_run_id"`
			}
			Steps []struct {
				StepID string `json:"step_id"`
				P50    int64  `json:"p50_ms"`
				P90    int64  `json:"p90_ms"`
				Tokens int64  `json:"p90_tokens"`
				Runs   int
			}
		}
	}
	if err := json.Unmarshal([]byte(s.get("/api/pipelines/build").body), &body); err != nil {
		t.Fatal(err)
	}
	if len(body.Trends.Failures) != 2 || body.Trends.Runs != 12 {
		t.Fatalf("%+v", body.Trends)
	}
	first := body.Trends.Failures[0]
	if first.Count != 4 || first.Newest != "run-09" || !first.FirstSeen.Equal(at(0)) || !first.LastSeen.Equal(at(9)) ||
		first.Line != "cannot reach 10.0.0.9:5432 after 9.5s" || first.Pattern != "cannot reach <n>:<n> after <n>s" {
		t.Errorf("%+v", first)
	}
	if strings.Contains(s.get("/pipelines/build").body, "ghp_0123456789") {
		t.Error("a secret is shown")
	}
	if step := body.Trends.Steps[0]; step.StepID != "build" || step.Runs != 12 || step.P50 != 6000 || step.P90 != 11000 || step.Tokens != 100 {
		t.Errorf("%+v", step)
	}
	if body.Record.Succeeded != 6 || body.Record.Failed != 5 || body.Record.Cancelled != 1 {
		t.Errorf("%+v", body.Record)
	}

	doc := s.get("/pipelines/build").doc()
	if n := doc.Find("#trends svg.chart").First().Find("a").Length(); n != 12 {
		t.Errorf("%d points, want one for each run", n)
	}
	if n := doc.Find("#trends svg.chart a[href='/runs/run-09'] use[href$='#failed']").Length(); n != 2 {
		t.Errorf("run-09 is told by its shape %d times, want in both charts", n)
	}
	list := doc.Find("#trends a:contains('list')").First().AttrOr("href", "")
	q, err := url.Parse(list)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, id := range s.get(q.String()).doc().Find("tr.run").Map(func(_ int, e *goquery.Selection) string { return e.AttrOr("id", "") }) {
		found[id] = true
	}
	for _, id := range []string{"run-run-00", "run-run-03", "run-run-06", "run-run-09"} {
		if !found[id] {
			t.Errorf("%s does not list %s: %v", list, id, found)
		}
	}
	if found["run-other"] || found["run-run-05"] {
		t.Errorf("the list has others: %v", found)
	}
}

func TestTrendsOfAPipelineWithoutRuns(t *testing.T) {
	root := emptyProject(t)
	newState(t, root)
	s := openSite(t, root).ready()
	if part := s.fragment("/pipelines/nothing/trends"); part.status != 200 || !strings.Contains(part.text("#trends"), "No runs yet") {
		t.Errorf("%d %s", part.status, part.body)
	}
}
