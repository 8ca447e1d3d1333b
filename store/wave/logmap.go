package wave

import (
	"slices"
)

// LogMark is a place in a run's log to go to: the beginning of an attempt, or an
// event that reports a failure.
type LogMark struct {
	ID      int64 // of the event
	Step    string
	Attempt int  // 0: the step has none
	Failed  bool // it reports a failure; else an attempt begins here
}

// FailingStates lists the recorded states of an event that tell a failure.
func FailingStates() []string {
	return []string{"failed", "rejected", "contract_failed", "review_failed"}
}

// LogMap is how to find the way in a run's log.
type LogMap struct {
	First, Last int64 // ids of its events; 0: it has none
	Events      int64
	Steps       []string  // in the order of their first event
	Marks       []LogMark // by id
}

// Failure is the event to open a failed run at: the first that reports a failure
// within the attempt that failed last and was not tried again. 0: none does.
func (m LogMap) Failure() int64 {
	var at LogMark // the first failure of the attempt that failed last
	tried := map[string]bool{}
	for _, mark := range slices.Backward(m.Marks) {
		switch {
		case !mark.Failed:
			tried[mark.Step] = true
		case at.ID == 0 && !tried[mark.Step], mark.Step == at.Step && mark.Attempt == at.Attempt:
			at = mark
		}
	}
	return at.ID
}

// FirstError is the first event that reports a failure; 0: none does.
func (m LogMap) FirstError() int64 {
	for _, mark := range m.Marks {
		if mark.Failed {
			return mark.ID
		}
	}
	return 0
}
