package sqlite

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// Schema says which columns each table has. Databases made before Wave tracked
// migrations claim all of them, so only the tables themselves are believed.
type Schema map[string]map[string]bool

const schemaSQL = `
SELECT m.name AS tbl, c.name AS col
FROM sqlite_schema m JOIN pragma_table_info(m.name) c
WHERE m.type = 'table'`

func readSchema(ctx context.Context, db *sqlx.DB) (Schema, error) {
	var rows []struct {
		Table  string `db:"tbl"`
		Column string `db:"col"`
	}
	if err := db.SelectContext(ctx, &rows, schemaSQL); err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	s := Schema{}
	for _, r := range rows {
		if s[r.Table] == nil {
			s[r.Table] = map[string]bool{}
		}
		s[r.Table][r.Column] = true
	}
	return s, nil
}

// Has reports whether there is a table.
func (s Schema) Has(table string) bool { return s[table] != nil }

// The four below are result columns that read alike in every schema: the
// column of the aliased table under its own name, made to fit its Go type
// whatever a writer put there, or unknown where the schema lacks it.

// text is a string, empty when unknown.
func (s Schema) text(alias, table, name string) string {
	if s[table][name] {
		return "COALESCE(" + alias + "." + name + ", '') AS " + name
	}
	return "'' AS " + name
}

// number is a count, 0 when unknown.
func (s Schema) number(alias, table, name string) string {
	if s[table][name] {
		return "COALESCE(" + countSQL(alias+"."+name) + ", 0) AS " + name
	}
	return "0 AS " + name
}

// maybe is a count, NULL when unknown.
func (s Schema) maybe(alias, table, name string) string {
	if s[table][name] {
		return countSQL(alias+"."+name) + " AS " + name
	}
	return "NULL AS " + name
}

// time is a time in unix seconds, 0 when unknown.
func (s Schema) time(alias, table, name string) string {
	if s[table][name] {
		return "COALESCE(" + TimeSQL(alias+"."+name) + ", 0) AS " + name
	}
	return "0 AS " + name
}
