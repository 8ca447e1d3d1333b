package diagnose

// Spending is what one run used, by the model that used it.
type Spending struct {
	Run    string
	Parent string // as recorded
	Steps  []StepTokens
	Loose  int64 // tokens of the run that none of its steps accounts for
	Silent int   // steps that a persona worked at and whose tokens are not known
	Open   bool  // no end is recorded: more may come
}

// StepTokens is what the attempts at one step used; the model is that of the
// last, and empty when it is not recorded.
type StepTokens struct {
	Step, Model string
	Tokens      int64
}

// SpendingTree is a run and all that it started.
type SpendingTree struct {
	Runs []Spending // the run itself first
	Cut  bool       // there are more runs below than were summed
}

// AddSteps takes for each step what its page takes: the largest of the sums that
// the tables and the events come to.
func (s *Spending) AddSteps(h *History, sums map[string]int64) {
	done := map[string]bool{}
	for _, id := range h.Order {
		step := h.Steps[id]
		n, known := sums[id]
		n = max(n, step.Tokens)
		switch {
		case n > 0:
			s.Steps = append(s.Steps, StepTokens{Step: id, Model: step.Model, Tokens: n})
		case !known && !step.HasTokens && step.Persona != "" && step.Word != "pending" && step.Word != "skipped":
			s.Silent++
		}
		done[id] = true
	}
	for id, n := range sums {
		if !done[id] && n > 0 {
			s.Steps = append(s.Steps, StepTokens{Step: id, Tokens: n})
		}
	}
}
