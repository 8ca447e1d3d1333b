package store

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// schema says which columns each table has. Databases made before Wave tracked
// migrations claim all of them, so only the tables themselves are believed.
type schema map[string]map[string]bool

const schemaSQL = `
SELECT m.name AS tbl, c.name AS col
FROM sqlite_schema m JOIN pragma_table_info(m.name) c
WHERE m.type = 'table'`

func readSchema(ctx context.Context, db *sqlx.DB) (schema, error) {
	var rows []struct {
		Table  string `db:"tbl"`
		Column string `db:"col"`
	}
	if err := db.SelectContext(ctx, &rows, schemaSQL); err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	s := schema{}
	for _, r := range rows {
		if s[r.Table] == nil {
			s[r.Table] = map[string]bool{}
		}
		s[r.Table][r.Column] = true
	}
	return s, nil
}

func (s schema) has(table string) bool { return s[table] != nil }

// The four below are result columns that read alike in every schema: the
// column of the aliased table under its own name, made to fit its Go type
// whatever a writer put there, or unknown where the schema lacks it.

// text is a string, empty when unknown.
func (s schema) text(alias, table, name string) string {
	if s[table][name] {
		return "COALESCE(" + alias + "." + name + ", '') AS " + name
	}
	return "'' AS " + name
}

// number is a count, 0 when unknown.
func (s schema) number(alias, table, name string) string {
	if s[table][name] {
		return "COALESCE(" + countSQL(alias+"."+name) + ", 0) AS " + name
	}
	return "0 AS " + name
}

// maybe is a count, NULL when unknown.
func (s schema) maybe(alias, table, name string) string {
	if s[table][name] {
		return countSQL(alias+"."+name) + " AS " + name
	}
	return "NULL AS " + name
}

// time is a time in unix seconds, 0 when unknown.
func (s schema) time(alias, table, name string) string {
	if s[table][name] {
		return "COALESCE(" + timeSQL(alias+"."+name) + ", 0) AS " + name
	}
	return "0 AS " + name
}
