package views

import "strconv"

// stepID is the DOM id of a step, to which links go.
func stepID(s StepRow) string {
	if s.Anchor != "" {
		return s.Anchor
	}
	return domID("step", s.ID)
}

// StepAnchor is the DOM id of the step called name.
func StepAnchor(name string) string { return domID("step", name) }

// EventAnchor is the DOM id of an event.
func EventAnchor(id int64) string { return "e" + strconv.FormatInt(id, 10) }

// hasMore tells whether a step has something to unfold: one clean attempt says
// nothing that its row does not.
func hasMore(s StepRow) bool {
	if s.Error != "" || s.ContText != "" || len(s.Attempts) > 1 {
		return true
	}
	for _, a := range s.Attempts {
		if a.Error != "" || a.Tail != "" || a.Class != "" {
			return true
		}
	}
	return false
}

func stepSummary(s StepRow) string {
	attempts := ""
	if len(s.Attempts) > 0 {
		attempts = Plural(len(s.Attempts), "attempt", "attempts")
	}
	why := firstLine(s.Error)
	if why == "" && len(s.Attempts) > 0 {
		last := s.Attempts[len(s.Attempts)-1]
		why = join(": ", last.Class, firstLine(last.Error))
	}
	if w := join(" · ", attempts, why); w != "" {
		return w
	}
	return join(" ", "contract", s.Contract)
}

// stepTone colours what is folded under a step only when the step went wrong.
func stepTone(s StepRow) string {
	switch state := told(s.State); state {
	case "failed", "rejected", "lost":
		return state
	default:
		return "dim"
	}
}
