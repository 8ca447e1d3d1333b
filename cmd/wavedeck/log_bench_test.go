package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wavedeck/store/statedb"
)

// logFor in the environment is how long BenchmarkLog writes, such as 5m.
const logFor = "WAVEDECK_LOG_FOR"

// BenchmarkLog writes 500 times a second, as Wave does, while ten streams are open and
// ten people look at the list and at a run, and measures how large the write-ahead log
// gets. Streams and people are HTTP clients of a process of its own.
func BenchmarkLog(b *testing.B) {
	const rate, clients = 500, 10
	long := 10 * time.Second
	if text := os.Getenv(logFor); text != "" {
		var err error
		if long, err = time.ParseDuration(text); err != nil {
			b.Fatal(err)
		}
	}
	root, database := emptyProject(b)
	db, err := statedb.Open(b.Context(), database, "synchronous(NORMAL)")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	exec := func(query string, args ...any) {
		b.Helper()
		if _, err := db.Exec(query, args...); err != nil {
			b.Fatal(err)
		}
	}
	for i := range 200 {
		exec("INSERT INTO pipeline_run (run_id, pipeline_name, status, input, started_at) VALUES ('run-' || ?, 'build', 'running', 'x', unixepoch())", i)
	}
	p := start(b, "--project", root, "--port", "0", "--data", b.TempDir())

	ctx, stop := context.WithCancel(b.Context())
	var group sync.WaitGroup
	var events, pages, failures atomic.Int64
	for range clients {
		group.Go(func() { listen(ctx, p.url+"events", &events) })
		group.Go(func() { lookAround(ctx, p.url, &pages, &failures) })
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	var largest int64
	written, began := 0, time.Now()
	for time.Since(began) < long {
		if behind := int(time.Since(began).Seconds()*rate) - written; behind <= 0 {
			<-tick.C
			continue
		}
		exec("INSERT INTO event_log (run_id, timestamp, step_id, state, message) VALUES ('run-' || ?, unixepoch(), 'build', 'stream_activity', ?)", written%200, strings.Repeat("line ", 40))
		if written++; written%50 == 0 {
			if info, err := os.Stat(database + "-wal"); err == nil {
				largest = max(largest, info.Size())
			}
		}
	}
	took := time.Since(began)
	stop()
	group.Wait()
	b.ReportMetric(float64(written)/took.Seconds(), "commits/s")
	b.ReportMetric(float64(largest)/(1<<20), "MB-log")
	b.ReportMetric(float64(pages.Load())/took.Seconds(), "pages/s")
	b.ReportMetric(float64(events.Load())/took.Seconds(), "events/s")
	b.ReportMetric(0, "ns/op")
	if n := failures.Load(); n > 0 || pages.Load() == 0 || events.Load() == 0 {
		b.Errorf("%d pages failed, %d came, and %d events", n, pages.Load(), events.Load())
	}
	if largest > 5*(32<<20) {
		b.Errorf("the log grew to %d bytes", largest)
	}
}

// listen counts the events of a stream until ctx ends.
func listen(ctx context.Context, url string, events *atomic.Int64) {
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "event:") {
			events.Add(1)
		}
	}
}

// lookAround reads the list and a run in turn, as an open page does that is told of
// changes: the next a second after the last has come.
func lookAround(ctx context.Context, console string, pages, failures *atomic.Int64) {
	for i := 0; ctx.Err() == nil; i++ {
		path := "runs"
		if i%2 == 1 {
			path = "runs/run-" + string('0'+rune(i/2%10))
		}
		request, _ := http.NewRequestWithContext(ctx, http.MethodGet, console+path, nil)
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_, err = io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}
		switch {
		case ctx.Err() != nil:
		case err != nil, response.StatusCode != http.StatusOK:
			failures.Add(1)
		default:
			pages.Add(1)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}
