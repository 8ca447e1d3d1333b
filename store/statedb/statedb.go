// Package statedb writes state databases in the form Wave gives them: the same
// tables, indexes and migration rows at every schema version, the same journal
// and the same durability. Readers of Wave's databases are tested against it.
//
// It never changes the schema of a database that exists: that is Wave's to do.
package statedb

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	_ "modernc.org/sqlite" // the "sqlite" driver
)

// Versions of Wave's schema that [Create] can make. Oldest is the first with
// runs and events, Latest the newest known.
const (
	Oldest = 2
	Latest = 33
)

// DSN names the database file at path for the sqlite driver, with the settings
// Wave writes with: WAL, synchronous=FULL, foreign keys on. A pragma given, such
// as "foreign_keys(0)", stands for the setting of that name.
// They reach every pooled connection and must come from the program, never
// from input: the driver runs them as SQL.
func DSN(path string, pragmas ...string) string {
	return dsn(path, "rw", pragmas)
}

func dsn(path, mode string, pragmas []string) string {
	q := url.Values{
		"mode":    {mode},
		"_txlock": {"immediate"}, // take the write lock at BEGIN, where busy_timeout waits for it
		"_pragma": slices.Clone(pragmas),
	}
	for _, setting := range []string{"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"} {
		name, _, _ := strings.Cut(setting, "(")
		// The driver runs pragmas in the order of their names, so of two with
		// one name the last does not win.
		if !slices.ContainsFunc(pragmas, func(p string) bool { return strings.HasPrefix(p, name+"(") }) {
			q.Add("_pragma", setting)
		}
	}
	// The driver honours mode only behind "file:", and there SQLite reads
	// '?', '#' and '%' of an unescaped path as its own.
	file := url.URL{Path: filepath.ToSlash(path)}
	return "file:" + file.EscapedPath() + "?" + q.Encode()
}

// Open opens the existing database at path for writing. The caller closes it.
// SQLite has one writer at a time, so the pool has one connection.
func Open(ctx context.Context, path string, pragmas ...string) (*sqlx.DB, error) {
	db, err := open(ctx, DSN(path, pragmas...))
	if err != nil {
		return nil, fmt.Errorf("open state database %s: %w", path, err)
	}
	return db, nil
}

func open(ctx context.Context, dsn string) (*sqlx.DB, error) {
	db, err := sqlx.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Create makes an empty database at path in the given schema version and opens
// it as [Open] does. The directory must exist; a database that already has
// tables is left as it is and is an error.
func Create(ctx context.Context, path string, version int, pragmas ...string) (*sqlx.DB, error) {
	db, err := create(ctx, path, version, pragmas)
	if err != nil {
		return nil, fmt.Errorf("create state database %s: %w", path, err)
	}
	return db, nil
}

func create(ctx context.Context, path string, version int, pragmas []string) (*sqlx.DB, error) {
	if version < Oldest || version > Latest {
		return nil, fmt.Errorf("schema version %d is not in %d to %d", version, Oldest, Latest)
	}
	db, err := open(ctx, dsn(path, "rwc", pragmas))
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, db, version, time.Now()); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}
