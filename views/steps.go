package views

import (
	"slices"
	"strconv"
	"strings"
	"wavedeck/views/legible"
)

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

// hasMore reports whether a step has something to unfold: one clean attempt says
// nothing that its row does not.
func hasMore(s StepRow) bool {
	if s.Error.Text != "" || s.ContText.Text != "" || s.Evidence.Text != "" || len(s.Attempts) > 1 {
		return true
	}
	for _, a := range s.Attempts {
		if a.Error.Text != "" || len(a.Tail) > 0 || a.Class != "" {
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
	why := s.Error.Line
	if why == "" && len(s.Attempts) > 0 {
		last := s.Attempts[len(s.Attempts)-1]
		why = join(": ", last.Class, last.Error.Line)
	}
	if why == "" && s.ContText.Text != "" {
		why = join(": ", "contract "+s.Contract, s.ContText.Line)
	}
	if why == "" && s.Evidence.Text != "" {
		why = join(": ", "contract evidence", s.Evidence.Line)
	}
	return join(" · ", attempts, why)
}

// ownError reports whether the step's error is none that an attempt shows.
func (s StepRow) ownError() bool {
	return s.Error.Text != "" && !slices.ContainsFunc(s.Attempts, func(a AttemptRow) bool { return a.Error == s.Error })
}

// short reports whether a text is its one line.
func (a Account) short() bool { return !strings.Contains(strings.TrimSpace(a.Text), "\n") }

func tailWords(a AttemptRow) string {
	if a.TailOf > len(a.Tail) {
		return "End of its output, " + Number(int64(len(a.Tail))) + " of " + Plural(a.TailOf, "line", "lines") + ":"
	}
	return "End of its output:"
}

// stepTone colours what is folded under a step only when the step went wrong.
func stepTone(s StepRow) string {
	switch state := knownState(s.State); state {
	case "failed", "rejected", "lost":
		return state
	default:
		return "dim"
	}
}

// itemOf names which of several items a culprit is.
func itemOf(x Culprit) string {
	if x.Item == "" {
		return ""
	}
	return ", item " + legible.Text(x.Item)
}
