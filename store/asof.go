package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

// MomentAt returns the moment of the last event, of any run, at or before t.
// ErrNotFound when there is none.
func (s *Store) MomentAt(ctx context.Context, t time.Time) (wave.Moment, error) {
	return read(s, func(o *opened) (wave.Moment, error) {
		// Ids are the order; times of several writers may stand in another one. Within
		// the newest second that is not after t, the last id is meant.
		const query = `SELECT max(id) AS id, CAST(timestamp AS INTEGER) AS timestamp FROM event_log
WHERE timestamp = (SELECT max(timestamp) FROM event_log WHERE timestamp >= 1 AND timestamp <= ?)`
		return o.moment(ctx, query, t.Unix())
	})
}

// MomentOf returns the moment after an event, or after the last one before that
// id. The time of an event that has none is that of an event before it.
// ErrNotFound when there is none.
func (s *Store) MomentOf(ctx context.Context, event int64) (wave.Moment, error) {
	return read(s, func(o *opened) (wave.Moment, error) {
		query := `SELECT max(id) AS id, (
	SELECT at FROM (SELECT id, ` + timeSQL("timestamp") + ` AS at FROM event_log WHERE id <= ?1 ORDER BY id DESC LIMIT 1000)
	WHERE at IS NOT NULL ORDER BY id DESC LIMIT 1) AS timestamp
FROM event_log WHERE id <= ?1`
		return o.moment(ctx, query, event)
	})
}

func (d *database) moment(ctx context.Context, query string, arg int64) (wave.Moment, error) {
	if !d.schema.has("event_log") {
		return wave.Moment{}, ErrNotFound
	}
	var row struct {
		ID *int64 `db:"id"`
		At *int64 `db:"timestamp"`
	}
	err := d.GetContext(ctx, &row, query, arg)
	if errors.Is(err, sql.ErrNoRows) || err == nil && row.ID == nil {
		return wave.Moment{}, ErrNotFound
	}
	if err != nil {
		return wave.Moment{}, fmt.Errorf("find event at %d: %w", arg, err)
	}
	m := wave.Moment{Event: *row.ID}
	if row.At != nil {
		m.Time = wave.Unix(*row.At)
	}
	return m, nil
}

// Neighbours returns a run's first and last event, the one before its latest at
// or before the event, and the next one after; of all runs without one.
func (s *Store) Neighbours(ctx context.Context, run string, event int64) (wave.Neighbours, error) {
	return read(s, func(o *opened) (wave.Neighbours, error) {
		var n wave.Neighbours
		if !o.schema.has("event_log") {
			return n, nil
		}
		const query = `
SELECT COALESCE((SELECT min(id) FROM event_log WHERE run_id = ?1), 0) AS first,
	COALESCE((SELECT max(id) FROM event_log WHERE run_id = ?1), 0) AS last,
	COALESCE((SELECT max(id) FROM event_log WHERE run_id = ?1 AND id < (SELECT max(id) FROM event_log WHERE run_id = ?1 AND id <= ?2)), 0) AS previous,
	COALESCE((SELECT min(id) FROM event_log WHERE run_id = ?1 AND id > ?2), 0) AS next`
		if run == "" {
			const all = `
SELECT COALESCE((SELECT min(id) FROM event_log), 0) AS first, COALESCE((SELECT max(id) FROM event_log), 0) AS last,
	COALESCE((SELECT max(id) FROM event_log WHERE id < ?1), 0) AS previous, COALESCE((SELECT min(id) FROM event_log WHERE id > ?1), 0) AS next`
			if err := o.GetContext(ctx, &n, all, event); err != nil {
				return n, fmt.Errorf("events around %d: %w", event, err)
			}
			return n, nil
		}
		if err := o.GetContext(ctx, &n, query, run, event); err != nil {
			return n, fmt.Errorf("events of run %s around %d: %w", run, event, err)
		}
		return n, nil
	})
}

// DetailAt returns what a run's page would have shown at a moment, as far as
// events tell: they are never overwritten. What Wave overwrites in place is
// worked out from them, or left unknown: states and times of run and steps,
// attempts, tokens. A state that no event records is the recorded one if the
// run had ended by then. ErrNotFound when the run had not begun.
func (s *Store) DetailAt(ctx context.Context, id string, at wave.Moment) (wave.RunDetail, error) {
	return read(s, func(o *opened) (wave.RunDetail, error) {
		d, err := o.detailAt(ctx, id, at)
		if err != nil {
			return d, fmt.Errorf("load run %s as of event %d: %w", id, at.Event, err)
		}
		return d, nil
	})
}

