package store

import (
	"cmp"
	"context"
	"slices"
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

// Urgency is why a run needs a human.
type Urgency string

// The urgencies, the most urgent first: what costs while it goes on, what waits
// for an answer, what will not get better by itself, and what is over.
const (
	UrgentRunaway  Urgency = "runaway"
	UrgentUnheeded Urgency = "not stopping"
	UrgentGate     Urgency = "waiting"
	UrgentStuck    Urgency = "not moving"
	UrgentFailed   Urgency = "failed"
)

func (u Urgency) order() int {
	return slices.Index([]Urgency{UrgentRunaway, UrgentUnheeded, UrgentGate, UrgentStuck, UrgentFailed}, u)
}

// Attention is a run that needs a human, and why.
type Attention struct {
	Run       string
	In        string // the run below it that the reason lies in; empty: itself
	Urgency   Urgency
	Since     time.Time          // for how long, as far as that is known
	Diagnosis diagnose.Diagnosis // of In or Run, when it goes on

	inner bool // another run tells of this one, if it can be found
}

// Attention lists the runs that need a human, the most urgent first and then
// the newest; a run that another one started is told by that one. It answers
// from memory, and is at most a few seconds behind. Failures are all of the last
// seven days: which of them were looked at already, the caller knows. Right after
// the start it is ErrUnjudged.
func (s *Store) Attention(context.Context) ([]Attention, error) {
	return read(s.stateFile, func(o *opened) ([]Attention, error) { return o.reevaluator.attention() })
}

// AttentionNow is Attention that misses nothing: it waits for the index of all
// runs and judges those that go on before it answers.
func (s *Store) AttentionNow(ctx context.Context) ([]Attention, error) {
	return read(s.stateFile, func(o *opened) ([]Attention, error) {
		if err := o.index.Wait(ctx); err != nil {
			return nil, err
		}
		if err := o.reevaluator.reevaluate(ctx, s, o); err != nil {
			return nil, err
		}
		return o.reevaluator.attention()
	})
}

// urgencyOf is why a run that goes on needs a human, empty: it does not.
func urgencyOf(o diagnose.Diagnosis) Urgency {
	switch {
	case o.Runaway != nil:
		return UrgentRunaway
	case o.Stall.Verdict == diagnose.Unheeded:
		return UrgentUnheeded
	case o.Stall.Verdict == diagnose.ForHuman:
		return UrgentGate
	case o.Stall.Verdict == diagnose.Stuck:
		return UrgentStuck
	default:
		return ""
	}
}

// since is when the reason began.
func (a Attention) since() time.Time {
	switch o := a.Diagnosis; a.Urgency {
	case UrgentRunaway:
		return o.Runaway.Since
	case UrgentUnheeded:
		return o.At.Add(-o.Signals.Asked.Age)
	default:
		return o.At.Add(-o.Signals.Silence().Age)
	}
}

// urgent tells the runs that go on and need a human, each by the topmost run
// above it that is known here, and each of those once by what is most urgent.
func urgent(outlooks map[string]diagnose.Diagnosis) []Attention {
	byTop := map[string]Attention{}
	for id, o := range outlooks {
		a := Attention{Run: id, Urgency: urgencyOf(o), Diagnosis: o}
		if a.Urgency == "" {
			continue
		}
		a.Since = a.since()
		for top, hops := o.Above, 0; top != "" && top != id && hops < maxAncestors; top, hops = outlooks[top].Above, hops+1 {
			a.Run, a.In = top, id
		}
		was, told := byTop[a.Run]
		if !told || a.Urgency.order() < was.Urgency.order() || a.Urgency == was.Urgency && a.isThere() {
			byTop[a.Run] = a
		}
	}
	list := make([]Attention, 0, len(byTop))
	for _, a := range byTop {
		list = append(list, a)
	}
	return list
}

// isThere reports whether the reason lies in the very run that shows it: a gate
// below shows above as well, and a run above is silent when the one below is.
func (a Attention) isThere() bool {
	if a.Urgency == UrgentGate {
		return a.Diagnosis.Signals.State == wave.Waiting
	}
	return a.In == ""
}

func sortAttention(list []Attention) {
	slices.SortFunc(list, func(a, b Attention) int {
		return cmp.Or(cmp.Compare(a.Urgency.order(), b.Urgency.order()), b.Since.Compare(a.Since), cmp.Compare(a.Run, b.Run))
	})
}

// failures tells the runs that ended badly lately. What is known of one that has
// ended stays; children in the process of another run are told by that one.
func (l *reevaluator) failures(ctx context.Context, o *opened) ([]Attention, error) {
	ids := o.index.FailedSince(o.opt.Now().Add(-attentionAge).Unix(), maxAttention)
	known := make(map[string]Attention, len(ids))
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
			a := Attention{Run: id, Urgency: UrgentFailed, Since: latest(wave.Unix(r.CompletedAt), wave.Unix(r.CancelledAt))}
			a.Diagnosis.Signals.State = r.State
			if a.Since.IsZero() {
				a.Since = latest(r.Facts.LastSign(), r.Facts.StartedAt)
			}
			a.inner = r.Parent != "" && r.Kind != "resume"
			known[id] = a
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	l.failed = known
	var list []Attention
	for _, a := range known {
		switch a.Diagnosis.Signals.State {
		case wave.Failed, wave.Rejected, wave.Lost:
			if !a.inner || o.index.IsTop(a.Run) {
				list = append(list, a)
			}
		}
	}
	return list, nil
}

func latest(times ...time.Time) time.Time {
	var last time.Time
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}

// differ names the runs that need a human now and did not before, or the other
// way about, or for another reason.
func differ(before, now []Attention) []string {
	why := make(map[string]Urgency, len(before))
	for _, a := range before {
		why[a.Run] = a.Urgency
	}
	var moved []string
	for _, a := range now {
		if why[a.Run] != a.Urgency {
			moved = append(moved, a.Run)
		}
		delete(why, a.Run)
	}
	return append(moved, keys(why)...)
}
