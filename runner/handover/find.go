//go:build unix

// Package handover finds what a run left for one that resumes it, and puts that
// where the real Wave looks for it.
package handover

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"wavedeck/runner"
	"wavedeck/store"
	"wavedeck/store/files"
	"wavedeck/store/manifest"
	"wavedeck/store/wave"
)

// Output is an output of a step that a resumed run does not repeat.
type Output struct {
	Step, Name, Type string
	File             string // relative to the project's root
	Text             []byte // instead of a file: what was overwritten, made again
	Place            string // where the pipeline's file has it in the step's workspace; empty: it does not say
}

// Found is what a run left.
type Found struct {
	Outputs []Output

	project    manifest.Project
	workspaces string // the folder of all workspaces, relative to the project's root
	steps      []manifest.Step
	reused     map[string]bool
	whole      map[string]string // workspaces that are taken as a whole, by the name they get
	worktrees  map[string]string // the same of worktrees
	request    runner.Request
}

// WavePlace is where Wave looks for workspaces, whatever the manifest says.
const WavePlace = ".agents/workspaces"

// Find looks for what the steps that r does not repeat left: reused are these
// steps. It is a [*runner.ConflictError] when something is gone, or is not what
// the run wrote.
func Find(c *manifest.Catalog, p manifest.Pipeline, r runner.Request, reused []string) (*Found, error) {
	f := &Found{
		project: c.Project, workspaces: workspaces(c), steps: p.Steps, request: r,
		reused: map[string]bool{}, whole: map[string]string{}, worktrees: map[string]string{},
	}
	for _, step := range reused {
		f.reused[step] = true
	}
	tree, err := files.OpenTree(c.Project.Root, c.Project.Databases()...)
	if err != nil {
		return nil, err
	}
	defer tree.Close()
	l := &look{Found: f, tree: tree, runs: runsOf(r.Left)}
	for _, step := range p.Steps {
		if !f.reused[step.ID] {
			continue
		}
		if err := l.outputs(step); err != nil {
			return nil, err
		}
	}
	return f, l.shared()
}

// workspaces is the folder of all workspaces, relative to the project's root.
func workspaces(c *manifest.Catalog) string {
	root := c.Manifest.Runtime.WorkspaceRoot
	if root == "" {
		root = filepath.Join(c.Project.StateDir, "workspaces")
	}
	if rel, err := filepath.Rel(c.Project.Root, root); filepath.IsAbs(root) && err == nil {
		root = rel
	}
	return filepath.ToSlash(filepath.Clean(root))
}

// runsOf are the runs whose workspaces may hold what is handed over.
func runsOf(left store.Leftovers) []string {
	runs := slices.Clone(left.Lineage)
	for _, inner := range left.Inner {
		for _, in := range inner {
			runs = append(runs, in.Run)
			for _, o := range in.Outputs {
				runs = append(runs, o.RunID)
			}
		}
	}
	return runs
}

// look is one search.
type look struct {
	*Found
	tree *files.Tree
	runs []string
}

func (l *look) conflict(format string, args ...any) error {
	return &runner.ConflictError{Step: l.request.FromStep, Text: "cannot be resumed: " + fmt.Sprintf(format, args...)}
}

// outputs finds those of one step.
func (l *look) outputs(step manifest.Step) error {
	rows, order := map[string]wave.Artifact{}, []string{}
	add := func(list []wave.Artifact) {
		for _, o := range list {
			if _, known := rows[o.Name]; !known {
				order = append(order, o.Name)
			}
			rows[o.Name] = o
		}
	}
	if step.Kind != manifest.KindIterate {
		for _, in := range l.request.Left.Inner[step.ID] {
			add(in.Outputs)
		}
	}
	add(l.request.Left.Outputs[step.ID])
	declared := map[string]string{}
	for _, out := range step.OutputArtifacts {
		declared[out.Name] = out.Path
		if _, recorded := rows[out.Name]; !recorded && !composed(step) {
			order = append(order, out.Name)
		}
	}
	if step.Kind == manifest.KindIterate && len(order) == 0 {
		return l.conflict("nothing is recorded of what step %q collected; resume at %q to collect it again", step.ID, step.ID)
	}
	for _, name := range order {
		row, recorded := rows[name]
		file, err := l.file(step, row, recorded, declared[name])
		if text, ok := l.again(step, row); err != nil && ok {
			l.Outputs = append(l.Outputs, Output{Step: step.ID, Name: name, Type: row.Type, File: row.Path, Text: text})
			continue
		}
		switch {
		case err != nil:
			return l.conflict("the output %q of step %q %v; resume at %q to make it again", name, step.ID, err, step.ID)
		case file != "":
			l.Outputs = append(l.Outputs, Output{Step: step.ID, Name: name, Type: row.Type, File: file, Place: declared[name]})
		}
	}
	return nil
}

// composed reports whether Wave gives such a step no workspace.
func composed(step manifest.Step) bool {
	return step.Kind != manifest.KindCommand && step.Kind != manifest.KindPrompt && step.Kind != manifest.KindMatrix
}

