package store

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// The list is walked by started_at alone: its predicate is always there, with
// a sentinel on the first page, and the unary + keeps every other column from
// being chosen to drive. Without either, a planner that has seen ANALYZE reads
// the whole table and sorts it.
const (
	olderSQL = `
SELECT r.run_id, CAST(r.started_at AS INTEGER) AS started_at FROM pipeline_run r
WHERE (r.started_at, r.run_id) < (?, ?) AND +r.run_id <> ''%s
ORDER BY r.started_at DESC, r.run_id DESC LIMIT ?`
	newerSQL = `
SELECT r.run_id, CAST(r.started_at AS INTEGER) AS started_at FROM pipeline_run r
WHERE (r.started_at, r.run_id) > (?, ?) AND +r.run_id <> ''%s
ORDER BY r.started_at, r.run_id LIMIT ?`
	topLevelSQL = ` AND (+r.parent_run_id IS NULL OR +r.parent_run_id = '')`
)

// page returns a page of the list without restriction: the runs that no other
// run started.
func (d *database) page(ctx context.Context, f RunFilter) (RunPage, error) {
	page, err := d.readPage(ctx, f)
	if err != nil {
		return RunPage{}, fmt.Errorf("list runs: %w", err)
	}
	return page, nil
}

func (d *database) readPage(ctx context.Context, f RunFilter) (RunPage, error) {
	var page RunPage
	places, more, err := d.places(ctx, f)
	if err != nil || len(places) == 0 {
		return page, err
	}
	first, last := places[0], places[len(places)-1]
	if f.Newer != nil && f.Older == nil {
		if more {
			page.Newer = &first
		}
		if more, err = d.any(ctx, olderSQL, last); more {
			page.Older = &last
		}
	} else {
		if more {
			page.Older = &last
		}
		if f.Older != nil {
			if more, err = d.any(ctx, newerSQL, first); more {
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
func (d *database) places(ctx context.Context, f RunFilter) ([]Cursor, bool, error) {
	if !d.schema.has("pipeline_run") {
		return nil, false, nil
	}
	query, from := olderSQL, Cursor{T: math.MaxInt64}
	switch {
	case f.Older != nil:
		from = *f.Older
	case f.Newer != nil:
		query, from = newerSQL, *f.Newer
	}
	places, err := d.selectPlaces(ctx, query, from, f.limit()+1)
	if err != nil {
		return nil, false, err
	}
	more := len(places) > f.limit()
	if more {
		places = places[:f.limit()]
	}
	if query == newerSQL {
		slices.Reverse(places)
	}
	return places, more, nil
}

func (d *database) any(ctx context.Context, query string, from Cursor) (bool, error) {
	places, err := d.selectPlaces(ctx, query, from, 1)
	return len(places) > 0, err
}

func (d *database) selectPlaces(ctx context.Context, query string, from Cursor, limit int) ([]Cursor, error) {
	var rows []struct {
		ID string `db:"run_id"`
		T  int64  `db:"started_at"`
	}
	if err := d.SelectContext(ctx, &rows, d.pageSQL(query), from.T, from.ID, limit); err != nil {
		return nil, err
	}
	places := make([]Cursor, len(rows))
	for i, r := range rows {
		places[i] = Cursor{T: r.T, ID: r.ID}
	}
	return places, nil
}

func (d *database) pageSQL(query string) string {
	if d.schema["pipeline_run"]["parent_run_id"] {
		return fmt.Sprintf(query, topLevelSQL)
	}
	return fmt.Sprintf(query, "")
}
