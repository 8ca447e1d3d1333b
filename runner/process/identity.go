//go:build unix

package process

import (
	"slices"
	"syscall"
	"time"

	"wavedeck/store/system"
)

// Identity is what can be proven of the process that has a recorded pid now.
type Identity int

// The process is gone; the pid is that of a later process; it is the run's; or
// it is one of which neither can be shown, such as another machine's.
const (
	Unproven Identity = iota
	Gone
	Reused
	Proven
)

// Run is what a process of a run can be known by.
type Run struct {
	ID       string
	Pipeline string
	LastSign time.Time // the latest that the run's record holds; no time: unknown
}

// clockSlack is how far the kernel's time of a start and a recorded time differ
// at most.
const clockSlack = 2 * time.Second

// Identify reports whether the process that has the pid now is the one that
// carries out the run: by its mark, by the run's id or, when it began before
// the run's last sign, by the pipeline among its arguments.
func Identify(pid int, run Run) Identity {
	if pid <= 1 || !system.Alive(pid) || !works(pid) {
		return Gone
	}
	args := arguments(pid)
	if hasFlag(args, "--run", run.ID) || carries(pid, "WAVE_RUN_ID="+run.ID) {
		return Proven
	}
	began, known := system.Born(pid)
	switch {
	case !known || run.LastSign.IsZero():
		return Unproven
	case began.After(run.LastSign.Add(clockSlack)):
		return Reused
	case slices.Contains(args, "run") && (slices.Contains(args, run.Pipeline) || hasFlag(args, "--pipeline", run.Pipeline)):
		return Proven
	}
	return Unproven
}

// hasFlag reports whether arguments hold a flag with a value, joined or apart.
func hasFlag(args []string, flag, value string) bool {
	if value == "" {
		return false
	}
	for i, arg := range args {
		if arg == flag+"="+value || i > 0 && arg == value && args[i-1] == flag {
			return true
		}
	}
	return false
}

// Marks are the variables that every process of a run carries in its
// environment: its id, and the state database that has it, for a copied project
// has runs of the same ids.
func Marks(run, db string) []string { return []string{"WAVE_RUN_ID=" + run, "WAVE_STATE_DB=" + db} }

// Interrupt asks a process to end as a terminal does: all of its group get
// SIGINT, for what it started may hold it up. A process that shares its group
// with others gets it alone.
func Interrupt(pid int) {
	if group, err := syscall.Getpgid(pid); err == nil && group == pid {
		SignalGroup(pid, syscall.SIGINT)
	} else if works(pid) {
		_ = syscall.Kill(pid, syscall.SIGINT) // it may have gone meanwhile
	}
}
