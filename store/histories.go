package store

import (
	"container/list"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

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

// historiesOf folds the events of the runs up to now and returns copies. A run
// without events has an empty history. It takes two statements for any number
// of runs, and one when nothing is new.
func (d *eventReader) historiesOf(ctx context.Context, q Rows, runs []string) (map[string]*diagnose.History, error) {
	found := make(map[string]*diagnose.History, len(runs))
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

func (d *eventReader) foldNew(ctx context.Context, q Rows, runs []string, entries map[string]*cachedHistory) error {
	newest, err := q.LastEvents(ctx, runs)
	if err != nil {
		return err
	}
	// A base that another reader moves on meanwhile does no harm: history
	// passes over events it has, and each batch reaches up to its last.
	var reach []wave.EventReach
	for _, n := range newest {
		if base := entries[n.Run].last(); base < n.ID {
			reach = append(reach, wave.EventReach{Run: n.Run, After: base, UpTo: n.ID})
		}
	}
	if len(reach) == 0 {
		return nil
	}
	if err := d.foldReach(ctx, q, reach, entries); err != nil {
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

// foldReach folds events one by one as they are read.
func (d *eventReader) foldReach(ctx context.Context, q Rows, reach []wave.EventReach, entries map[string]*cachedHistory) error {
	return q.EachEvent(ctx, reach, func(event wave.Event) {
		e := entries[event.RunID]
		e.mu.Lock()
		e.h.Add(event)
		e.mu.Unlock()
	})
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

func keys[K comparable, V any](m map[K]V) []K { return slices.Collect(maps.Keys(m)) }
