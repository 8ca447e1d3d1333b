package manifest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

const (
	maxPipelines = 2000    // files
	maxEntries   = 20000   // directory entries looked at to find them
	maxTotal     = 8 << 20 // bytes of all pipelines together

	maxAllProblems = 1000
)

// Load reads the project's files as they are now.
func Load(p Project) *Catalog {
	l := loader{catalog: &Catalog{Project: p}, sum: sha256.New(), search: newLineSearch()}
	t, err := openTree(p)
	if err != nil {
		l.problemf(p.Root, "cannot be opened: %v", plain(err))
	} else {
		defer t.Close()
		l.tree = t
		l.loadManifest()
		l.loadPipelines()
	}
	l.finish()
	return l.catalog
}

type loader struct {
	catalog *Catalog
	tree    *tree
	sum     hash.Hash // of everything that was read
	total   int       // bytes of pipelines read
	search  lineSearch
}

func (l *loader) problemf(path, format string, args ...any) {
	l.catalog.Problems = append(l.catalog.Problems, Problem{
		File: l.catalog.Project.display(path), Text: fmt.Sprintf(format, args...),
	})
}

func (l *loader) loadManifest() {
	path := l.catalog.Project.Manifest
	data, err := l.tree.readYAML(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.problemf(path, "is missing: no personas and adapters are known")
		return
	case err != nil:
		l.problemf(path, "%v", err)
		return
	}
	l.note(path, data)
	m, problems := parseManifest(l.catalog.Project.display(path), data, &l.search)
	l.catalog.Manifest = m
	l.catalog.Problems = append(l.catalog.Problems, problems...)
}

func (l *loader) loadPipelines() {
	var all []parsedPipeline
	for _, name := range l.pipelineFiles() {
		if parsed, ok := l.loadPipeline(filepath.Join(l.catalog.Project.Pipelines, name)); ok {
			all = append(all, parsed)
		}
	}
	slices.SortStableFunc(all, func(a, b parsedPipeline) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.File, b.File))
	})
	for i, parsed := range all {
		p := parsed.Pipeline
		p.Problems = append(p.Problems, l.strangers(parsed)...)
		if i > 0 && all[i-1].Name == p.Name {
			p.Problems = append(p.Problems, sameName(p, all[i-1].File))
		} else if i+1 < len(all) && all[i+1].Name == p.Name {
			p.Problems = append(p.Problems, sameName(p, all[i+1].File))
		}
		slices.SortStableFunc(p.Problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
		l.catalog.Pipelines = append(l.catalog.Pipelines, p)
		l.catalog.Problems = append(l.catalog.Problems, p.Problems...)
	}
}

func sameName(p Pipeline, other string) Problem {
	return Problem{File: p.File, Text: fmt.Sprintf("has the same name %s as %s", quote(p.Name), printable(other))}
}

// strangers tells the personas and adapters of a pipeline that the manifest does
// not have. Without a manifest nothing can be said of them.
func (l *loader) strangers(p parsedPipeline) []Problem {
	if !l.catalog.Manifest.Loaded {
		return nil
	}
	var problems []Problem
	tell := func(ref reference) {
		if len(problems) < maxProblems {
			problems = append(problems, Problem{
				File: p.File, Line: ref.line, Text: fmt.Sprintf("%s %s is not in the manifest", ref.what, quote(ref.name)),
			})
		}
	}
	for _, ref := range p.personas {
		if _, known := l.catalog.Persona(ref.name); !known {
			tell(ref)
		}
	}
	for _, ref := range p.adapters {
		if _, known := l.catalog.Adapter(ref.name); !known {
			tell(ref)
		}
	}
	return problems
}

// pipelineFiles names the YAML files of the pipelines directory, in order.
func (l *loader) pipelineFiles() []string {
	dir := l.catalog.Project.Pipelines
	names, entries, err := l.tree.listYAML(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.problemf(dir, "is missing: no pipelines are known")
	case err != nil:
		l.problemf(dir, "%v", err)
	}
	if entries == maxEntries {
		l.problemf(dir, "has %d entries or more: pipelines may be left out", maxEntries)
	}
	if len(names) > maxPipelines {
		l.problemf(dir, "has %d pipelines: only the first %d are read", len(names), maxPipelines)
		names = names[:maxPipelines]
	}
	return names
}

func (l *loader) loadPipeline(path string) (parsedPipeline, bool) {
	file := l.catalog.Project.display(path)
	stem := filepath.Base(path)
	stem = strings.ToValidUTF8(strings.TrimSuffix(stem, filepath.Ext(stem)), "\uFFFD")
	if l.total >= maxTotal {
		text := fmt.Sprintf("is not read: those before it are %d bytes together", l.total)
		return brokenPipeline(file, stem, Problem{File: file, Text: text}), true
	}
	data, err := l.tree.readYAML(path)
	l.total += len(data)
	if errors.Is(err, fs.ErrNotExist) {
		return parsedPipeline{}, false // deleted since the directory was listed
	}
	if err != nil {
		return brokenPipeline(file, stem, Problem{File: file, Text: err.Error()}), true
	}
	l.note(path, data)
	return parsePipeline(file, stem, data, &l.search), true
}

// note adds what was read to the hash.
func (l *loader) note(path string, data []byte) {
	fmt.Fprintf(l.sum, "%q %d\n", path, len(data))
	l.sum.Write(data)
}

// finish hashes what the files did not say by themselves.
func (l *loader) finish() {
	c := l.catalog
	if more := len(c.Problems) - maxAllProblems; more > 0 {
		c.Problems = append(c.Problems[:maxAllProblems:maxAllProblems], Problem{
			File: c.Project.display(c.Project.Root), Text: fmt.Sprintf("there are %d more problems", more),
		})
	}
	fmt.Fprintf(l.sum, "%#v\n%#v\n", c.Project, c.Problems)
	c.prompts = promptPrint(c.Project, c)
	l.sum.Write(c.prompts[:])
	c.Hash = hex.EncodeToString(l.sum.Sum(nil)[:16])
}
