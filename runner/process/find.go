//go:build unix

package process

import (
	"slices"
	"strings"
	"time"

	"wavedeck/store/system"
)

// startedWithin is how long before its run's record a process may have been started:
// Wave reads the project first.
const startedWithin = 30 * time.Second

// Find is the process of a run that began then in the project at root: the one that
// was recorded, when it is the run's, or else the only one there that began just before
// it and runs the pipeline. 0: not found. Wave records the process of none that somebody
// started in a terminal.
func Find(run Run, recorded int, began time.Time, root string) int {
	if recorded > 0 {
		if Identify(recorded, run) == Proven {
			return recorded
		}
		return 0
	}
	found := 0
	for _, e := range table() {
		args := arguments(e.pid)
		at := slices.Index(args, "run")
		if at < 1 || !slices.Contains(args[at:], run.Pipeline) && !hasFlag(args, "--pipeline", run.Pipeline) || workingIn(e.pid) != root {
			continue
		}
		born, known := system.Born(e.pid)
		if !known || born.After(began.Add(clockSlack)) || began.Sub(born) > startedWithin {
			continue
		}
		if found != 0 {
			return 0 // which of them it is cannot be said
		}
		found = e.pid
	}
	return found
}

// About is what an operator knows a process by: its terminal, its user and its
// command line. What is not known is empty.
func About(pid int) (terminal, user, command string) {
	return terminalOf(pid), userOf(pid), strings.TrimSpace(strings.Join(arguments(pid), " "))
}
