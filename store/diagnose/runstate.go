package diagnose

import (
	"cmp"
	"strings"
	"time"

	"wavedeck/store/wave"
)

// How long a writer may be silent. Wave beats every 30 s and reaps by the same
// figures, so a run is reported as lost when Wave itself would give it up.
const (
	beatLimit    = 90 * time.Second // a heartbeat this old has stopped
	SilenceLimit = 5 * time.Minute  // no sign at all, where no pid can be asked
	skewLimit    = time.Hour        // a sign this far ahead is no evidence of life
)

// RunFacts is everything the database says about whether a run lives and how
// it ended. Zero values are unknown.
type RunFacts struct {
	Status          string    // pipeline_run.status
	Error           string    // error_message, else current_step of an ended run
	CancelledAt     time.Time // pipeline_run.cancelled_at
	Cancel          time.Time // cancellation.requested_at
	PipelineState   string    // pipeline_state.status, which sometimes knows better
	PipelineStateAt time.Time // when that was written
	Rejected        bool      // a step_state of this run says rejected
	AtGate          bool      // the last gate event waits
	Kind            string    // run_kind
	RewoundTo       string    // the step that a rewind of the ended run went back to
	Forked          bool      // it continues a copy of another run
	DryRun          bool      // its row says that nothing was executed
	End             string    // of the last run-level event: completed, completed_empty
	HasEvents       bool
	StartedAt       time.Time
	CompletedAt     time.Time
	Heartbeat       time.Time
	LastEvent       time.Time
	PID             int
	Parent          wave.State // the parent's derived state; empty without a parent
	ParentEnded     time.Time  // when the parent ended, if recorded
	ParentError     string     // the parent's error, which names what failed first
	Outer           *outerRun  // of a row that only holds others together
}

// Derive derives what became of a run. The reason is empty when the state is
// what the recorded status says in plain words. A recorded end is final: only
// how it ended is told better, never that it goes on.
func Derive(f RunFacts, now time.Time, alive func(pid int) bool) (wave.State, string) {
	switch f.Status {
	case "completed":
		return wave.Succeeded, cmp.Or(f.askedToStop(), f.rehearsed())
	case "completed_empty":
		return wave.Empty, cmp.Or(f.askedToStop(), f.rehearsed())
	case "cancelled":
		if f.cancelCame() { // the request of one who interrupts a run does not stay
			return wave.Cancelled, "stopped by an operator"
		}
		return wave.Cancelled, ""
	case "failed":
		return f.deriveFailed()
	case "queued":
		return wave.Queued, ""
	case "pending":
		if s, why, ok := f.deriveQuietEnd(); ok {
			return s, why
		}
		return f.derivePending(now, alive)
	case "running":
		if s, why, ok := f.deriveQuietEnd(); ok {
			return s, why
		}
		return f.deriveRunning(now, alive)
	case "":
		return wave.Unknown, "no status is recorded"
	default:
		return wave.Unknown, `recorded as "` + wave.Clip(f.Status, 80) + `"`
	}
}

// deriveFailed finds what Wave records as failed although nothing failed.
func (f RunFacts) deriveFailed() (wave.State, string) {
	switch {
	case !f.CancelledAt.IsZero():
		return wave.Cancelled, "stopped by an operator"
	case f.RewoundTo != "":
		return f.deriveRewound()
	case f.PipelineState == "rejected":
		return wave.Rejected, "a contract rejected its work"
	case strings.Contains(f.Error, wave.ReasonGone):
		if f.Rejected {
			return wave.Rejected, "a contract rejected its work"
		}
		// Who closed the run for its process may have closed the rest with it.
		closed := f.PipelineState == "failed" && !f.PipelineStateAt.Before(f.CompletedAt)
		if s, why, ok := f.deriveQuietEnd(); ok && !closed {
			return s, why
		}
		return wave.Lost, "process gone, no end recorded"
	case Killed(f.Error) && f.cancelCame():
		return wave.Cancelled, "stopped by an operator"
	case Killed(f.Error) && f.Parent == wave.Cancelled && !f.OwnProcess():
		return wave.Cancelled, "the run that started it was stopped"
	case stoppedBeside(f.Error, f.ParentError) && !f.OwnProcess():
		return wave.Cancelled, "stopped when the run that started it failed"
	default:
		return wave.Failed, f.askedToStop()
	}
}

