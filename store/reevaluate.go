package store

import (
	"context"
	"sync"
	"time"

	"wavedeck/store/diagnose"
)

// lookEvery is how often runs that go on are judged though nothing was committed.
const reevaluateEvery = 2 * time.Second

// restEvery is how often runs whose rest is known are named although nothing of
// them turned: what is left gets less.
const nameETAEvery = 30 * time.Second

// reevaluator judges the runs that go on again and again: what becomes of a verdict
// by the passing of time alone is published as a change, so that whoever shows
// it asks again.
type reevaluator struct {
	mu   sync.Mutex
	last map[string]diagnose.Diagnosis // as last judged; nil before the first time
	list []diagnose.Attention          // likewise

	judged bool // there was a first time

	running  sync.Mutex                    // held by the one that looks, whose the others are
	failed   map[string]diagnose.Attention // what failed lately, whether announced or not
	etaNamed time.Time                     // when the rests were last named
}

// follow judges until ctx ends.
func (l *reevaluator) follow(ctx context.Context, s *Store, o *opened) {
	if o.index.Wait(ctx) != nil {
		return
	}
	for first := true; first || sleep(ctx, reevaluateEvery); first = false {
		if err := l.reevaluate(ctx, s, o); err != nil && ctx.Err() == nil {
			s.opt.Log.Warn("failed to evaluate runs", "err", err)
		}
	}
}

// reevaluate evaluates and publishes what turned. It waits for who does so already.
func (l *reevaluator) reevaluate(ctx context.Context, s *Store, o *opened) error {
	l.running.Lock()
	defer l.running.Unlock()
	_, unjudged := l.attention()
	turned, err := l.evaluate(ctx, o)
	if len(turned) > 0 || err == nil && unjudged != nil {
		s.publishFound(o.index, turned)
	}
	return err
}

// evaluate names the runs that are judged otherwise than before.
func (l *reevaluator) evaluate(ctx context.Context, o *opened) ([]string, error) {
	ids := o.index.Active(maxDiagnoses)
	outlooks, err := o.diagnoses(ctx, ids)
	if err != nil {
		return nil, err
	}
	failures, err := l.failures(ctx, o)
	if err != nil {
		return nil, err
	}
	list := append(diagnose.Urgent(outlooks), failures...)
	diagnose.SortAttention(list)
	l.mu.Lock()
	defer l.mu.Unlock()
	moved := diagnose.Differ(l.list, list)
	l.list, l.judged = list, true
	now := time.Now()
	restGoesOn := now.Sub(l.etaNamed) > nameETAEvery
	if restGoesOn {
		l.etaNamed = now
	}
	var turned []string
	for id, outlook := range outlooks {
		was, known := l.last[id]
		if known && (outlook.Differs(was) || restGoesOn && outlook.ETA != nil && outlook.ETA.N > 0) {
			turned = append(turned, id)
		}
	}
	l.last = outlooks
	return append(turned, moved...), nil
}

// attention is the list as last made. Callers only read it.
func (l *reevaluator) attention() ([]diagnose.Attention, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.judged {
		return nil, ErrUnjudged
	}
	return l.list, nil
}