// runAsOf is a run as of a moment, with what it was told from.
type runAsOf struct {
	run    wave.Run
	folded *diagnose.History
}

// pastOfRuns tells runs as of a moment. Their events are folded from the first
// on: what is kept of them is of now.
func (d *database) pastOfRuns(ctx context.Context, q sqlx.QueryerContext, ids []string, at wave.Moment) (map[string]*runAsOf, error) {
	found := map[string]*runAsOf{}
	err := chunks(ids, criteria.MaxLimit, func(part []string) error {
		var rows []wave.RunRow
		if err := sqlx.SelectContext(ctx, q, &rows, d.recordsSQL(len(part)), anys(part)...); err != nil {
			return fmt.Errorf("select runs: %w", err)
		}
		entries, after, err := d.foldTo(ctx, q, part, at)
		if err != nil {
			return err
		}
		records := make(map[string]*diagnose.Record, len(rows))
		for _, r := range rows {
			then := &diagnose.Record{RunRow: r, History: &entries[r.ID].h}
			if then.ExistedAt(after[r.ID], at) {
				records[r.ID] = then
			}
		}
		if err := d.addContext(ctx, q, records, at); err != nil {
			return err
		}
		measured, err := d.metricTokens(ctx, q, part)
		if err != nil {
			return err
		}
		orphans, err := d.orphans(ctx, q, records)
		if err != nil {
			return err
		}
		var runs []*wave.Run
		for id, r := range records {
			found[id] = &runAsOf{run: r.At(after[id], at, measured[id], d.opt.Definition(r.Pipeline)), folded: r.History}
			found[id].run.Orphan = orphans[id]
			runs = append(runs, &found[id].run)
		}
		return d.addHeadlines(ctx, q, runs, records) // one that had ended by then failed as it is known to have now
	})
	return found, err
}

// addContext adds to runs as of a moment what other runs tell of them: those
// beneath an outer row, and the error of the parent of one that was stopped.
func (d *database) addContext(ctx context.Context, q sqlx.QueryerContext, found map[string]*diagnose.Record, at wave.Moment) error {
	var parents []string
	for _, r := range found {
		r.Facts = r.FactsOf()
		r.Facts.HasEvents, r.Facts.LastEvent, r.Facts.AtGate, r.Facts.End = r.History.Last > 0, r.History.LastAt, r.History.Gate, r.History.End
		if r.PipelineStateAt > at.Time.Unix() {
			r.PipelineState, r.Facts.PipelineState = "", ""
		}
		if r.Parent != "" && diagnose.Killed(r.Facts.Error) {
			parents = append(parents, r.Parent)
		}
	}
	if err := d.addOuter(ctx, q, found); err != nil {
		return err
	}
	records, err := d.records(ctx, q, parents)
	if err != nil {
		return err
	}
	for _, r := range found {
		r.Until(at.Time)
		r.AddParent(records[r.Parent])
	}
	return nil
}

// foldTo folds each run's events up to the moment, and tells which runs have
// later ones.
func (d *database) foldTo(ctx context.Context, q sqlx.QueryerContext, ids []string, at wave.Moment) (map[string]*cachedHistory, map[string]bool, error) {
	entries, after := map[string]*cachedHistory{}, map[string]bool{}
	var spans []any
	for _, id := range ids {
		entries[id] = &cachedHistory{run: id}
		spans = append(spans, id, int64(0), at.Event)
	}
	if len(ids) == 0 || !d.schema.has("event_log") {
		return entries, after, nil
	}
	if err := d.foldSpans(ctx, q, spans, entries); err != nil {
		return nil, nil, fmt.Errorf("fold events: %w", err)
	}
	var ends []struct {
		Run   string `db:"run_id"`
		Last  int64  `db:"last"`
		At    int64  `db:"at"`
		Later bool   `db:"later"`
	}
	query := fmt.Sprintf(`
WITH wanted(run_id) AS (VALUES %s)
SELECT w.run_id, COALESCE(e.id, 0) AS last, COALESCE(`+timeSQL("e.timestamp")+`, 0) AS at,
	EXISTS (SELECT 1 FROM event_log l WHERE l.run_id = w.run_id AND l.id > ?) AS later
FROM wanted w LEFT JOIN event_log e ON e.id = (SELECT max(id) FROM event_log WHERE run_id = w.run_id AND id <= ?)`, tuples(len(ids), 1))
	if err := sqlx.SelectContext(ctx, q, &ends, query, append(anys(ids), at.Event, at.Event)...); err != nil {
		return nil, nil, fmt.Errorf("select last events: %w", err)
	}
	for _, e := range ends {
		after[e.Run] = e.Later
		entries[e.Run].h.PassOver(e.Last, wave.Unix(e.At))
	}
	return entries, after, nil
}

