package store

import (
	"flag"
	"testing"
	"time"

	"wavedeck/store/criteria"
	"wavedeck/store/storetest"
)

// benchRuns is the size of the history that list benchmarks read; their cost
// must not depend on it.
var benchRuns = flag.Int("runs", 100_000, "runs in the history of the list benchmarks")

func benchCrowd(b *testing.B) *testReader {
	b.Helper()
	d := openTest(b, storetest.Crowd(b, *benchRuns, 3).Path, time.Unix(1800000000, 0), Options{})
	b.ReportAllocs()
	return d
}

func BenchmarkFirstPage(b *testing.B) {
	d := benchCrowd(b)
	for b.Loop() {
		if page, err := d.page(b.Context(), criteria.RunFilter{}); err != nil || len(page.Runs) != criteria.DefaultLimit {
			b.Fatal(len(page.Runs), err)
		}
	}
}

func BenchmarkDeepPage(b *testing.B) {
	d := benchCrowd(b)
	f := criteria.RunFilter{Older: &criteria.Cursor{T: 1700000000 + int64(*benchRuns/6), ID: "run-7"}}
	for b.Loop() {
		if page, err := d.page(b.Context(), f); err != nil || len(page.Runs) != criteria.DefaultLimit {
			b.Fatal(len(page.Runs), err)
		}
	}
}

// BenchmarkPlaces is the keyset query of a page alone.
func BenchmarkPlaces(b *testing.B) {
	d := benchCrowd(b)
	for b.Loop() {
		if places, _, err := d.places(b.Context(), criteria.RunFilter{}); err != nil || len(places) != criteria.DefaultLimit {
			b.Fatal(len(places), err)
		}
	}
}

func BenchmarkPipelineHistory(b *testing.B) {
	d := benchCrowd(b)
	for _, pipeline := range []string{"common-1", "rare"} {
		b.Run(pipeline, func(b *testing.B) {
			for b.Loop() {
				if h, err := d.pipelineHistory(b.Context(), pipeline); err != nil || len(h.Recent) == 0 {
					b.Fatal(len(h.Recent), err)
				}
			}
		})
	}
}

// BenchmarkRunsByID reads the sample's runs as one page, events and all.
func BenchmarkRunsByID(b *testing.B) {
	d := openSample(b)
	ids := make([]string, 0, 25)
	for len(ids) < 25 {
		for id := range sampleRuns {
			if len(ids) < 25 {
				ids = append(ids, id)
			}
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if runs, err := d.RunsByID(b.Context(), ids); err != nil || len(runs) != 25 {
			b.Fatal(len(runs), err)
		}
	}
}

// longRunSQL writes 50,000 events of 60 steps in the proportions of a persona
// at work: mostly activity, now and then a state.
const longRunSQL = `
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < 50000)
INSERT INTO event_log (run_id, timestamp, step_id, state, persona, message, tokens_used, duration_ms)
SELECT ?, 1772366400 + i / 10, 'step-' || (i / 834),
	CASE WHEN i % 834 = 0 THEN 'running' WHEN i % 834 = 833 THEN 'completed' WHEN i % 50 = 7 THEN 'step_progress' ELSE 'stream_activity' END,
	'craftsman', 'Edit internal/pkg/file' || i || '.go', CASE WHEN i % 50 = 7 THEN 100 ELSE 0 END, 0 FROM n`

func longRun(b *testing.B) (*storetest.Builder, string) {
	b.Helper()
	build := storetest.New(b)
	run := build.Run(storetest.Run{Status: "running", Heartbeat: storetest.Base.Add(time.Hour)})
	build.Exec(longRunSQL, run)
	return build, run
}

func BenchmarkLongRunFirst(b *testing.B) {
	build, run := longRun(b)
	d := openTest(b, build.Path, storetest.Base.Add(time.Hour), Options{})
	b.ReportAllocs()
	for b.Loop() {
		d.histories.forget()
		if detail, err := d.Detail(b.Context(), run); err != nil || len(detail.Steps) != 60 || detail.Events != 50000 {
			b.Fatal(len(detail.Steps), detail.Events, err)
		}
	}
}

func BenchmarkLongRunAgain(b *testing.B) {
	build, run := longRun(b)
	d := openTest(b, build.Path, storetest.Base.Add(time.Hour), Options{})
	b.ReportAllocs()
	for b.Loop() {
		build.Event(run, storetest.Event{Step: "step-59", State: "stream_activity", Message: "Bash go test"})
		if detail, err := d.Detail(b.Context(), run); err != nil || len(detail.Steps) != 60 {
			b.Fatal(len(detail.Steps), err)
		}
	}
}

// forget empties the cache, as a new process finds it.
func (c *histories) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byRun = nil
	c.used.Init()
}

// BenchmarkOutlooks judges the runs of a history that go on: their past is kept,
// so that it costs what a page costs.
func BenchmarkOutlooks(b *testing.B) {
	d := openTest(b, storetest.Big(b, *benchRuns), storetest.Base, Options{})
	var ids []string
	if err := d.SelectContext(b.Context(), &ids, `SELECT run_id FROM pipeline_run WHERE status = 'running' ORDER BY started_at DESC LIMIT 25`); err != nil || len(ids) != 25 {
		b.Fatal(len(ids), err)
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			d.baselines = baselines{}
			if _, err := d.diagnoses(b.Context(), ids); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			if _, err := d.diagnoses(b.Context(), ids); err != nil {
				b.Fatal(err)
			}
		}
	})
}
