// Package demo writes a Wave project of its own, with a history that holds
// every way a run can end, and goes on playing runs into it. Those are not
// executed: their rows are the ones that Wave would commit, from a script. The
// pipelines themselves are real: their commands run, and their personas are
// played by two small programs in the project that answer with fixed texts.
package demo

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/manifest"
	"wavedeck/store/statedb"
	"wavedeck/store/tape"
)

//go:embed all:project
var project embed.FS

// Script names what is played: the same values give the same runs.
type Script struct {
	Dir   string    // the project's folder
	Epoch time.Time // what came before is history
	Seed  uint64
}

// Write makes the project in s.Dir, which must be empty or not exist, with its
// history up to the epoch. The files that the history's runs left come with [Replay].
func Write(ctx context.Context, s Script) error {
	if err := writeProject(s.Dir); err != nil {
		return fmt.Errorf("write demo project: %w", err)
	}
	rec, err := s.recording()
	if err != nil {
		return err
	}
	past, _ := rec.split()
	if err := s.writeHistory(ctx, past); err != nil {
		return fmt.Errorf("write demo history: %w", err)
	}
	return nil
}

// recording is the history and the first pass of what follows it. A plan
// needs the project's catalog, so the project must be there.
func (s Script) recording() (*recording, error) {
	place, err := manifest.Locate(manifest.Options{Dir: s.Dir})
	if err != nil {
		return nil, err
	}
	rec := newRecording(manifest.Load(place), s.Epoch, s.Seed)
	rec.addHistory()
	rec.addPass(0)
	rec.sort()
	return rec, nil
}

// split parts the sorted entries at the epoch.
func (r *recording) split() (past, future []tape.Entry) { return before(r.entries, 0) }

func writeProject(dir string) error {
	switch old, err := os.ReadDir(dir); {
	case err == nil && len(old) > 0:
		return fmt.Errorf("%s is not empty", dir)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	files, err := fs.Sub(project, "project")
	if err != nil {
		return err
	}
	if err := os.CopyFS(dir, files); err != nil {
		return err
	}
	for _, program := range []string{"claude", "codex"} { // embedded files have no mode
		if err := os.Chmod(filepath.Join(dir, ".agents", "bin", program), 0o755); err != nil { //nolint:gosec // it is a program
			return err
		}
	}
	return nil
}

// file is what an artifact's row points to.
type file struct {
	path    string // relative to the project, with slashes
	content []byte
}

// takeFiles hands over the files behind the artifacts in entries.
func (r *recording) takeFiles(entries []tape.Entry) []file {
	var files []file
	for _, e := range entries {
		if e.Table == "artifact" {
			path := text(e.Row, "path")
			files = append(files, file{path, r.files[path]})
			delete(r.files, path)
		}
	}
	return files
}

func (s Script) writeFiles(ctx context.Context, files []file) error {
	for _, f := range files {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // nobody is left to look at the files
		}
		path := filepath.Join(s.Dir, filepath.FromSlash(f.path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("write demo artifacts: %w", err)
		}
		if err := os.WriteFile(path, f.content, 0o644); err != nil {
			return fmt.Errorf("write demo artifacts: %w", err)
		}
	}
	return nil
}

func (s Script) database() string { return filepath.Join(s.Dir, ".agents", "state.db") }

// writeHistory commits the entries at once. The file is nobody's yet, so that
// it need not reach the disk before the next one does.
func (s Script) writeHistory(ctx context.Context, entries []tape.Entry) (err error) {
	db, err := statedb.Create(ctx, s.database(), statedb.Latest, "synchronous(0)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	schema, err := statedb.ReadSchema(ctx, db)
	if err != nil {
		return err
	}
	return commit(ctx, db, schema, folded(schema, entries))
}

// commit makes the changes of entries in one transaction.
func commit(ctx context.Context, db *sqlx.DB, schema statedb.Schema, entries []tape.Entry) (err error) {
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	for _, e := range entries {
		if e.Op == tape.Update {
			err = schema.Update(ctx, tx, e.Table, e.Row)
		} else {
			_, err = schema.Insert(ctx, tx, e.Table, e.Row)
		}
		if err != nil {
			return err
		}
	}
	return tx.Commit()
}

// folded puts the updates into the rows they change, so that only the last
// word of each row is written.
func folded(schema statedb.Schema, entries []tape.Entry) []tape.Entry {
	var out []tape.Entry
	byKey := map[string]statedb.Row{}
	for _, e := range entries {
		key := e.Table
		for _, column := range schema[e.Table].Key {
			key += fmt.Sprintf("\x00%v", e.Row[column])
		}
		if e.Op == tape.Update {
			maps.Copy(byKey[key], e.Row)
			continue
		}
		e.Row = maps.Clone(e.Row)
		byKey[key] = e.Row
		out = append(out, e)
	}
	return out
}
