package store

import (
	"context"

	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// events returns a window of one run's events, oldest first. A run without
// events and a run that does not exist both have none.
func (d *eventReader) events(ctx context.Context, f criteria.EventFilter) ([]wave.Event, error) {
	events, err := d.Rows.Events(ctx, f)
	if err != nil {
		return nil, err
	}
	return events, d.hideAcross(ctx, d, messagesOf(events))
}

// eventSpan counts what came since it was last asked for the run.
func (d *eventReader) eventSpan(ctx context.Context, q Rows, run string) (wave.EventSpan, error) {
	cached := d.histories.get(run)
	cached.mu.Lock()
	span := cached.span
	cached.mu.Unlock()
	added, err := q.EventSpan(ctx, run, span.Last)
	if err != nil {
		return wave.EventSpan{}, err
	}
	if added.Count > 0 {
		if span.Count == 0 {
			span.First = added.First
		}
		span.Last, span.Count = added.Last, span.Count+added.Count
	}
	cached.mu.Lock()
	defer cached.mu.Unlock()
	if span.Last > cached.span.Last { // another one may have counted further
		cached.span = span
	}
	return span, nil
}

// latestActivity is what each step of a run was last seen doing.
func (d *eventReader) latestActivity(ctx context.Context, q Rows, run string) (map[string]string, error) {
	rows, err := q.LatestActivity(ctx, run)
	if err != nil {
		return nil, err
	}
	messages := make([]message, len(rows))
	for i := range rows {
		messages[i] = message{rows[i].ID, run, rows[i].Step, &rows[i].Message}
	}
	if err := d.hideAcross(ctx, q, messages); err != nil {
		return nil, err
	}
	latest := make(map[string]string, len(rows))
	for _, r := range rows {
		latest[r.Step] = r.Message
	}
	return latest, nil
}
