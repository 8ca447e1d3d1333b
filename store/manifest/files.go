package manifest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"
)

const (
	maxYAML   = 1 << 20  // bytes of one YAML file
	maxPrompt = 64 << 10 // bytes shown of a prompt file
)

// tree reads the files of a project, and none beside it: a symbolic link that
// leads out is refused. The caller closes it.
type tree struct {
	project Project
	root    *os.Root
	// databases must never be opened here: closing any descriptor of a file drops
	// all locks that SQLite holds on it in this process.
	databases []os.FileInfo
}

func openTree(p Project) (*tree, error) {
	root, err := os.OpenRoot(p.Root)
	if err != nil {
		return nil, fmt.Errorf("open project %s: %w", p.Root, err)
	}
	t := &tree{project: p, root: root}
	paths := []string{p.DB}
	for _, dir := range p.Looked {
		paths = append(paths, filepath.Join(dir.Path, databaseName))
	}
	for _, path := range paths {
		for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
			if info, err := os.Stat(path + suffix); err == nil {
				t.databases = append(t.databases, info)
			}
		}
	}
	return t, nil
}

// within gives path relative to the project's root, where it lies in it.
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

// open opens a regular file or a directory for reading. It waits for nothing: a
// FIFO or a device is refused before it is opened, and would not block if it
// took the file's place in between.
func (t *tree) open(path string) (*os.File, os.FileInfo, error) {
	root := t.root
	name, inside := t.project.within(path)
	if !inside {
		if path != t.project.Manifest {
			return nil, nil, errors.New("lies outside the project")
		}
		// The operator has named this file, so it may lie, and lead, anywhere.
		target, err := filepath.EvalSymlinks(path)
		if err != nil {
			return nil, nil, plain(err)
		}
		if root, err = os.OpenRoot(filepath.Dir(target)); err != nil {
			return nil, nil, plain(err)
		}
		defer root.Close()
		name = filepath.Base(target)
	}
	info, err := root.Stat(name)
	if err != nil {
		return nil, nil, explainLink(root, name, plain(err))
	}
	if err := t.mayOpen(info); err != nil {
		return nil, nil, err
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, plain(err)
	}
	if info, err = f.Stat(); err == nil {
		err = t.mayOpen(info)
	}
	if err != nil {
		return nil, nil, errors.Join(plain(err), f.Close())
	}
	return f, info, nil
}

func (t *tree) mayOpen(info os.FileInfo) error {
	for _, database := range t.databases {
		if os.SameFile(info, database) {
			return errors.New("is the state database")
		}
	}
	switch mode := info.Mode(); {
	case mode.IsRegular(), mode.IsDir():
		return nil
	case mode&fs.ModeNamedPipe != 0:
		return errors.New("is a FIFO, not a file")
	case mode&fs.ModeSocket != 0:
		return errors.New("is a socket, not a file")
	default:
		return errors.New("is a device, not a file")
	}
}

// openFile is open for what has to be a regular file.
func (t *tree) openFile(path string) (*os.File, os.FileInfo, error) {
	f, info, err := t.open(path)
	if err == nil && info.IsDir() {
		return nil, nil, errors.Join(errors.New("is a directory, not a file"), f.Close())
	}
	return f, info, err
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
// told with the file that the problem is about.
func plain(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

func explainLink(root *os.Root, name string, err error) error {
	info, lerr := root.Lstat(name)
	if lerr != nil || info.Mode()&fs.ModeSymlink == 0 {
		return err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("is a symbolic link to nothing")
	}
	return fmt.Errorf("is a symbolic link that cannot be followed within the project: %w", err)
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
	defer t.root.Close()
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
