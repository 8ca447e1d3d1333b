package store

import (
	"context"
	"time"

	"wavedeck/store/diagnose"
)

// An outer row holds others together and has no life of its own: Wave records a
// composition, a batch over work items and a fork as pending and never again.
// What became of it is derived from the runs beneath it.

// maxOuter bounds the runs of an outer row.
const maxOuter = 1000

// addOuter finds the runs of the outer rows among those that were read.
func (d *runReader) addOuter(ctx context.Context, q Rows, found map[string]*diagnose.Record) error {
	var ids []string
	for id, r := range found {
		if r.MayBeOuter() {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	items, err := q.Items(ctx, ids)
	if err != nil {
		return err
	}
	for _, item := range items {
		if r := found[item.Parent]; (item.Kind == "resume") == r.Facts.Forked && len(r.Outer) < maxOuter {
			r.Outer = append(r.Outer, item)
		}
	}
	for _, id := range ids {
		r := found[id]
		if len(r.Outer) == 0 && r.IsBatch() {
			if err := d.addBatch(ctx, q, r); err != nil {
				return err
			}
		}
		r.Facts.Outer = diagnose.OuterOf(r)
	}
	return nil
}

// addBatch finds the runs of a batch: of its pipeline, with an input that it has
// not itself, without a parent, a process and a heartbeat of their own, each soon
// after the one before. A run that Wave starts for itself beats.
func (d *runReader) addBatch(ctx context.Context, q Rows, r *diagnose.Record) error {
	items, err := q.Followers(ctx, r.ID, r.Pipeline, r.StartedAt)
	if err != nil {
		return err
	}
	last := r.StartedAt
	for _, item := range items {
		if item.Parent != "" || item.Fork != "" || item.Kind != "" || item.Beat != 0 || item.PID != 0 {
			continue // somebody else's
		}
		if !item.HasInput || item.LastEvent == 0 || item.Started-last > int64(diagnose.SilenceLimit/time.Second) {
			break // another batch, or none
		}
		r.Outer = append(r.Outer, item)
		last = max(last, item.Started, item.Completed, item.LastEvent)
	}
	return nil
}
