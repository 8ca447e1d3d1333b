package store

import (
	"context"
	"fmt"
	"maps"

	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
)

// records reads and derives the runs with these ids; ids that no run has are
// left out. The number of statements does not depend on the number of runs.
func (d *runReader) records(ctx context.Context, q Rows, ids []string) (map[string]*diagnose.Record, error) {
	return d.recordsUpTo(ctx, q, ids, diagnose.MaxAncestors)
}

func (d *runReader) recordsUpTo(ctx context.Context, q Rows, ids []string, ancestors int) (map[string]*diagnose.Record, error) {
	found := make(map[string]*diagnose.Record, len(ids))
	rows, err := q.Runs(ctx, ids)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return found, nil
	}
	for _, r := range rows {
		found[r.ID] = &diagnose.Record{RunRow: r}
	}
	if err := d.addStepWords(ctx, q, found, ids); err != nil {
		return nil, err
	}
	var undecided, parents []string
	for id, r := range found {
		r.Facts = r.FactsOf()
		if r.Undecided() {
			undecided = append(undecided, id)
		}
		if r.Parent != "" && r.Parent != id && (r.Undecided() || diagnose.Killed(r.Facts.Error)) {
			parents = append(parents, r.Parent)
		}
	}
	histories, err := d.historiesOf(ctx, q, undecided)
	if err != nil {
		return nil, err
	}
	parentRecords := map[string]*diagnose.Record{}
	if ancestors > 0 && len(parents) > 0 {
		if parentRecords, err = d.recordsUpTo(ctx, q, parents, ancestors-1); err != nil {
			return nil, err
		}
	}
	for id, r := range found {
		r.AddHistory(histories[id])
	}
	if err := d.addOuter(ctx, q, found); err != nil {
		return nil, err
	}
	now := d.opt.Now()
	for _, r := range found {
		r.AddParent(parentRecords[r.Parent])
		r.State, r.Reason = diagnose.Derive(r.Facts, now, d.aliveSince(r.Facts))
		r.SettleEnd()
	}
	return found, nil
}

func (d *runReader) addStepWords(ctx context.Context, q Rows, found map[string]*diagnose.Record, ids []string) error {
	words, err := q.StepWords(ctx, ids)
	if err != nil {
		return err
	}
	for _, w := range words {
		if r := found[w.Run]; r != nil {
			r.Steps = append(r.Steps, w)
		}
	}
	return nil
}

// derived reads and derives any number of runs; ids that no run has are left out.
func (d *runReader) derived(ctx context.Context, ids []string) (map[string]*diagnose.Record, error) {
	all := make(map[string]*diagnose.Record, len(ids))
	err := chunks(ids, criteria.MaxLimit, func(part []string) error {
		records, err := d.records(ctx, d, part)
		maps.Copy(all, records)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("tell runs: %w", err)
	}
	return all, nil
}
