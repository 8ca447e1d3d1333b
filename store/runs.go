package store

import (
	"context"
	"fmt"

	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

// RunsByID returns the runs with these ids in their order; an id that no run
// has is left out.
func (d *runReader) RunsByID(ctx context.Context, ids []string) ([]wave.Run, error) {
	runs, err := d.runsOf(ctx, d, ids)
	if err != nil {
		return nil, fmt.Errorf("load runs: %w", err)
	}
	return runs, nil
}

func (d *runReader) runsOf(ctx context.Context, q Rows, ids []string) ([]wave.Run, error) {
	runs := make([]wave.Run, 0, len(ids))
	err := chunks(ids, criteria.MaxLimit+1, func(part []string) error {
		batch, err := d.runBatch(ctx, q, part)
		runs = append(runs, batch...)
		return err
	})
	return runs, err
}

// runBatch reads one batch in a number of statements that does not depend on
// its size.
func (d *runReader) runBatch(ctx context.Context, q Rows, ids []string) ([]wave.Run, error) {
	records, err := d.records(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	if err := d.addTails(ctx, q, records); err != nil {
		return nil, err
	}
	children, err := q.ChildTallies(ctx, ids)
	if err != nil {
		return nil, err
	}
	tokens, err := q.MetricTokens(ctx, ids)
	if err != nil {
		return nil, err
	}
	orphans, err := d.orphans(ctx, q, records)
	if err != nil {
		return nil, err
	}
	runs := make([]wave.Run, 0, len(ids))
	for _, id := range ids {
		r := records[id]
		if r == nil {
			continue
		}
		run := r.Run(d.opt.Definition(r.Pipeline))
		run.Tokens = r.Spent(tokens[id])
		run.Children = r.CountChildren(children[id])
		if children[id].All == 0 {
			for _, item := range r.Outer {
				run.Items = append(run.Items, item.ID)
			}
		}
		run.Orphan = orphans[id]
		if run.State.Ended() {
			run.Children.Ended = run.Children.All // they live in one process
		}
		runs = append(runs, run)
	}
	if err := d.addSubtreeTokens(ctx, q, runs); err != nil {
		return nil, err
	}
	failed := make([]*wave.Run, len(runs))
	for i := range runs {
		failed[i] = &runs[i]
	}
	return runs, d.addHeadlines(ctx, q, failed, records)
}

// orphans names the runs that another one is said to have started which cannot
// be found.
func (d *runReader) orphans(ctx context.Context, q Rows, records map[string]*diagnose.Record) (map[string]bool, error) {
	var children []string
	for id, r := range records {
		if r.Parent != "" {
			children = append(children, id)
		}
	}
	ids, err := q.Orphans(ctx, children)
	if err != nil {
		return nil, err
	}
	orphans := make(map[string]bool, len(ids))
	for _, id := range ids {
		orphans[id] = true
	}
	return orphans, nil
}

// addTails gives the runs whose events were not folded the little of them that
// a list shows.
func (d *runReader) addTails(ctx context.Context, q Rows, records map[string]*diagnose.Record) error {
	var ids []string
	for id, r := range records {
		if r.History == nil {
			r.History = &diagnose.History{}
			ids = append(ids, id)
		}
	}
	events, err := q.Tails(ctx, ids)
	if err != nil {
		return err
	}
	for _, e := range events {
		records[e.RunID].History.Add(e)
	}
	return nil
}
