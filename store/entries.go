package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
	"wavedeck/store/runindex"
	"wavedeck/store/wave"
)

// entriesSQL reads what tells a run that has plainly ended without looking
// further. current_step holds an error only where a run ended badly.
func (d *database) entriesSQL(where string) string {
	const t = "pipeline_run"
	step := "''"
	if d.schema[t]["current_step"] {
		step = "CASE WHEN r.status IN ('failed', 'cancelled') THEN COALESCE(CAST(r.current_step AS TEXT), '') ELSE '' END"
	}
	other, cancel := "''", "NULL"
	if d.schema.has("cancellation") {
		cancel = "CASE r.status WHEN 'failed' THEN (SELECT " + d.cancelSQL("c") + " FROM cancellation c WHERE c.run_id = r.run_id) END"
	}
	if d.schema.has("pipeline_state") {
		other = "CASE r.status WHEN 'failed' THEN COALESCE((SELECT s.status FROM pipeline_state s WHERE s.pipeline_id = r.run_id), '') ELSE '' END"
	}
	input := "''"
	if d.schema[t]["input"] {
		// As bytes, for substr ends a text at its first zero byte. One more than
		// is searched shows whether the cut is between two characters.
		input = fmt.Sprintf("COALESCE(CAST(substr(CAST(r.input AS BLOB), 1, %d) AS TEXT), '')", criteria.InputBytes+1)
	}
	return "SELECT r.rowid, r.run_id, " + strings.Join([]string{
		d.schema.text("r", t, "pipeline_name"), d.schema.text("r", t, "status"), d.schema.time("r", t, "started_at"),
		d.schema.time("r", t, "completed_at"), d.schema.time("r", t, "cancelled_at"), d.schema.text("r", t, "tags_json"),
		d.schema.text("r", t, "parent_run_id"), d.schema.text("r", t, "branch_name"), d.schema.text("r", t, "run_kind"),
		d.schema.maybe("r", t, "total_tokens"), input, d.schema.text("r", t, "error_message"), step, other, cancel,
	}, ", ") + " FROM pipeline_run r WHERE r.run_id <> '' AND " + where
}

// Entries reads the runs with these ids; those that are gone are left out.
func (d *database) Entries(ctx context.Context, ids []string) ([]runindex.Entry, error) {
	var all []runindex.Entry
	err := chunks(ids, maxCompared, func(part []string) error {
		found, err := d.selectEntries(ctx, d.entriesSQL("r.run_id IN "+in(len(part))), anys(part)...)
		all = append(all, found...)
		return err
	})
	return all, err
}

// EntriesAfter reads the next chunk of all runs, in the order of their rowids.
func (d *database) EntriesAfter(ctx context.Context, row int64, limit int) ([]runindex.Entry, error) {
	return d.selectEntries(ctx, d.entriesSQL("r.rowid > ? ORDER BY r.rowid LIMIT ?"), row, limit)
}

func (d *database) selectEntries(ctx context.Context, query string, args ...any) ([]runindex.Entry, error) {
	entries, unclear, err := d.scanEntries(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read runs for the index: %w", err)
	}
	told, err := d.derived(ctx, unclear)
	if err != nil {
		return nil, err
	}
	for _, id := range unclear {
		if told[id] == nil {
			told[id] = &diagnose.Record{State: wave.Unknown} // deleted since its row was read
		}
	}
	for i := range entries {
		if r := told[entries[i].ID]; r != nil {
			e := &entries[i]
			e.State, e.Err = r.State, r.ErrorText()
			if r.CompletedAt != e.Completed { // the row has not the end that it really had
				e.Completed, e.Ended = r.CompletedAt, r.CompletedAt
			}
		}
	}
	if err := d.addTokens(ctx, entries); err != nil {
		return nil, err
	}
	return entries, nil
}

// scanEntries reads rows, and which of them take more than the row to tell.
func (d *database) scanEntries(ctx context.Context, query string, args ...any) (entries []runindex.Entry, unclear []string, err error) {
	rows, err := d.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var e runindex.Entry
		r := diagnose.Record{}
		err := rows.Scan(&e.Row, &e.ID, &e.Pipeline, &r.Status, &e.Started, &r.CompletedAt, &r.CancelledAt, &e.Tags, &e.Parent,
			&e.Branch, &e.Kind, &r.Tokens, &e.Input, &r.ErrorMessage, &r.CurrentStep, &r.PipelineState, &r.CancelAsked)
		if err != nil {
			return nil, nil, err
		}
		e.Completed, e.Ended = r.CompletedAt, max(r.CompletedAt, r.CancelledAt)
		r.StartedAt = e.Started
		r.Facts = r.FactsOf()
		e.Err = r.Facts.Error
		e.Tokens = -1
		if r.Tokens != nil {
			e.Tokens = *r.Tokens
		}
		silent := e.Err == "" && (r.Status == "failed" || r.Status == "cancelled")
		if r.Undecided() || silent || r.Status == "failed" && diagnose.Killed(e.Err) && e.Parent != "" {
			unclear = append(unclear, e.ID)
		} else {
			e.State, _ = diagnose.Derive(r.Facts, d.opt.Now(), d.aliveSince(r.Facts))
		}
		if r.Undecided() && e.Tokens == 0 {
			e.Tokens = -1 // not written yet, or never
		}
		entries = append(entries, e)
	}
	return entries, unclear, rows.Err()
}

// addTokens takes what attempts used where that is more than the run itself says,
// by the rule of spentTokens.
func (d *database) addTokens(ctx context.Context, entries []runindex.Entry) error {
	for part := range slices.Chunk(entries, maxCompared) {
		ids := make([]string, len(part))
		for i, e := range part {
			ids[i] = e.ID
		}
		sums, err := d.metricTokens(ctx, d, ids)
		if err != nil {
			return err
		}
		for i := range part {
			part[i].Tokens = max(part[i].Tokens, cmp.Or(sums[part[i].ID], -1))
		}
	}
	return nil
}
