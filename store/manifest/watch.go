package manifest

import (
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// watch follows the directories that a project's files are in. Without a watcher
// it is silent.
type watch struct {
	watcher *fsnotify.Watcher
	events  <-chan fsnotify.Event
	errors  <-chan error
	targets []string
	dir     string // the pipelines directory, of which every file concerns us
}

func newWatch(open func() (*fsnotify.Watcher, error)) *watch {
	watcher, err := open()
	if err != nil {
		return &watch{} // out of watches: the poll is what remains
	}
	return &watch{watcher: watcher, events: watcher.Events, errors: watcher.Errors}
}

func (w *watch) close() {
	if w.watcher != nil {
		_ = w.watcher.Close()
	}
}

// follow makes the watched directories those of p: the one of the manifest, the
// pipelines directory, and for what is missing the nearest directory that exists.
// The state directory is left out while nothing in it is missing: every commit
// to the database would wake us.
func (w *watch) follow(p Project) {
	if w.watcher == nil {
		return
	}
	w.dir = p.Pipelines
	w.targets = []string{p.Manifest, p.Pipelines}
	want := map[string]bool{nearestDir(filepath.Dir(p.Manifest)): true, nearestDir(p.Pipelines): true}
	for _, dir := range p.Looked {
		w.targets = append(w.targets, dir.Path)
		want[nearestDir(filepath.Dir(dir.Path))] = true
	}
	if !isFile(p.DB) {
		w.targets = append(w.targets, p.DB)
		want[nearestDir(filepath.Dir(p.DB))] = true
	}
	for _, path := range w.watcher.WatchList() {
		if !want[path] {
			_ = w.watcher.Remove(path) // it may have gone by itself
		}
	}
	for path := range want {
		_ = w.watcher.Add(path) // refused for want of watches or rights: the poll remains
	}
}

// concerns reports whether a change of path may change the project: it is a file of
// the project, or a directory on the way to one.
func (w *watch) concerns(path string) bool {
	if strings.HasPrefix(path, w.dir+string(filepath.Separator)) {
		return true
	}
	for _, target := range w.targets {
		if path == target || strings.HasPrefix(target, path+string(filepath.Separator)) {
			return true
		}
	}
	return false
}

// nearestDir is path, or the first directory above it that exists.
func nearestDir(path string) string {
	for !isDir(path) {
		parent := filepath.Dir(path)
		if parent == path {
			break
		}
		path = parent
	}
	return path
}
