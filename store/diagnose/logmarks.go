package diagnose

import (
	"slices"

	"wavedeck/store/wave"
)

// maxMarks bounds the places that are kept of a run that fails for ever.
const maxMarks = 4000

// mark notes where attempts begin and what failed. It is called after e was
// folded into s, which had so many attempts before.
func (h *History) mark(e wave.Event, s *stepHistory, before int) {
	if len(h.Marks) >= maxMarks {
		return
	}
	number := 0
	if n := len(s.attempts); n > 0 {
		number = s.attempts[n-1].number
	}
	if len(s.attempts) > before {
		h.Marks = append(h.Marks, wave.LogMark{ID: e.ID, Step: e.StepID, Attempt: number})
	}
	if slices.Contains(wave.FailingStates(), e.State) {
		h.Marks = append(h.Marks, wave.LogMark{ID: e.ID, Step: e.StepID, Attempt: number, Failed: true})
	}
}
