package system

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestHoldDeleted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if pids := HoldDeleted(path); len(pids) > 0 {
		t.Errorf("before it is deleted: %v", pids)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if pids := HoldDeleted(path+".other", path); !slices.Equal(pids, []int{os.Getpid()}) {
		t.Errorf("got %v, want this process", pids)
	}
}
