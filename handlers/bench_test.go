package handlers_test

import (
	"bufio"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"time"

	"wavedeck/store/storetest"
)

// benchRuns is the size of the history whose rows are all read.
var benchRuns = flag.Int("runs", 100_000, "runs in the history that is read as rows")

// BenchmarkAnswers compares what is served with a handler that writes the same
// bytes from memory, over the same loopback, in one run. The database holds
// 100,000 runs. "quiet" is between changes; "changing" is with a commit every
// 50 ms, so that most answers are kept and some are made.
func BenchmarkAnswers(b *testing.B) {
	root := emptyProject(b)
	state := newState(b, root)
	state.Fill(100_000, 1)
	s := openSite(b, root).ready()
	var id string
	if err := state.DB.Get(&id, `SELECT run_id FROM pipeline_run ORDER BY started_at DESC LIMIT 1`); err != nil {
		b.Fatal(err)
	}
	for _, page := range []struct{ name, path string }{
		{"list", "/runs"}, {"filtered", "/runs?state=failed"}, {"run", "/runs/" + id}, {"json", "/api/runs"},
	} {
		body := []byte(s.get(page.path).body)
		memory := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write(body)
		}))
		b.Run(page.name+"/memory", func(b *testing.B) { load(b, memory.URL, "") })
		b.Run(page.name+"/quiet", func(b *testing.B) { load(b, s.URL+page.path, "") })
		b.Run(page.name+"/etag", func(b *testing.B) {
			load(b, s.URL+page.path, s.as(b).get(page.path).header.Get("ETag"))
		})
		b.Run(page.name+"/changing", func(b *testing.B) {
			stop := commitEvery(state, id, 50*time.Millisecond)
			defer stop()
			load(b, s.URL+page.path, "")
		})
		memory.Close()
	}
}

// BenchmarkRunFile writes a run of many events as one file.
func BenchmarkRunFile(b *testing.B) {
	root := emptyProject(b)
	run := newState(b, root).LongRun(*benchRuns, 60)
	s := openSite(b, root).ready()
	for b.Loop() {
		readAll(b, s, "/runs/"+run+"/export")
	}
}

// readAll reads an answer line by line and reports how far the heap grew meanwhile.
func readAll(b *testing.B, s *site, path string) {
	b.Helper()
	live := func() int64 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	before, most := live(), int64(0)
	resp, err := s.Client().Get(s.URL + path)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	lines, size, looked := 0, 0, 0
	for from := bufio.NewReaderSize(resp.Body, 1<<16); ; {
		line, err := from.ReadSlice('\n')
		if size += len(line); err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			break
		}
		lines++
		if size > looked+8<<20 {
			looked = size
			most = max(most, live())
		}
	}
	b.ReportMetric(float64(lines)/b.Elapsed().Seconds(), "lines/s")
	b.ReportMetric(float64(size)/1e6, "MB")
	b.ReportMetric(float64(most-before)/1e6, "heap-growth-MB")
}

// commitEvery writes an event of run again and again until it is told to stop.
func commitEvery(state *storetest.Builder, run string, every time.Duration) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				state.Event(run, storetest.Event{Step: "build", State: "stream_activity"})
			}
		}
	}()
	return func() { close(quit); <-done }
}

// load asks for url with 16 connections at once per core.
func load(b *testing.B, url, etag string) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	defer client.CloseIdleConnections()
	b.SetParallelism(16)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, _ := http.NewRequest(http.MethodGet, url, nil)
			if etag != "" {
				r.Header.Set("If-None-Match", etag)
			}
			resp, err := client.Do(r)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "answers/s")
}

// BenchmarkRowsOfAllRuns reads everything as rows and reports how far the heap
// grew over what it was before, and rows per second: -runs=1000000 for a million.
func BenchmarkRowsOfAllRuns(b *testing.B) {
	root := emptyProject(b)
	newState(b, root).Fill(*benchRuns, 1)
	s := openSite(b, root)
	for !s.store.Health().Index.Ready { // of a million runs it takes longer than a test may
		<-time.After(100 * time.Millisecond)
	}
	for _, path := range []string{"/runs.csv", "/runs.ndjson", "/runs.ndjson?q=status:failed"} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				readAll(b, s, path)
			}
		})
	}
}

// BenchmarkRunParts asks for all parts of a run's page at once after each change, as an
// open page does.
func BenchmarkRunParts(b *testing.B) {
	root := emptyProject(b)
	state := newState(b, root)
	run := state.LongRun(5000, 10)
	s := openSite(b, root).ready()
	for b.Loop() {
		b.StopTimer()
		before := s.store.Version()
		state.DB.MustExec(`UPDATE pipeline_run SET total_tokens = total_tokens + 1 WHERE run_id = ?`, run)
		for s.store.Version() == before {
			<-time.After(time.Millisecond)
		}
		b.StartTimer()
		var parts sync.WaitGroup
		for _, part := range []string{"head", "why", "steps", "outcomes", "events", "artifacts", "family"} {
			parts.Go(func() { _ = s.get("/runs/" + run + "/parts/" + part) })
		}
		parts.Wait()
	}
}
