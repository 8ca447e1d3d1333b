package statedb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
)

// ErrNoRow is returned by [Schema.Update] when no row has the key.
var ErrNoRow = errors.New("no row has this key")

// Row maps column names to values the driver takes: nil, string, int64, float64,
// bool, []byte. Times are unix seconds.
type Row map[string]any

// Table is a table as the database has it.
type Table struct {
	Columns []string // in order
	Key     []string // of the primary key, in its order
}

// Schema maps table names to the tables of one database. It is read once and
// not changed after, so it is safe for concurrent use. Table and column names
// reach SQL only when the schema has them: they may come from a file.
type Schema map[string]Table

// ReadSchema reads what tables and columns the database really has, which is
// not always what its schema_migrations promise.
func ReadSchema(ctx context.Context, q sqlx.QueryerContext) (Schema, error) {
	const query = `SELECT m.name AS name, c.name AS column_name, c.pk AS pk
FROM sqlite_schema m JOIN pragma_table_info(m.name) c
WHERE m.type = 'table' ORDER BY m.name, c.cid`
	var columns []struct {
		Name   string `db:"name"`
		Column string `db:"column_name"`
		PK     int    `db:"pk"` // 0, or the place in the primary key from 1
	}
	if err := sqlx.SelectContext(ctx, q, &columns, query); err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	schema, places := Schema{}, map[string]map[string]int{}
	for _, c := range columns {
		t := schema[c.Name]
		t.Columns = append(t.Columns, c.Column)
		if c.PK > 0 {
			t.Key = append(t.Key, c.Column)
			if places[c.Name] == nil {
				places[c.Name] = map[string]int{}
			}
			places[c.Name][c.Column] = c.PK
		}
		schema[c.Name] = t
	}
	for name, place := range places {
		slices.SortFunc(schema[name].Key, func(a, b string) int { return place[a] - place[b] })
	}
	return schema, nil
}

// Known returns the part of row that the table has columns for, and nil when
// the database has no such table: how a row of a newer schema is cut to fit an
// older database. The row itself is not changed.
func (s Schema) Known(table string, row Row) Row {
	t, ok := s[table]
	if !ok {
		return nil
	}
	known := maps.Clone(row)
	maps.DeleteFunc(known, func(column string, _ any) bool { return !slices.Contains(t.Columns, column) })
	return known
}

// Insert adds the row and returns its rowid, which is the id in the tables that
// have one. Columns that row lacks take their defaults. An unknown table or
// column is an error.
func (s Schema) Insert(ctx context.Context, tx sqlx.ExecerContext, table string, row Row) (int64, error) {
	columns, err := s.check(table, row)
	if err != nil {
		return 0, fmt.Errorf("insert into %q: %w", table, err)
	}
	query := "INSERT INTO " + quote(table) + " DEFAULT VALUES"
	if len(columns) > 0 {
		query = "INSERT INTO " + quote(table) + " (" + join(columns, "%s", ", ") +
			") VALUES (" + strings.Repeat("?, ", len(columns)-1) + "?)"
	}
	res, err := tx.ExecContext(ctx, query, values(row, columns)...)
	if err != nil {
		return 0, fmt.Errorf("insert into %q: %w", table, err)
	}
	return res.LastInsertId()
}

// Update sets the columns of row in the row that has its key. The row holds the
// whole primary key and one column more at least. [ErrNoRow] if there is none.
func (s Schema) Update(ctx context.Context, tx sqlx.ExecerContext, table string, row Row) error {
	columns, err := s.check(table, row)
	if err != nil {
		return fmt.Errorf("update %q: %w", table, err)
	}
	key := s[table].Key
	if len(key) == 0 {
		return fmt.Errorf("update %q: the table has no primary key", table)
	}
	for _, k := range key {
		if !slices.Contains(columns, k) {
			return fmt.Errorf("update %q: the key column %q is missing", table, k)
		}
	}
	set := slices.DeleteFunc(columns, func(c string) bool { return slices.Contains(key, c) })
	if len(set) == 0 {
		return fmt.Errorf("update %q: no column to set", table)
	}
	query := "UPDATE " + quote(table) + " SET " + join(set, "%s = ?", ", ") + " WHERE " + join(key, "%s = ?", " AND ")
	res, err := tx.ExecContext(ctx, query, append(values(row, set), values(row, key)...)...)
	if err != nil {
		return fmt.Errorf("update %q: %w", table, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return fmt.Errorf("update %q: %w", table, cmp.Or(err, ErrNoRow))
	}
	return nil
}

// check returns the columns of row in the table's order.
func (s Schema) check(table string, row Row) ([]string, error) {
	t, ok := s[table]
	if !ok {
		return nil, errors.New("no such table")
	}
	columns := make([]string, 0, len(row))
	for _, c := range t.Columns {
		if _, ok := row[c]; ok {
			columns = append(columns, c)
		}
	}
	if len(columns) < len(row) {
		for _, c := range slices.Sorted(maps.Keys(row)) {
			if !slices.Contains(t.Columns, c) {
				return nil, fmt.Errorf("no column %q", c)
			}
		}
	}
	return columns, nil
}

func values(row Row, columns []string) []any {
	v := make([]any, len(columns))
	for i, c := range columns {
		v[i] = row[c]
	}
	return v
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func join(columns []string, format, sep string) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = fmt.Sprintf(format, quote(c))
	}
	return strings.Join(parts, sep)
}
