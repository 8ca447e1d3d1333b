package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
)

// batch inserts rows many to a statement: with one each, a million rows would
// take minutes.
type batch struct {
	tx      *sqlx.Tx
	table   string
	columns []string
	args    []any
	full    *sql.Stmt // for batchRows rows
}

const batchRows = 100

func newBatch(tx *sqlx.Tx, table, columns string) *batch {
	return &batch{tx: tx, table: table, columns: strings.Fields(columns)}
}

// add takes the values of a row, in the order of the columns.
func (b *batch) add(ctx context.Context, values ...any) error {
	if len(values) != len(b.columns) {
		return fmt.Errorf("%s: %d values for %d columns", b.table, len(values), len(b.columns))
	}
	b.args = append(b.args, values...)
	if len(b.args) < batchRows*len(b.columns) {
		return nil
	}
	if b.full == nil {
		stmt, err := b.tx.PrepareContext(ctx, b.insert(batchRows))
		if err != nil {
			return err
		}
		b.full = stmt // closed with the transaction
	}
	_, err := b.full.ExecContext(ctx, b.args...)
	b.args = b.args[:0]
	return err
}

// flush inserts the rows that wait.
func (b *batch) flush(ctx context.Context) error {
	if len(b.args) == 0 {
		return nil
	}
	_, err := b.tx.ExecContext(ctx, b.insert(len(b.args)/len(b.columns)), b.args...)
	b.args = b.args[:0]
	return err
}

func (b *batch) insert(rows int) string {
	row := "(?" + strings.Repeat(",?", len(b.columns)-1) + ")"
	return "INSERT INTO " + b.table + " (" + strings.Join(b.columns, ",") + ") VALUES " +
		row + strings.Repeat(","+row, rows-1)
}

// inTx runs write in a transaction of its own. Where foreign keys are enforced
// they have to be right at its end only: batches reach their tables in any order.
func inTx(ctx context.Context, db *sqlx.DB, write func(*sqlx.Tx) error) error {
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "PRAGMA defer_foreign_keys = ON"); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := write(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// withoutIndexes runs write while the tables have no indexes but their keys, and
// makes the indexes again: sorting once is faster than keeping a million rows sorted.
func withoutIndexes(ctx context.Context, tx *sqlx.Tx, write func() error, tables ...string) error {
	query, args, err := sqlx.In(`SELECT name, sql FROM sqlite_schema
WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN (?) ORDER BY rowid`, tables)
	if err != nil {
		return err
	}
	var indexes []struct {
		Name string `db:"name"`
		SQL  string `db:"sql"`
	}
	if err := tx.SelectContext(ctx, &indexes, query, args...); err != nil {
		return err
	}
	for _, index := range indexes {
		if _, err := tx.ExecContext(ctx, "DROP INDEX "+index.Name); err != nil {
			return err
		}
	}
	if err := write(); err != nil {
		return err
	}
	for _, index := range indexes {
		if _, err := tx.ExecContext(ctx, index.SQL); err != nil {
			return err
		}
	}
	return nil
}