// file is where an output lies, and empty when the step did not write it.
func (l *look) file(step manifest.Step, row wave.Artifact, recorded bool, place string) (string, error) {
	gone := files.ErrGone
	if recorded {
		file, err := l.recorded(row)
		if err == nil || !errors.Is(err, files.ErrGone) {
			return file, err
		}
		gone = err
	}
	if filepath.IsLocal(place) {
		for _, run := range l.request.Left.Lineage {
			file := path.Join(l.workspaces, run, step.ID, filepath.ToSlash(place))
			if opened, _, err := l.tree.Open(file); err == nil {
				return file, opened.Close()
			}
		}
	}
	if recorded && row.Size == 0 {
		return "", nil
	}
	return "", gone
}

var errOverwritten = errors.New("was overwritten after this run wrote it")

func overwrittenBy(run string) error { return fmt.Errorf("was overwritten by %s", run) }

// recorded is the file of a row, if it is what the run wrote. The workspaces of
// these runs are written by nobody else; a place that all runs share may hold
// another's by now.
func (l *look) recorded(row wave.Artifact) (string, error) {
	opened, info, err := l.tree.Open(row.Path)
	if err != nil {
		return "", err
	}
	if err := opened.Close(); err != nil {
		return "", err
	}
	file, err := l.tree.Within(row.Path)
	if err != nil {
		return "", err
	}
	file = filepath.ToSlash(file)
	switch run, within := l.within(file); {
	case within && slices.Contains(l.runs, run):
		return file, nil
	case within:
		return "", fmt.Errorf("lies in the workspace of another run, %s", run)
	case l.request.Left.Overwritten[row.ID] != "":
		return "", overwrittenBy(l.request.Left.Overwritten[row.ID])
	case info.Size() != row.Size, info.ModTime().Unix() > row.CreatedAt.Unix()+1:
		return "", errOverwritten
	}
	return file, nil
}

// within is the run in whose workspace a file lies.
func (l *look) within(file string) (run string, ok bool) {
	for _, all := range []string{l.workspaces, WavePlace} {
		if rest, below := strings.CutPrefix(file, all+"/"); below {
			run, _, ok = strings.Cut(rest, "/")
			return run, ok
		}
	}
	return "", false
}

// shared finds the workspaces that steps go on in: whole folders, and worktrees.
func (l *look) shared() error {
	for i, step := range l.steps {
		if l.reused[step.ID] || !l.after(i) {
			continue
		}
		if step.Workspace.Type == worktree {
			for _, before := range l.steps {
				if l.reused[before.ID] && before.Workspace.Type == worktree {
					if err := l.take(before); err != nil {
						return err
					}
				}
			}
		}
		if ref := l.origin(step); ref.ID != step.ID && l.reused[ref.ID] {
			if err := l.take(ref); err != nil {
				return err
			}
		}
	}
	return nil
}

// worktree is the type of a workspace that is one of the repository's worktrees.
const worktree = "worktree"

// after reports whether the step at i is the one that the run begins with or
// stands after it.
func (f *Found) after(i int) bool {
	return slices.ContainsFunc(f.steps[:i+1], func(s manifest.Step) bool { return s.ID == f.request.FromStep })
}

// origin is the step whose workspace the step works in.
func (f *Found) origin(step manifest.Step) manifest.Step {
	for range f.steps { // references may lead in a circle
		i := slices.IndexFunc(f.steps, func(s manifest.Step) bool { return s.ID == step.Workspace.Ref })
		if step.Workspace.Ref == "" || i < 0 {
			break
		}
		step = f.steps[i]
	}
	return step
}

// take notes that a step's workspace is needed as a whole.
func (l *look) take(step manifest.Step) error {
	for _, run := range l.request.Left.Lineage {
		base := path.Join(l.workspaces, run)
		if step.Workspace.Type == worktree {
			if name := l.worktreeOf(base, step); name != "" {
				l.worktrees[name] = path.Join(base, name)
				return nil
			}
			continue
		}
		if dir := path.Join(base, step.ID); l.isDir(dir) {
			l.whole[step.ID] = dir
			return nil
		}
	}
	return l.conflict("the workspace of step %q, in which it goes on, was cleaned up; resume at %q to make it again", step.ID, step.ID)
}

// worktreeOf is the worktree below base that holds an output of the step.
func (l *look) worktreeOf(base string, step manifest.Step) string {
	dir, info, err := l.tree.OpenAny(base)
	if err != nil {
		return ""
	}
	defer dir.Close()
	if !info.IsDir() {
		return ""
	}
	names, _ := dir.Readdirnames(-1)
	slices.Sort(names)
	for _, name := range names {
		if !strings.HasPrefix(name, "__wt_") || !l.isDir(path.Join(base, name)) {
			continue
		}
		if len(step.OutputArtifacts) == 0 || slices.ContainsFunc(step.OutputArtifacts, func(o manifest.OutputArtifact) bool {
			f, _, err := l.tree.OpenAny(path.Join(base, name, o.Path))
			if err == nil {
				f.Close()
			}
			return err == nil
		}) {
			return name
		}
	}
	return ""
}

func (l *look) isDir(name string) bool {
	f, info, err := l.tree.OpenAny(name)
	if err != nil {
		return false
	}
	defer f.Close()
	return info.IsDir()
}

// exists reports whether root has a file of that name.
func exists(root *os.Root, name string) bool {
	_, err := root.Lstat(name)
	return !errors.Is(err, fs.ErrNotExist)
}
