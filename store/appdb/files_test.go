package appdb

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFilesThatAreTakenAway: what is kept afterwards is in files that the next server
// finds, not in deleted ones.
func TestFilesThatAreTakenAway(t *testing.T) {
	beside := func(suffixes ...string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			for _, suffix := range suffixes {
				if err := os.Remove(filepath.Join(dir, FileName+suffix)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for name, takeAway := range map[string]func(t *testing.T, dir string){
		"its index":                  beside("-shm"),
		"its log and its index":      beside("-wal", "-shm"),
		"the file and all beside it": beside("", "-wal", "-shm"),
		"the folder": func(t *testing.T, dir string) {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		},
		"the folder, which is elsewhere now": func(t *testing.T, dir string) {
			if err := os.Rename(dir, dir+".away"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			d := openTest(t, dir)
			if _, err := d.AddSavedView(t.Context(), "before", "state=failed"); err != nil {
				t.Fatal(err)
			}
			takeAway(t, dir)
			if _, err := d.AddSavedView(t.Context(), "after", "state=failed"); err != nil {
				t.Fatal(err)
			}
			for _, suffix := range []string{"", "-wal", "-shm"} {
				if _, err := os.Stat(filepath.Join(dir, FileName+suffix)); err != nil {
					t.Error(err)
				}
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			views, err := openTest(t, dir).SavedViews(t.Context())
			if err != nil || len(views) == 0 || views[len(views)-1].Name != "after" {
				t.Errorf("the next server finds %v, %v", views, err)
			}
		})
	}
}
