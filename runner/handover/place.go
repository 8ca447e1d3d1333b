//go:build unix

package handover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"wavedeck/store/control"
	"wavedeck/store/files"
	"wavedeck/store/manifest"
)

// DefaultLimit is how many bytes may be copied for a run where nothing else is said.
const DefaultLimit = 8 << 30

// handedOn is the folder of what Wave finds by rows alone. No step has such a name.
const handedOn = ".handed-on"

// Place copies what was found into the workspace of run, which must not exist,
// and says what rows the run needs besides. At most limit bytes are copied.
// Remove takes away what was made, which is done already when it fails.
func (f *Found) Place(ctx context.Context, run string, limit int64) (h control.Handover, remove func() error, err error) {
	h = control.Handover{Step: f.request.FromStep}
	if failed, ok := f.request.Left.Failed[h.Step]; ok {
		h.Failed = &failed
	}
	root, err := os.OpenRoot(f.project.Root)
	if err != nil {
		return h, nil, err
	}
	defer root.Close()
	tree, err := files.OpenTree(f.project.Root, f.project.Databases()...)
	if err != nil {
		return h, nil, err
	}
	defer tree.Close()
	c := &copier{ctx: ctx, Found: f, root: root, tree: tree, base: path.Join(WavePlace, run), left: limit}
	if err := root.MkdirAll(WavePlace, 0o755); err != nil {
		return h, nil, fmt.Errorf("make workspace: %w", err)
	}
	if err := root.Mkdir(c.base, 0o755); err != nil { // nobody else's
		return h, nil, fmt.Errorf("make workspace: %w", err)
	}
	defer func() { //nolint:contextcheck // what was made is removed also when ctx has ended
		if err != nil {
			err = errors.Join(err, c.remove())
		}
	}()
	for _, name := range slices.Sorted(maps.Keys(f.worktrees)) {
		if err := c.worktree(name, f.worktrees[name]); err != nil { //nolint:contextcheck // the copier holds it
			return h, nil, fmt.Errorf("copy worktree %s: %w", name, err)
		}
	}
	for _, step := range slices.Sorted(maps.Keys(f.whole)) {
		if err := c.folder(f.whole[step], path.Join(c.base, step), ""); err != nil {
			return h, nil, fmt.Errorf("copy workspace of step %q: %w", step, err)
		}
	}
	for _, step := range f.steps {
		if !f.reused[step.ID] {
			continue
		}
		if err := c.step(step, &h); err != nil {
			return h, nil, fmt.Errorf("copy outputs of step %q: %w", step.ID, err)
		}
	}
	return h, c.remove, nil
}

// copier fills one workspace.
type copier struct {
	ctx context.Context //nolint:containedctx // of the one call that it lives for
	*Found
	root *os.Root
	tree *files.Tree
	base string // the workspace
	left int64  // bytes that may be copied
	git  []string
}

// step places the outputs of one step: in a folder like the one that it wrote
// them to, and where that cannot be in one that rows lead to.
func (c *copier) step(step manifest.Step, h *control.Handover) error {
	var outputs []Output
	inFolder := !composed(step)
	for _, o := range c.Outputs {
		if o.Step == step.ID {
			outputs = append(outputs, o)
			inFolder = inFolder && filepath.IsLocal(o.Place)
		}
	}
	origin := c.origin(step)
	if !c.reused[origin.ID] {
		origin = step
	}
	if origin.Workspace.Type == worktree && len(c.worktrees) > 0 || c.whole[origin.ID] != "" {
		return nil // it is there as it was
	}
	dir := path.Join(c.base, origin.ID)
	if inFolder {
		if err := c.root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	for _, o := range outputs {
		if inFolder {
			if _, err := c.file(o.File, path.Join(dir, filepath.ToSlash(o.Place)), 0o644); err != nil {
				return err
			}
			continue
		}
		to := path.Join(c.base, handedOn, strconv.Itoa(len(h.Outputs)), plain(path.Base(o.File)))
		size, err := c.output(o, to)
		if err != nil {
			return err
		}
		h.Outputs = append(h.Outputs, control.HandedOutput{Step: o.Step, Name: o.Name, Path: to, Type: o.Type, Size: size})
	}
	return nil
}

// output copies an output, or writes what was made again of one.
func (c *copier) output(o Output, to string) (int64, error) {
	if o.Text == nil {
		return c.file(o.File, to, 0o644)
	}
	if err := c.root.MkdirAll(path.Dir(to), 0o755); err != nil {
		return 0, err
	}
	return int64(len(o.Text)), c.root.WriteFile(to, o.Text, 0o644)
}

// plain is a file's name that needs no care.
func plain(name string) string {
	if strings.HasPrefix(name, ".") || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return "output"
	}
	return name
}

var errTooLarge = errors.New("there is more than is copied for a resume")

// file copies a file of the project.
func (c *copier) file(from, to string, mode fs.FileMode) (size int64, err error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	in, info, err := c.tree.Open(from)
	if err != nil {
		return 0, fmt.Errorf("%s %w", path.Base(from), err)
	}
	defer in.Close()
	if info.Size() > c.left {
		return 0, errTooLarge
	}
	if err := c.root.MkdirAll(path.Dir(to), 0o755); err != nil {
		return 0, err
	}
	if exists(c.root, to) { // of two steps that share a workspace, the later one's is there
		if err := c.root.Remove(to); err != nil {
			return 0, err
		}
	}
	out, err := c.root.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	size, err = io.Copy(out, io.LimitReader(in, c.left))
	c.left -= size
	return size, err
}

// folder copies a folder of the project but what is called except in it. Links
// stay links, as they are; what is neither a file nor a folder is left out.
func (c *copier) folder(from, to, except string) error {
	return fs.WalkDir(c.root.FS(), from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := c.ctx.Err(); err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		target := path.Join(to, rel)
		switch {
		case rel == except && except != "":
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return c.root.MkdirAll(target, 0o755)
		case d.Type()&fs.ModeSymlink != 0:
			link, err := c.root.Readlink(name)
			if err != nil {
				return err
			}
			return c.root.Symlink(link, target)
		case !d.Type().IsRegular():
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		_, err = c.file(name, target, info.Mode().Perm()|0o200)
		return err
	})
}

// remove takes away what was made.
func (c *copier) remove() error {
	root, err := os.OpenRoot(c.project.Root) // that of Place may be closed by now
	if err != nil {
		return err
	}
	err = errors.Join(root.RemoveAll(c.base), root.Close())
	if len(c.git) > 0 {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), gitWithin)
		defer cancel()
		_, pruned := c.runGit(ctx, c.project.Root, "worktree", "prune")
		err = errors.Join(err, pruned)
	}
	return err
}
