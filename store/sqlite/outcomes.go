package sqlite

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"wavedeck/store/wave"
)

// Bounds of what is read of the tables that only ever grow.
const (
	maxNewest     = 500   // rows of one run
	maxNewestText = 16384 // characters of one text
)

// Outcomes returns what a run left. Schemas before 21 have no such table.
func (s outputRows) Outcomes(ctx context.Context, run string, at *wave.Moment) (wave.Newest[wave.Outcome], error) {
	const t = "pipeline_outcome"
	var rows []struct {
		StepID      string `db:"step_id"`
		Type        string `db:"type"`
		Label       string `db:"label"`
		Value       string `db:"value"`
		Description string `db:"description"`
		CreatedAt   int64  `db:"created_at"`
	}
	all, err := s.newestOf(ctx, &rows, t, run, by(at, "created_at"), []string{
		s.schema.opening(t, "step_id"), s.schema.opening(t, "type"), s.schema.opening(t, "label"), s.schema.opening(t, "value"),
		s.schema.opening(t, "description"), s.schema.time("x", t, "created_at"),
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
func (s outputRows) newestOf(ctx context.Context, into any, table, run string, until bound, columns []string) (int, error) {
	if !s.schema[table]["run_id"] || until.column != "" && !s.schema[table][until.column] {
		return 0, nil
	}
	from, args := " FROM "+table+" x WHERE x.run_id = ?", []any{run}
	if until.column != "" {
		from, args = from+" AND COALESCE("+TimeSQL("x."+until.column)+", 0) <= ?", append(args, until.at)
	}
	var all int
	if err := s.get(ctx, &all, "SELECT count(*)"+from, args...); err != nil {
		return 0, fmt.Errorf("count %s: %w", table, err)
	}
	if all == 0 {
		return 0, nil
	}
	query := "SELECT " + strings.Join(columns, ", ") + from + " ORDER BY x.rowid LIMIT ? OFFSET ?"
	if err := s.sel(ctx, into, query, append(args, maxNewest, max(0, all-maxNewest))...); err != nil {
		return 0, fmt.Errorf("select %s: %w", table, err)
	}
	return all, nil
}

// opening is the result column of a text that may be of any length: what
// [bounded] shows of it and one character more, so that a cut is seen.
func (s Schema) opening(table, name string) string {
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

// Decisions returns what was chosen in a run. Schemas before 17 have no such table.
func (s outputRows) Decisions(ctx context.Context, run string, at *wave.Moment) (wave.Newest[wave.Decision], error) {
	const t = "decision_log"
	var rows []struct {
		StepID    string `db:"step_id"`
		Timestamp int64  `db:"timestamp"`
		Category  string `db:"category"`
		Decision  string `db:"decision"`
		Rationale string `db:"rationale"`
		Context   string `db:"context_json"`
	}
	all, err := s.newestOf(ctx, &rows, t, run, by(at, "timestamp"), []string{
		s.schema.opening(t, "step_id"), s.schema.time("x", t, "timestamp"), s.schema.opening(t, "category"),
		s.schema.opening(t, "decision"), s.schema.opening(t, "rationale"), s.schema.opening(t, "context_json"),
	})
	if err != nil {
		return wave.Newest[wave.Decision]{}, err
	}
	found := wave.Newest[wave.Decision]{All: all}
	for _, r := range rows {
		found.Rows = append(found.Rows, wave.Decision{
			StepID: bounded(r.StepID), Category: bounded(r.Category), Decision: bounded(r.Decision),
			Rationale: bounded(r.Rationale), Context: bounded(r.Context), At: wave.Unix(r.Timestamp),
		})
	}
	return found, nil
}

// Checkpoints returns where a run can be taken up. Schemas before 15 have no such table.
func (s outputRows) Checkpoints(ctx context.Context, run string, at *wave.Moment) (wave.Newest[wave.Checkpoint], error) {
	const t = "checkpoint"
	var rows []struct {
		StepID    string `db:"step_id"`
		Index     int64  `db:"step_index"`
		Workspace string `db:"workspace_path"`
		Commit    string `db:"workspace_commit_sha"`
		CreatedAt int64  `db:"created_at"`
	}
	all, err := s.newestOf(ctx, &rows, t, run, by(at, "created_at"), []string{
		s.schema.opening(t, "step_id"), s.schema.number("x", t, "step_index"), s.schema.opening(t, "workspace_path"),
		s.schema.opening(t, "workspace_commit_sha"), s.schema.time("x", t, "created_at"),
	})
	if err != nil {
		return wave.Newest[wave.Checkpoint]{}, err
	}
	found := wave.Newest[wave.Checkpoint]{All: all}
	for _, r := range rows {
		found.Rows = append(found.Rows, wave.Checkpoint{
			StepID: bounded(r.StepID), Index: int(r.Index), Workspace: bounded(r.Workspace), Commit: bounded(r.Commit), At: wave.Unix(r.CreatedAt),
		})
	}
	return found, nil
}
