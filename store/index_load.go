package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
	"wavedeck/store/feed"
	"wavedeck/store/wave"
)

const (
	chunkRows  = 2000
	sweepPause = 250 * time.Millisecond // between chunks: about 2 % of a core
	sweepRest  = 20 * time.Second       // between walks through all runs, at most
	restOfRun  = time.Millisecond       // of that, for each run: a hundred times what it takes
)

// entry is what the index holds of a run, as read.
type entry struct {
	row                        int64
	id, pipeline, parent, tags string
	branch, kind               string
	input                      string // its beginning
	err                        string
	state                      wave.State
	started, completed, ended  int64 // unix seconds; 0: not
	tokens                     int64 // -1: not known

	text            string // as indexRow keeps it, once it was shown
	idEnd, inputEnd int    // in text
}

// show makes the texts of entries. It takes longer than all else that is done to
// the index, so it comes before the index is locked.
func (ix *index) show(entries []entry) {
	for i := range entries {
		e := &entries[i]
		e.text = e.id
		if lower := strings.ToLower(e.id); lower != e.id {
			e.text += "\x00" + lower
		}
		e.idEnd = len(e.text)
		e.text += "\x00" + criteria.SearchText(ix.shown, e.input)
		e.inputEnd = len(e.text)
		e.text += "\x00" + criteria.SearchText(ix.shown, e.err)
	}
}

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

// entries reads the runs with these ids; those that are gone are left out.
func (d *database) entries(ctx context.Context, ids []string) ([]entry, error) {
	var all []entry
	err := chunks(ids, maxCompared, func(part []string) error {
		found, err := d.selectEntries(ctx, d.entriesSQL("r.run_id IN "+in(len(part))), anys(part)...)
		all = append(all, found...)
		return err
	})
	return all, err
}

// entriesAfter reads the next chunk of all runs, in the order of their rowids.
func (d *database) entriesAfter(ctx context.Context, row int64) ([]entry, error) {
	return d.selectEntries(ctx, d.entriesSQL("r.rowid > ? ORDER BY r.rowid LIMIT ?"), row, chunkRows)
}

func (d *database) selectEntries(ctx context.Context, query string, args ...any) ([]entry, error) {
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
		if r := told[entries[i].id]; r != nil {
			e := &entries[i]
			e.state, e.err = r.State, r.ErrorText()
			if r.CompletedAt != e.completed { // the row has not the end that it really had
				e.completed, e.ended = r.CompletedAt, r.CompletedAt
			}
		}
	}
	if err := d.addTokens(ctx, entries); err != nil {
		return nil, err
	}
	return entries, nil
}

// scanEntries reads rows, and which of them take more than the row to tell.
func (d *database) scanEntries(ctx context.Context, query string, args ...any) (entries []entry, unclear []string, err error) {
	rows, err := d.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var e entry
		r := diagnose.Record{}
		err := rows.Scan(&e.row, &e.id, &e.pipeline, &r.Status, &e.started, &r.CompletedAt, &r.CancelledAt, &e.tags, &e.parent,
			&e.branch, &e.kind, &r.Tokens, &e.input, &r.ErrorMessage, &r.CurrentStep, &r.PipelineState, &r.CancelAsked)
		if err != nil {
			return nil, nil, err
		}
		e.completed, e.ended = r.CompletedAt, max(r.CompletedAt, r.CancelledAt)
		r.StartedAt = e.started
		r.Facts = r.FactsOf()
		e.err = r.Facts.Error
		e.tokens = -1
		if r.Tokens != nil {
			e.tokens = *r.Tokens
		}
		silent := e.err == "" && (r.Status == "failed" || r.Status == "cancelled")
		if r.Undecided() || silent || r.Status == "failed" && diagnose.Killed(e.err) && e.parent != "" {
			unclear = append(unclear, e.id)
		} else {
			e.state, _ = diagnose.Derive(r.Facts, d.opt.Now(), d.aliveSince(r.Facts))
		}
		if r.Undecided() && e.tokens == 0 {
			e.tokens = -1 // not written yet, or never
		}
		entries = append(entries, e)
	}
	return entries, unclear, rows.Err()
}

