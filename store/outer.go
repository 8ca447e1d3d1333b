package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

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

// outerRun is what is known of the runs of an outer row.
type outerRun struct {
	All, Active, Succeeded int
	Ended                  wave.State // the worst end among them, of a fork the last one
	Last                   time.Time  // the last sign of any
	Fork                   bool       // they are resumptions of a fork
}

// derive derives the state of an outer row. Between two runs nothing tells whether
// another one follows; it is given as long as a run without any sign is.
func (o *outerRun) derive(now time.Time) (wave.State, string) {
	reason := fmt.Sprintf("%d of %d child runs succeeded", o.Succeeded, o.All)
	if o.Fork {
		reason = "forked, then resumed"
	}
	silent, known := age(o.Last, now)
	switch isQuiet := !known || silent > silenceLimit; {
	case o.Active > 0 && isQuiet:
		return wave.Lost, reason
	case o.Active > 0, !isQuiet && !o.Fork:
		return wave.Running, reason
	default:
		return o.Ended, reason
	}
}

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

// mayBeOuter reports whether nothing but other runs can tell what became of it.
func (r *record) mayBeOuter() bool {
	return r.Status == "pending" && r.facts.Heartbeat.IsZero() && !r.facts.HasEvents && r.PipelineState == "" && r.PID == 0
}

// addOuter finds the runs of the outer rows among those that were read.
func (d *database) addOuter(ctx context.Context, q sqlx.QueryerContext, found map[string]*record) error {
	var ids []string
	for id, r := range found {
		if r.mayBeOuter() {
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
			if r := found[item.Parent]; (item.Kind == "resume") == r.facts.Forked && len(r.outer) < maxItems {
				r.outer = append(r.outer, item)
			}
		}
	}
	for _, id := range ids {
		r := found[id]
		if len(r.outer) == 0 && r.isBatch() {
			if err := d.addBatch(ctx, q, r); err != nil {
				return err
			}
		}
		r.facts.Outer = outerOf(r)
	}
	return nil
}

// isBatch reports whether the row may be that of a batch: its runs are linked to
// it by nothing, but follow it.
func (r *record) isBatch() bool {
	return r.Parent == "" && r.ForkedFrom == "" && r.Input == "" && r.StartedAt > 0
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
func (d *database) addBatch(ctx context.Context, q sqlx.QueryerContext, r *record) error {
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
		if !item.HasInput || item.LastEvent == 0 || item.Started-last > int64(silenceLimit/time.Second) {
			break // another batch, or none
		}
		r.outer = append(r.outer, item)
		last = max(last, item.Started, item.Completed, item.LastEvent)
	}
	return nil
}

// until leaves the runs of an outer row as they were at a moment.
func (r *record) until(at time.Time) {
	now := at.Unix()
	r.outer = slices.DeleteFunc(r.outer, func(item wave.OuterItem) bool { return item.Started > now })
	for i := range r.outer {
		item := &r.outer[i]
		if item.Completed > now {
			item.Status, item.Completed = "running", 0
		}
		item.LastEvent, item.Beat = min(item.LastEvent, now), min(item.Beat, now)
	}
	r.facts.Outer = outerOf(r)
}

// outerOf sums up the runs of a row, nil when it has none.
func outerOf(r *record) *outerRun {
	if len(r.outer) == 0 {
		return nil
	}
	o := &outerRun{All: len(r.outer), Fork: r.facts.Forked, Ended: wave.Succeeded}
	for _, item := range r.outer {
		if at := wave.Unix(max(item.Started, item.Completed, item.LastEvent, item.Beat)); at.After(o.Last) {
			o.Last = at
		}
		end := wave.Succeeded
		switch item.Status {
		case "completed", "completed_empty":
			o.Succeeded++
		case "failed":
			end = wave.Failed
		case "cancelled":
			end = wave.Cancelled
		default:
			o.Active++
		}
		if o.Fork || end == wave.Failed || end == wave.Cancelled && o.Ended != wave.Failed {
			o.Ended = end
		}
	}
	return o
}
