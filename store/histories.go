package store

import (
	"container/list"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

// maxHistories bounds the cache: a page of runs and some more.
const maxHistories = 256

// histories keeps what was folded of the runs read last, so that reading a
// long run again costs its new events only. The zero value works. It belongs
// to one opened file: event ids of another one mean something else.
type histories struct {
	mu    sync.Mutex
	byRun map[string]*list.Element // of *cachedHistory
	used  list.List                // most recently used first
}

// cachedHistory is never locked while something is read: whoever reads may hold
// a connection that the holder of the lock would wait for.
type cachedHistory struct {
	run  string
	mu   sync.Mutex
	h    diagnose.History
	span wave.EventSpan

	stretches stretches
}

func (c *histories) get(run string) *cachedHistory {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byRun[run]; e != nil {
		c.used.MoveToFront(e)
		return cached(e)
	}
	if c.byRun == nil {
		c.byRun = map[string]*list.Element{}
	}
	entry := &cachedHistory{run: run}
	c.byRun[run] = c.used.PushFront(entry)
	if c.used.Len() > maxHistories {
		oldest := c.used.Back()
		c.used.Remove(oldest)
		delete(c.byRun, cached(oldest).run)
	}
	return entry
}

func cached(e *list.Element) *cachedHistory {
	h, _ := e.Value.(*cachedHistory) // the list holds nothing else
	return h
}

func (c *cachedHistory) last() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.h.Last
}

// lastEventsSQL finds the newest event of each of the listed runs. The inner
// query is one seek to the end of the run's part of idx_event_run.
func lastEventsSQL() string {
	return `
WITH wanted(run_id) AS (VALUES %s)
SELECT w.run_id, e.id, COALESCE(` + timeSQL("e.timestamp") + `, 0) AS timestamp
FROM wanted w CROSS JOIN event_log e ON e.id = (SELECT max(id) FROM event_log WHERE run_id = w.run_id)`
}

// newEventsSQL selects what history folds: frequent events that tell nothing
// of a state are left out. Each run's part is walked along idx_event_run, where
// events of one run lie in id order; an ORDER BY would sort them once more.
const newEventsSQL = `
WITH wanted(run_id, base, last) AS (VALUES %s)
SELECT %s
FROM wanted w CROSS JOIN event_log e ON e.run_id = w.run_id AND e.id > w.base AND e.id <= w.last
WHERE e.state NOT IN ('stream_activity', 'eta_updated') AND (e.state <> 'step_progress' OR e.tokens_used > 0)`

// historiesOf folds the events of the runs up to now and returns copies. A run
// without events has an empty history. It takes two statements for any number
// of runs, and one when nothing is new.
func (d *database) historiesOf(ctx context.Context, q sqlx.QueryerContext, runs []string) (map[string]*diagnose.History, error) {
	found := make(map[string]*diagnose.History, len(runs))
	if len(runs) == 0 || !d.schema.has("event_log") {
		for _, run := range runs {
			found[run] = &diagnose.History{}
		}
		return found, nil
	}
	entries := make(map[string]*cachedHistory, len(runs))
	for _, run := range runs {
		entries[run] = d.histories.get(run)
	}
	if err := d.foldNew(ctx, q, runs, entries); err != nil {
		return nil, fmt.Errorf("fold events: %w", err)
	}
	for run, e := range entries {
		e.mu.Lock()
		found[run] = e.h.Clone()
		e.mu.Unlock()
	}
	return found, nil
}

func (d *database) foldNew(ctx context.Context, q sqlx.QueryerContext, runs []string, entries map[string]*cachedHistory) error {
	var newest []struct {
		Run string `db:"run_id"`
		ID  int64  `db:"id"`
		At  int64  `db:"timestamp"`
	}
	query := fmt.Sprintf(lastEventsSQL(), tuples(len(runs), 1))
	if err := sqlx.SelectContext(ctx, q, &newest, query, anys(runs)...); err != nil {
		return err
	}
	// A base that another reader moves on meanwhile does no harm: history
	// passes over events it has, and each batch reaches up to its last.
	var span []any
	for _, n := range newest {
		if base := entries[n.Run].last(); base < n.ID {
			span = append(span, n.Run, base, n.ID)
		}
	}
	if len(span) == 0 {
		return nil
	}
	if err := d.foldSpans(ctx, q, span, entries); err != nil {
		return err
	}
	for _, n := range newest {
		e := entries[n.Run]
		e.mu.Lock()
		e.h.PassOver(n.ID, wave.Unix(n.At))
		e.mu.Unlock()
	}
	return nil
}

// foldSpans reads the spans (run, base, last, ...) row by row: the events of a
// long run are never held together.
func (d *database) foldSpans(ctx context.Context, q sqlx.QueryerContext, span []any, entries map[string]*cachedHistory) error {
	rows, err := q.QueryxContext(ctx, fmt.Sprintf(newEventsSQL, tuples(len(span)/3, 3), d.eventColumns()), span...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		event, err := scanEvent(rows)
		if err != nil {
			return err
		}
		e := entries[event.RunID]
		e.mu.Lock()
		e.h.Add(event)
		e.mu.Unlock()
	}
	return rows.Err()
}

// tuples is "(?,?),(?,?)": n tuples of size parameters.
func tuples(n, size int) string {
	one := "(" + strings.TrimSuffix(strings.Repeat("?,", size), ",") + ")"
	return strings.TrimSuffix(strings.Repeat(one+",", n), ",")
}

// in is "(?,?,?)" with n parameters.
func in(n int) string { return tuples(1, n) }

func anys[T any](values []T) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list
}

// chunks calls read with at most size ids at a time, so that the number of
// parameters and the length of a statement stay bounded.
func chunks[T any](ids []T, size int, read func([]T) error) error {
	for part := range slices.Chunk(ids, size) {
		if err := read(part); err != nil {
			return err
		}
	}
	return nil
}
