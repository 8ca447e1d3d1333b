package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"wavedeck/handlers"
	"wavedeck/store/dbfile"
	"wavedeck/store/storetest"
)

func TestLockedDatabaseIsTold(t *testing.T) {
	root := storetest.Project(t)
	db, err := dbfile.Open(storetest.StatePath(root), 1, time.Minute, "journal_mode(DELETE)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	exec := func(query string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	exec("PRAGMA user_version")
	s := openSite(t, root).ready()
	stream := s.listen("/events")
	stream.next("ping")
	exec("BEGIN EXCLUSIVE")
	s.until("it is known", func() bool { return s.get("/api/runs").status != http.StatusOK })

	for _, path := range []string{"/api/runs", "/api/runs/" + sampleRun, "/api/attention"} {
		r := s.get(path)
		if r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" || !strings.Contains(r.body, "locked") {
			t.Errorf("%s: status %d, retry %q, %s", path, r.status, r.header.Get("Retry-After"), clip(r.body))
		}
	}
	for path, status := range map[string]int{"/runs": 200, "/pipelines": 200, "/health": 200, "/runs/" + sampleRun: 503} {
		r := s.get(path)
		if r.status != status || !strings.Contains(r.body, "The state database is locked") {
			t.Errorf("%s: status %d, want %d with a banner", path, r.status, status)
		}
	}
	if r := s.get("/healthz"); !strings.Contains(r.body, `"degraded"`) || !strings.Contains(r.body, `"locked"`) {
		t.Errorf("healthz says %s", r.body)
	}
	reset, before := stream.next("reset")
	if reset.LastEventID == "" {
		t.Error("the stream lost its place")
	}
	if n := len(before); n == 0 || !strings.Contains(before[n-1].Data, `"stale":"the state database is locked"`) {
		t.Errorf("before the reset the page is told %v", before)
	}
	exec("COMMIT")
	s.until("it is read again", func() bool { return s.get("/api/runs").status == http.StatusOK })
	if r := s.get("/runs/" + sampleRun); r.status != http.StatusOK || strings.Contains(r.body, "database is locked") {
		t.Errorf("status %d, or the banner stays", r.status)
	}
}

func TestHealthIsNotOKWhileNobodyLooks(t *testing.T) {
	s := openSample(t, func(c *handlers.Config) { c.Budgets.Behind = time.Nanosecond }).ready()
	if r := s.get("/healthz"); !strings.Contains(r.body, `"degraded"`) {
		t.Errorf("healthz says %s", r.body)
	}
	if _, state, do, _ := s.health("changes"); state != "broken" || !strings.Contains(do, "may be stale") {
		t.Errorf("health says %s: %s", state, do)
	}
}
