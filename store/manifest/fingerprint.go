package manifest

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// maxPrompts bounds the prompt files whose changes are noticed.
const maxPrompts = 1000

// print stands for names, sizes and times of files: when it differs, they may
// have changed.
type print [sha256.Size]byte

// fingerprint is the print of the manifest and the pipelines, found without
// reading them.
func fingerprint(p Project) print {
	sum := sha256.New()
	fmt.Fprintf(sum, "%#v\n", p)
	writeStat(sum, p.Manifest)
	writeStat(sum, p.Pipelines)
	names, err := listYAML(p)
	fmt.Fprintf(sum, "%v\n", err)
	for _, name := range names {
		writeStat(sum, filepath.Join(p.Pipelines, name))
	}
	return print(sum.Sum(nil))
}

// listYAML opens the directory as reading it does: a FIFO may lie in its place, and
// opening that would wait for its writer.
func listYAML(p Project) ([]string, error) {
	t, err := openTree(p)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	names, _, err := t.listYAML(p.Pipelines)
	return names, err
}

// promptPaths names the prompt files of a catalog.
func promptPaths(c *Catalog) []string {
	var paths []string
	for _, persona := range c.Manifest.Personas {
		paths = append(paths, persona.SystemPromptFile)
	}
	var walk func(steps []Step)
	walk = func(steps []Step) {
		for _, step := range steps {
			paths = append(paths, step.Exec.SourcePath)
			if step.Loop != nil {
				walk(step.Loop.Steps)
			}
		}
	}
	for _, pipeline := range c.Pipelines {
		walk(pipeline.Steps)
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	return paths[:min(len(paths), maxPrompts)]
}

// promptPrint is the print of the prompt files that the catalog names.
func promptPrint(p Project, c *Catalog) print {
	sum := sha256.New()
	for _, path := range promptPaths(c) {
		if rel, ok := p.within(path); ok && path != "" {
			writeStat(sum, filepath.Join(p.Root, rel))
		}
	}
	return print(sum.Sum(nil))
}

func writeStat(w io.Writer, path string) {
	info, err := os.Stat(path)
	if err != nil {
		fmt.Fprintf(w, "%q %v\n", path, plain(err))
		return
	}
	fmt.Fprintf(w, "%q %d %d %v\n", path, info.Size(), info.ModTime().UnixNano(), info.Mode())
}
