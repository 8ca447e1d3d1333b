package storetest_test

import (
	"os"
	"path/filepath"
	"testing"

	"wavedeck/store/storetest"
)

func TestProject(t *testing.T) {
	root := storetest.Project(t)
	for _, name := range []string{
		"wave.yaml", ".agents/pipelines/slow-soak.yaml", ".agents/contracts/result.schema.json",
		".agents/personas/navigator.md", ".agents/output/areas-collected.json",
	} {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Error(err)
		}
	}
	b := storetest.At(t, storetest.StatePath(root))
	if n := count(t, b, "pipeline_run"); n != 15 {
		t.Errorf("the sample has %d runs, want 15", n)
	}
}

func count(t *testing.T, b *storetest.Builder, table string) (n int) {
	t.Helper()
	if err := b.DB.GetContext(t.Context(), &n, "SELECT count(*) FROM "+table); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestBuilderDefaults(t *testing.T) {
	b := storetest.New(t)
	run := b.Run(storetest.Run{Tags: []string{"nightly", `a"b`}})
	b.Event(run, storetest.Event{State: "started"})
	b.Step(run, storetest.Step{})
	b.Attempt(run, storetest.Attempt{})
	b.Metric(run, storetest.Metric{DurationMs: 1500})
	b.Artifact(run, storetest.Artifact{})
	b.Outcome(run, storetest.Outcome{})
	b.Cancel(run)
	b.PipelineState(run, "completed")
	for table, want := range map[string]int{
		"pipeline_run": 1, "event_log": 1, "step_state": 1, "step_attempt": 2, "performance_metric": 1,
		"artifact": 1, "pipeline_outcome": 1, "cancellation": 1, "pipeline_state": 1,
	} {
		if n := count(t, b, table); n != want {
			t.Errorf("%s has %d rows, want %d", table, n, want)
		}
	}
	var tag string
	const second = `SELECT value FROM pipeline_run, json_each(tags_json) WHERE key = 1`
	if err := b.DB.GetContext(t.Context(), &tag, second); err != nil || tag != `a"b` {
		t.Errorf("second tag %q, %v", tag, err)
	}
}
