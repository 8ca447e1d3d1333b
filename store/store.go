// Package store reads a Wave state database that another process writes.
//
// The file belongs to Wave: it is opened read-only, nothing is added to it,
// and it may be missing, older, replaced or deleted at any time. Rows come out
// as Wave recorded them together with what they really mean (truth.go).
package store

import (
	"errors"
	"log/slog"
	"time"
)

// Errors that callers tell apart; everything else is an I/O or SQL failure.
var (
	// ErrNotFound says that the named run does not exist.
	ErrNotFound = errors.New("not found")
	// ErrUnavailable says that there is no readable database right now;
	// Health tells why.
	ErrUnavailable = errors.New("state database unavailable")
)

// Options adapt a Store to its surroundings. The zero value works.
type Options struct {
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Alive reports whether a process of this host lives; nil asks the kernel.
	Alive func(pid int) bool
	// Definition names the steps of a pipeline in file order, nil when the
	// pipeline is not defined (any more). It must be quick: it is asked for
	// each row of a list.
	Definition func(pipeline string) []StepDef
	// Log receives what an operator of the dashboard should know; nil drops it.
	Log *slog.Logger
}

// withDefaults fills in what the caller left out.
func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Alive == nil {
		o.Alive = processAlive
	}
	if o.Definition == nil {
		o.Definition = func(string) []StepDef { return nil }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// StepDef is what a pipeline's definition says of one step.
type StepDef struct {
	ID           string
	Kind         string // prompt, command, pipeline, iterate, gate, ...
	Persona      string
	Dependencies []string
}
