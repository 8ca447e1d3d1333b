package store

import "time"

// bornLater is how much later than a run's last sign a process must have begun
// to be another one. Signs are whole seconds, and so is the moment of the boot
// that births are counted from.
const bornLater = 10 * time.Second

// process asks the kernel for a run's pid. What wrote the run's last sign began
// before it: a process that began later was given the same pid.
func (d *database) process(pid int, lastSign time.Time) Process {
	switch {
	case pid <= 0:
		return NoPID
	case !d.opt.Alive(pid):
		return ProcessGone
	}
	if born, ok := d.opt.Born(pid); ok && !lastSign.IsZero() && born.After(lastSign.Add(bornLater)) {
		return ProcessOther
	}
	return ProcessLives
}

// aliveSince asks for the process of the run that f is of.
func (d *database) aliveSince(f runFacts) func(pid int) bool {
	return func(pid int) bool { return d.process(pid, f.lastSign()) == ProcessLives }
}

// lastSign is when the run's process last wrote something, zero when it never did.
func (f runFacts) lastSign() time.Time {
	if f.Heartbeat.After(f.LastEvent) {
		return f.Heartbeat
	}
	return f.LastEvent
}
