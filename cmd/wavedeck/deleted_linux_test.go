package main

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
)

// TestDeletedBesideTheDatabase: a process that holds a deleted -shm file writes what
// the program is not told of. This test is that process.
func TestDeletedBesideTheDatabase(t *testing.T) {
	t.Parallel()
	root := storetest.Project(t)
	database := storetest.StatePath(root)
	shm := database + "-shm"
	asWAL, err := statedb.Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	if err := asWAL.Close(); err != nil {
		t.Fatal(err)
	}
	p := start(t, "serve", "--project", root, "--port", "0")
	eventually(t, "the database is open", func() bool { return p.healthz(t).Status == "ok" })
	file, err := os.Open(database)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	held, err := os.Open(shm)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := os.Remove(shm); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is told", func() bool { return p.healthz(t).Status == "degraded" && p.healthz(t).Database == "open" })
	if status, health := p.get(t, "api/health"); status != http.StatusOK || !strings.Contains(health, "End that program and start it again") {
		t.Errorf("status %d: %s", status, health)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all is well again", func() bool { return p.healthz(t).Status == "ok" })
}
