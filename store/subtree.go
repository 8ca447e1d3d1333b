package store

import (
	"context"

	"wavedeck/store/wave"
)

// addSubtreeTokens gives the runs that started others what all of them used
// together. A run's own sum never has those of its children in it.
func (d *runReader) addSubtreeTokens(ctx context.Context, q Rows, runs []wave.Run) error {
	at := map[string]int{}
	var ids []string
	for i, run := range runs {
		if run.Children.All > 0 && len(run.Items) == 0 {
			at[run.ID] = i
			ids = append(ids, run.ID)
		}
	}
	sums, err := q.SubtreeTokens(ctx, ids)
	if err != nil {
		return err
	}
	for _, s := range sums {
		run := &runs[at[s.Root]]
		total := s.Tokens
		if run.Tokens != nil {
			total += *run.Tokens
		}
		if total > 0 || run.Tokens != nil {
			run.Subtree = &total
		}
	}
	return nil
}
