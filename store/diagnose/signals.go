package diagnose

import "time"

// Diagnosis is what to make of a run that goes on, or that was lost: whether it
// moves and why not (stall.go), when it will be done (eta.go), and whether it does
// what it should not go on with (runaway.go).
type Diagnosis struct {
	Signals Signals
	Stall   Stall
	ETA     *ETA     // nil: too little is known
	Runaway *Runaway // nil: it works as it should, as far as that can be seen
	Above   string   // the run in whose process it lives; empty: it has one of its own
	At      time.Time
}

// Differs reports whether a reader would be told something else.
func (o Diagnosis) Differs(was Diagnosis) bool {
	late := func(e *ETA) bool { return e != nil && e.Late }
	return o.Stall.Verdict != was.Stall.Verdict || (o.Runaway == nil) != (was.Runaway == nil) || late(o.ETA) != late(was.ETA) || (o.ETA == nil) != (was.ETA == nil)
}

// Measure compares with the step of those now running that is silent for the
// longest as a rule. Where the past of one of them is not known, nothing is.
func (s *Signals) Measure(r *Record, past []*PastRun) {
	first := true
	for _, step := range r.RunningSteps() {
		longest, n := UsualSilence(past, step)
		if first || n < minPast || s.Past >= minPast && longest > s.Longest {
			s.Step, s.Longest, s.Past = step, longest, n
		}
		first = false
		if n < minPast {
			return
		}
	}
}

// RunningSteps are the ids of the steps that run now, from the rows that Wave
// keeps, else from the events.
func (r *Record) RunningSteps() (ids []string) {
	working := func(word string) bool {
		return word == "running" || word == "retrying" || word == "reworking" || word == "started"
	}
	for _, s := range r.Steps {
		if working(s.State) {
			ids = append(ids, s.Step)
		}
	}
	if len(r.Steps) > 0 || r.History == nil {
		return ids
	}
	for _, id := range r.History.Order {
		if working(r.History.Steps[id].Word) {
			ids = append(ids, id)
		}
	}
	return ids
}
