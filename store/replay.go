package store

import (
	"context"
	"fmt"

	"wavedeck/store/feed"
	"wavedeck/store/sqlite"
	"wavedeck/store/wave"
)

const (
	maxReplay = 50_000 // events; more are quicker to load afresh
	overlap   = 200    // events named again, for the rows that were written just after them
)

// Replay names what changed since a reader knew of the event after in the
// given epoch. What has no event
// has no place in that order; hence it also names every run that is still
// open, those that ended since, and those of the events just before. Another
// epoch, an id from the future, or more than can be named is a Reset.
//
// The reader subscribes first: what Replay and the subscription both name is
// the same change twice, never a gap.
func (s *Store) Replay(ctx context.Context, epoch string, after int64) (feed.Change, error) {
	return read(s.stateFile, func(o *opened) (feed.Change, error) {
		last, err := o.LastEvent(ctx)
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
		delete(changed.Runs, "")
		if len(changed.Runs)+len(changed.Steps) > feed.MaxPending {
			c.Reset, c.List = true, true
			return c, nil
		}
		c.Runs, c.Steps, c.List = keys(changed.Runs), keys(changed.Steps), len(changed.Runs) > 0
		return c, nil
	})
}

func (o *opened) changedSince(ctx context.Context, after int64) (sqlite.RowChanges, error) {
	changed := sqlite.NewRowChanges()
	refs, err := o.ChangedAfter(ctx, after-overlap, feed.MaxPending+1)
	if err != nil {
		return changed, err
	}
	for _, ref := range refs {
		changed.Add(ref)
	}
	since, err := o.TimeOf(ctx, after)
	if err != nil {
		return changed, err
	}
	open, err := o.OpenRuns(ctx, feed.MaxPending+1)
	if err != nil {
		return changed, err
	}
	if since == 0 && after > 0 {
		since = o.opt.Now().Add(-sqlite.Afterglow).Unix() // the event is gone; its neighbours are named above
	}
	ended, err := o.index.EndedSince(ctx, since, feed.MaxPending+1)
	if err != nil {
		return changed, err
	}
	for _, id := range append(open, ended...) {
		changed.Add(wave.StepRef{Run: id})
	}
	return o.addParents(ctx, changed)
}

// addParents names the runs that count the changed ones among their children.
func (o *opened) addParents(ctx context.Context, changed sqlite.RowChanges) (sqlite.RowChanges, error) {
	parents, err := o.Parents(ctx, keys(changed.Runs))
	for _, id := range parents {
		changed.Runs[id] = struct{}{}
	}
	return changed, err
}
