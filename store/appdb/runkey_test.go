package appdb

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

func TestAKeyStandsForOneRunOnEveryServer(t *testing.T) {
	dir := t.TempDir()
	servers := []*DB{Open(t.Context(), dir), Open(t.Context(), dir)}
	t.Cleanup(func() { _, _ = servers[0].Close(), servers[1].Close() })
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ids := make([]string, 20)
	var asking sync.WaitGroup
	for i := range ids {
		asking.Go(func() {
			id, err := servers[i%2].RunID(t.Context(), "key", "", now, func() (string, error) { return fmt.Sprint("run-", i), nil })
			if err != nil {
				t.Error(err)
			}
			ids[i] = id.Run
		})
	}
	asking.Wait()
	for _, id := range ids {
		if id != ids[0] || id == "" {
			t.Fatalf("one key is %v", ids)
		}
	}
	proposed := []string{ids[0], ids[0], "free"}
	id, err := servers[0].RunID(t.Context(), "another", "", now, func() (string, error) {
		id := proposed[0]
		proposed = proposed[1:]
		return id, nil
	})
	if err != nil || id.Run != "free" {
		t.Errorf("another key: %q, %v", id.Run, err)
	}
	if _, err := servers[0].RunID(t.Context(), "third", "", now, func() (string, error) { return "free", nil }); err == nil {
		t.Error("two keys have one run")
	}
	if id, err := servers[1].RunID(t.Context(), "key", "", now.AddDate(0, 2, 0), func() (string, error) { return "later", nil }); err != nil || id.Run != "later" {
		t.Errorf("after two months: %q, %v", id.Run, err)
	}
}
