package diagnose

import (
	"slices"
	"strings"

	"wavedeck/store/wave"
)

// Bounds of what is taken to find the line that says why a run failed.
const (
	MaxStepName     = 80 // bytes of a step's id in a headline
	MaxFailureTexts = 4  // texts of failures that are kept of a run
)

// Failures are the texts of a run's own failure, the step's before the run's.
func (r *Record) Failures() []string {
	var texts []string
	failed := r.FailedSteps()
	for _, s := range r.Steps {
		if s.Error != "" && slices.Contains(failed, s.Step) && len(texts) < MaxFailureTexts {
			texts = append(texts, s.Error)
		}
	}
	return append(texts, r.ErrorText())
}

// FailedSteps are the steps that a run failed by: the one that its error names,
// else those that failed of themselves, else all that failed.
func (r *Record) FailedSteps() []string {
	if blamed := blamedStep(r.ErrorText()); blamed != "" {
		return []string{blamed}
	}
	var steps, stopped []string
	for _, s := range r.Steps {
		switch {
		case s.State != "failed" && s.State != "rejected":
		case Killed(s.Error):
			stopped = append(stopped, s.Step)
		default:
			steps = append(steps, s.Step)
		}
	}
	if len(steps) == 0 {
		return stopped
	}
	return steps
}

// CauseOf is the child that failed its parent: of a step that the parent failed
// by, not stopped itself, and best one whose error the parent repeats. Of the
// items of a fan-out it is the first, of several tries the last.
func CauseOf(parent *Record, children []*Record) *Record {
	steps, text := parent.FailedSteps(), parent.ErrorText()
	var best *Record
	most := -1
	for _, child := range children {
		if child.State != wave.Failed && child.State != wave.Rejected || child.Kind == "resume" && len(parent.Outer) == 0 {
			continue
		}
		if child.ParentStep != "" && len(steps) > 0 && !slices.Contains(steps, child.ParentStep) {
			continue
		}
		own, weight := child.ErrorText(), 0
		if own != "" && strings.Contains(text, own) {
			weight += 4
		}
		if !Killed(own) {
			weight += 2
		}
		if weight > most || weight == most && child.IterateIndex == nil {
			best, most = child, weight
		}
	}
	return best
}

// Culprit is the step that a run failed by, -1: none is known.
func Culprit(run wave.Run, steps []wave.Step) int {
	blamed, first := blamedStep(run.Error), -1
	for i, s := range steps {
		switch {
		case s.State != run.State:
		case s.ID == blamed:
			return i
		case first < 0 || Killed(steps[first].Error) && !Killed(s.Error):
			first = i
		}
	}
	return first
}
