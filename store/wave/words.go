package wave

// What Wave leaves where it keeps the error of a run, of runs that did not fail.
const (
	// ReasonGone is of a run, and of a step, whose process had gone: so Wave's
	// reaper words it.
	ReasonGone = "process gone (orphaned)"
	// ReasonCancelled is of a run that was interrupted.
	ReasonCancelled = "pipeline cancelled"
	// ReasonDryRun is of a run that was only planned.
	ReasonDryRun = "dry run (validation only)"
)
