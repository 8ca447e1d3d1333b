package store

import (
	"context"
	"fmt"

	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

// Bounds of what is summed at once.
const (
	maxSpendDepth = 8    // generations of children
	maxSpendRuns  = 2000 // with all children
)

// Spending returns what the runs with these ids used, each with all runs below
// it. An id that no run has is left out.
func (s *Store) Spending(ctx context.Context, ids []string) (map[string]diagnose.SpendingTree, error) {
	return read(s.stateFile, func(o *opened) (map[string]diagnose.SpendingTree, error) { return o.spending(ctx, ids) })
}

func (d *Reader) spending(ctx context.Context, ids []string) (map[string]diagnose.SpendingTree, error) {
	trees := map[string]diagnose.SpendingTree{}
	if len(ids) == 0 {
		return trees, nil
	}
	below, all, cut, err := d.spendTrees(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("sum what runs used: %w", err)
	}
	spent := map[string]diagnose.Spending{}
	err = chunks(all, criteria.MaxLimit, func(part []string) error { return d.addSpending(ctx, d, part, spent) })
	if err != nil {
		return nil, fmt.Errorf("sum what runs used: %w", err)
	}
	for root, runs := range below {
		tree := diagnose.SpendingTree{Cut: cut}
		for _, id := range runs {
			if one, ok := spent[id]; ok {
				tree.Runs = append(tree.Runs, one)
			}
		}
		if len(tree.Runs) > 0 {
			trees[root] = tree
		}
	}
	return trees, nil
}

// spendTrees lists the runs below each root, itself first, and all of them once.
func (d *Reader) spendTrees(ctx context.Context, ids []string) (below map[string][]string, all []string, cut bool, err error) {
	below = map[string][]string{}
	rows, err := d.Descendants(ctx, ids, maxSpendDepth, maxSpendRuns)
	if err != nil {
		return nil, nil, false, err
	}
	type place struct{ root, id string }
	seen, listed := map[place]bool{}, map[string]bool{}
	for _, r := range rows {
		if at := (place{r.Root, r.ID}); !seen[at] {
			seen[at] = true
			below[r.Root] = append(below[r.Root], r.ID)
		}
		if !listed[r.ID] {
			listed[r.ID] = true
			all = append(all, r.ID)
		}
	}
	return below, all, len(rows) >= maxSpendRuns, nil
}

// addSpending reads what each of at most MaxLimit runs used by itself.
func (d *Reader) addSpending(ctx context.Context, q Rows, ids []string, into map[string]diagnose.Spending) error {
	runs, err := q.SpendingRows(ctx, ids)
	if err != nil {
		return err
	}
	histories, err := d.historiesOf(ctx, q, ids)
	if err != nil {
		return err
	}
	sums, err := q.StepTokens(ctx, ids)
	if err != nil {
		return err
	}
	for _, r := range runs {
		s := diagnose.Spending{Run: r.ID, Parent: r.Parent, Open: wave.IsOpen(r.Status)}
		s.AddSteps(histories[r.ID], sums[r.ID])
		var accounted int64
		for _, step := range s.Steps {
			accounted += step.Tokens
		}
		s.Loose = max(0, r.Tokens-accounted)
		into[r.ID] = s
	}
	return nil
}
