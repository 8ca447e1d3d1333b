package demo

import "time"

// plan says what becomes of one run. What it leaves out goes well.
type plan struct {
	pipeline string
	input    string
	at       time.Duration // when the row is written, since the recording's epoch
	reserved time.Duration // how long the row stays pending before the run begins
	branch   string
	tags     []string
	steps    map[string]fate

	// An end from outside, so long after the row was written.
	end   ending
	endAt time.Duration

	fork   string // the run it was forked from
	parent *descent
}

// descent is how a run came from another one.
type descent struct {
	run, step    string
	kind         string // run_kind as Wave writes it
	index, total int64  // of an iterate_child
}

// fate is what becomes of one step.
type fate struct {
	result  result
	took    time.Duration // of each attempt; 0 is usual
	failed  int           // attempts whose contract fails before the last one
	message string        // what a failure says
}

type result int

const (
	goesWell     result = iota
	fails               // a command exits non-zero; with optional steps the run goes on
	breaks              // its contract fails in every attempt
	isRejected          // its contract fails, and that rejects the run
	isReworked          // another step takes over after the contract failed
	findsNothing        // completed_empty, which ends the run
	skips               // a branch that leads nowhere
	declines            // a human closes the gate
)

type ending int

const (
	onItsOwn    ending = iota
	interrupted        // Ctrl-C at its terminal
	stopped            // an operator's `wave cancel`
	vanished           // its process was killed, and nothing noticed
	reaped             // the same, and Wave's reaper came by later
	refused            // a preflight check ended it before it had events
	abandoned          // the outer row of a composition: pending for ever
	outraced           // detached, but another process held the lock
)
