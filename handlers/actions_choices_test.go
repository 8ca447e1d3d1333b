package handlers_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wavedeck/store/storetest"
)

func TestAFormSendsWhatItDoesNotShow(t *testing.T) {
	s, e := openStage(t)
	values := make([]string, 40)
	for i := range values {
		values[i] = fmt.Sprint("area-", i)
	}
	file := filepath.Join(s.root, ".agents", "pipelines", "areas.yaml")
	text := "kind: WavePipeline\nmetadata:\n  name: areas\ninput:\n  source: cli\n  schema:\n    type: string\n    enum: [" + strings.Join(values, ", ") + "]\nsteps:\n  - id: a\n    type: command\n    script: true\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	s.until("the pipeline is read", func() bool { return s.get("/pipelines/areas").status == 200 })
	if n := s.get("/pipelines/areas/start").doc().Find("select#input option[value^=area-]").Length(); n != len(values) {
		t.Errorf("%d of %d values are offered", n, len(values))
	}
	long := strings.Repeat("word ", 10<<10)
	tags := []string{"one", "two, three"}
	run := storetest.At(t, storetest.StatePath(s.root)).Run(storetest.Run{ID: "areas-20261123-015000-aaaa", Pipeline: "fix-issue", Status: "failed", Input: long, Tags: tags, Start: opened.Add(-1e12), End: opened.Add(-1e11)})
	s.until("the run is there", func() bool { return s.get("/runs/"+run).status == 200 })
	page := s.get("/runs/" + run + "/retry")
	if says := page.text("p#input"); !strings.Contains(says, "51 kB in all") {
		t.Errorf("the form says of the input %q", says)
	}
	if page.doc().Find("[name=input], [name=tags]").Length() != 0 {
		t.Error("the form has fields for what it cannot show")
	}
	form := page.values("#start")
	if got := s.form("/runs/"+run+"/retry", form); got.status != 303 {
		t.Fatalf("%d %s", got.status, clip(got.body))
	}
	if got := e.requests(); len(got) != 1 || got[0].Input != long || fmt.Sprint(got[0].Tags) != fmt.Sprint(tags) {
		t.Errorf("started with %d bytes and %q", len(got[0].Input), got[0].Tags)
	}
	if got := s.form("/runs/"+run+"/retry", url.Values{"input": {long + "x"}, "timeout": {"never"}}); strings.TrimPrefix(got.doc().Find("textarea#input").Text(), "\n") != long+"x" {
		t.Error("a form that is refused has lost what was typed")
	}
}

func TestARunSaysThatItsGatesPassedAutomatically(t *testing.T) {
	s, _ := openStage(t)
	begun := s.json("/api/pipelines/fix-issue/start", `{"input":"x","auto_approve":true}`).answer()
	s.until("the run is there", func() bool { return s.get("/runs/"+begun.RunID).status == 200 })
	if with, _ := s.get("/api/runs/" + begun.RunID).object()["started_with"].(object); with["auto_approve"] != "true" {
		t.Errorf("JSON says it was started with %v", with)
	}
	for _, path := range []string{"/runs/" + begun.RunID, "/runs/" + begun.RunID + ".txt", "/runs/" + begun.RunID + ".md"} {
		if r := s.get(path); !strings.Contains(r.body, "passed automatically") {
			t.Errorf("%s does not say how it was started", path)
		}
	}
}
