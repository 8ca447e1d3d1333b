package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// setModule gives the module another path, in one step: in go.mod, in every import, in the generated files, in the linter's
// rules and in the documentation.
func (w *workshop) setModule(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("one argument is required, the new module path, such as example.org/team/wavedeck")
	}
	to := args[0]
	from, err := w.output(ctx, "go", "list", "-m")
	if err != nil {
		return err
	}
	// go mod edit refuses what is not a module path, before anything is written.
	if err := w.exec(ctx, nil, "go", "mod", "edit", "-module="+to); err != nil {
		return fmt.Errorf("module path %q: %w", to, err)
	}
	changed, err := renameModule(w.root, from, to)
	if err != nil {
		return err
	}
	if err := w.exec(ctx, nil, "go", "build", "./..."); err != nil {
		return err
	}
	fmt.Fprintf(w.stdout, "module %s is now %s: %d files changed\n", from, to, changed)
	return nil
}

// renameModule rewrites the files below root that name the module from, and returns how many it changed. What is not ours
// is left alone: vendored files, test data, hidden folders.
func renameModule(root, from, to string) (changed int, err error) {
	tree, err := os.OpenRoot(root)
	if err != nil {
		return 0, err
	}
	defer tree.Close()
	rename := newRenaming(from, to)
	err = fs.WalkDir(tree.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && foreign(path, entry.Name()):
			return fs.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		old, err := tree.ReadFile(path)
		if err != nil {
			return err
		}
		text, err := rename.in(path, old)
		if err != nil || bytes.Equal(text, old) {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		changed++
		return tree.WriteFile(path, text, info.Mode().Perm())
	})
	return changed, err
}

// foreign reports whether the files of a folder are not ours.
func foreign(path, name string) bool {
	return path != "." && strings.HasPrefix(name, ".") || name == "testdata" || name == "vendor" || name == releaseDir
}

// renaming knows where a file names the module.
type renaming struct {
	patterns    map[string][]*regexp.Regexp // by the extension of the file
	replacement []byte
}

func newRenaming(from, to string) renaming {
	from = regexp.QuoteMeta(from)
	// A path of one of our packages, not preceded by what would make it a part of another path.
	inPaths := regexp.MustCompile(`(^|[^\w./-])` + from + `(/(?:cmd|handlers|runner|static|store|views)\b)`)
	inRules := regexp.MustCompile(`(?m)(pkg: )` + from + `([,}/]|$)`)
	inModules := regexp.MustCompile(`(?m)^(module )` + from + `(/|$)`)
	return renaming{
		patterns: map[string][]*regexp.Regexp{
			".go": {inPaths}, ".templ": {inPaths}, ".md": {inPaths}, ".yml": {inPaths, inRules}, ".mod": {inModules},
			"": {inPaths}, // Justfile, Dockerfile
		},
		replacement: []byte("${1}" + strings.ReplaceAll(to, "$", "$$") + "${2}"),
	}
}

// in returns the text of a file with the new path.
func (r renaming) in(path string, text []byte) ([]byte, error) {
	old, ext := text, filepath.Ext(path)
	for _, pattern := range r.patterns[ext] {
		text = pattern.ReplaceAll(text, r.replacement)
	}
	if ext != ".go" || strings.HasSuffix(path, generatedSuffix) || bytes.Equal(text, old) {
		return text, nil
	}
	text, err := format.Source(text) // the order of imports may be another
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return text, nil
}
