package store

import (
	"context"
	"fmt"
	"maps"
	"time"

	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

const (
	waveSlots    = 5               // Wave starts no run while so many began lately and go on
	slotsFor     = 5 * time.Minute // how lately
	maxBelow     = 500             // runs looked at below the ones asked for, per level
	maxDiagnoses = 200             // runs judged at once
)

// Diagnoses judges the runs with these ids that have not ended, and lost ones.
// Others, and ids beyond the first 200, are left out. The number of statements
// does not depend on the number of runs, only on how many pipelines they are of
// and how deep they nest.
func (s *Store) Diagnoses(ctx context.Context, ids []string) (map[string]diagnose.Diagnosis, error) {
	return read(s.stateFile, func(o *opened) (map[string]diagnose.Diagnosis, error) { return o.diagnoses(ctx, ids) })
}

func (d *pastReader) diagnoses(ctx context.Context, ids []string) (map[string]diagnose.Diagnosis, error) {
	ids = ids[:min(len(ids), maxDiagnoses)]
	records, err := d.records(ctx, d, ids)
	if err != nil {
		return nil, fmt.Errorf("failed to evaluate runs: %w", err)
	}
	for id, r := range records {
		if r.State.Ended() && r.State != wave.Lost {
			delete(records, id)
		}
	}
	if len(records) == 0 {
		return nil, nil
	}
	v := view{d: d, now: d.opt.Now(), runs: records, below: map[string]below{}}
	if err := v.lookAround(ctx); err != nil {
		return nil, fmt.Errorf("failed to evaluate runs: %w", err)
	}
	outlooks := make(map[string]diagnose.Diagnosis, len(records))
	for id, r := range records {
		past, err := d.pastFor(ctx, r)
		if err != nil {
			return nil, fmt.Errorf("failed to evaluate runs: %w", err)
		}
		signals := v.signals(r, past)
		runaway, err := d.runawayOf(ctx, r, past, v.now)
		if err != nil {
			return nil, fmt.Errorf("failed to evaluate runs: %w", err)
		}
		above := ""
		if up := v.above(r); up != nil {
			above = up.ID
		}
		outlooks[id] = diagnose.Diagnosis{
			Runaway: runaway, Above: above,
			Signals: signals, Stall: diagnose.Judge(signals), ETA: r.EstimateOf(d.opt.Definition(r.Pipeline), past, v.now), At: v.now,
		}
	}
	return outlooks, nil
}

// pastFor is the past of a run's pipeline, nil where it does not matter.
func (d *pastReader) pastFor(ctx context.Context, r *diagnose.Record) ([]*diagnose.PastRun, error) {
	if r.State != wave.Running {
		return nil, nil
	}
	return d.pastOf(ctx, r.Pipeline)
}

// view is what is read to judge some runs: they, those whose process they
// share, and those that work for them.
type view struct {
	d      *pastReader
	now    time.Time
	runs   map[string]*diagnose.Record
	around map[string]*diagnose.Record // the runs above and below them
	below  map[string]below
	slots  diagnose.Slots
}

// below is what the runs that a run started add to its signals.
type below struct {
	last time.Time // their latest event
	gate bool      // one waits at a gate
}

func (v *view) lookAround(ctx context.Context) error {
	if err := v.lookUp(ctx); err != nil {
		return err
	}
	if err := v.lookDown(ctx); err != nil {
		return err
	}
	for _, r := range v.runs {
		if r.State == wave.Pending || r.State == wave.Queued {
			return v.countSlots(ctx)
		}
	}
	return nil
}

// lookUp reads the runs above those that share a process with their parent.
func (v *view) lookUp(ctx context.Context) error {
	v.around = map[string]*diagnose.Record{}
	ask := v.runs
	for range diagnose.MaxAncestors {
		var ids []string
		for _, r := range ask {
			if !r.Facts.OwnProcess() && v.above(r) == nil {
				ids = append(ids, r.Parent)
			}
		}
		if len(ids) == 0 {
			return nil
		}
		found, err := v.d.records(ctx, v.d, ids)
		if err != nil {
			return err
		}
		maps.Copy(v.around, found)
		ask = found
	}
	return nil
}

// above is the run in whose process r lives, nil when it has one of its own.
func (v *view) above(r *diagnose.Record) *diagnose.Record {
	if r.Facts.OwnProcess() {
		return nil
	}
	if p := v.runs[r.Parent]; p != nil {
		return p
	}
	return v.around[r.Parent]
}

// lookDown adds what the runs below say to all above them.
func (v *view) lookDown(ctx context.Context) error {
	seen := map[string]bool{}
	ask := keys(v.runs)
	for level := 0; len(ask) > 0 && level < diagnose.MaxAncestors; level++ {
		ids, err := v.d.OpenChildren(ctx, ask, maxBelow)
		if err != nil {
			return err
		}
		found, err := v.d.records(ctx, v.d, ids)
		if err != nil {
			return err
		}
		ask = nil
		for id, r := range found {
			if seen[id] || r.State.Ended() || r.Facts.OwnProcess() {
				continue
			}
			seen[id] = true
			if v.runs[id] == nil {
				v.around[id] = r
				ask = append(ask, id)
			}
			for up, hops := v.above(r), 0; up != nil && hops < diagnose.MaxAncestors; up, hops = v.above(up), hops+1 {
				v.add(up.ID, r)
			}
		}
	}
	return nil
}

func (v *view) add(id string, child *diagnose.Record) {
	b := v.below[id]
	if child.Facts.LastEvent.After(b.last) {
		b.last = child.Facts.LastEvent
	}
	b.gate = b.gate || child.State == wave.Waiting
	v.below[id] = b
}

func (v *view) countSlots(ctx context.Context) error {
	taken, err := v.d.BegunSince(ctx, v.now.Add(-slotsFor).Unix())
	if err != nil {
		return fmt.Errorf("count runs that began lately: %w", err)
	}
	v.slots = diagnose.Slots{Taken: taken, Limit: waveSlots}
	return nil
}

// signals gathers what is known of one run.
func (v *view) signals(r *diagnose.Record, past []*diagnose.PastRun) diagnose.Signals {
	s := diagnose.Signals{State: r.State, Start: v.sign(r.Facts.StartedAt), Event: v.sign(r.Facts.LastEvent)}
	host := r
	for up, hops := v.above(r), 0; up != nil && hops < diagnose.MaxAncestors; up, hops = v.above(up), hops+1 {
		host = up
	}
	s.Beat = v.sign(host.Facts.Heartbeat)
	s.Process = v.d.process(host.Facts.PID, host.Facts.LastSign())
	if b := v.below[r.ID]; b != (below{}) {
		s.Gate = b.gate
		if last := v.sign(b.last); last.Known && (!s.Event.Known || last.Age < s.Event.Age) {
			s.Event = last
		}
	}
	if r.CancelAsked != nil && *r.CancelAsked > 0 {
		s.Asked = v.sign(r.Facts.Cancel)
		s.Asked.Known = true
	}
	if r.State == wave.Pending || r.State == wave.Queued {
		s.Slots = v.slots
		if s.Start.Within(slotsFor) {
			s.Slots.Taken = max(s.Slots.Taken-1, 0) // the run itself takes none from itself
		}
		s.Forked = r.Facts.Forked
	}
	s.Measure(r, past)
	return s
}

func (v *view) sign(at time.Time) diagnose.Sign {
	a, ok := diagnose.Age(at, v.now)
	return diagnose.Sign{Known: ok, Age: a}
}
