package store

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"wavedeck/store/storetest"
)

// TestLogStaysBounded writes while ten readers overlap and ten listen, as the pages
// of ten people do.
func TestLogStaysBounded(t *testing.T) {
	b := storetest.New(t)
	for range 200 {
		b.Run(storetest.Run{})
	}
	const size, every = 200_000, 50 * time.Millisecond // few commits, and large
	s, sub := followed(t, b.Path, Options{LogBound: 4 << 20, LogDrain: patience, LogPause: time.Second})
	opens(t, s, sub)
	w := startWriter(t, b.Path)
	w.exec("PRAGMA synchronous = NORMAL")
	w.exec(runningRow, "r", "")

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var group sync.WaitGroup
	defer group.Wait()
	for range 10 {
		group.Go(func() {
			for ctx.Err() == nil {
				_, _ = read(s.stateFile, func(o *opened) (int, error) {
					var n int
					return n, o.db.GetContext(ctx, &n, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT count(*) FROM n, (SELECT 1 FROM pipeline_run LIMIT 1)")
				})
				sleep(ctx, 20*time.Millisecond)
			}
		})
		listener := s.Subscribe()
		group.Go(func() {
			defer listener.Close()
			for {
				if _, err := listener.Wait(ctx); err != nil {
					return
				}
			}
		})
	}
	var largest int64
	var written int
	tick := time.NewTicker(every)
	defer tick.Stop()
	for written < 30<<20 {
		<-tick.C
		w.exec("INSERT INTO event_log (run_id, timestamp, step_id, state, message) VALUES ('r', unixepoch(), 's', 'stream_activity', hex(zeroblob(%d)))", size/2)
		written += size
		if info, err := os.Stat(b.Path + "-wal"); err == nil {
			largest = max(largest, info.Size())
		}
	}
	stop()
	h := s.Health()
	t.Logf("the log had %.1f MB at most, of %.1f MB written; reads were held back %d times", float64(largest)/(1<<20), float64(written)/(1<<20), h.LogPauses)
	if most := 5 * h.LogBound; largest > most {
		t.Errorf("the log grew to %d bytes, want %d at most", largest, most)
	}
}