// deriveRewound derives a run that had ended before an operator rewound it, which
// Wave records as a failure. Its events keep the end that it had.
func (f RunFacts) deriveRewound() (wave.State, string) {
	reason := "rewound to " + wave.Clip(f.RewoundTo, 80)
	switch {
	case f.End == "completed":
		return wave.Succeeded, reason
	case f.End == "completed_empty":
		return wave.Empty, reason
	case f.HasEvents:
		return wave.Failed, reason
	default:
		return wave.Unknown, reason + "; no event records how it ended"
	}
}

// stoppedBeside reports whether text is what a stop left of one of several that
// worked at once, while blame, the error of what they belong to, names another.
func stoppedBeside(text, blame string) bool {
	return Killed(text) && blame != "" && !Killed(blame)
}

// deriveQuietEnd derives a run whose end pipeline_run does not know. The end that
// pipeline_state has counts only when the run was silent since: a run that was
// taken up again leaves the old end there for a moment.
func (f RunFacts) deriveQuietEnd() (wave.State, string, bool) {
	wentOn := f.LastEvent.After(f.PipelineStateAt.Add(time.Second)) || f.Heartbeat.After(f.PipelineStateAt.Add(time.Second))
	if !wentOn {
		const why = "end recorded in pipeline_state only"
		switch f.PipelineState {
		case "rejected":
			return wave.Rejected, "a contract rejected its work", true
		case "completed":
			return wave.Succeeded, why, true
		case "completed_empty":
			return wave.Empty, why, true
		case "cancelled":
			return wave.Cancelled, why, true
		case "failed":
			if Killed(f.Error) && f.cancelCame() {
				return wave.Cancelled, "stopped by an operator", true
			}
			return wave.Failed, why, true
		}
	}
	// Other branches of the pipeline may still work while the pipeline as a
	// whole is known to run and shows life after the rejection.
	if f.Rejected && !(f.PipelineState == "running" && wentOn) {
		return wave.Rejected, "a contract rejected its work", true
	}
	return "", "", false
}

// derivePending derives a reserved run from one that nobody will ever start: the
// outer row of a composition stays pending although its children run.
func (f RunFacts) derivePending(now time.Time, alive func(pid int) bool) (wave.State, string) {
	if f.HasEvents || !f.Heartbeat.IsZero() {
		return f.deriveRunning(now, alive)
	}
	if f.Outer != nil {
		return f.Outer.derive(now)
	}
	if f.Forked {
		return wave.Pending, "forked, waits for resume"
	}
	since, known := Age(f.StartedAt, now)
	switch {
	case f.PID > 0 && alive(f.PID):
		return wave.Pending, ""
	case known && since <= SilenceLimit:
		return wave.Pending, ""
	case !known:
		return wave.Unknown, "its times are in the future"
	default:
		return wave.Unknown, "recorded as pending, and nothing shows that it began"
	}
}

