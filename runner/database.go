package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"wavedeck/store/statedb"
)

// EnsureDatabase makes an empty state database at path, in the newest schema
// that Wave has, unless there is a file. It appears whole or not at all, and
// of two processes that make it at once one wins.
func EnsureDatabase(ctx context.Context, path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := makeDatabase(ctx, path); err != nil {
		return fmt.Errorf("make state database: %w", err)
	}
	return nil
}

func makeDatabase(ctx context.Context, path string) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".state-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	whole := filepath.Join(dir, "state.db")
	db, err := statedb.Create(ctx, whole, statedb.Latest)
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil { // which takes the journal into the file
		return err
	}
	if err := os.Link(whole, path); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
