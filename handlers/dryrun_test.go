package handlers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// A dry run ends well, which must not read as if it had done anything.
func TestADryRunSaysSoEverywhere(t *testing.T) {
	s := openSample(t).ready()
	const dry, local, later = "fix-issue-20261123-015000-d001", "fix-issue-20261123-015100-d002", "fix-issue-20261123-015200-d003"
	b := storetest.At(t, storetest.StatePath(s.root))
	at := opened.Add(-10 * time.Minute)
	before := s.get("/badge/v1/pipelines/fix-issue.json").body
	for i := range 8 {
		b.Run(storetest.Run{ID: fmt.Sprint("fix-issue-20261123-015130-e00", i), Pipeline: "fix-issue", Status: "completed", CurrentStep: wave.ReasonDryRun, Start: at.Add(2 * time.Minute), End: at.Add(2 * time.Minute)})
	}
	for i, id := range []string{dry, local} {
		b.Run(storetest.Run{ID: id, Pipeline: "fix-issue", Status: "completed", CurrentStep: wave.ReasonDryRun, Input: "x", Start: at.Add(time.Duration(i) * time.Minute), End: at.Add(time.Duration(i) * time.Minute)})
	}
	b.Step(local, storetest.Step{ID: "assess", State: "skipped", Error: "dry run"})
	b.Run(storetest.Run{ID: later, Pipeline: "fix-issue", Status: "failed", Error: "x", Start: at.Add(5 * time.Minute), End: at.Add(5 * time.Minute)})
	s.until("the runs are listed", func() bool {
		return !slices.ContainsFunc([]string{dry, local, later}, func(id string) bool { return !strings.Contains(s.get("/runs.ndjson?q=id:"+id).body, id) })
	})
	for _, id := range []string{dry, local} {
		for name, path := range map[string]string{
			"the list": "/runs?q=id:" + id, "the page": "/runs/" + id, "JSON": "/api/runs/" + id, "the list as JSON": "/api/runs?q=id:" + id,
			"text": "/runs/" + id + ".txt", "Markdown": "/runs/" + id + ".md", "the list as text": "/runs.txt?q=id:" + id, "CSV": "/runs.csv?q=id:" + id,
			"NDJSON": "/runs.ndjson?q=id:" + id, "a card": "/embed/v1/runs/" + id + "/card", "the steps of another page": "/embed/v1/runs/" + id + "/steps",
			"the graph": "/runs/" + id + "/graph", "the timeline": "/runs/" + id + "/timeline", "the export": "/runs/" + id + "/export",
		} {
			if r := s.get(path); r.status != 200 || !strings.Contains(r.body, "dry run") {
				t.Errorf("%s of %s: %d, without “dry run”", name, id, r.status)
			}
		}
		doc := s.get("/api/runs/" + id).object()
		if run := doc["run"].(object); run["dry_run"] != true {
			t.Errorf("JSON of %s says dry_run: %v", id, run["dry_run"])
		}
		for _, step := range doc["steps"].([]any) {
			if step := step.(object); step["state"] != "skipped" || step["note"] != "dry run" {
				t.Errorf("step %s of %s is %v (%v)", step["step_id"], id, step["state"], step["note"])
			}
		}
	}
	compared := s.get("/api/compare?left=" + later + "&right=last-green").object()
	if right, _ := compared["right"].(object); right == nil || right["dry_run"] == true {
		t.Errorf("the last green run is %v", compared["right"])
	}
	if body := s.get("/pipelines/fix-issue/trends").body; strings.Contains(body, dry) || strings.Contains(body, local) || !strings.Contains(body, later) {
		t.Error("the trends of the pipeline have a dry run")
	}
	b.Exec(`DELETE FROM pipeline_run WHERE run_id = ?`, later)
	s.until("the failure is gone", func() bool { return s.get("/runs/"+later).status == 404 })
	if after := s.get("/badge/v1/pipelines/fix-issue.json").body; after != before {
		t.Errorf("the badge was %s and is %s after dry runs", before, after)
	}
}
