package manifest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// writeProject makes a project of the files given by their paths in it. A path
// that ends in a slash is a directory.
func writeProject(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			makeDir(t, path)
		} else {
			writeFile(t, path, text)
		}
	}
	return root
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	makeDir(t, filepath.Dir(path))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func makeDir(t testing.TB, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
}

func load(t testing.TB, root string) *Catalog {
	t.Helper()
	return Load(mustLocate(t, Options{Dir: root}))
}

func mustLocate(t testing.TB, opts Options) Project {
	t.Helper()
	p, err := Locate(opts)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// texts gives the problems as text, for comparison.
func texts(problems []Problem) []string {
	var texts []string
	for _, p := range problems {
		texts = append(texts, p.String())
	}
	return texts
}

// loadOne loads a project of one pipeline, with a manifest that knows the persona "nav".
func loadOne(t testing.TB, text string) Pipeline {
	t.Helper()
	c := load(t, writeProject(t, map[string]string{
		"wave.yaml":                  "metadata: {name: x}\nadapters: {a: {binary: a}}\npersonas: {nav: {adapter: a}}\n",
		".agents/state.db":           "",
		".agents/pipelines/one.yaml": text,
	}))
	if len(c.Pipelines) != 1 {
		t.Fatalf("got %d pipelines, want 1: %v", len(c.Pipelines), texts(c.Problems))
	}
	return c.Pipelines[0]
}
