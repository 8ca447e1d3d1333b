package search

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"wavedeck/store"
	"wavedeck/store/criteria"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
)

var (
	benchRuns   = flag.Int("runs", 200_000, "runs in the history of the search benchmarks")
	benchEvents = flag.Int("each", 10, "activities of each of them")
)

// activitySQL gives each run so many activities of tools on files and commands.
const activitySQL = `
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?),
words(w) AS (SELECT json('["add","audit","broken","build","cache","check","clean","compare","config","deploy","document","draft","fetch","fix","flaky","format","index","issue","label","lint","merge","migrate","notes","parse","plan","probe","pull","refactor","release","rename"]'))
INSERT INTO event_log (run_id, timestamp, step_id, state, persona, message, tokens_used, duration_ms)
SELECT run_id, started_at + i, 'work', 'stream_activity', 'craftsman',
	CASE i % 4 WHEN 0 THEN 'Bash go test ./' ELSE json_extract('["Read","Edit","Grep","Write"]', '$[' || (i % 4) || ']') || ' internal/' END
	|| json_extract(w, '$[' || ((r.rowid * 7 + i * 11) % 30) || ']') || '/' || json_extract(w, '$[' || ((r.rowid / 3 + i) % 30) || ']')
	|| ((r.rowid * 31 + i * 17) % 5000) || '.go', 0, 0
FROM pipeline_run r, n, words ORDER BY r.rowid, i`

// benchState is a history, made once and kept in the user's cache directory.
func benchState(b *testing.B) string {
	b.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		b.Fatal(err)
	}
	dir := filepath.Join(cache, "wavedeck", "bench")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(dir, fmt.Sprintf("search-1-n%d-e%d.db", *benchRuns, *benchEvents))
	if _, err := os.Stat(path); err == nil {
		return path
	}
	making := path + ".making"
	_ = os.Remove(making)
	db, err := statedb.Create(b.Context(), making, statedb.Latest, "journal_mode(OFF)", "synchronous(OFF)", "foreign_keys(0)", "cache_size(-200000)")
	if err != nil {
		b.Fatal(err)
	}
	if err := storetest.Fill(b.Context(), db, *benchRuns, 1); err != nil {
		b.Fatal(err)
	}
	if _, err := db.ExecContext(b.Context(), activitySQL, *benchEvents); err != nil {
		b.Fatal(err)
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	if db, err = statedb.Open(b.Context(), making); err != nil {
		b.Fatal(err)
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	if err := os.Rename(making, path); err != nil {
		b.Fatal(err)
	}
	return path
}

// follow keeps a store in step until the benchmark ends.
func follow(t testing.TB, path string) *store.Store {
	t.Helper()
	s := store.Open(path, store.Options{Now: func() time.Time { return storetest.Base.Add(time.Hour) }})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Follow(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return s
}

func BenchmarkSearch(b *testing.B) {
	s := follow(b, benchState(b))
	for h := s.Health(); h.Phase != store.Ready || !h.Index.Ready; h = s.Health() {
		<-time.After(50 * time.Millisecond)
	}
	dir := b.TempDir()
	x := Open(s, Options{Dir: dir})
	defer x.Close()
	built := builder{x: x}
	began := time.Now()
	steps := []time.Duration{}
	for more := true; more; {
		at := time.Now()
		var err error
		if more, err = built.step(b.Context()); err != nil {
			b.Fatal(err)
		}
		steps = append(steps, time.Since(at))
	}
	took := time.Since(began)
	status := x.Status(b.Context())
	if status.State != Ready {
		b.Fatal(status)
	}
	slices.Sort(steps)
	f, _ := x.open(b.Context())
	var pages, size float64
	_ = f.reader.Get(&pages, "PRAGMA page_count")
	_ = f.reader.Get(&size, "PRAGMA page_size")
	b.Run("build", func(b *testing.B) { // which was done above, once and without rests
		for b.Loop() {
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(status.Events), "events")
		b.ReportMetric(float64(status.Events)/took.Seconds(), "events/s")
		b.ReportMetric(pages*size/float64(status.Events), "B/event")
		b.ReportMetric(float64(steps[len(steps)/2].Microseconds())/1000, "p50-ms/step")
		b.ReportMetric(float64(steps[len(steps)-1].Microseconds())/1000, "most-ms/step")
	})
	word := func(text string) Word { w, _ := ParseWord(text, false, false); return w }
	prefix := func(text string) Word { w, _ := ParseWord(text, true, false); return w }
	not := func(text string) Word { w, _ := ParseWord(text, false, true); return w }
	failed := criteria.RunFilter{Predicates: []criteria.Predicate{{Field: criteria.FieldState, Texts: []criteria.PredicateText{{Text: "failed"}}}}}
	rare := criteria.RunFilter{Predicates: []criteria.Predicate{{Field: criteria.FieldPipeline, Texts: []criteria.PredicateText{{Text: storetest.RarePipeline}}}}}
	cancelled := criteria.RunFilter{Predicates: []criteria.Predicate{{Field: criteria.FieldState, Texts: []criteria.PredicateText{{Text: "cancelled"}}}}}
	for _, row := range []struct {
		name string
		q    Query
		f    criteria.RunFilter
	}{
		{"none", Query{word("zzzznowhere")}, criteria.RunFilter{}},
		{"rare", Query{word(storetest.Needle)}, criteria.RunFilter{}},
		{"one file", Query{word("merge77.go")}, criteria.RunFilter{}},
		{"common", Query{word("go")}, criteria.RunFilter{}},
		{"two common", Query{word("edit"), word("release")}, criteria.RunFilter{}},
		{"two common that never meet", Query{word("bash"), word("grep")}, criteria.RunFilter{}},
		{"common and not", Query{word("go"), not("edit"), not("bash")}, criteria.RunFilter{}},
		{"phrase", Query{word("edit internal/fix/add")}, criteria.RunFilter{}},
		{"phrase that never is", Query{word("go internal")}, criteria.RunFilter{}},
		{"beginning", Query{prefix("rel")}, criteria.RunFilter{}},
		{"common in failed", Query{word("go")}, failed},
		{"rare in failed", Query{word(storetest.Needle)}, failed},
		{"common in a rare pipeline", Query{word("release")}, rare},
		{"common in cancelled", Query{word("release")}, cancelled},
	} {
		b.Run(row.name, func(b *testing.B) {
			var all []time.Duration
			var found Found
			for b.Loop() {
				at := time.Now()
				ctx, cancel := context.WithTimeout(b.Context(), 300*time.Millisecond) // as a page does
				var err error
				if found, err = x.Find(ctx, row.q, row.f, Cursor{}); err != nil {
					b.Fatal(err)
				}
				cancel()
				all = append(all, time.Since(at))
			}
			slices.Sort(all)
			b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(all[len(all)*95/100].Microseconds())/1000, "p95-ms")
			b.ReportMetric(float64(len(found.Runs)), "runs")
			if found.Tired {
				b.ReportMetric(float64(status.Events-found.Next.Before)/float64(status.Events), "searched")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
