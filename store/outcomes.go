package store

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/wave"
)

// Bounds of what is read of the tables that only ever grow.
const (
	maxNewest     = 500   // rows of one run
	maxNewestText = 16384 // characters of one text
)

// outcomes returns what a run left. Schemas before 21 have no such table.
func (d *database) outcomes(ctx context.Context, q sqlx.QueryerContext, run string, at *wave.Moment) (wave.Newest[wave.Outcome], error) {
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
		return wave.Newest[wave.Outcome]{}, err
	}
	found := wave.Newest[wave.Outcome]{All: all}
	for _, r := range rows {
		found.Rows = append(found.Rows, wave.Outcome{
			StepID: bounded(r.StepID), Type: bounded(r.Type), Label: bounded(r.Label), Value: bounded(r.Value),
			Description: bounded(r.Description), At: wave.Unix(r.CreatedAt),
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
func by(at *wave.Moment, column string) bound {
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
