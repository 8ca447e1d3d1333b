package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// fileWatch listens for what happens to a database file and the files SQLite keeps
// beside it. It watches directories: files come and go. While the directory is
// missing it watches the nearest one above that exists.
type fileWatch struct {
	path   string
	notify *fsnotify.Watcher // nil: the kernel gives none, only polling is left
	dirs   map[string]fs.FileInfo
	bases  []string // names of the file: its own and that of what it links to
}

// sign is what a notification may mean.
type notification int

const (
	ignored      notification = iota
	commitLikely              // a commit may be on its way
	fileMoved                 // another file may lie under the path
)

func newFileWatch(path string) (*fileWatch, error) {
	w := &fileWatch{path: filepath.Clean(path), dirs: map[string]fs.FileInfo{}}
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return w, err
	}
	w.notify = notify
	w.aim()
	return w, nil
}

func (w *fileWatch) close() {
	if w.notify != nil {
		_ = w.notify.Close()
	}
}

func (w *fileWatch) events() <-chan fsnotify.Event {
	if w.notify == nil {
		return nil
	}
	return w.notify.Events
}

func (w *fileWatch) errors() <-chan error {
	if w.notify == nil {
		return nil
	}
	return w.notify.Errors
}

// working reports whether the directories of the file are watched.
func (w *fileWatch) working() bool { return w.notify != nil && len(w.dirs) > 0 }

// aim points the watch at the directories as they are now: of the path and,
// when that is a symbolic link, of the file itself, where SQLite writes.
func (w *fileWatch) aim() {
	if w.notify == nil {
		return
	}
	wanted := map[string]fs.FileInfo{}
	w.bases = []string{filepath.Base(w.path)}
	paths := []string{w.path}
	if real, err := filepath.EvalSymlinks(w.path); err == nil {
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

// interpret says what an event means. The -shm file is mapped memory: its writes
// are no events.
func (w *fileWatch) interpret(e fsnotify.Event) notification {
	if !e.Has(fsnotify.Create | fsnotify.Write | fsnotify.Remove | fsnotify.Rename) {
		return ignored
	}
	name := filepath.Base(e.Name)
	for _, base := range w.bases {
		switch name {
		case base:
			if e.Has(fsnotify.Write) {
				return commitLikely
			}
			return fileMoved
		case base + "-wal", base + "-shm":
			if e.Has(fsnotify.Write) {
				return commitLikely
			}
			return fileMoved
		case base + "-journal":
			return commitLikely
		}
	}
	if strings.HasPrefix(w.path, filepath.Clean(e.Name)+string(filepath.Separator)) {
		return fileMoved // a directory on the way to the file
	}
	return ignored
}
