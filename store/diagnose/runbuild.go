package diagnose

import (
	"strings"

	"wavedeck/store/wave"
)

// Run is the record as shown. The definition may be nil.
func (r *Record) Run(def []wave.StepDef) wave.Run {
	run := wave.Run{
		ID: r.ID, Pipeline: r.Pipeline, Status: r.Status, State: r.State, Reason: r.Reason, Input: r.Input,
		Error: r.ErrorText(), StartedAt: wave.Unix(r.StartedAt), CompletedAt: wave.Unix(r.CompletedAt),
		CancelledAt: wave.Unix(r.CancelledAt), Heartbeat: wave.Unix(r.Heartbeat), Branch: r.Branch, PID: r.Facts.PID,
		Parent: r.Parent, ParentStep: r.ParentStep, ForkedFrom: r.ForkedFrom, Kind: r.Kind, Tokens: r.Tokens,
		Tags: wave.ParseTags(r.Tags), DryRun: r.Facts.DryRun,
	}
	if run.State != wave.Lost && strings.Contains(run.Error, wave.ReasonGone) {
		run.Error = "" // whoever took it for lost did not know how it had ended
	}
	if r.Undecided() {
		run.LastEvent = r.Facts.LastEvent
	}
	if r.IterateIndex != nil || r.IterateTotal != nil {
		run.Iterate = &wave.Iterate{Index: int(wave.OrZero(r.IterateIndex)), Total: int(wave.OrZero(r.IterateTotal)), Mode: r.IterateMode}
	}
	if r.CancelAsked != nil {
		run.Cancel = &wave.Cancellation{RequestedAt: wave.Unix(*r.CancelAsked), Force: r.CancelForce != 0}
	}
	r.addDuration(&run)
	r.addSteps(&run, def)
	return run
}

// addDuration prefers the milliseconds of the completed event to the whole
// seconds of the row. How long a lost run worked is not known: the row's end,
// if any, is when its loss was noticed.
func (r *Record) addDuration(run *wave.Run) {
	switch {
	case run.State == wave.Lost || !run.State.Ended():
	case r.History.endLength > 0 && r.History.End != "":
		run.Duration, run.HasDuration = r.History.endLength, true
	case !run.StartedAt.IsZero() && !run.CompletedAt.Before(run.StartedAt):
		run.Duration, run.HasDuration, run.CoarseSecond = run.CompletedAt.Sub(run.StartedAt), true, true
	}
}

// addSteps counts steps. How many a run has is what it said when it began; the
// definition may have changed since.
func (r *Record) addSteps(run *wave.Run, def []wave.StepDef) {
	done := 0
	for _, s := range r.Steps {
		switch settledWord(s.State, s.Error, s.Step, run.State, run.Error) {
		case "completed", "completed_empty", "skipped":
			done++
		case "failed", "rejected", "running", "retrying", "reworking":
			if run.State.Active() || run.State.Ended() && run.State != wave.Succeeded && run.State != wave.Empty {
				run.Current = append(run.Current, s.Step)
			} else if s.State == "failed" {
				run.StepsFailed++
			}
		}
	}
	if len(r.Steps) == 0 && run.State != wave.Succeeded && run.State != wave.Empty {
		run.Current = r.currentByEvents(run)
	}
	run.StepsDone = max(done, r.History.done, int(wave.OrZero(r.ProgressDone)))
	run.StepsAll = r.History.total
	for _, n := range []int{int(wave.OrZero(r.ProgressTotal)), len(def), len(r.Steps)} {
		if run.StepsAll == 0 {
			run.StepsAll = n
		}
	}
	if run.State == wave.Succeeded || run.State == wave.Empty {
		run.StepsDone = run.StepsAll
	}
	run.StepsDone = min(run.StepsDone, run.StepsAll)
	switch {
	case run.State.Active() && r.Progress != nil:
		percent := int(min(max(*r.Progress, 0), 100))
		run.Progress = &percent
	case run.StepsAll > 0:
		percent := run.StepsDone * 100 / run.StepsAll
		run.Progress = &percent
	}
}

// currentByEvents names the steps a run is or ended at where step_state has
// none of it: old schemas keep the rows of the latest run only.
func (r *Record) currentByEvents(run *wave.Run) []string {
	var current []string
	for _, id := range r.History.Order {
		switch h := r.History.Steps[id]; settledWord(h.Word, h.err, id, run.State, run.Error) {
		case "running", "retrying", "reworking", "failed", "rejected":
			current = append(current, id)
		}
	}
	if len(current) > 0 {
		return current
	}
	if blamed := blamedStep(run.Error); blamed != "" && run.State.Ended() {
		return []string{blamed}
	}
	if run.State.Active() && r.CurrentStep != "" && !strings.ContainsAny(r.CurrentStep, " \n\t") {
		return []string{r.CurrentStep}
	}
	return nil
}

// blamedStep is the step that an error of a run names: `step "<id>" failed: …`.
func blamedStep(text string) string {
	rest, ok := strings.CutPrefix(text, `step "`)
	if !ok {
		return ""
	}
	id, _, ok := strings.Cut(rest, `" `)
	if !ok {
		return ""
	}
	return id
}
