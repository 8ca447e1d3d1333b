package store

import (
	"context"
	"sync"
	"time"
)

// lookEvery is how often runs that go on are judged though nothing was committed.
const lookEvery = 2 * time.Second

// restEvery is how often runs whose rest is known are named although nothing of
// them turned: what is left gets less.
const restEvery = 30 * time.Second

// lookout judges the runs that go on again and again: what becomes of a verdict
// by the passing of time alone is published as a change, so that whoever shows
// it asks anew.
type lookout struct {
	mu   sync.Mutex
	told map[string]Outlook // as last judged; nil before the first time
	list []Attention        // likewise

	judged bool // there was a first time

	looks  sync.Mutex           // held by the one that looks, whose the others are
	failed map[string]Attention // what failed lately, told or not
	rest   time.Time            // when the rests were last named
}

// follow judges until ctx ends.
func (l *lookout) follow(ctx context.Context, s *Store, o *opened) {
	if o.index.wait(ctx) != nil {
		return
	}
	for first := true; first || rest(ctx, lookEvery); first = false {
		if err := l.judge(ctx, s, o); err != nil && ctx.Err() == nil {
			s.opt.Log.Warn("judge runs", "err", err)
		}
	}
}

// judge looks and tells what turned. It waits for who does so already.
func (l *lookout) judge(ctx context.Context, s *Store, o *opened) error {
	l.looks.Lock()
	defer l.looks.Unlock()
	_, unjudged := l.attention()
	turned, err := l.look(ctx, o)
	if len(turned) > 0 || err == nil && unjudged != nil {
		s.publishFound(o.index, turned)
	}
	return err
}

// look names the runs that are judged otherwise than before.
func (l *lookout) look(ctx context.Context, o *opened) ([]string, error) {
	ids := o.index.active(maxOutlooks)
	outlooks, err := o.outlooks(ctx, ids)
	if err != nil {
		return nil, err
	}
	failures, err := l.failures(ctx, o)
	if err != nil {
		return nil, err
	}
	list := append(urgent(outlooks), failures...)
	sortAttention(list)
	l.mu.Lock()
	defer l.mu.Unlock()
	moved := differ(l.list, list)
	l.list, l.judged = list, true
	now := time.Now()
	restGoesOn := now.Sub(l.rest) > restEvery
	if restGoesOn {
		l.rest = now
	}
	var turned []string
	for id, outlook := range outlooks {
		was, known := l.told[id]
		if known && (outlook.differs(was) || restGoesOn && outlook.ETA != nil && outlook.ETA.N > 0) {
			turned = append(turned, id)
		}
	}
	l.told = outlooks
	return append(turned, moved...), nil
}

// attention is the list as last made. Callers only read it.
func (l *lookout) attention() ([]Attention, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.judged {
		return nil, ErrUnjudged
	}
	return l.list, nil
}

// differs reports whether a reader would be told something else.
func (o Outlook) differs(was Outlook) bool {
	late := func(e *ETA) bool { return e != nil && e.Late }
	return o.Stall.Verdict != was.Stall.Verdict || (o.Runaway == nil) != (was.Runaway == nil) || late(o.ETA) != late(was.ETA) || (o.ETA == nil) != (was.ETA == nil)
}
