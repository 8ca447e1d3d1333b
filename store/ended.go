package store

import (
	"context"
	"time"

	"wavedeck/store/wave"
)

// lostAfterStart is how long ago a run may have started that is told as ended
// and of whose end there is no record.
const lostAfterStart = 7 * 24 * time.Hour

// EndedSince lists the runs that ended at that moment or later, at most limit,
// in no order. Of a run that nothing recorded the end of, such as a lost one,
// only the start is known here: it is listed when that is at most a week before.
// It waits for the index of all runs and looks at each of them.
func (s *Store) EndedSince(ctx context.Context, since time.Time, limit int) ([]string, error) {
	return read(s, func(o *opened) ([]string, error) {
		if err := o.index.wait(ctx); err != nil {
			return nil, err
		}
		return o.index.overSince(since.Unix(), limit), nil
	})
}

// Over lists those of the runs that have ended. It answers from memory.
func (s *Store) Over(ids []string) ([]string, error) {
	return read(s, func(o *opened) ([]string, error) {
		var over []string
		for _, id := range ids {
			if o.index.state(id).Ended() {
				over = append(over, id)
			}
		}
		return over, nil
	})
}

func (ix *index) overSince(since int64, limit int) (ids []string) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	for i := range ix.rows {
		r := &ix.rows[i]
		if !r.used || !wave.States[r.state].Ended() {
			continue
		}
		known := r.ended >= since
		if r.ended == 0 {
			known = r.started >= since-int64(lostAfterStart/time.Second)
		}
		if known {
			if ids = append(ids, string(ix.id(uint32(i)))); len(ids) == limit {
				break
			}
		}
	}
	return ids
}
