package manifest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"
)

// seed adds the example's files, and what has once been wrong or hard.
func seed(f *testing.F, pattern string) {
	f.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, text := range []string{
		"", "\n", "~", "a: [\n", "steps: &s [{id: a, loop: {steps: *s}}]", "steps: [*x]", "&a [*a]",
		"<<: &a {<<: *a}", "steps: [{id: a, <<: [[]]}]", "steps: [{? [a] : b}]", "personas: {? {a: b} : c}",
		"personas: {nav: &n {adapter: *n, temperature: .inf}}", "steps: [{id: !!binary aGk=, max_visits: !!float x}]",
		"steps: [{id: a, dependencies: [a, a]}, {id: a, edges: [{target: }]}]", "\xef\xbb\xbfsteps: []", "a: \"\\x00\\ud800\"",
		"--- a\n--- b\n", "%YAML 9.9\n---\n{}", "? - - -\n  : x", "!!map [a]", "metadata: {name: !<x> y}",
	} {
		f.Add([]byte(text))
	}
}

// checkProblems holds for whatever the input was.
func checkProblems(t *testing.T, problems []Problem, data []byte) {
	t.Helper()
	if len(problems) > 2*maxProblems {
		t.Errorf("%d problems", len(problems))
	}
	lines := 1 + bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")) +
		bytes.Count(data, []byte("\u0085")) + bytes.Count(data, []byte("\u2028")) + bytes.Count(data, []byte("\u2029"))
	for _, p := range problems {
		if p.File != "f" || p.Text == "" || p.Line < 0 || !utf8.ValidString(p.Text) {
			t.Errorf("problem %+v", p)
		}
		if printable(p.Text) != p.Text {
			t.Errorf("problem %q would upset a terminal", p.Text)
		}
		if p.Line > lines {
			t.Errorf("problem %s is beyond the %d lines", p, lines)
		}
	}
}

func FuzzPipeline(f *testing.F) {
	seed(f, "testdata/widgets/pipelines/*.yaml")
	f.Fuzz(func(t *testing.T, data []byte) {
		search := newLineSearch()
		p := parsePipeline("f", "name", data, &search)
		checkProblems(t, p.Problems, data)
		if p.Name == "" || p.File != "f" {
			t.Errorf("name %q, file %q", p.Name, p.File)
		}
		if p.Broken && (len(p.Problems) == 0 || len(p.Steps) > 0) {
			t.Errorf("broken with %d problems and %d steps", len(p.Problems), len(p.Steps))
		}
		if n := countSteps(p.Steps); n > maxSteps {
			t.Errorf("%d steps", n)
		}
		checkSize(t, p.Pipeline)
	})
}

func FuzzManifest(f *testing.F) {
	seed(f, "testdata/widgets/wave.yaml")
	f.Fuzz(func(t *testing.T, data []byte) {
		search := newLineSearch()
		m, problems := parseManifest("f", data, &search)
		checkProblems(t, problems, data)
		if !m.Loaded && len(problems) == 0 {
			t.Error("nothing was loaded and nothing is told")
		}
		for _, p := range m.Personas {
			if got, found := (&Catalog{Manifest: m}).Persona(p.Name); !found || got.Line != p.Line {
				t.Errorf("persona %q is not found", p.Name)
			}
		}
		checkSize(t, m)
	})
}

// checkSize makes sure that a value is valid as JSON, which an infinite number
// is not, and bounded: JSON writes at most six bytes for one.
func checkSize(t *testing.T, v any) {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 7*expansion {
		t.Errorf("grown to %d bytes", len(data))
	}
}
