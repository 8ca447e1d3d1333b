package wave

// State is what became of a run or a step. It is not the word Wave
// recorded: package diagnose derives it from everything the database holds.
type State string

// The derived states, in the order in which a list of counts shows them.
const (
	Pending   State = "pending"   // recorded, not started
	Queued    State = "queued"    // waits for a free slot
	Running   State = "running"   // its writer is alive
	Waiting   State = "waiting"   // a gate waits for a human
	Succeeded State = "succeeded" // ended well
	Empty     State = "empty"     // ended well with nothing to do
	Failed    State = "failed"    // ended badly
	Cancelled State = "cancelled" // stopped by a human
	Rejected  State = "rejected"  // a contract with on_failure: rejected said no
	Skipped   State = "skipped"   // a step that was passed over
	Lost      State = "lost"      // recorded as running, its writer is gone
	Unknown   State = "unknown"   // the database cannot say
)

// States lists every derived state once.
//
//nolint:gochecknoglobals // never written; Go has no constant arrays
var States = [...]State{Pending, Queued, Running, Waiting, Succeeded, Empty, Failed, Cancelled, Rejected, Skipped, Lost, Unknown}

// Ended reports whether s is final: nothing more is expected to happen.
// A lost run has ended for its reader although nothing recorded that.
func (s State) Ended() bool {
	switch s {
	case Succeeded, Empty, Failed, Cancelled, Rejected, Skipped, Lost:
		return true
	default:
		return false
	}
}

// IsOpen reports whether a status that Wave recorded is that of a run without an end.
func IsOpen(status string) bool {
	return status == "pending" || status == "running" || status == "queued"
}

// Active reports whether s is a run that an operator may still watch or stop.
func (s State) Active() bool {
	switch s {
	case Pending, Queued, Running, Waiting:
		return true
	default:
		return false
	}
}
