package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

// An outer row holds others together and has no life of its own: Wave records a
// composition, a batch over work items and a fork as pending and never again.
// What became of it is derived from the runs beneath it.

// Bounds of the look for the runs of an outer row.
const (
	maxItems    = 1000 // runs of one row
	maxFollowed = 2000 // runs of any pipeline that began after it
)

func (d *database) outerColumns() string {
	const t = "pipeline_run"
	event := "0 AS last_event"
	if d.schema.has("event_log") {
		event = "COALESCE((SELECT " + timeSQL("e.timestamp") + " FROM event_log e WHERE e.id = (SELECT max(id) FROM event_log WHERE run_id = r.run_id)), 0) AS last_event"
	}
	return strings.Join([]string{
		"r.run_id", d.schema.text("r", t, "parent_run_id"), d.schema.text("r", t, "run_kind"), d.schema.text("r", t, "pipeline_name"),
		d.schema.text("r", t, "status"), d.schema.text("r", t, "forked_from_run_id"), d.schema.time("r", t, "started_at"),
		d.schema.time("r", t, "completed_at"), d.schema.time("r", t, "last_heartbeat"), d.schema.number("r", t, "pid"),
		"COALESCE(r.input, '') <> '' AS has_input", event,
	}, ", ")
}

// addOuter finds the runs of the outer rows among those that were read.
func (d *database) addOuter(ctx context.Context, q sqlx.QueryerContext, found map[string]*diagnose.Record) error {
	var ids []string
	for id, r := range found {
		if r.MayBeOuter() {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	if d.schema["pipeline_run"]["parent_run_id"] {
		var items []wave.OuterItem
		query := "SELECT " + d.outerColumns() + " FROM pipeline_run r WHERE r.parent_run_id IN " + in(len(ids)) + " ORDER BY r.started_at, r.rowid LIMIT " + strconv.Itoa(maxItems*len(ids))
		if err := sqlx.SelectContext(ctx, q, &items, query, anys(ids)...); err != nil {
			return fmt.Errorf("select runs of outer runs: %w", err)
		}
		for _, item := range items {
			if r := found[item.Parent]; (item.Kind == "resume") == r.Facts.Forked && len(r.Outer) < maxItems {
				r.Outer = append(r.Outer, item)
			}
		}
	}
	for _, id := range ids {
		r := found[id]
		if len(r.Outer) == 0 && r.IsBatch() {
			if err := d.addBatch(ctx, q, r); err != nil {
				return err
			}
		}
		r.Facts.Outer = diagnose.OuterOf(r)
	}
	return nil
}

// followersSQL selects runs of a pipeline among the first that began after one,
// in their order: that of the inner rows, which are walked one by one.
const followersSQL = `
SELECT %s FROM (
	SELECT rowid FROM pipeline_run WHERE (started_at, rowid) > (?, (SELECT rowid FROM pipeline_run WHERE run_id = ?)) ORDER BY started_at, rowid LIMIT ?
) next CROSS JOIN pipeline_run r ON r.rowid = next.rowid WHERE +r.pipeline_name = ? LIMIT ?`

// addBatch finds the runs of a batch: of its pipeline, with an input that it has
// not itself, without a parent, a process and a heartbeat of their own, each soon
// after the one before. A run that Wave starts for itself beats.
func (d *database) addBatch(ctx context.Context, q sqlx.QueryerContext, r *diagnose.Record) error {
	if !d.schema["pipeline_run"]["last_heartbeat"] {
		return nil // then every run is without one
	}
	var items []wave.OuterItem
	if err := sqlx.SelectContext(ctx, q, &items, fmt.Sprintf(followersSQL, d.outerColumns()), r.StartedAt, r.ID, maxFollowed, r.Pipeline, maxItems); err != nil {
		return fmt.Errorf("select runs of a batch: %w", err)
	}
	last := r.StartedAt
	for _, item := range items {
		if item.Parent != "" || item.Fork != "" || item.Kind != "" || item.Beat != 0 || item.PID != 0 {
			continue // somebody else's
		}
		if !item.HasInput || item.LastEvent == 0 || item.Started-last > int64(diagnose.SilenceLimit/time.Second) {
			break // another batch, or none
		}
		r.Outer = append(r.Outer, item)
		last = max(last, item.Started, item.Completed, item.LastEvent)
	}
	return nil
}
