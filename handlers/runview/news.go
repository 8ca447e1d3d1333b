package runview

import (
	"context"
	"errors"
	"slices"
	"time"

	"wavedeck/handlers/web"
	"wavedeck/store/feed"
	"wavedeck/store/wave"
)

// Settle is how long a run that has ended may still get events: Wave records
// the end first, and of a run that is stopped a second before the last events.
const Settle = 2 * time.Second

// RecordedEnd is the later of the two ends that may be recorded, or zero.
func RecordedEnd(run wave.Run) time.Time {
	if run.CancelledAt.After(run.CompletedAt) {
		return run.CancelledAt
	}
	return run.CompletedAt
}

// ErrQuiet says that nothing more came of a run that has ended.
var ErrQuiet = errors.New("no more updates")

// AwaitNews returns when something about the run changed, or, if it has ended,
// ErrQuiet when nothing did for so long.
func (rv *Reader) AwaitNews(ctx context.Context, stream *web.EventStream, sub *feed.Subscription, run wave.Run, left time.Duration) error {
	if !run.State.Ended() {
		return rv.awaitRun(ctx, stream, sub, run.ID)
	}
	if left <= 0 {
		return ErrQuiet
	}
	quiet, stop := context.WithTimeout(ctx, left)
	defer stop()
	err := rv.awaitRun(quiet, stream, sub, run.ID)
	if err != nil && quiet.Err() != nil && ctx.Err() == nil {
		return ErrQuiet
	}
	return err
}

// awaitRun returns when something about the run changed, or may have: that its
// process is gone changes no row. The client of a stream is pinged with a comment
// then; a log that is followed is nil here.
func (rv *Reader) awaitRun(ctx context.Context, stream *web.EventStream, sub *feed.Subscription, id string) error {
	ping := time.NewTicker(rv.Budgets.Ping)
	defer ping.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-sub.Ready():
			if change, ok := sub.Take(); ok && concerns(change, id) {
				return nil
			}
		case <-ping.C:
			if stream == nil {
				return nil
			}
			stream.Buf.WriteString(": still here\n\n")
			return stream.Flush()
		}
	}
}

func concerns(c feed.Change, run string) bool {
	return c.Reset || c.Health || slices.Contains(c.Runs, run)
}