// deriveRunning decides whether the writer of a run still lives. It takes two
// signs to tell it as lost: no heartbeat, and a pid that is gone; or, where no
// pid was recorded, no sign of any kind for longer.
func (f RunFacts) deriveRunning(now time.Time, alive func(pid int) bool) (wave.State, string) {
	if s, why, ok := f.deriveByParent(now); ok {
		return s, why
	}
	if beat, known := Age(f.Heartbeat, now); known && beat <= beatLimit {
		return f.living()
	}
	if f.PID > 0 && alive(f.PID) {
		return f.living()
	}
	silence, known := f.silence(now)
	switch {
	case f.PID > 0:
		// The pid is gone. Without any heartbeat the silence stands for it.
		if !known || !f.Heartbeat.IsZero() || silence > beatLimit {
			return wave.Lost, "its process is gone and recorded no end"
		}
	case !known:
		return wave.Unknown, "its times are in the future"
	case silence <= SilenceLimit:
	case f.AtGate && f.Heartbeat.IsZero():
		// A gate is silent by nature and this kind of run never beats.
		return wave.Unknown, "it waits at a gate, and whether its process is alive is unknown"
	case !f.HasEvents && f.Heartbeat.IsZero():
		return wave.Lost, "it was recorded as running but wrote nothing"
	default:
		return wave.Lost, "no heartbeat and no event for more than 5 minutes"
	}
	return f.living()
}

// OwnProcess reports whether the run has a process to itself. A resumed run
// names its original as parent and has; where the kind is not recorded, it is
// known by having started after its parent had ended.
func (f RunFacts) OwnProcess() bool {
	return f.Parent == "" || f.Kind == "resume" || f.Kind == "" && !f.ParentEnded.IsZero() && !f.StartedAt.Before(f.ParentEnded)
}

// deriveByParent derives a child from its parent: both live in one process, and
// only the parent beats.
func (f RunFacts) deriveByParent(now time.Time) (wave.State, string, bool) {
	if f.OwnProcess() {
		return "", "", false
	}
	switch f.Parent {
	case wave.Running, wave.Waiting:
		s, why := f.living()
		return s, why, true
	case wave.Lost:
		return wave.Lost, "the run that started it is lost", true
	case wave.Cancelled:
		return wave.Cancelled, "the run that started it was stopped", true
	case wave.Succeeded, wave.Empty, wave.Failed, wave.Rejected, wave.Skipped:
		if silence, known := f.silence(now); known && silence <= beatLimit {
			s, why := f.living() // its own end may come a moment later
			return s, why, true
		}
		return wave.Lost, "the run that started it has ended", true
	default: // no parent, or one that cannot be told
		return "", "", false
	}
}

func (f RunFacts) living() (wave.State, string) {
	if f.AtGate {
		return wave.Waiting, "a gate waits for a decision"
	}
	return wave.Running, ""
}

// silence is the time since the latest sign of the run, its start included.
func (f RunFacts) silence(now time.Time) (time.Duration, bool) {
	least, any := time.Duration(0), false
	for _, t := range []time.Time{f.StartedAt, f.LastEvent, f.Heartbeat} {
		if a, ok := Age(t, now); ok && (!any || a < least) {
			least, any = a, true
		}
	}
	return least, any
}

// Age is how long ago t was. Clocks differ a little, so a near future is now;
// a far one, like no time at all, is not known.
func Age(t, now time.Time) (time.Duration, bool) {
	if t.IsZero() || t.After(now.Add(skewLimit)) {
		return 0, false
	}
	return max(0, now.Sub(t)), true
}

// cancelCame reports whether an operator's request came before the end.
func (f RunFacts) cancelCame() bool {
	return !f.Cancel.IsZero() && (f.CompletedAt.IsZero() || !f.Cancel.After(f.CompletedAt))
}

func (f RunFacts) askedToStop() string {
	if f.cancelCame() {
		return "cancellation was requested"
	}
	return ""
}

func (f RunFacts) rehearsed() string {
	if f.DryRun {
		return "dry run, nothing was executed"
	}
	return ""
}

// Killed reports whether an error is what a stopped step leaves.
func Killed(err string) bool {
	return strings.Contains(err, "context canceled") || strings.Contains(err, "signal: killed")
}

// LastSign is when the run's process last wrote something, zero when it never did.
func (f RunFacts) LastSign() time.Time {
	if f.Heartbeat.After(f.LastEvent) {
		return f.Heartbeat
	}
	return f.LastEvent
}
