package store

import (
	"context"
	"fmt"
	"slices"

	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// The list is walked by started_at alone: its predicate is always there, with
// a sentinel on the first page, and the unary + keeps every other column from
// being chosen to drive. Without either, a planner that has seen ANALYZE reads
// the whole table and sorts it.
//
// Runs whose start is unknown come after all others, by their ids, as if they had
// started at second 0. They are few; the index of started_at finds them.
const (
	olderSQL = `
SELECT r.run_id, r.started_at FROM pipeline_run r
WHERE (r.started_at, r.run_id) < (?, ?) AND r.started_at >= 1 AND typeof(r.started_at) = 'integer' AND +r.run_id <> ''%s
ORDER BY r.started_at DESC, r.run_id DESC LIMIT ?`
	newerSQL = `
SELECT r.run_id, r.started_at FROM pipeline_run r
WHERE (r.started_at, r.run_id) > (?, ?) AND r.started_at < 253402300800 AND typeof(r.started_at) = 'integer' AND +r.run_id <> ''%s
ORDER BY r.started_at, r.run_id LIMIT ?`
	unknownStartSQL = `
r.rowid IN (SELECT rowid FROM pipeline_run WHERE typeof(started_at) <> 'integer' OR started_at < 1 OR started_at >= 253402300800)`
	olderUnknownSQL = `
SELECT r.run_id, 0 AS started_at FROM pipeline_run r
WHERE ` + unknownStartSQL + ` AND (? > 0 OR r.run_id < ?) AND +r.run_id <> ''%s ORDER BY +r.run_id DESC LIMIT ?`
	newerUnknownSQL = `
SELECT r.run_id, 0 AS started_at FROM pipeline_run r
WHERE ` + unknownStartSQL + ` AND (? > 0 OR r.run_id > ?) AND +r.run_id <> ''%s ORDER BY +r.run_id LIMIT ?`
	// A run is at the top when no other one started it, or when the one that did
	// cannot be found: its row is gone, or following the parents leads in a circle.
	topLevelSQL = ` AND (+r.parent_run_id IS NULL OR +r.parent_run_id = '' OR +r.parent_run_id = r.run_id
	OR NOT EXISTS (SELECT 1 FROM pipeline_run p WHERE p.run_id = r.parent_run_id)
	OR EXISTS (WITH RECURSIVE above(id) AS (
		SELECT r.parent_run_id UNION
		SELECT p.parent_run_id FROM above a JOIN pipeline_run p ON p.run_id = a.id WHERE p.parent_run_id <> '')
		SELECT 1 FROM above WHERE id = r.run_id))`
)

// page returns a page of the list without restriction: the runs that no other
// run started.
func (d *database) page(ctx context.Context, f criteria.RunFilter) (criteria.RunPage, error) {
	page, err := d.readPage(ctx, f)
	if err != nil {
		return criteria.RunPage{}, fmt.Errorf("list runs: %w", err)
	}
	return page, nil
}

func (d *database) readPage(ctx context.Context, f criteria.RunFilter) (criteria.RunPage, error) {
	var page criteria.RunPage
	places, more, err := d.places(ctx, f)
	if err != nil || len(places) == 0 {
		return page, err
	}
	first, last := places[0], places[len(places)-1]
	if f.Newer != nil && f.Older == nil {
		if more {
			page.Newer = &first
		}
		if more, err = d.any(ctx, older, last); more {
			page.Older = &last
		}
	} else {
		if more {
			page.Older = &last
		}
		if f.Older != nil {
			if more, err = d.any(ctx, newer, first); more {
				page.Newer = &first
			}
		}
	}
	if err != nil {
		return page, err
	}
	ids := make([]string, len(places))
	for i, p := range places {
		ids[i] = p.ID
	}
	page.Runs, err = d.runsOf(ctx, d, ids)
	return page, err
}

// places finds the page's runs, newest first, and whether more follow in the
// direction of reading.
func (d *database) places(ctx context.Context, f criteria.RunFilter) ([]criteria.Cursor, bool, error) {
	if !d.schema.has("pipeline_run") {
		return nil, false, nil
	}
	way, from := older, criteria.Cursor{T: wave.MaxUnix}
	switch {
	case f.Older != nil:
		from = *f.Older
	case f.Newer != nil:
		way, from = newer, *f.Newer
	}
	places, err := d.selectPlaces(ctx, way, from, f.PageSize()+1)
	if err != nil {
		return nil, false, err
	}
	more := len(places) > f.PageSize()
	if more {
		places = places[:f.PageSize()]
	}
	if way == newer {
		slices.Reverse(places)
	}
	return places, more, nil
}

func (d *database) any(ctx context.Context, way direction, from criteria.Cursor) (bool, error) {
	places, err := d.selectPlaces(ctx, way, from, 1)
	return len(places) > 0, err
}

// direction is a way through the list.
type direction bool

const (
	older direction = false
	newer direction = true
)

// selectPlaces walks the part of the list that the cursor is in, and then the other
// one where that lies in the same direction.
func (d *database) selectPlaces(ctx context.Context, way direction, from criteria.Cursor, limit int) ([]criteria.Cursor, error) {
	known := from.T > 0
	from.T = min(from.T, wave.MaxUnix)
	switch {
	case way == older && known:
		places, err := d.selectPart(ctx, olderSQL, from, limit)
		if err != nil || len(places) == limit {
			return places, err
		}
		rest, err := d.selectPart(ctx, olderUnknownSQL, from, limit-len(places))
		return append(places, rest...), err
	case way == older:
		return d.selectPart(ctx, olderUnknownSQL, criteria.Cursor{ID: from.ID}, limit)
	case known:
		return d.selectPart(ctx, newerSQL, from, limit)
	default:
		places, err := d.selectPart(ctx, newerUnknownSQL, criteria.Cursor{ID: from.ID}, limit)
		if err != nil || len(places) == limit {
			return places, err
		}
		rest, err := d.selectPart(ctx, newerSQL, criteria.Cursor{T: 1}, limit-len(places))
		return append(places, rest...), err
	}
}

func (d *database) selectPart(ctx context.Context, query string, from criteria.Cursor, limit int) ([]criteria.Cursor, error) {
	var rows []struct {
		ID string `db:"run_id"`
		T  int64  `db:"started_at"`
	}
	if err := d.SelectContext(ctx, &rows, d.pageSQL(query), from.T, from.ID, limit); err != nil {
		return nil, err
	}
	places := make([]criteria.Cursor, len(rows))
	for i, r := range rows {
		places[i] = criteria.Cursor{T: r.T, ID: r.ID}
	}
	return places, nil
}

func (d *database) pageSQL(query string) string {
	if d.schema["pipeline_run"]["parent_run_id"] {
		return fmt.Sprintf(query, topLevelSQL)
	}
	return fmt.Sprintf(query, "")
}