// addTokens takes what attempts used where that is more than the run itself says,
// by the rule of spentTokens.
func (d *database) addTokens(ctx context.Context, entries []entry) error {
	for part := range slices.Chunk(entries, maxCompared) {
		ids := make([]string, len(part))
		for i, e := range part {
			ids[i] = e.id
		}
		sums, err := d.metricTokens(ctx, d, ids)
		if err != nil {
			return err
		}
		for i := range part {
			part[i].tokens = max(part[i].tokens, cmp.Or(sums[part[i].id], -1))
		}
	}
	return nil
}

// follow loads all runs and then walks through them again and again as long as
// there are commits, for rows that these changed or deleted without a trace.
func (ix *index) follow(ctx context.Context, s *Store) {
	defer close(ix.gone)
	for {
		_, err := ix.walk(ctx, 0)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return
		}
		s.opt.Log.Warn("load index of runs", "err", err)
		if !sleep(ctx, time.Second) {
			return
		}
	}
	ix.sort()
	close(ix.ready)
	s.publishFound(ix, nil) // counts can be told now
	for sleep(ctx, ix.sweepPause()) {
		if !ix.beginSweep() {
			continue
		}
		found, err := ix.walk(ctx, sweepPause)
		if err == nil {
			var gone []string
			gone, err = ix.dropUnseen(ctx)
			found = append(found, gone...)
		}
		if err != nil && ctx.Err() == nil {
			s.opt.Log.Warn("check index of runs", "err", err)
			ix.stale.Store(true) // what is left of it is still to be looked at
		}
		if len(found) > 0 {
			s.publishFound(ix, found)
		}
	}
}

// sweepPause is how long to rest between two walks: a short history costs little.
func (ix *index) sweepPause() time.Duration {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return min(max(time.Duration(len(ix.order))*restOfRun, time.Second), sweepRest)
}

// publishFound tells of changes that had left no trace when they were made.
func (s *Store) publishFound(ix *index, runs []string) {
	s.mu.Lock()
	o, last := s.current, s.health.LastEventID
	s.mu.Unlock()
	if o != nil && o.index == ix {
		s.feed.Publish(feed.Change{Epoch: o.epoch, LastEventID: last, Runs: runs, List: true})
	}
}

// sleep reports whether ctx outlived a pause.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// walk reads every run into the index and returns those that are new or not as
// they were.
func (ix *index) walk(ctx context.Context, pause time.Duration) ([]string, error) {
	var found []string
	for row := int64(-1 << 62); ; {
		ix.beginChunk()
		entries, err := ix.d.entriesAfter(ctx, row)
		found = append(found, ix.endChunk(entries)...)
		if err != nil || len(entries) < chunkRows {
			return found, err
		}
		row = entries[len(entries)-1].row
		if pause > 0 && !sleep(ctx, pause) {
			return found, ctx.Err()
		}
	}
}

// beginChunk has apply note its runs: what a chunk says of them may be older.
func (ix *index) beginChunk() {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.touched = map[string]struct{}{}
}

func (ix *index) endChunk(entries []entry) []string {
	ix.show(entries)
	ix.mu.Lock()
	defer ix.mu.Unlock()
	var found []string
	for _, e := range entries {
		if _, newer := ix.touched[e.id]; newer {
			continue
		}
		if _, changed := ix.put(e); changed {
			found = append(found, e.id)
		}
	}
	ix.touched = nil
	if len(found) > 0 {
		ix.forgetCounts()
	}
	return found
}

// beginSweep reports whether there was a commit since the last one.
func (ix *index) beginSweep() bool {
	if !ix.stale.Swap(false) {
		return false
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.sweep++
	return true
}

// dropUnseen removes the runs that the walk did not meet, once the database
// has said that they are gone.
func (ix *index) dropUnseen(ctx context.Context) ([]string, error) {
	ix.mu.RLock()
	var unseen []string
	for i := range ix.rows {
		if r := &ix.rows[i]; r.used && r.seen != ix.sweep {
			unseen = append(unseen, string(ix.id(uint32(i))))
		}
	}
	ix.mu.RUnlock()
	entries, err := ix.d.entries(ctx, unseen)
	if err != nil {
		return nil, err
	}
	return keys(ix.apply(unseen, entries)), nil
}
