package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"wavedeck/store/diagnose"
	"wavedeck/store/runindex"
	"wavedeck/store/wave"
)

const entriesAtOnce = 500 // runs in a statement

// Entries reads the runs with these ids; those that are gone are left out.
func (d *runReader) Entries(ctx context.Context, ids []string) ([]runindex.Entry, error) {
	var all []runindex.Entry
	err := chunks(ids, entriesAtOnce, func(part []string) error {
		rows, err := d.EntryRows(ctx, part)
		if err != nil {
			return fmt.Errorf("read runs for the index: %w", err)
		}
		found, err := d.entriesOf(ctx, rows)
		all = append(all, found...)
		return err
	})
	return all, err
}

// EntriesAfter reads the next chunk of all runs, in the order of their rowids.
func (d *runReader) EntriesAfter(ctx context.Context, row int64, limit int) ([]runindex.Entry, error) {
	rows, err := d.EntryRowsAfter(ctx, row, limit)
	if err != nil {
		return nil, fmt.Errorf("read runs for the index: %w", err)
	}
	return d.entriesOf(ctx, rows)
}

// entriesOf derives what became of the runs, as far as their rows tell without
// looking further, and of the others with all that there is.
func (d *runReader) entriesOf(ctx context.Context, rows []wave.EntryRow) ([]runindex.Entry, error) {
	entries, unclear := make([]runindex.Entry, len(rows)), []string(nil)
	now := d.opt.Now()
	for i := range rows {
		var decided bool
		if entries[i], decided = d.entryOf(&rows[i], now); !decided {
			unclear = append(unclear, rows[i].ID)
		}
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

// entryOf is what a row tells of its run, and whether that is all it takes.
func (d *runReader) entryOf(row *wave.EntryRow, now time.Time) (e runindex.Entry, decided bool) {
	r := diagnose.Record{RunRow: wave.RunRow{
		Status: row.Status, StartedAt: row.StartedAt, CompletedAt: row.CompletedAt, CancelledAt: row.CancelledAt, Tokens: row.Tokens,
		ErrorMessage: row.ErrorMessage, CurrentStep: row.CurrentStep, PipelineState: row.PipelineState, CancelAsked: row.CancelAsked,
	}}
	r.Facts = r.FactsOf()
	e = runindex.Entry{
		Row: row.Row, ID: row.ID, Pipeline: row.Pipeline, Parent: row.Parent, Tags: row.Tags, Branch: row.Branch, Kind: row.Kind,
		Input: row.Input, Err: r.Facts.Error, Started: row.StartedAt, Completed: row.CompletedAt,
		Ended: max(row.CompletedAt, row.CancelledAt), Tokens: -1,
	}
	if row.Tokens != nil {
		e.Tokens = *row.Tokens
	}
	silent := e.Err == "" && (row.Status == "failed" || row.Status == "cancelled")
	if r.Undecided() || silent || row.Status == "failed" && diagnose.Killed(e.Err) && e.Parent != "" {
		if r.Undecided() && e.Tokens == 0 {
			e.Tokens = -1 // not written yet, or never
		}
		return e, false
	}
	e.State, _ = diagnose.Derive(r.Facts, now, d.aliveSince(r.Facts))
	return e, true
}

// addTokens takes what attempts used where that is more than the run itself says,
// by the rule of spentTokens.
func (d *runReader) addTokens(ctx context.Context, entries []runindex.Entry) error {
	for part := range slices.Chunk(entries, entriesAtOnce) {
		ids := make([]string, len(part))
		for i, e := range part {
			ids[i] = e.ID
		}
		sums, err := d.MetricTokens(ctx, ids)
		if err != nil {
			return err
		}
		for i := range part {
			part[i].Tokens = max(part[i].Tokens, cmp.Or(sums[part[i].ID], -1))
		}
	}
	return nil
}
