package store

import (
	"context"
	"time"

	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

const (
	// AttentionFor is how far back a failure is news to who has never looked.
	AttentionFor = 24 * time.Hour
	attentionAge = 7 * 24 * time.Hour // older failures are none for anybody
	maxAttention = 500
)

// Attention lists the runs that need a human, the most urgent first and then
// the newest; a run that another one started is told by that one. It answers
// from memory, and is at most a few seconds behind. Failures are all of the last
// seven days: which of them were looked at already, the caller knows. Right after
// the start it is ErrUnjudged.
func (s *Store) Attention(context.Context) ([]diagnose.Attention, error) {
	return read(s.stateFile, func(o *opened) ([]diagnose.Attention, error) { return o.reevaluator.attention() })
}

// AttentionNow is Attention that misses nothing: it waits for the index of all
// runs and judges those that go on before it answers.
func (s *Store) AttentionNow(ctx context.Context) ([]diagnose.Attention, error) {
	return read(s.stateFile, func(o *opened) ([]diagnose.Attention, error) {
		if err := o.index.Wait(ctx); err != nil {
			return nil, err
		}
		if err := o.reevaluator.reevaluate(ctx, s, o); err != nil {
			return nil, err
		}
		return o.reevaluator.attention()
	})
}

// failures tells the runs that ended badly lately. What is known of one that has
// ended stays; children in the process of another run are told by that one.
func (l *reevaluator) failures(ctx context.Context, o *opened) ([]diagnose.Attention, error) {
	ids := o.index.FailedSince(o.opt.Now().Add(-attentionAge).Unix(), maxAttention)
	known := make(map[string]diagnose.Attention, len(ids))
	var ask []string
	for _, id := range ids {
		if a, ok := l.failed[id]; ok && a.Diagnosis.Signals.State == o.index.State(id) {
			known[id] = a
		} else {
			ask = append(ask, id)
		}
	}
	err := chunks(ask, criteria.MaxLimit, func(part []string) error {
		records, err := o.records(ctx, o, part)
		for id, r := range records {
			a := diagnose.Attention{Run: id, Urgency: diagnose.UrgentFailed, Since: diagnose.Latest(wave.Unix(r.CompletedAt), wave.Unix(r.CancelledAt))}
			a.Diagnosis.Signals.State = r.State
			if a.Since.IsZero() {
				a.Since = diagnose.Latest(r.Facts.LastSign(), r.Facts.StartedAt)
			}
			a.Inner = r.Parent != "" && r.Kind != "resume"
			known[id] = a
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	l.failed = known
	var list []diagnose.Attention
	for _, a := range known {
		switch a.Diagnosis.Signals.State {
		case wave.Failed, wave.Rejected, wave.Lost:
			if !a.Inner || o.index.IsTop(a.Run) {
				list = append(list, a)
			}
		}
	}
	return list, nil
}
