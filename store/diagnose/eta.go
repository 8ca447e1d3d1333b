package diagnose

import (
	"slices"
	"time"

	"wavedeck/store/wave"
)

// ETA is when a run will be done if it ends well, as the rest that is left from
// the moment it was made for, by the past of its pipeline.
//
// The method takes each past run that ended well as a way in which this one may
// go on. What this run has behind it is left out; a step that runs now takes
// what it took then, less the time it runs already, and past runs in which it
// took less than that are no longer possible; each further step begins when the
// last of its dependencies ends, as much later as it did then, and takes as
// long. So steps side by side count once, what one run made of a branch, a gate
// or a full queue stays together, and no distribution is assumed. The rests of
// all possible runs, sorted, give the quantiles: the one at rank q(n+1), rounded
// outwards, is exceeded by one more like them with a probability of 1-q at most.
//
// From Earliest to P90, 85 of 100 runs are to end, and the test holds 80.
type ETA struct {
	Earliest time.Duration // p5; zero below 19 past runs
	P50      time.Duration
	P90      time.Duration
	N        int  // past runs that the rest is told from; 0: none, and only Late is known
	Late     bool // past the p90 of its pipeline, as a whole or in the step that runs
}

// Standing is how far a run is, in seconds since it started.
type Standing struct {
	Elapsed int64
	Done    map[string]bool  // ended, or passed over
	Running map[string]int64 // by step: when it began
	Planned int              // steps it began with; 0: unknown
}

// Estimate returns nil when fewer than minPast past runs tell anything, and when
// fewer than that are still possible although the run is not late.
func Estimate(def []wave.StepDef, at Standing, past []*PastRun) *ETA {
	var rests, totals []int64
	passed := 0 // comparable past runs that would have been further by now
	for _, run := range past {
		rest, fate := run.rest(def, at)
		switch fate {
		case possible:
			rests = append(rests, rest)
		case overtaken:
			passed++
		case unlike:
			continue
		}
		totals = append(totals, run.Duration)
	}
	n := len(totals)
	if n < minPast {
		return nil
	}
	slices.Sort(totals)
	eta := &ETA{Late: at.Elapsed > totals[rank(n, 90)-1] || passed >= rank(n, 90)}
	if len(rests) < minPast {
		if !eta.Late {
			return nil
		}
		return eta
	}
	slices.Sort(rests)
	eta.N = len(rests)
	eta.P50, eta.P90 = wave.Seconds(rests[rank(eta.N, 50)-1]), wave.Seconds(rests[rank(eta.N, 90)-1])
	if low := rank(eta.N, 5); low > 0 {
		eta.Earliest = wave.Seconds(rests[low-1])
	}
	return eta
}

// rank is the place, from 1, of a quantile among n sorted values alike: (n+1)q,
// rounded away from the middle, so that one more value lies within two of them
// at least as often as they say. 0 is below all; the last stands for all above.
func rank(n, percent int) int {
	if percent < 50 {
		return percent * (n + 1) / 100
	}
	return min((percent*(n+1)+99)/100, n)
}

// fate is what a past run says of one that is at some point.
type fate int

const (
	unlike    fate = iota // it had other steps
	overtaken             // it was further by now
	possible              // this one may go on like it
)

// rest is what would be left if the run went on like p.
func (p *PastRun) rest(def []wave.StepDef, at Standing) (int64, fate) {
	if len(def) == 0 {
		if p.Duration < at.Elapsed {
			return 0, overtaken
		}
		return p.Duration - at.Elapsed, possible
	}
	w := walk{past: p, at: at, deps: make(map[string][]string, len(def)), ends: make(map[string]int64, len(def))}
	for _, s := range def {
		w.deps[s.ID] = s.Dependencies
	}
	for id := range at.Running {
		if _, defined := w.deps[id]; !defined {
			return 0, unlike // the definition has changed
		}
	}
	last, lastThen, late := int64(0), int64(0), false
	for _, s := range def {
		end, fate := w.end(s.ID)
		switch fate {
		case unlike:
			return 0, unlike
		case overtaken:
			late = true
		}
		last, lastThen = max(last, end), max(lastThen, p.Steps[s.ID].End)
	}
	if late {
		return 0, overtaken
	}
	return last + max(0, p.Duration-lastThen), possible
}

// walk goes through a run's steps as they would be if it went on like another.
type walk struct {
	past *PastRun
	at   Standing
	deps map[string][]string
	ends map[string]int64 // seconds from now; below zero while it is being found
}

// end is when a step ends, in seconds from now.
func (w *walk) end(id string) (int64, fate) {
	if end, ok := w.ends[id]; ok {
		return max(end, 0), possible // a cycle ends here
	}
	w.ends[id] = -1
	then, known := w.past.Steps[id]
	if w.at.Done[id] {
		w.ends[id] = 0
		return 0, possible
	}
	began, runs := w.at.Running[id]
	switch {
	case !known && (runs || w.past.Planned > 0 && w.at.Planned > 0 && w.past.Planned != w.at.Planned):
		return 0, unlike
	case runs && then.Skipped:
		return 0, unlike
	case runs:
		left := (then.End - then.Start) - (w.at.Elapsed - began)
		if left < 0 {
			return 0, overtaken
		}
		w.ends[id] = left
		return left, possible
	}
	ready, readyThen := int64(0), int64(0)
	for _, dep := range w.deps[id] {
		end, fate := w.end(dep)
		if fate != possible {
			return 0, fate
		}
		ready, readyThen = max(ready, end), max(readyThen, w.past.Steps[dep].End)
	}
	if !known || then.Skipped { // it was not needed
		w.ends[id] = ready
		return ready, possible
	}
	w.ends[id] = ready + max(0, then.Start-readyThen) + then.End - then.Start
	return w.ends[id], possible
}

// EstimateOf tells the rest of a run that runs. While a human decides nobody
// knows; what has not begun may not begin.
func (r *Record) EstimateOf(def []wave.StepDef, past []*PastRun, now time.Time) *ETA {
	elapsed, ok := Age(r.Facts.StartedAt, now)
	if r.State != wave.Running || !ok || r.History == nil {
		return nil
	}
	at := Standing{
		Elapsed: int64(elapsed / time.Second), Done: map[string]bool{}, Running: map[string]int64{}, Planned: r.History.total,
	}
	for _, s := range r.Steps {
		at.Done[s.Step] = passedOver(s.State)
	}
	for id, s := range r.History.Steps {
		at.Done[id] = at.Done[id] || passedOver(s.Word)
	}
	for _, id := range r.RunningSteps() {
		if h := r.History.Steps[id]; h != nil && !h.startedAt.IsZero() {
			at.Done[id] = false
			at.Running[id] = max(0, h.startedAt.Unix()-r.StartedAt)
		}
	}
	if r.Kind == "resume" {
		before(def, r.ParentStep, at.Done)
	}
	return Estimate(def, at, past)
}

// passedOver reports whether a step at this word is behind its run.
func passedOver(word string) bool {
	return word == "completed" || word == "completed_empty" || word == "skipped"
}

// before marks the steps that a step waits for: a resumed run has no records of
// them.
func before(def []wave.StepDef, step string, done map[string]bool) {
	for _, s := range def {
		if s.ID != step {
			continue
		}
		for _, dep := range s.Dependencies {
			if !done[dep] {
				done[dep] = true
				before(def, dep, done)
			}
		}
	}
}
