// Package files opens files that others have named, within one folder and nowhere
// else: the manifest, pipelines, prompts, artifacts and logs of a project. What a name leads to is not trusted.
// It may be a link out, a FIFO that never answers, a device, or the state database,
// which must not even be opened and closed: with any descriptor of a file that is
// closed, SQLite loses all locks that this process holds on it.
package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Why a file is not opened. Each error of this package that is about the name or
// the file is one of these, told apart by errors.Is; others are of the system.
var (
	ErrOutside     = errors.New("lies outside the project")
	ErrName        = errors.New("is not a file name")
	ErrGone        = errors.New("was cleaned up, or never written")
	ErrDirectory   = errors.New("is a directory, not a file")
	ErrFIFO        = errors.New("is a FIFO, not a file")
	ErrSocket      = errors.New("is a socket, not a file")
	ErrDevice      = errors.New("is a device, not a file")
	ErrForbidden   = errors.New("is a database in use")
	ErrPrivate     = errors.New("belongs to the console itself")
	ErrUnreachable = errors.New("is a symbolic link that cannot be followed within the project")
)

// Tree is a folder whose files are opened. It may be used by many goroutines at
// once. The caller closes it.
type Tree struct {
	path      string
	root      *os.Root
	forbidden []string
}

// OpenTree opens the folder at path, which has to be absolute. forbidden are the
// paths of SQLite databases, absolute or relative to it: neither they nor their
// -wal, -shm and -journal are ever opened, under whatever name.
func OpenTree(path string, forbidden ...string) (*Tree, error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("open %q: %w", path, ErrName)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open project %s: %w", path, err)
	}
	t := &Tree{path: filepath.Clean(path), root: root}
	for _, f := range forbidden {
		if f == "" {
			continue
		}
		if !filepath.IsAbs(f) {
			f = filepath.Join(path, f)
		}
		for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
			t.forbidden = append(t.forbidden, f+suffix)
		}
	}
	return t, nil
}

// Close closes the folder. Files that were opened stay open.
func (t *Tree) Close() error { return t.root.Close() }

// Open opens one file of the folder at root, as Tree.Open does.
func Open(root, path string, forbidden ...string) (*os.File, os.FileInfo, error) {
	t, err := OpenTree(root, forbidden...)
	if err != nil {
		return nil, nil, err
	}
	defer t.root.Close()
	return t.Open(path)
}

// Within gives path relative to the folder where it lies in it: a path that is
// absolute, or relative to the folder already and without a way up.
func (t *Tree) Within(path string) (string, error) {
	if path == "" || strings.IndexByte(path, 0) >= 0 {
		return "", ErrName
	}
	if !filepath.IsAbs(path) {
		for part := range strings.SplitSeq(filepath.ToSlash(path), "/") {
			if part == ".." {
				return "", ErrOutside
			}
		}
		if path = filepath.Clean(path); !filepath.IsLocal(path) {
			return "", ErrOutside
		}
		return path, nil
	}
	rel, err := filepath.Rel(t.path, path)
	if err != nil || !filepath.IsLocal(rel) {
		return "", ErrOutside
	}
	return rel, nil
}

// Open opens a regular file for reading. It waits for nothing and opens nothing
// else: what the name leads to is pinned before it is looked at, and what is read
// is what was looked at, whatever takes the name in between. The file's own Name may
// be one of this process and says nothing of path. The caller closes it.
func (t *Tree) Open(path string) (*os.File, os.FileInfo, error) {
	f, info, err := t.OpenAny(path)
	if err == nil && info.IsDir() {
		f.Close()
		return nil, nil, ErrDirectory
	}
	return f, info, err
}

// Linked is when a name was made a symbolic link; the zero time where it is none.
func (t *Tree) Linked(path string) time.Time {
	name, err := t.Within(path)
	if err != nil {
		return time.Time{}
	}
	info, err := t.root.Lstat(name)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return time.Time{}
	}
	return info.ModTime()
}

// OpenAny is Open for a directory too. Its entries are listed by Readdirnames only:
// ReadDir may look them up by the directory's Name.
func (t *Tree) OpenAny(path string) (*os.File, os.FileInfo, error) {
	name, err := t.Within(path)
	if err != nil {
		return nil, nil, err
	}
	f, info, err := pinned(t.root, name, t.allowed)
	if err != nil {
		return nil, nil, t.explain(name, err)
	}
	return f, info, nil
}

// allowed reports whether what info describes may be opened. The databases are
// looked at each time: another may lie at their path by now.
func (t *Tree) allowed(info os.FileInfo) error {
	switch mode := info.Mode(); {
	case mode.IsDir():
		return nil
	case mode&fs.ModeNamedPipe != 0:
		return ErrFIFO
	case mode&fs.ModeSocket != 0:
		return ErrSocket
	case !mode.IsRegular():
		return ErrDevice
	}
	for _, path := range t.forbidden {
		if database, err := os.Stat(path); err == nil && os.SameFile(info, database) {
			return ErrForbidden
		}
	}
	if t.isPrivate(info) {
		return ErrPrivate
	}
	return nil
}

// explain tells an error of the system in this package's words.
func (t *Tree) explain(name string, err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	info, lerr := t.root.Lstat(name)
	link := lerr == nil && info.Mode()&fs.ModeSymlink != 0
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errNotDirectory):
		return ErrGone
	case errors.Is(err, errNameTooLong):
		return ErrName
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("cannot be read: %w", err)
	case errors.Is(err, errTooManyLinks), link && !own(err), escapes(err):
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return err
}

// own reports whether an error is one that this package gave.
func own(err error) bool {
	for _, e := range []error{ErrDirectory, ErrFIFO, ErrSocket, ErrDevice, ErrForbidden, ErrPrivate, ErrUnreachable} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// escapes reports whether package os says that a path leads out of its root. It
// exports no variable for that.
func escapes(err error) bool { return strings.Contains(err.Error(), "escapes from parent") }

// Head reads the first bytes of a file, at most limit, and says how many there
// are in all, which is more than info said when the file has grown since.
func Head(f *os.File, info os.FileInfo, limit int) (head []byte, size int64, err error) {
	head = make([]byte, min(int64(limit), max(info.Size(), 0)+1))
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, 0, fmt.Errorf("read: %w", err)
	}
	return head[:n], max(info.Size(), int64(n)), nil
}
