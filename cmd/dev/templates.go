package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

const (
	templModule   = "github.com/a-h/templ"
	templSettings = "templ.yaml"
	// generatedSuffix ends the name of a file that templ writes, templateSuffix that of the file it reads.
	generatedSuffix, templateSuffix = "_templ.go", ".templ"
)

// settings is templ.yaml. templ itself reads no file of settings.
type settings struct {
	Path           string `yaml:"path"`            // the folder of the templates
	IncludeVersion bool   `yaml:"include-version"` // name templ's version in the generated files
}

// parseSettings refuses keys it does not know: a misspelt one would be silently without effect.
func parseSettings(text []byte) (settings, error) {
	var s settings
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&s); err != nil {
		return settings{}, fmt.Errorf("%s: %w", templSettings, err)
	}
	if !filepath.IsLocal(s.Path) {
		return settings{}, fmt.Errorf("%s: path %q is not a folder of this module", templSettings, s.Path)
	}
	return s, nil
}

func (s settings) generateArgs(path string) []string {
	return []string{"generate", "-path", path, fmt.Sprintf("-include-version=%t", s.IncludeVersion)}
}

func (w *workshop) settings() (settings, error) {
	text, err := os.ReadFile(filepath.Join(w.root, templSettings))
	if err != nil {
		return settings{}, err
	}
	return parseSettings(text)
}

// templ runs the command of templ in the version that go.mod requires of its library, so the two cannot differ.
func (w *workshop) templ(ctx context.Context, args []string) error {
	version, err := w.output(ctx, "go", "list", "-m", "-f", "{{.Version}}", templModule)
	if err != nil {
		return err
	}
	return w.exec(ctx, nil, "go", append([]string{"run", templModule + "/cmd/templ@" + version}, args...)...)
}

// gen writes every generated file: Go from the templates, the minified scripts and stylesheets, and the list of texts.
func (w *workshop) gen(ctx context.Context) error {
	s, err := w.settings()
	if err != nil {
		return err
	}
	if err := w.templ(ctx, s.generateArgs(s.Path)); err != nil {
		return err
	}
	return errors.Join(w.genMinified(ctx), w.genWording())
}

// genCheck generates into a copy, so the work tree stays as it is, and compares. It reports all stale files at once.
func (w *workshop) genCheck(ctx context.Context) error {
	return errors.Join(w.checkTemplates(ctx), w.checkMinified(ctx), w.checkWording())
}

func (w *workshop) checkTemplates(ctx context.Context) (err error) {
	s, err := w.settings()
	if err != nil {
		return err
	}
	fresh, err := os.MkdirTemp("", "wavedeck-gen-check-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(fresh)) }()

	// templ compares its version with the go.mod above the templates.
	if err := copyFile(filepath.Join(w.root, "go.mod"), filepath.Join(fresh, "go.mod")); err != nil {
		return err
	}
	if err := copyTemplates(filepath.Join(w.root, s.Path), filepath.Join(fresh, s.Path)); err != nil {
		return err
	}
	if err := w.templ(ctx, s.generateArgs(filepath.Join(fresh, s.Path))); err != nil {
		return err
	}
	return compareGenerated(os.DirFS(filepath.Join(w.root, s.Path)), os.DirFS(filepath.Join(fresh, s.Path)), generatedSuffix)
}

// compareGenerated names every file with one of the suffixes that differs between the work tree and a fresh generation.
func compareGenerated(committed, fresh fs.FS, suffixes ...string) error {
	have, err := readFiles(committed, suffixes...)
	if err != nil {
		return err
	}
	want, err := readFiles(fresh, suffixes...)
	if err != nil {
		return err
	}
	var stale []string
	for name, content := range want {
		if old, ok := have[name]; !ok || !bytes.Equal(old, content) {
			stale = append(stale, name)
		}
	}
	for name := range have {
		if _, ok := want[name]; !ok {
			stale = append(stale, name+" (its source is gone)")
		}
	}
	if len(stale) > 0 {
		slices.Sort(stale)
		return fmt.Errorf("out of date: %s; `go run ./cmd/dev gen` brings them up to date", strings.Join(stale, ", "))
	}
	return nil
}

func copyTemplates(from, to string) error {
	templates, err := readFiles(os.DirFS(from), templateSuffix)
	if err != nil {
		return err
	}
	if len(templates) == 0 {
		return fmt.Errorf("no %s file in %s", templateSuffix, from)
	}
	for _, name := range slices.Sorted(maps.Keys(templates)) {
		target := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(target, templates[name], 0o600); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600)
}

// readFiles reads the files below dir whose name ends in one of the suffixes.
func readFiles(dir fs.FS, suffixes ...string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(dir, ".", func(name string, entry fs.DirEntry, err error) error {
		matches := func(suffix string) bool { return strings.HasSuffix(name, suffix) }
		if err != nil || entry.IsDir() || !slices.ContainsFunc(suffixes, matches) {
			return err
		}
		files[name], err = fs.ReadFile(dir, name)
		return err
	})
	return files, err
}
