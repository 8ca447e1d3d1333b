package store

import (
	"context"
	"time"
)

// EndedSince lists the runs that ended at that moment or later, at most limit,
// in no order. Of a run that nothing recorded the end of, such as a lost one,
// only the start is known here: it is listed when that is at most a week before.
// It waits for the index of all runs and looks at each of them.
func (s *Store) EndedSince(ctx context.Context, since time.Time, limit int) ([]string, error) {
	return read(s.stateFile, func(o *opened) ([]string, error) {
		if err := o.index.Wait(ctx); err != nil {
			return nil, err
		}
		return o.index.OverSince(since.Unix(), limit), nil
	})
}

// Over lists those of the runs that have ended. It answers from memory.
func (s *Store) Over(ids []string) ([]string, error) {
	return read(s.stateFile, func(o *opened) ([]string, error) {
		var over []string
		for _, id := range ids {
			if o.index.State(id).Ended() {
				over = append(over, id)
			}
		}
		return over, nil
	})
}
