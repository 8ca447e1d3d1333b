package handlers_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"wavedeck/store/storetest"
)

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
