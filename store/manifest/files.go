package manifest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"

	"wavedeck/store/files"
)

const (
	maxYAML   = 1 << 20  // bytes of one YAML file
	maxPrompt = 64 << 10 // bytes shown of a prompt file
)

// tree reads the files of a project, and none beside it but the manifest that the
// operator named. The caller closes it.
type tree struct {
	*files.Tree
	project Project
}

func openTree(p Project) (*tree, error) {
	t, err := files.OpenTree(p.Root, p.Databases()...)
	return &tree{Tree: t, project: p}, err
}

// within names a file by its path from the project's root, and reports whether it
// lies in it as far as the path shows.
func (p Project) within(path string) (string, bool) {
	if !filepath.IsAbs(path) {
		return filepath.Clean(path), filepath.IsLocal(path)
	}
	rel, err := filepath.Rel(p.Root, path)
	return rel, err == nil && filepath.IsLocal(rel)
}

// display names a file in what is told of it.
func (p Project) display(path string) string {
	if rel, ok := p.within(path); ok {
		path = filepath.ToSlash(rel)
	}
	return strings.ToValidUTF8(path, "\uFFFD")
}

// openFile opens a regular file for reading.
func (t *tree) openFile(path string) (*os.File, os.FileInfo, error) {
	name, inside := t.project.within(path)
	if !inside && path == t.project.Manifest {
		// The operator has named this file, so it may lie, and lead, anywhere.
		target, err := filepath.EvalSymlinks(path)
		if err != nil {
			return nil, nil, plain(err)
		}
		f, info, err := files.Open(filepath.Dir(target), target, t.project.Databases()...)
		return f, info, t.explain(target, err)
	}
	f, info, err := t.Open(name)
	return f, info, t.explain(name, err)
}

// listYAML names the YAML files of a directory, in order, and counts all entries
// it has looked at. Those that it found before an error are there with it.
func (t *tree) listYAML(dir string) (names []string, entries int, err error) {
	name, _ := t.project.within(dir)
	f, info, err := t.OpenAny(name)
	if err != nil {
		return nil, 0, t.explain(name, err)
	}
	defer f.Close()
	if !info.IsDir() {
		return nil, 0, errors.New("is not a directory")
	}
	all, err := f.Readdirnames(maxEntries)
	if errors.Is(err, io.EOF) { // an empty directory ends at once
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("cannot be listed: %w", plain(err))
	}
	for _, name := range all {
		// Hidden files are left out: editors keep their locks in them.
		if ext := filepath.Ext(name); (ext == ".yaml" || ext == ".yml") && name[0] != '.' {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, len(all), err
}

// explain tells of a file that does not exist as one that somebody has yet to write:
// a project's files are not cleaned up as those of its runs are.
func (t *tree) explain(path string, err error) error {
	if !errors.Is(err, files.ErrGone) {
		return err
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(t.project.Root, path)
	}
	if info, lerr := os.Lstat(path); lerr == nil && info.Mode()&fs.ModeSymlink != 0 {
		return errors.New("is a symbolic link to nothing")
	}
	return syscall.ENOENT
}

// readYAML reads a whole file, or says that it is too large.
func (t *tree) readYAML(path string) ([]byte, error) {
	f, info, err := t.openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, size := []byte(nil), info.Size()
	if size <= maxYAML { // which a file may outgrow while it is read
		if data, err = io.ReadAll(io.LimitReader(f, maxYAML+1)); err != nil {
			return nil, plain(err)
		}
		size = int64(len(data))
	}
	if size > maxYAML {
		return nil, fmt.Errorf("is %d bytes or more, at most %d are read", size, maxYAML)
	}
	return data, nil
}

// plain drops the operation and the path from an error of package os: they are
// told with the file that the problem is about, which is not always the path that
// was opened.
func plain(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

// Prompt is the text of a prompt file.
type Prompt struct {
	File      string // relative to the project's root
	Text      string // valid UTF-8; no more than the first 64 KiB
	Size      int64  // of the whole file, in bytes
	Truncated bool
}

// Prompt reads a file that the project names: a persona's SystemPromptFile or the
// SourcePath of a step. It is read now, not when the catalog was loaded. A path
// that leads out of the project is an error, and so is what is not a regular file.
func (c *Catalog) Prompt(path string) (Prompt, error) {
	if path == "" {
		return Prompt{}, errors.New("read prompt: no file is named")
	}
	p := Prompt{File: c.Project.display(path)}
	t, err := openTree(c.Project)
	if err != nil {
		return Prompt{}, fmt.Errorf("read prompt %s: %w", p.File, err)
	}
	defer t.Close()
	f, info, err := t.openFile(path)
	if err != nil {
		return Prompt{}, fmt.Errorf("read prompt %s: %w", p.File, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPrompt+1))
	if err != nil {
		return Prompt{}, fmt.Errorf("read prompt %s: %w", p.File, plain(err))
	}
	if p.Size = max(info.Size(), int64(len(data))); len(data) > maxPrompt {
		p.Truncated = true
		data = data[:maxPrompt]
		for cut := 0; cut < utf8.UTFMax-1 && !endsInRune(data); cut++ {
			data = data[:len(data)-1]
		}
	}
	p.Text = strings.ToValidUTF8(string(data), "\uFFFD")
	return p, nil
}

func endsInRune(data []byte) bool {
	r, size := utf8.DecodeLastRune(data)
	return r != utf8.RuneError || size > 1
}
