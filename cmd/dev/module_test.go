package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRenameModule(t *testing.T) {
	const to = "example.org/team/deck"
	for _, test := range []struct{ name, file, before, after string }{
		{"an import is changed", "a.go", "package a\n\nimport \"olddeck/store\"\n", "package a\n\nimport \"example.org/team/deck/store\"\n"},
		{"imports are sorted again", "a.go",
			"package a\n\nimport (\n\t\"github.com/x/y\"\n\t\"olddeck/store\"\n)\n", "package a\n\nimport (\n\t\"example.org/team/deck/store\"\n\t\"github.com/x/y\"\n)\n"},
		{"an import of a template is changed", "a.templ", "import \"olddeck/views/dag\"\n", "import \"example.org/team/deck/views/dag\"\n"},
		{"a folder of the same name is not", "a.go", "package a\n\nconst x = \"/home/me/.local/state/olddeck/acme\"\n", "package a\n\nconst x = \"/home/me/.local/state/olddeck/acme\"\n"},
		{"nor is a path within another", "a.go", "package a\n\nconst x = \"clone/olddeck/cmd\"\n", "package a\n\nconst x = \"clone/olddeck/cmd\"\n"},
		{"the linter's rules are changed", ".golangci.yml", "- {pkg: olddeck, desc: x}\n- {pkg: olddeck/store}\n- (*olddeck/store/files.Tree).Close\n",
			"- {pkg: example.org/team/deck, desc: x}\n- {pkg: example.org/team/deck/store}\n- (*example.org/team/deck/store/files.Tree).Close\n"},
		{"a nested module is changed", "tools/go.mod", "module olddeck/cmd/dev/tools\n", "module example.org/team/deck/cmd/dev/tools\n"},
		{"test data is left alone", "testdata/a.go", "package a\n\nimport \"olddeck/store\"\n", "package a\n\nimport \"olddeck/store\"\n"},
		{"the documentation is changed", "docs/a.md", "run `go doc olddeck/store`\n", "run `go doc example.org/team/deck/store`\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			path := filepath.Join(root, test.file)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(test.before), 0o600)); err != nil {
				t.Fatal(err)
			}
			if _, err := renameModule(root, "olddeck", to); err != nil {
				t.Fatal(err)
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != test.after {
				t.Errorf("becomes %q, %v; want %q", after, err, test.after)
			}
		})
	}
}

// copyModule copies this repository without what is not committed in it.
func copyModule(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel("../..", path)
		if name == ".git" || name == releaseDir {
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		target := filepath.Join(root, name)
		if entry.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		return copyFile(path, target)
	})
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestSetModule(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it compiles a copy of the repository")
	}
	var out bytes.Buffer
	w := &workshop{root: copyModule(t), stdout: &out, stderr: &out}
	old, err := w.output(t.Context(), "go", "list", "-m")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "-x", "Not a path", "../up"} {
		if err := w.setModule(t.Context(), []string{bad}); err == nil {
			t.Errorf("%q is taken for a module path", bad)
		}
	}
	if err := w.setModule(t.Context(), []string{"example.org/team/console"}); err != nil { // it builds the copy
		t.Fatalf("%v\n%s", err, &out)
	}
	if err := w.gofmt(t.Context()); err != nil {
		t.Error(err)
	}
	sources, err := readFiles(os.DirFS(w.root), ".go", ".templ")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range sources {
		if !strings.Contains(name, "testdata") && bytes.Contains(text, []byte("\t\""+old+"/")) {
			t.Errorf("%s imports a package of the old path", name)
		}
	}
}
