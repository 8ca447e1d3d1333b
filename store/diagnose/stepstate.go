package diagnose

import (
	"strconv"

	"wavedeck/store/wave"
)

// stepFacts is everything the database says about one step of one run.
type stepFacts struct {
	Word     string // the last state recorded; empty when only the definition names the step
	Note     string // what Wave noted beside a state that is no failure
	Error    string
	Gate     bool
	Children stepChildren
	Blamed   bool   // the run's error names it, or no other step failed
	Blocker  string // a dependency that did not succeed, so that the step cannot run
	Recorded bool   // the run has records of its steps: a step without any did not run
	DryRun   bool   // nothing of the run was executed
}

// stepChildren counts what became of the runs a step started, the latest try
// of each item only.
type stepChildren struct {
	All, Ended, Failed int
	Total              int // as planned; 0: unknown
}

// settledWord is the last word recorded for a step, corrected by the end of its
// run: an aborted gate is recorded as completed although the run's error names
// it, and a step that was stopped because another failed is recorded as failed.
func settledWord(word, failure string, id string, run wave.State, runError string) string {
	if run != wave.Failed && run != wave.Rejected {
		return word
	}
	isBlamed := blamedStep(runError) == id
	switch {
	case word == "completed" && isBlamed && run == wave.Failed:
		return "failed"
	case word == "failed" && !isBlamed && stoppedBeside(failure, runError):
		return "cancelled"
	default:
		return word
	}
}

// deriveStep derives what became of a step from the last word recorded for it
// and from what became of its run. No step of an ended run is running.
func deriveStep(f stepFacts, run wave.State) (wave.State, string) {
	switch f.Word {
	case "", "pending":
		return f.deriveUnstarted(run)
	case "running", "started", "retrying", "reworking":
		return f.deriveStarted(run)
	case "completed":
		return f.deriveCompleted(run)
	case "failed":
		switch {
		case run.Active() && f.Children.All > f.Children.Ended:
			return wave.Running, f.Note // the last child to end was not the last to run
		case run == wave.Cancelled && Killed(f.Error):
			return wave.Cancelled, f.Note
		case run == wave.Lost && f.Error == wave.ReasonGone:
			return wave.Lost, "" // it was closed with its run
		}
		return wave.Failed, f.Note
	case "completed_empty":
		return wave.Empty, f.Note
	case "skipped":
		if f.Blocker != "" && (f.Note == "" || f.Note == "dependency failed") {
			return wave.Skipped, BlockedBy + f.Blocker
		}
		return wave.Skipped, f.Note
	case "rejected":
		return wave.Rejected, f.Note
	case "cancelled":
		if f.Note == "" {
			return wave.Cancelled, stoppedNote(run)
		}
		return wave.Cancelled, f.Note
	default:
		return wave.Unknown, f.Note
	}
}

// stoppedNote says why a step of a run that ended badly was stopped.
func stoppedNote(run wave.State) string {
	switch run {
	case wave.Failed:
		return "stopped when the run failed"
	case wave.Rejected:
		return "stopped when the run was rejected"
	default:
		return ""
	}
}

// BlockedBy begins the note of a step that did not run because another did not
// end well; that step's id follows.
const BlockedBy = "blocked by "

func (f stepFacts) deriveUnstarted(run wave.State) (wave.State, string) {
	note := f.Note
	if note == "" && f.Blocker != "" {
		note = BlockedBy + f.Blocker
	}
	switch {
	case run.Active():
		return wave.Pending, note
	case f.DryRun:
		return wave.Skipped, "dry run"
	case !run.Ended(), f.Word == "" && !f.Recorded:
		return wave.Unknown, note
	case note == "":
		return wave.Skipped, "not run"
	default:
		return wave.Skipped, note
	}
}

func (f stepFacts) deriveStarted(run wave.State) (wave.State, string) {
	switch run {
	case wave.Waiting:
		if f.Gate {
			return wave.Waiting, f.Note
		}
		return wave.Running, f.Note
	case wave.Running, wave.Pending, wave.Queued:
		return wave.Running, f.Note
	case wave.Succeeded, wave.Empty:
		// A branch that chose to skip never completes, and a step that another
		// one reworked stays at that word: the run got past both.
		if f.Word == "reworking" && f.Note == "" {
			return wave.Succeeded, "reworked"
		}
		return wave.Succeeded, f.Note
	case wave.Failed, wave.Rejected:
		if f.Blamed {
			return run, f.Note
		}
		return wave.Cancelled, stoppedNote(run)
	case wave.Cancelled, wave.Lost:
		return run, f.Note
	default:
		return wave.Unknown, f.Note
	}
}

// deriveCompleted doubts the word where children stand behind it: each child
// that ends writes it, whatever the others do.
func (f stepFacts) deriveCompleted(run wave.State) (wave.State, string) {
	c := f.Children
	if run.Active() && (c.All > c.Ended || c.Total > c.All && c.All > 0) {
		return wave.Running, f.Note
	}
	if c.All > c.Ended && (run == wave.Lost || run == wave.Cancelled) {
		return run, f.Note
	}
	if c.Failed > 0 {
		return wave.Failed, strconv.Itoa(c.Failed) + " of " + strconv.Itoa(max(c.All, c.Total)) + " children failed"
	}
	return wave.Succeeded, f.Note
}
