package storetest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/statedb"
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

func TestSchemaHoldsOneHistory(t *testing.T) {
	type run struct {
		ID     string `db:"run_id"`
		Status string
		Start  int64 `db:"started_at"`
	}
	const query = `SELECT run_id, status, started_at FROM pipeline_run ORDER BY run_id`
	var want []run
	newest := storetest.At(t, storetest.Schema(t, 33))
	if err := newest.DB.SelectContext(t.Context(), &want, query); err != nil || len(want) != 15 {
		t.Fatalf("%d runs, %v", len(want), err)
	}
	for _, version := range storetest.Schemas() {
		b := storetest.At(t, storetest.Schema(t, version))
		var got []run
		if err := b.DB.SelectContext(t.Context(), &got, query); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("schema %d (-33 +%d):\n%s", version, version, d)
		}
		var applied int
		if err := b.DB.GetContext(t.Context(), &applied, `SELECT max(version) FROM schema_migrations`); err != nil || applied != version {
			t.Errorf("schema %d is %d, %v", version, applied, err)
		}
	}
}

func TestArtifactsOfTheSampleAreThere(t *testing.T) {
	root := storetest.Project(t)
	var artifacts []struct {
		Name, Path string
		Size       int64 `db:"size_bytes"`
	}
	b := storetest.At(t, storetest.StatePath(root))
	if err := b.DB.SelectContext(t.Context(), &artifacts, `SELECT name, path, size_bytes FROM artifact`); err != nil {
		t.Fatal(err)
	}
	for _, a := range artifacts {
		info, err := os.Stat(filepath.Join(root, a.Path))
		switch {
		case a.Name == "build-log":
			if err == nil {
				t.Errorf("the large %s is there", a.Path)
			}
		case err != nil:
			t.Error(err)
		case info.Size() != a.Size:
			t.Errorf("%s has %d bytes, recorded are %d", a.Path, info.Size(), a.Size)
		}
	}
}

func TestBuilderWritesOlderVersions(t *testing.T) {
	for _, version := range []int{2, 5, 8, 15, 22, 27, 33} {
		b := storetest.NewVersion(t, version)
		run := b.Run(storetest.Run{Tags: []string{"a"}, Parent: "p", PID: 7, IterateTotal: 2})
		b.Event(run, storetest.Event{Model: "m"})
		b.Step(run, storetest.Step{Visits: 2})
		b.Attempt(run, storetest.Attempt{State: "failed"})
		b.Metric(run, storetest.Metric{})
		b.Artifact(run, storetest.Artifact{})
		b.Outcome(run, storetest.Outcome{Description: "d"})
		b.Cancel(run)
		b.PipelineState(run, "completed")
		b.Update("pipeline_run", statedb.Row{"run_id": run, "status": "failed", "pid": 0})
		for _, table := range []string{"pipeline_run", "event_log", "step_state", "artifact", "cancellation", "pipeline_state"} {
			if n := count(t, b, table); n != 1 {
				t.Errorf("schema %d: %d rows in %s", version, n, table)
			}
		}
	}
}

func TestBuilderNumbersAndTimesRuns(t *testing.T) {
	b := storetest.New(t)
	first, second := b.Run(storetest.Run{}), b.Run(storetest.Run{Pipeline: "ship", Status: "running"})
	if first != "build-20260301-120000-0001" || second != "ship-20260301-120100-0002" {
		t.Errorf("ids %s and %s", first, second)
	}
	third := b.Run(storetest.Run{ID: "<b>&", Start: storetest.Base, Extra: statedb.Row{"tags_json": "{", "completed_at": nil}})
	var got struct {
		Tags  string `db:"tags_json"`
		Start int64  `db:"started_at"`
		Ended bool
	}
	const query = `SELECT tags_json, started_at, completed_at IS NOT NULL AS ended FROM pipeline_run WHERE run_id = ?`
	if err := b.DB.GetContext(t.Context(), &got, query, third); err != nil {
		t.Fatal(err)
	}
	if got.Tags != "{" || got.Start != storetest.Base.Unix() || got.Ended {
		t.Errorf("the third run is %+v", got)
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

func TestHistoryIsWhatTheRunsLeft(t *testing.T) {
	root := storetest.History(t)
	db := storetest.At(t, storetest.StatePath(root))
	ends := storetest.Ends(t)
	if len(ends) != 52 {
		t.Errorf("%d ends are known, want 52", len(ends))
	}
	if n := count(t, db, "pipeline_run"); n != 73 {
		t.Errorf("%d runs, want 73", n)
	}
	for _, end := range ends {
		var n int
		if err := db.DB.GetContext(t.Context(), &n, "SELECT count(*) FROM pipeline_run WHERE run_id = ?", end.Run); err != nil || n != 1 {
			t.Errorf("%s has %d rows, want 1 (%v)", end.Run, n, err)
		}
	}
}
