package store

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"
)

// Bounds of what is read of the tables that only ever grow.
const (
	maxNewest     = 500   // rows of one run
	maxNewestText = 16384 // characters of one text
)

// Newest is the newest rows that a table has of one run, oldest first.
type Newest[T any] struct {
	Rows []T
	All  int // how many the table has, at least len(Rows)
}

// Outcome is something that a run left for others: a pull request, a deployment,
// a file.
type Outcome struct {
	StepID      string
	Type        string // file, url, pr, issue, deployment, artifact, branch, or what a writer calls it
	Label       string
	Value       string // a URL, a path or a name; anybody's text
	Description string // empty in schemas before 25
	At          time.Time
}

// outcomes returns what a run left. Schemas before 21 have no such table.
func (d *database) outcomes(ctx context.Context, q sqlx.QueryerContext, run string, at *Moment) (Newest[Outcome], error) {
	const t = "pipeline_outcome"
	var rows []struct {
		StepID      string `db:"step_id"`
		Type        string `db:"type"`
		Label       string `db:"label"`
		Value       string `db:"value"`
		Description string `db:"description"`
		CreatedAt   int64  `db:"created_at"`
	}
	all, err := d.newestOf(ctx, q, &rows, t, run, by(at, "created_at"), []string{
		d.schema.opening(t, "step_id"), d.schema.opening(t, "type"), d.schema.opening(t, "label"), d.schema.opening(t, "value"),
		d.schema.opening(t, "description"), d.schema.time("x", t, "created_at"),
	})
	if err != nil {
		return Newest[Outcome]{}, err
	}
	found := Newest[Outcome]{All: all}
	for _, r := range rows {
		found.Rows = append(found.Rows, Outcome{
			StepID: bounded(r.StepID), Type: bounded(r.Type), Label: bounded(r.Label), Value: bounded(r.Value),
			Description: bounded(r.Description), At: unix(r.CreatedAt),
		})
	}
	return found, nil
}

// bound leaves out what was written after a moment, by a column of unix seconds.
type bound struct {
	column string
	at     int64
}

// by bounds rows by a moment; nil: not at all.
func by(at *Moment, column string) bound {
	if at == nil {
		return bound{}
	}
	return bound{column, at.Time.Unix()}
}

// newestOf selects the newest rows of a run into a slice, oldest first, and
// counts all of them. A table that the schema lacks has none; nor has one as of a
// moment, when it says no times.
func (d *database) newestOf(ctx context.Context, q sqlx.QueryerContext, into any, table, run string, until bound, columns []string) (int, error) {
	if !d.schema[table]["run_id"] || until.column != "" && !d.schema[table][until.column] {
		return 0, nil
	}
	from, args := " FROM "+table+" x WHERE x.run_id = ?", []any{run}
	if until.column != "" {
		from, args = from+" AND COALESCE("+timeSQL("x."+until.column)+", 0) <= ?", append(args, until.at)
	}
	var all int
	if err := sqlx.GetContext(ctx, q, &all, "SELECT count(*)"+from, args...); err != nil {
		return 0, fmt.Errorf("count %s: %w", table, err)
	}
	if all == 0 {
		return 0, nil
	}
	query := "SELECT " + strings.Join(columns, ", ") + from + " ORDER BY x.rowid LIMIT ? OFFSET ?"
	if err := sqlx.SelectContext(ctx, q, into, query, append(args, maxNewest, max(0, all-maxNewest))...); err != nil {
		return 0, fmt.Errorf("select %s: %w", table, err)
	}
	return all, nil
}

// opening is the result column of a text that may be of any length: what
// [bounded] shows of it and one character more, so that a cut is seen.
func (s schema) opening(table, name string) string {
	if s[table][name] {
		return fmt.Sprintf("COALESCE(substr(CAST(x.%s AS TEXT), 1, %d), '') AS %s", name, maxNewestText+1, name)
	}
	return "'' AS " + name
}

// bounded cuts a text that is longer than what is read, and says so.
func bounded(text string) string {
	if utf8.RuneCountInString(text) <= maxNewestText {
		return text
	}
	_, last := utf8.DecodeLastRuneInString(text)
	return text[:len(text)-last] + "…"
}
