package store

import (
	"context"
	"fmt"

	"wavedeck/store/feed"
	"wavedeck/store/wave"
)

const (
	maxReplay = 50_000 // events; more are quicker to load afresh
	overlap   = 200    // events named again, for the rows that were written just after them
)

// replaySQL goes along the ids: the unary + keeps the planner from walking the
// whole history in the order of its runs, so as to group by them.
const replaySQL = `
SELECT COALESCE(run_id, '') AS run, COALESCE(step_id, '') AS step
FROM event_log WHERE id > ? GROUP BY +run_id, +step_id LIMIT ?`

// Replay names what changed since a reader knew of the event after in the
// given epoch. What has no event
// has no place in that order; hence it also names every run that is still
// open, those that ended since, and those of the events just before. Another
// epoch, an id from the future, or more than can be named is a Reset.
//
// The reader subscribes first: what Replay and the subscription both name is
// the same change twice, never a gap.
func (s *Store) Replay(ctx context.Context, epoch string, after int64) (feed.Change, error) {
	return read(s, func(o *opened) (feed.Change, error) {
		last, err := o.lastEventID(ctx)
		if err != nil {
			return feed.Change{}, err
		}
		c := feed.Change{Epoch: o.epoch, LastEventID: last}
		if epoch != o.epoch || after < 0 || after > last || last-after > maxReplay {
			c.Reset, c.List = true, true
			return c, nil
		}
		changed, err := o.changedSince(ctx, after)
		if err != nil {
			return feed.Change{}, fmt.Errorf("replay after event %d: %w", after, err)
		}
		delete(changed.runs, "")
		if len(changed.runs)+len(changed.steps) > feed.MaxPending {
			c.Reset, c.List = true, true
			return c, nil
		}
		c.Runs, c.Steps, c.List = keys(changed.runs), keys(changed.steps), len(changed.runs) > 0
		return c, nil
	})
}

func (o *opened) changedSince(ctx context.Context, after int64) (rowChanges, error) {
	changed := newRowChanges()
	var since int64
	if o.schema.has("event_log") {
		var refs []wave.StepRef
		if err := o.SelectContext(ctx, &refs, replaySQL, after-overlap, feed.MaxPending+1); err != nil {
			return changed, err
		}
		for _, ref := range refs {
			changed.add(ref)
		}
		if err := o.GetContext(ctx, &since, "SELECT COALESCE(max("+timeSQL("timestamp")+"), 0) FROM event_log WHERE id = ?", after); err != nil {
			return changed, err
		}
	}
	var open []string
	if err := o.SelectContext(ctx, &open, openRunsSQL, feed.MaxPending+1); err != nil {
		return changed, err
	}
	if since == 0 && after > 0 {
		since = o.opt.Now().Add(-afterglow).Unix() // the event is gone; its neighbours are named above
	}
	ended, err := o.index.EndedSince(ctx, since, feed.MaxPending+1)
	if err != nil {
		return changed, err
	}
	for _, id := range append(open, ended...) {
		changed.add(wave.StepRef{Run: id})
	}
	return o.addParents(ctx, changed)
}

const parentsSQL = `SELECT DISTINCT parent_run_id FROM pipeline_run WHERE run_id IN %s AND parent_run_id <> ''`

// addParents names the runs that count the changed ones among their children.
func (o *opened) addParents(ctx context.Context, changed rowChanges) (rowChanges, error) {
	if !o.schema["pipeline_run"]["parent_run_id"] {
		return changed, nil
	}
	err := chunks(keys(changed.runs), maxCompared, func(part []string) error {
		var parents []string
		err := o.SelectContext(ctx, &parents, fmt.Sprintf(parentsSQL, in(len(part))), anys(part)...)
		for _, id := range parents {
			changed.runs[id] = struct{}{}
		}
		return err
	})
	return changed, err
}
