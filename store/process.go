package store

import (
	"time"

	"wavedeck/store/diagnose"
)

// bornLater is how much later than a run's last sign a process must have begun
// to be another one. Signs are whole seconds, and so is the moment of the boot
// that births are counted from.
const bornLater = 10 * time.Second

// process asks the kernel for a run's pid. What wrote the run's last sign began
// before it: a process that began later was given the same pid.
func (d *runReader) process(pid int, lastSign time.Time) diagnose.Process {
	switch {
	case pid <= 0:
		return diagnose.NoPID
	case !d.opt.Alive(pid):
		return diagnose.ProcessGone
	}
	if born, ok := d.opt.Born(pid); ok && !lastSign.IsZero() && born.After(lastSign.Add(bornLater)) {
		return diagnose.ProcessOther
	}
	return diagnose.ProcessLives
}

// aliveSince asks for the process of the run that f is of.
func (d *runReader) aliveSince(f diagnose.RunFacts) func(pid int) bool {
	return func(pid int) bool { return d.process(pid, f.LastSign()) == diagnose.ProcessLives }
}
