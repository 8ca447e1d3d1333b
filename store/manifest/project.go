// Package manifest is the read-only view of a Wave project's files: wave.yaml
// with its adapters and personas, and the pipelines in the state directory.
//
// Nothing here fails because a file is wrong. What cannot be read is shown as a
// Problem, with its file and line, and everything else is still there.
package manifest

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Options says where a project is. Empty DB and Manifest mean the places Wave uses.
type Options struct {
	Dir      string // the project's root; empty is the working directory
	DB       string // the state database, when it is elsewhere
	Manifest string // wave.yaml, when it is elsewhere
}

// Project holds the absolute paths of a project's files, whether they exist or
// not: a path that does not exist is the one that is waited for.
type Project struct {
	Root      string
	StateDir  string
	DB        string
	Manifest  string
	Pipelines string

	// Looked are the state directories that were considered, in order of preference.
	Looked []StateDir
	// Missing are the files that were not there when the project was located.
	Missing []Missing
}

// StateDir is a place where Wave may keep its state.
type StateDir struct {
	Path  string
	Found bool
	HasDB bool
}

// Missing is a part of the project that was not found.
type Missing struct {
	What   string // "database", "manifest" or "pipelines"
	Looked []string
}

// The parts of a project that may be missing.
const (
	MissingDatabase  = "database"
	MissingManifest  = "manifest"
	MissingPipelines = "pipelines"
)

const (
	databaseName  = "state.db"
	manifestName  = "wave.yaml"
	pipelinesName = "pipelines"
)

// Locate finds the project in opts.Dir. Its state directory is .agents or the
// older .wave: the one that exists, of two the one that holds a database, and
// .agents when that decides nothing. It is an error only when opts.Dir is not a
// directory; every absent file is told in Project.Missing instead.
func Locate(opts Options) (Project, error) {
	root, err := filepath.Abs(opts.Dir)
	if err != nil {
		return Project{}, fmt.Errorf("locate project %s: %w", opts.Dir, err)
	}
	info, err := os.Stat(root)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Project{}, fmt.Errorf("locate project %s: no such directory", root)
	case err != nil:
		return Project{}, fmt.Errorf("locate project %s: %w", root, err)
	case !info.IsDir():
		return Project{}, fmt.Errorf("locate project %s: not a directory", root)
	}
	if opts.DB, err = absolute(opts.DB); err != nil {
		return Project{}, err
	}
	if opts.Manifest, err = absolute(opts.Manifest); err != nil {
		return Project{}, err
	}
	opts.Dir = root
	return locate(opts), nil
}

// locate is Locate for absolute paths, of a root that need not exist.
func locate(opts Options) Project {
	root := opts.Dir
	p := Project{Root: root}
	for _, name := range []string{".agents", ".wave"} {
		dir := filepath.Join(root, name)
		p.Looked = append(p.Looked, StateDir{
			Path: dir, Found: isDir(dir), HasDB: isFile(filepath.Join(dir, databaseName)),
		})
	}
	p.StateDir = chooseStateDir(p.Looked)
	p.Pipelines = filepath.Join(p.StateDir, pipelinesName)
	p.DB = cmp.Or(opts.DB, filepath.Join(p.StateDir, databaseName))
	p.Manifest = cmp.Or(opts.Manifest, filepath.Join(root, manifestName))
	p.Missing = p.missing(opts)
	return p
}

func chooseStateDir(looked []StateDir) string {
	for _, dir := range looked {
		if dir.HasDB {
			return dir.Path
		}
	}
	for _, dir := range looked {
		if dir.Found {
			return dir.Path
		}
	}
	return looked[0].Path
}

// absolute leaves an empty path empty.
func absolute(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("locate %s: %w", path, err)
	}
	return abs, nil
}

// missing lists every place that was considered, so that a reader who has put a
// file in the wrong one sees which would have been right.
func (p Project) missing(opts Options) []Missing {
	var missing []Missing
	in := func(name string) []string {
		var paths []string
		for _, dir := range p.Looked {
			paths = append(paths, filepath.Join(dir.Path, name))
		}
		return paths
	}
	if !isFile(p.DB) {
		looked := in(databaseName)
		if opts.DB != "" {
			looked = []string{p.DB}
		}
		missing = append(missing, Missing{What: MissingDatabase, Looked: looked})
	}
	if _, err := os.Lstat(p.Manifest); err != nil {
		missing = append(missing, Missing{What: MissingManifest, Looked: []string{p.Manifest}})
	}
	if !isDir(p.Pipelines) {
		missing = append(missing, Missing{What: MissingPipelines, Looked: in(pipelinesName)})
	}
	return missing
}

// OwnDB is where Wave keeps the project's state, whichever database is read.
func (p Project) OwnDB() string { return filepath.Join(p.StateDir, databaseName) }

// OwnManifest is the manifest that Wave reads unless it is given another one.
func (p Project) OwnManifest() string { return filepath.Join(p.Root, manifestName) }

// Databases are the paths where a state database of the project may lie, the one
// that is read first. No file of them may be opened but by SQLite.
func (p Project) Databases() []string {
	paths := []string{p.DB}
	for _, dir := range p.Looked {
		if path := filepath.Join(dir.Path, databaseName); path != p.DB {
			paths = append(paths, path)
		}
	}
	return paths
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
