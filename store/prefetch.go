package store

import (
	"context"
	"slices"
	"time"

	"wavedeck/store/criteria"
)

// prefetch folds the events of the runs on the first page, whose log somebody may
// open next: folding 50,000 events takes longer than showing them. It works half
// of the time, so that whoever asks meanwhile is not held up. What it could not
// read is read when it is asked for.
func (d *Reader) prefetch(ctx context.Context) {
	places, _, err := d.places(ctx, criteria.RunFilter{Limit: criteria.MaxLimit})
	if err != nil {
		return
	}
	for _, place := range slices.Backward(places) { // the newest last, to be kept longest
		began := time.Now()
		if _, err := d.logMap(ctx, place.ID); err != nil || !sleep(ctx, time.Since(began)) {
			return
		}
	}
}
