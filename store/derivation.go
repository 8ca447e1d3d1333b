package store

import (
	"context"
	"time"

	"wavedeck/store/diagnose"
	"wavedeck/store/feed"
	"wavedeck/store/sqlite"
	"wavedeck/store/wave"
)

// derivation derives what the tracker of a file finds to have changed.
type derivation struct {
	store *Store
	o     *opened
}

var _ sqlite.Sink = (*derivation)(nil)

// Derive brings the index in step and names what became different: the changed
// runs and steps as given, those of maybe whose state is another one now, and
// the runs around them that show or follow that state.
func (d *derivation) Derive(ctx context.Context, changed sqlite.RowChanges, maybe []string) (feed.Change, error) {
	var c feed.Change
	runs := changed.Runs
	ask := append(keys(runs), maybe...)
	for level := 0; len(ask) > 0 && level < diagnose.MaxAncestors; level++ {
		entries, err := d.o.Entries(ctx, ask)
		if err != nil {
			return c, err
		}
		turned := d.o.index.Apply(ask, entries)
		for _, e := range entries {
			_, named := runs[e.ID]
			if e.Parent != "" && (turned[e.ID] || named && changed.Row) {
				runs[e.Parent] = struct{}{}
			}
		}
		for id := range turned {
			runs[id] = struct{}{}
			c.List = true
		}
		if ask, err = d.o.UnsettledChildren(ctx, keys(turned)); err != nil {
			return c, err
		}
	}
	delete(runs, "")
	c.Runs, c.Steps = keys(runs), keys(changed.Steps)
	return c, nil
}

// Publish completes c and delivers it. A change too large to name becomes a reset in
// the mailboxes, not here.
func (d *derivation) Publish(c feed.Change, last int64) {
	c.Epoch, c.LastEventID = d.o.epoch, last
	d.store.feed.Publish(c)
}

// Noticed keeps what an operator wants to know of a commit.
func (d *derivation) Noticed(last int64, at time.Time) {
	d.o.index.MarkStale()
	d.store.setHealth(func(h *Health) {
		h.LastEventID, h.ChangedAt, h.Lag = last, d.store.opt.Now(), time.Since(at)
	})
}

// State is the state of a run by the index.
func (d *derivation) State(run string) wave.State { return d.o.index.State(run) }

// Derived reports whether the index holds all runs.
func (d *derivation) Derived() bool { return d.o.index.IsReady() }
