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
	// A path of one of our packages, not preceded by what would make it a part of another path.
	inPaths := regexp.MustCompile(`(^|[^\w./-])` + regexp.QuoteMeta(from) + `(/(?:cmd|handlers|runner|static|store|views)\b)`)
	inRules := regexp.MustCompile(`(?m)(pkg: )` + regexp.QuoteMeta(from) + `([,}/]|$)`)
	inModules := regexp.MustCompile(`(?m)^(module )` + regexp.QuoteMeta(from) + `(/|$)`)
	replacement := []byte("${1}" + strings.ReplaceAll(to, "$", "$$") + "${2}")

	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") && name != ".ci" || name == "testdata" || name == "vendor" || name == "dist") {
				return filepath.SkipDir
			}
			return nil
		}
		patterns := map[string][]*regexp.Regexp{
			".go": {inPaths}, ".templ": {inPaths}, ".md": {inPaths}, ".yml": {inPaths, inRules}, ".mod": {inModules}, "": {inPaths},
		}[filepath.Ext(name)]
		if len(patterns) == 0 || !entry.Type().IsRegular() {
			return nil
		}
		old, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text := old
		for _, pattern := range patterns {
			text = pattern.ReplaceAll(text, replacement)
		}
		if bytes.Equal(text, old) {
			return nil
		}
		if filepath.Ext(name) == ".go" && !strings.HasSuffix(name, generatedSuffix) { // the order of imports may be another
			if text, err = format.Source(text); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		changed++
		return os.WriteFile(path, text, info.Mode().Perm())
	})
	return changed, err
}
