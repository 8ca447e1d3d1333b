package storetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"wavedeck/store/statedb"
)

// bigFormat names what [Big] makes. It goes up with each change of Fill,
// LongRun or the schema, so that no older file is taken for a newer one.
const bigFormat = 1

// BigLongRun is the run of 50,000 events over 60 steps in every database of [Big].
const BigLongRun = "long-haul-20260301-103000-50ca"

// Big returns the path of a database with n runs of [Fill] and [BigLongRun]. It
// is made once and kept in the user's cache directory: about half a minute and
// 0.7 GB for a million runs. It is shared by every test on the machine, so
// open it for reading only.
func Big(t testing.TB, n int) string {
	t.Helper()
	return big(t, n, 50_000)
}

// big is Big with so many events in the long run.
func big(t testing.TB, n, events int) string {
	t.Helper()
	path, err := bigPath(fmt.Sprintf("state-%d-n%d-e%d.db", bigFormat, n, events))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if err := makeBig(t.Context(), path, n, events); err != nil {
		t.Fatalf("make a database of %d runs: %v", n, err)
	}
	return path
}

// bigPath is below the temporary directory where there is no cache of the user's.
func bigPath(name string) (string, error) {
	if cache, err := os.UserCacheDir(); err == nil {
		dir := filepath.Join(cache, "wavedeck", "bench")
		if os.MkdirAll(dir, 0o755) == nil {
			return filepath.Join(dir, name), nil
		}
	}
	dir := filepath.Join(os.TempDir(), "wavedeck-bench")
	return filepath.Join(dir, name), os.MkdirAll(dir, 0o755)
}

// makeBig writes beside path and renames at the end, so that a file of this name
// is always whole, whoever else makes it at the same time.
func makeBig(ctx context.Context, path string, n, events int) (err error) {
	dir, err := os.MkdirTemp(filepath.Dir(path), "making-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	made := filepath.Join(dir, "state.db")
	// Without a journal: what is cut short is thrown away.
	db, err := statedb.Create(ctx, made, statedb.Latest,
		"journal_mode(OFF)", "synchronous(OFF)", "foreign_keys(0)", "cache_size(-200000)")
	if err != nil {
		return err
	}
	if err := errors.Join(Fill(ctx, db, n, 1), LongRun(ctx, db, BigLongRun, events, 60), db.Close()); err != nil {
		return err
	}
	// Opened and closed as Wave does it, the file is in WAL mode for good.
	if db, err = statedb.Open(ctx, made); err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	return os.Rename(made, path)
}
