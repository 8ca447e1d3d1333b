package diagnose

import (
	"slices"

	"wavedeck/store/wave"
)

// StepRows is everything the database and the definition say of a run's steps.
type StepRows struct {
	Def      []wave.StepDef
	order    []string // ids: the definition's first, then as they appear
	States   map[string]wave.StepRow
	Attempts map[string][]wave.AttemptRow
	Metrics  map[string][]wave.MetricRow
	Progress map[string]wave.ProgressRow
	Activity map[string]string
	History  *History
	Children []wave.Run
}

// Collect groups the rows by step and fixes the order of the steps. Those that
// only the definition names are left out when the run said how many it has and
// all of them are known: the definition has changed since.
func (r *StepRows) Collect(states []wave.StepRow, attempts []wave.AttemptRow, metrics []wave.MetricRow, progress []wave.ProgressRow) {
	seen, appeared := map[string]bool{}, []string(nil)
	see := func(id string) {
		if !seen[id] {
			seen[id] = true
			appeared = append(appeared, id)
		}
	}
	for _, id := range r.History.Order {
		see(id)
	}
	for _, s := range states {
		see(s.Step)
		r.States[s.Step] = s
	}
	for _, a := range attempts {
		see(a.Step)
		r.Attempts[a.Step] = append(r.Attempts[a.Step], a)
	}
	for _, m := range metrics {
		see(m.Step)
		r.Metrics[m.Step] = append(r.Metrics[m.Step], m)
	}
	for _, p := range progress {
		see(p.Step)
		r.Progress[p.Step] = p
	}
	whole := r.History.total > 0 && len(appeared) >= r.History.total
	for _, s := range r.Def {
		if (seen[s.ID] || !whole) && !slices.Contains(r.order, s.ID) {
			r.order = append(r.order, s.ID)
		}
	}
	for _, id := range appeared {
		if !slices.ContainsFunc(r.Def, func(s wave.StepDef) bool { return s.ID == id }) {
			r.order = append(r.order, id)
		}
	}
}

// CompleteRun adds to the run what only its steps and events tell.
func CompleteRun(run *wave.Run, steps []wave.Step, h *History) {
	done := 0
	for _, s := range steps {
		switch s.State {
		case wave.Succeeded, wave.Empty:
			done++
		}
	}
	if run.StepsAll == 0 {
		run.StepsAll = len(steps)
	}
	if run.State.Active() && run.StepsAll > 0 {
		run.StepsDone = min(max(run.StepsDone, done), run.StepsAll)
	}
	if run.Error == "" && (run.State == wave.Failed || run.State == wave.Rejected) {
		for _, s := range steps {
			if s.Error != "" {
				run.Error = s.Error
				return
			}
		}
		run.Error = h.preflight
	}
}

// fullestText is the text that says most of a failure: the same is left in
// several places, cut down in some. What a stop left says least: of several runs
// that worked at once the last one writes, though another one failed.
func fullestText(texts ...string) string {
	best := ""
	for _, t := range texts {
		if t != "" && (best == "" || Killed(best) && !Killed(t) || Killed(best) == Killed(t) && len(t) > len(best)) {
			best = t
		}
	}
	return best
}