func (d *database) detailAt(ctx context.Context, id string, at wave.Moment) (wave.RunDetail, error) {
	detail := wave.RunDetail{At: &at}
	past, err := d.pastOfRuns(ctx, d, []string{id}, at)
	if err != nil {
		return detail, err
	}
	self := past[id]
	if self == nil {
		return detail, ErrNotFound
	}
	run := self.run
	if err := d.addRelativesAt(ctx, &detail, run, at); err != nil {
		return detail, err
	}
	var span wave.EventSpan
	if d.schema.has("event_log") {
		const query = `SELECT COALESCE(min(id), 0) AS first, COALESCE(max(id), 0) AS last, count(*) AS n FROM event_log WHERE run_id = ? AND id <= ?`
		if err := d.GetContext(ctx, &span, query, id, at.Event); err != nil {
			return detail, fmt.Errorf("count events: %w", err)
		}
	}
	detail.FirstID, detail.LastID, detail.Events = span.First, span.Last, span.Count
	rows := &diagnose.StepRows{
		Def: d.opt.Definition(run.Pipeline), History: self.folded, States: map[string]wave.StepRow{}, Attempts: map[string][]wave.AttemptRow{},
		Metrics: map[string][]wave.MetricRow{}, Progress: map[string]wave.ProgressRow{}, Children: detail.Children,
	}
	rows.Collect(nil, nil, nil, nil)
	detail.Steps = rows.Steps(run)
	diagnose.CompleteRun(&run, detail.Steps, rows.History)
	d.stepHeadlines(&detail, run)
	run.Children = wave.ChildCounts{}
	for _, child := range detail.Children {
		run.Children.All++
		if child.State.Ended() {
			run.Children.Ended++
		}
		if child.State == wave.Failed || child.State == wave.Rejected {
			run.Children.Failed++
		}
	}
	detail.Run = run
	artifacts, err := d.artifacts(ctx, d, id)
	if err != nil {
		return detail, err
	}
	for _, a := range artifacts {
		// Rows say the second only; what a step put out comes before its next event.
		if s := self.folded.Steps[a.StepID]; s != nil && !a.CreatedAt.After(at.Time) {
			detail.Artifacts = append(detail.Artifacts, a)
		}
	}
	return detail, d.addOutcomes(ctx, d, &detail, id)
}

// addRelativesAt reads the parent, the original of a fork and the children as of
// a moment.
func (d *database) addRelativesAt(ctx context.Context, detail *wave.RunDetail, run wave.Run, at wave.Moment) error {
	var ids []string
	if d.schema["pipeline_run"]["parent_run_id"] {
		query := `SELECT run_id FROM pipeline_run WHERE parent_run_id = ? AND run_id <> '' AND run_id <> parent_run_id AND COALESCE(` + timeSQL("started_at") + `, 0) <= ? ORDER BY started_at, rowid LIMIT ?`
		if err := d.SelectContext(ctx, &ids, query, run.ID, at.Time.Unix(), ChildLimit); err != nil {
			return fmt.Errorf("select children: %w", err)
		}
	}
	relatives := slices.DeleteFunc([]string{run.Parent, run.ForkedFrom}, func(id string) bool { return id == "" })
	past, err := d.pastOfRuns(ctx, d, append(slices.Clone(ids), relatives...), at)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if p := past[id]; p != nil {
			detail.Children = append(detail.Children, p.run)
		}
	}
	if p := past[run.Parent]; p != nil {
		detail.Parent = &p.run
	}
	if p := past[run.ForkedFrom]; p != nil {
		detail.Fork = &p.run
	}
	return nil
}
