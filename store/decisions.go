package store

import (
	"context"

	"wavedeck/store/wave"
)

// addOutcomes reads what was decided in a run, where it can be taken up, and what
// it left, now or by a moment.
func (d *Reader) addOutcomes(ctx context.Context, q Rows, detail *wave.RunDetail, run string) (err error) {
	if detail.Outcomes, err = q.Outcomes(ctx, run, detail.At); err != nil {
		return err
	}
	if detail.Decisions, err = q.Decisions(ctx, run, detail.At); err != nil {
		return err
	}
	detail.Checkpoints, err = q.Checkpoints(ctx, run, detail.At)
	return err
}
