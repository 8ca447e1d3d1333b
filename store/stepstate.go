package store

import "strconv"

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
func settledWord(word, failure string, id string, run State, runError string) string {
	if run != Failed && run != Rejected {
		return word
	}
	isBlamed := blamedStep(runError) == id
	switch {
	case word == "completed" && isBlamed && run == Failed:
		return "failed"
	case word == "failed" && !isBlamed && stoppedBeside(failure, runError):
		return "cancelled"
	default:
		return word
	}
}

// deriveStep derives what became of a step from the last word recorded for it
// and from what became of its run. No step of an ended run is running.
func deriveStep(f stepFacts, run State) (State, string) {
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
			return Running, f.Note // the last child to end was not the last to run
		case run == Cancelled && killed(f.Error):
			return Cancelled, f.Note
		case run == Lost && f.Error == orphaned:
			return Lost, "" // it was closed with its run
		}
		return Failed, f.Note
	case "completed_empty":
		return Empty, f.Note
	case "skipped":
		if f.Blocker != "" && (f.Note == "" || f.Note == "dependency failed") {
			return Skipped, BlockedBy + f.Blocker
		}
		return Skipped, f.Note
	case "rejected":
		return Rejected, f.Note
	case "cancelled":
		if f.Note == "" {
			return Cancelled, stoppedNote(run)
		}
		return Cancelled, f.Note
	default:
		return Unknown, f.Note
	}
}

// stoppedNote says why a step of a run that ended badly was stopped.
func stoppedNote(run State) string {
	switch run {
	case Failed:
		return "stopped when the run failed"
	case Rejected:
		return "stopped when the run was rejected"
	default:
		return ""
	}
}

// BlockedBy begins the note of a step that did not run because another did not
// end well; that step's id follows.
const BlockedBy = "blocked by "

func (f stepFacts) deriveUnstarted(run State) (State, string) {
	note := f.Note
	if note == "" && f.Blocker != "" {
		note = BlockedBy + f.Blocker
	}
	switch {
	case run.Active():
		return Pending, note
	case !run.Ended(), f.Word == "" && !f.Recorded:
		return Unknown, note
	case note == "":
		return Skipped, "not run"
	default:
		return Skipped, note
	}
}

func (f stepFacts) deriveStarted(run State) (State, string) {
	switch run {
	case Waiting:
		if f.Gate {
			return Waiting, f.Note
		}
		return Running, f.Note
	case Running, Pending, Queued:
		return Running, f.Note
	case Succeeded, Empty:
		// A branch that chose to skip never completes, and a step that another
		// one reworked stays at that word: the run got past both.
		if f.Word == "reworking" && f.Note == "" {
			return Succeeded, "reworked"
		}
		return Succeeded, f.Note
	case Failed, Rejected:
		if f.Blamed {
			return run, f.Note
		}
		return Cancelled, stoppedNote(run)
	case Cancelled, Lost:
		return run, f.Note
	default:
		return Unknown, f.Note
	}
}

// deriveCompleted doubts the word where children stand behind it: each child
// that ends writes it, whatever the others do.
func (f stepFacts) deriveCompleted(run State) (State, string) {
	c := f.Children
	if run.Active() && (c.All > c.Ended || c.Total > c.All && c.All > 0) {
		return Running, f.Note
	}
	if c.All > c.Ended && (run == Lost || run == Cancelled) {
		return run, f.Note
	}
	if c.Failed > 0 {
		return Failed, strconv.Itoa(c.Failed) + " of " + strconv.Itoa(max(c.All, c.Total)) + " children failed"
	}
	return Succeeded, f.Note
}
