package files

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// maxPrivate bounds how many files of a private folder are looked at.
const maxPrivate = 5000

// private is a folder whose files no name that others gave may lead to.
type private struct {
	dir string
	own []string // how the names of its owner's files begin
}

// privates are the private folders of this process. They are not given to each opener,
// which could be forgotten: the locks that opening costs are the process's too.
//
//nolint:gochecknoglobals // see above
var privates struct {
	sync.Mutex
	list []*private
}

// Forbid keeps every Tree from opening what lies in the folder dir, which need not
// exist, by whatever link: the secrets of the console are there, and databases that
// only SQLite may open. Of a folder that holds a project or its state database too, only
// files whose names begin with one of own are forbidden. The caller calls release when
// the folder is no longer in use.
func Forbid(dir string, own ...string) (release func()) {
	p := &private{dir: dir, own: own}
	privates.Lock()
	defer privates.Unlock()
	privates.list = append(privates.list, p)
	return func() {
		privates.Lock()
		defer privates.Unlock()
		privates.list = slices.DeleteFunc(privates.list, func(q *private) bool { return q == p })
	}
}

// isPrivate reports whether info is of a file in a private folder.
func (t *Tree) isPrivate(info os.FileInfo) bool {
	privates.Lock()
	list := slices.Clone(privates.list)
	privates.Unlock()
	return slices.ContainsFunc(list, func(p *private) bool {
		dir, err := filepath.EvalSymlinks(p.dir)
		return err == nil && p.holds(dir, info, t.shares(dir))
	})
}

// shares reports whether the folder is this tree's too, or its databases'.
func (t *Tree) shares(dir string) bool {
	return slices.ContainsFunc(append([]string{t.path}, t.forbidden...), func(path string) bool {
		if resolved, err := filepath.EvalSymlinks(path); err == nil {
			path = resolved
		}
		rel, err := filepath.Rel(dir, path)
		return err == nil && filepath.IsLocal(rel)
	})
}

func (p *private) holds(dir string, info os.FileInfo, shared bool) bool {
	found, seen := false, 0
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch seen++; {
		case seen > maxPrivate:
			return fs.SkipAll
		case err != nil: // what cannot be listed cannot be told apart from what is there
			return nil //nolint:nilerr // it is passed over
		case entry.IsDir():
			if shared && path != dir {
				return fs.SkipDir
			}
			return nil
		case shared && !slices.ContainsFunc(p.own, func(own string) bool { return strings.HasPrefix(entry.Name(), own) }):
			return nil
		}
		if there, err := os.Stat(path); err == nil && os.SameFile(info, there) {
			found = true
			return fs.SkipAll
		}
		return nil
	})
	return found
}
