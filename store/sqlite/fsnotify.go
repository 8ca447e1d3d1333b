package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// FileWatch listens for what happens to a database file and the files SQLite keeps
// beside it. It watches directories: files come and go. While the directory is
// missing it watches the nearest one above that exists.
type FileWatch struct {
	Path   string
	notify *fsnotify.Watcher // nil: the kernel gives none, only polling is left
	dirs   map[string]fs.FileInfo
	bases  []string // names of the file: its own and that of what it links to
}

// Notification is what an event of the kernel may mean.
type Notification int

// What an event may mean.
const (
	Ignored      Notification = iota
	commitLikely              // a commit may be on its way
	FileMoved                 // another file may lie under the path
)

// NewFileWatch listens for what happens to the file at path. With an error it is
// there all the same, and hears nothing. The caller closes it.
func NewFileWatch(path string) (*FileWatch, error) {
	w := &FileWatch{Path: filepath.Clean(path), dirs: map[string]fs.FileInfo{}}
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return w, err
	}
	w.notify = notify
	w.Aim()
	return w, nil
}

// Close ends the watch.
func (w *FileWatch) Close() {
	if w.notify != nil {
		_ = w.notify.Close()
	}
}

// Events are what the kernel tells; nil: nothing.
func (w *FileWatch) Events() <-chan fsnotify.Event {
	if w.notify == nil {
		return nil
	}
	return w.notify.Events
}

// Errors are why the kernel told less than there was.
func (w *FileWatch) Errors() <-chan error {
	if w.notify == nil {
		return nil
	}
	return w.notify.Errors
}

// Working reports whether the directories of the file are watched.
func (w *FileWatch) Working() bool { return w.notify != nil && len(w.dirs) > 0 }

// Aim points the watch at the directories as they are now: of the path and,
// when that is a symbolic link, of the file itself, where SQLite writes.
func (w *FileWatch) Aim() {
	if w.notify == nil {
		return
	}
	wanted := map[string]fs.FileInfo{}
	w.bases = []string{filepath.Base(w.Path)}
	paths := []string{w.Path}
	if real, err := filepath.EvalSymlinks(w.Path); err == nil {
		paths = append(paths, real)
		w.bases = append(w.bases, filepath.Base(real))
	}
	for _, p := range paths {
		if dir, info := nearestDir(filepath.Dir(p)); info != nil {
			wanted[dir] = info
		}
	}
	for dir, was := range w.dirs {
		if now := wanted[dir]; now == nil || !os.SameFile(was, now) {
			_ = w.notify.Remove(dir) // it may be gone already
			delete(w.dirs, dir)
		}
	}
	for dir, info := range wanted {
		if w.dirs[dir] == nil && w.notify.Add(dir) == nil {
			w.dirs[dir] = info
		}
	}
}

func nearestDir(dir string) (string, fs.FileInfo) {
	for {
		info, err := os.Stat(dir)
		if err == nil && info.IsDir() {
			return dir, info
		}
		up := filepath.Dir(dir)
		if up == dir || err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return "", nil
		}
		dir = up
	}
}

// Interpret says what an event means. The -shm file is mapped memory: its writes
// are no events.
func (w *FileWatch) Interpret(e fsnotify.Event) Notification {
	if !e.Has(fsnotify.Create | fsnotify.Write | fsnotify.Remove | fsnotify.Rename) {
		return Ignored
	}
	name := filepath.Base(e.Name)
	for _, base := range w.bases {
		switch name {
		case base:
			if e.Has(fsnotify.Write) {
				return commitLikely
			}
			return FileMoved
		case base + "-wal", base + "-shm":
			if e.Has(fsnotify.Write) {
				return commitLikely
			}
			return FileMoved
		case base + "-journal":
			return commitLikely
		}
	}
	if strings.HasPrefix(w.Path, filepath.Clean(e.Name)+string(filepath.Separator)) {
		return FileMoved // a directory on the way to the file
	}
	return Ignored
}
