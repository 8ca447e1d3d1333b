package store

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/diagnose"
	"wavedeck/store/storetest"
)

// TestStepSpreads recomputes each figure from the rows by counting how many
// values lie below: the percentile is the least value that enough do not exceed.
func TestStepSpreads(t *testing.T) {
	b := storetest.New(t)
	rng := rand.New(rand.NewPCG(7, 7))
	var runs []string
	took, tokens := map[string][]int64{}, map[string][]int64{}
	tries := map[string]int{}
	in := map[string]map[string]bool{}
	note := func(run, step string, ms int64) {
		took[step] = append(took[step], ms)
		tries[step]++
		if in[step] == nil {
			in[step] = map[string]bool{}
		}
		in[step][run] = true
	}
	for range 40 {
		run := b.Run(storetest.Run{})
		runs = append(runs, run)
		for range 1 + rng.IntN(3) { // measured: the attempts beside it must not count twice
			ms, n := 1+rng.Int64N(90_000), rng.Int64N(50_000)
			b.Metric(run, storetest.Metric{Step: "plan", DurationMs: ms, Tokens: int(n)})
			note(run, "plan", ms)
			tokens["plan"] = append(tokens["plan"], n)
		}
		b.Attempt(run, storetest.Attempt{Step: "plan", DurationMs: 1})
		b.Step(run, storetest.Step{ID: "plan"})
		if rng.IntN(2) == 0 {
			ms := 1 + rng.Int64N(5000)
			b.Attempt(run, storetest.Attempt{Step: "build", DurationMs: ms, State: "failed"})
			note(run, "build", ms)
		}
		if rng.IntN(3) == 0 {
			seconds := rng.Int64N(100)
			b.Step(run, storetest.Step{ID: "ship", Start: storetest.Base, End: storetest.Base.Add(time.Duration(seconds) * time.Second)})
			note(run, "ship", seconds*1000)
		}
		b.Step(run, storetest.Step{ID: "never", State: "skipped"})
		b.Step(run, storetest.Step{ID: "now", State: "running"})
	}
	b.Metric(b.Run(storetest.Run{}), storetest.Metric{Step: "elsewhere", DurationMs: 5})
	d := openBuilt(t, b)
	got, err := d.stepStats(t.Context(), runs)
	if err != nil {
		t.Fatal(err)
	}
	least := func(values []int64, percent int) int64 {
		for _, v := range slices.Sorted(slices.Values(values)) {
			below := 0
			for _, other := range values {
				if other <= v {
					below++
				}
			}
			if below*100 >= percent*len(values) {
				return v
			}
		}
		return 0
	}
	var want []diagnose.StepStats
	for _, step := range []string{"build", "plan", "ship"} {
		want = append(want, diagnose.StepStats{
			Step: step, Runs: len(in[step]), Attempts: tries[step], Timed: len(took[step]), Coarse: step == "ship",
			P50: time.Duration(least(took[step], 50)) * time.Millisecond, P90: time.Duration(least(took[step], 90)) * time.Millisecond,
			Tokens50: least(tokens[step], 50), Tokens90: least(tokens[step], 90), Counted: len(tokens[step]),
		})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestStepSpreadsOfTheSample asks SQLite for the same figures in its own way.
func TestStepSpreadsOfTheSample(t *testing.T) {
	d := openSample(t)
	h, err := d.pipelineHistory(t.Context(), "fix-issue")
	if err != nil {
		t.Fatal(err)
	}
	var runs []string
	for _, r := range h.Recent {
		runs = append(runs, r.ID)
	}
	got, err := d.stepStats(t.Context(), runs)
	if err != nil || len(got) != 4 {
		t.Fatalf("%d steps, %v", len(got), err)
	}
	for _, s := range got {
		var p90, n int64
		const rank = `SELECT duration_ms FROM performance_metric WHERE step_id = ? AND run_id LIKE 'fix-issue-%'
ORDER BY duration_ms LIMIT 1 OFFSET (SELECT (count(*) * 90 + 99) / 100 - 1 FROM performance_metric WHERE step_id = ? AND run_id LIKE 'fix-issue-%')`
		if err := d.GetContext(t.Context(), &p90, rank, s.Step, s.Step); err != nil {
			t.Fatal(err)
		}
		if err := d.GetContext(t.Context(), &n, `SELECT count(*) FROM performance_metric WHERE step_id = ? AND run_id LIKE 'fix-issue-%'`, s.Step); err != nil {
			t.Fatal(err)
		}
		if s.P90.Milliseconds() != p90 || s.Timed != int(n) || s.Runs != 3 {
			t.Errorf("%+v, by SQL p90 %d of %d", s, p90, n)
		}
	}
}

func TestStepSpreadsInOlderSchemas(t *testing.T) {
	for _, version := range storetest.Schemas() {
		d := openTest(t, storetest.Schema(t, version), sampleNow, Options{})
		got, err := d.stepStats(t.Context(), []string{"fix-issue-20261123-003814-e2da", "release-check-20261123-003812-6e22"})
		if err != nil || len(got) < 4 {
			t.Errorf("schema %d: %d steps, %v", version, len(got), err)
		}
	}
}

// BenchmarkTrends reads what a pipeline's trends rest on, in a history of a
// million runs: the cost must be that of a hundred.
func BenchmarkTrends(b *testing.B) {
	d := openTest(b, storetest.Big(b, 1_000_000), storetest.Base, Options{})
	for _, pipeline := range []string{storetest.CommonPipeline, storetest.RarePipeline} {
		b.Run(pipeline, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h, err := d.pipelineHistory(b.Context(), pipeline)
				if err != nil || len(h.Recent) != historyDepth {
					b.Fatal(len(h.Recent), err)
				}
				ids := make([]string, len(h.Recent))
				for i, r := range h.Recent {
					ids[i] = r.ID
				}
				if _, err := d.stepStats(b.Context(), ids); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
