package statedb

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// migrations hold the steps of Wave's schema, a file each. The first two lines
// are what Wave notes about the step in schema_migrations. Replaying the steps,
// rather than keeping a schema per version, gives the same stored SQL text and
// the same column order as a database that grew with Wave.
//
//go:embed migrations
var migrations embed.FS

const createMigrations = `CREATE TABLE schema_migrations (
		version INTEGER PRIMARY KEY,
		description TEXT NOT NULL,
		applied_at INTEGER NOT NULL,
		checksum TEXT NOT NULL
	)`

type migration struct {
	version               int
	description, checksum string
	sql                   string
}

func readMigration(version int) (migration, error) {
	name := fmt.Sprintf("migrations/%02d.sql", version)
	text, err := migrations.ReadFile(name)
	if err != nil {
		return migration{}, err
	}
	description, rest, _ := strings.Cut(string(text), "\n")
	checksum, sql, _ := strings.Cut(rest, "\n")
	m := migration{version: version, sql: sql}
	var isDescription, isChecksum bool
	m.description, isDescription = strings.CutPrefix(description, "-- ")
	m.checksum, isChecksum = strings.CutPrefix(checksum, "-- checksum ")
	if !isDescription || !isChecksum {
		return migration{}, fmt.Errorf("%s: want a description and a checksum in the first two lines", name)
	}
	return m, nil
}

// migrate applies steps 1 to version in one transaction: all or nothing, and
// one fsync where a transaction per step would take one each.
func migrate(ctx context.Context, db *sqlx.DB, version int, now time.Time) (err error) {
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	if _, err := tx.ExecContext(ctx, createMigrations); err != nil {
		return err
	}
	for v := 1; v <= version; v++ {
		m, err := readMigration(v)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, m.sql); err != nil {
			return fmt.Errorf("migration %d: %w", v, err)
		}
		const note = `INSERT INTO schema_migrations (version, description, applied_at, checksum) VALUES (?, ?, ?, ?)`
		if _, err := tx.ExecContext(ctx, note, m.version, m.description, now.Unix(), m.checksum); err != nil {
			return fmt.Errorf("note migration %d: %w", v, err)
		}
	}
	return tx.Commit()
}
