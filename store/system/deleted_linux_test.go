package system

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestHoldDeleted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	create := func(path string) *os.File {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	held := create(path)
	create(path + "-log")
	if pids, known := HoldDeleted(path, "-log"); len(pids) > 0 || !known {
		t.Errorf("before it is deleted: %v", pids)
	}
	if err := os.Remove(path + "-log"); err != nil {
		t.Fatal(err)
	}
	if pids, _ := HoldDeleted(path, "-other", "-log"); !slices.Equal(pids, []int{os.Getpid()}) {
		t.Errorf("got %v, want this process", pids)
	}
	held.Close()
	if pids, known := HoldDeleted(path, "-log"); len(pids) > 0 || !known {
		t.Errorf("of who has let go of the file: %v", pids)
	}
}
