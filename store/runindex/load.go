package runindex

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

const (
	chunkRows  = 2000
	sweepPause = 250 * time.Millisecond // between chunks: about 2 % of a core
	sweepRest  = 20 * time.Second       // between walks through all runs, at most
	restOfRun  = time.Millisecond       // of that, for each run: a hundred times what it takes
)

// Entry is what the index holds of a run, as read.
type Entry struct {
	Row                        int64
	ID, Pipeline, Parent, Tags string
	Branch, Kind               string
	Input                      string // its beginning
	Err                        string
	State                      wave.State
	Started, Completed, Ended  int64 // unix seconds; 0: not
	Tokens                     int64 // -1: not known

	text            string // as indexRow keeps it, once it was shown
	idEnd, inputEnd int    // in text
}

// show makes the texts of entries. It takes longer than all else that is done to
// the index, so it comes before the index is locked.
func (ix *Index) show(entries []Entry) {
	for i := range entries {
		e := &entries[i]
		e.text = e.ID
		if lower := strings.ToLower(e.ID); lower != e.ID {
			e.text += "\x00" + lower
		}
		e.idEnd = len(e.text)
		e.text += "\x00" + criteria.SearchText(ix.opt.Shown, e.Input)
		e.inputEnd = len(e.text)
		e.text += "\x00" + criteria.SearchText(ix.opt.Shown, e.Err)
	}
}

// Load reads all runs; from then on the index answers.
func (ix *Index) Load(ctx context.Context) error {
	if _, err := ix.walk(ctx, 0); err != nil {
		return err
	}
	ix.sort()
	close(ix.ready)
	return nil
}

// Follow loads all runs and then walks through them again and again as long as
// there are commits, for rows that these changed or deleted without a trace. It
// calls found with the runs that were not as they were, and once when the index
// begins to answer.
func (ix *Index) Follow(ctx context.Context, found func(runs []string)) {
	defer close(ix.gone)
	for {
		err := ix.Load(ctx)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return
		}
		ix.opt.Log.Warn("failed to load the index of runs", "err", err)
		if !rest(ctx, time.Second) {
			return
		}
	}
	found(nil) // counts can be told now
	for rest(ctx, ix.sweepPause()) {
		runs, _, err := ix.Check(ctx, sweepPause)
		if err != nil && ctx.Err() == nil {
			ix.opt.Log.Warn("failed to check the index of runs", "err", err)
		}
		if len(runs) > 0 {
			found(runs)
		}
	}
}

// MarkStale says that there was a commit.
func (ix *Index) MarkStale() { ix.stale.Store(true) }

// Check walks through all runs, with a pause between chunks, if there was a commit
// since it last did, and returns those that were not as they were.
func (ix *Index) Check(ctx context.Context, pause time.Duration) (found []string, walked bool, err error) {
	if !ix.beginSweep() {
		return nil, false, nil
	}
	found, err = ix.walk(ctx, pause)
	if err == nil {
		var gone []string
		gone, err = ix.dropUnseen(ctx)
		found = append(found, gone...)
	}
	if err != nil {
		ix.MarkStale() // what is left of it is still to be looked at
	}
	return found, true, err
}

// sweepPause is how long to rest between two walks: a short history costs little.
func (ix *Index) sweepPause() time.Duration {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return min(max(time.Duration(len(ix.order))*restOfRun, time.Second), sweepRest)
}

// walk reads every run into the index and returns those that are new or not as
// they were.
func (ix *Index) walk(ctx context.Context, pause time.Duration) ([]string, error) {
	var found []string
	for row := int64(-1 << 62); ; {
		ix.beginChunk()
		entries, err := ix.opt.Source.EntriesAfter(ctx, row, chunkRows)
		found = append(found, ix.endChunk(entries)...)
		if err != nil || len(entries) < chunkRows {
			return found, err
		}
		row = entries[len(entries)-1].Row
		if pause > 0 && !rest(ctx, pause) {
			return found, ctx.Err()
		}
	}
}

// beginChunk has apply note its runs: what a chunk says of them may be older.
func (ix *Index) beginChunk() {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.touched = map[string]struct{}{}
}

func (ix *Index) endChunk(entries []Entry) []string {
	ix.show(entries)
	ix.mu.Lock()
	defer ix.mu.Unlock()
	var found []string
	for _, e := range entries {
		if _, newer := ix.touched[e.ID]; newer {
			continue
		}
		if _, changed := ix.put(e); changed {
			found = append(found, e.ID)
		}
	}
	ix.touched = nil
	if len(found) > 0 {
		ix.forgetCounts()
	}
	return found
}

// beginSweep reports whether there was a commit since the last one.
func (ix *Index) beginSweep() bool {
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
func (ix *Index) dropUnseen(ctx context.Context) ([]string, error) {
	ix.mu.RLock()
	var unseen []string
	for i := range ix.rows {
		if r := &ix.rows[i]; r.used && r.seen != ix.sweep {
			unseen = append(unseen, string(ix.id(uint32(i))))
		}
	}
	ix.mu.RUnlock()
	entries, err := ix.opt.Source.Entries(ctx, unseen)
	if err != nil {
		return nil, err
	}
	return slices.Collect(maps.Keys(ix.Apply(unseen, entries))), nil
}

// Wait blocks until the index can answer.
func (ix *Index) Wait(ctx context.Context) error {
	select {
	case <-ix.ready:
		return nil
	default:
	}
	select {
	case <-ix.ready:
		return nil
	case <-ix.gone:
		return ix.opt.Gone
	case <-ctx.Done():
		return ctx.Err()
	}
}

// IsReady reports whether all runs are in.
func (ix *Index) IsReady() bool {
	select {
	case <-ix.ready:
		return true
	default:
		return false
	}
}

// rest reports whether ctx outlived a pause.
func rest(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
