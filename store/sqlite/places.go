package sqlite

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

// placeRows are where runs stand in the list.
type placeRows struct{ source }

// Places walks the list of the runs that no other run started from a place on, to
// newer or to older ones: the part of the list that the place is in, and then the
// other one where that lies in the same direction.
func (s placeRows) Places(ctx context.Context, from criteria.Cursor, toNewer bool, limit int) ([]criteria.Cursor, error) {
	if !s.schema.Has("pipeline_run") {
		return nil, nil
	}
	known := from.T > 0
	from.T = min(from.T, wave.MaxUnix)
	switch {
	case !toNewer && known:
		places, err := s.selectPart(ctx, olderSQL, from, limit)
		if err != nil || len(places) == limit {
			return places, err
		}
		rest, err := s.selectPart(ctx, olderUnknownSQL, from, limit-len(places))
		return slices.Concat(places, rest), err
	case !toNewer:
		return s.selectPart(ctx, olderUnknownSQL, criteria.Cursor{ID: from.ID}, limit)
	case known:
		return s.selectPart(ctx, newerSQL, from, limit)
	default:
		places, err := s.selectPart(ctx, newerUnknownSQL, criteria.Cursor{ID: from.ID}, limit)
		if err != nil || len(places) == limit {
			return places, err
		}
		rest, err := s.selectPart(ctx, newerSQL, criteria.Cursor{T: 1}, limit-len(places))
		return slices.Concat(places, rest), err
	}
}

func (s placeRows) selectPart(ctx context.Context, query string, from criteria.Cursor, limit int) ([]criteria.Cursor, error) {
	var rows []struct {
		ID string `db:"run_id"`
		T  int64  `db:"started_at"`
	}
	if err := s.sel(ctx, &rows, s.pageSQL(query), from.T, from.ID, limit); err != nil {
		return nil, err
	}
	places := make([]criteria.Cursor, len(rows))
	for i, r := range rows {
		places[i] = criteria.Cursor{T: r.T, ID: r.ID}
	}
	return places, nil
}

func (s source) pageSQL(query string) string {
	if s.hasParents() {
		return fmt.Sprintf(query, topLevelSQL)
	}
	return fmt.Sprintf(query, "")
}
