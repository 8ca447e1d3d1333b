package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
)

// Rows reads the rows of Wave's tables, each fit for its Go type whatever a
// writer put there. A table or column that the schema lacks holds nothing. It is
// safe for concurrent use, unless it is that of a [sqlRows.Snapshot].
type Rows struct {
	runRows
	relativeRows
	eventRows
	logRows
	pastRows
	stepTables
	outputRows
	changeRows
	placeRows

	db *DB
}

// source is what rows are selected from: the database, or a transaction.
type source struct {
	schema Schema
	q      queryer
}

// queryer is a database or a transaction.
type queryer interface {
	sqlx.QueryerContext
	sqlx.PreparerContext
}

// RowsOf returns the rows of a database.
func RowsOf(db *DB) *Rows { return rowsFrom(db, db) }

func rowsFrom(db *DB, q queryer) *Rows {
	s := source{db.Schema, q}
	return &Rows{
		runRows{s}, relativeRows{s}, eventRows{s}, logRows{s}, pastRows{s}, stepTables{s}, outputRows{s}, changeRows{s}, placeRows{s}, db,
	}
}

// Snapshot calls read with rows that all are of one moment.
func (r *Rows) Snapshot(ctx context.Context, read func(*Rows) error) error {
	tx, err := r.db.BeginTxx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	err = read(rowsFrom(r.db, tx))
	if end := tx.Rollback(); err == nil && !errors.Is(end, sql.ErrTxDone) {
		err = end
	}
	return err
}

func (s source) sel(ctx context.Context, into any, query string, args ...any) error {
	return sqlx.SelectContext(ctx, s.q, into, query, args...)
}

func (s source) get(ctx context.Context, into any, query string, args ...any) error {
	return sqlx.GetContext(ctx, s.q, into, query, args...)
}

// selectOfRun selects the rows of one run in the order they were inserted.
func (s source) selectOfRun(ctx context.Context, into any, table, key string, columns []string, run string) error {
	if !s.schema.Has(table) {
		return nil
	}
	query := "SELECT " + strings.Join(columns, ", ") + " FROM " + table + " x WHERE x." + key + " = ? AND x.step_id <> '' ORDER BY x.rowid LIMIT 20000"
	if err := s.sel(ctx, into, query, run); err != nil {
		return fmt.Errorf("select %s: %w", table, err)
	}
	return nil
}

// tuples is "(?,?),(?,?)": n tuples of size parameters.
func tuples(n, size int) string {
	one := "(" + strings.TrimSuffix(strings.Repeat("?,", size), ",") + ")"
	return strings.TrimSuffix(strings.Repeat(one+",", n), ",")
}

// in is "(?,?,?)" with n parameters.
func in(n int) string { return tuples(1, n) }

func anys[T any](values []T) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list
}

// parts calls read with at most size ids at a time, so that the number of
// parameters and the length of a statement stay bounded.
func parts[T any](ids []T, size int, read func([]T) error) error {
	for part := range slices.Chunk(ids, size) {
		if err := read(part); err != nil {
			return err
		}
	}
	return nil
}
