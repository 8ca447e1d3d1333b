package store

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"gopkg.in/yaml.v3"

	"wavedeck/store/sqlite"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// sampleNow is a moment after everything in the sample project.
var sampleNow = time.Unix(1795394410+600, 0)

// testReader is a reader, and the database that it reads.
type testReader struct {
	*Reader
	*sqlx.DB
	db *sqlite.DB
}

// openTest opens the database at path with the given moment as now, in a
// world where no process lives.
func openTest(t testing.TB, path string, now time.Time, opt Options) *testReader {
	t.Helper()
	opt.Now = func() time.Time { return now }
	if opt.Alive == nil {
		opt.Alive = func(int) bool { return false }
	}
	db, err := sqlite.Open(t.Context(), path, opt.file())
	if err != nil {
		t.Fatal(err)
	}
	d := &testReader{NewReader(RowsOf(db), opt), db.DB, db}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// openSample opens the sample project's database with its definitions.
func openSample(t testing.TB) *testReader {
	t.Helper()
	root := storetest.Project(t)
	return openTest(t, storetest.StatePath(root), sampleNow, Options{Definition: definitions(t, root)})
}

// definitions reads the steps of the pipelines of the project at root.
func definitions(t testing.TB, root string) func(string) []wave.StepDef {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, ".agents", "pipelines", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no pipelines below %s (%v)", root, err)
	}
	defs := map[string][]wave.StepDef{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var p struct {
			Metadata struct{ Name string }
			Steps    []struct {
				ID, Type, Persona string
				Dependencies      []string
				Gate              map[string]any
			}
		}
		if err := yaml.Unmarshal(text, &p); err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Steps {
			kind := s.Type
			if s.Gate != nil {
				kind = "gate"
			}
			defs[p.Metadata.Name] = append(defs[p.Metadata.Name], wave.StepDef{ID: s.ID, Kind: kind, Persona: s.Persona, Dependencies: s.Dependencies})
		}
	}
	return func(pipeline string) []wave.StepDef { return defs[pipeline] }
}
