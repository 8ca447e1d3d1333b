package runner

import (
	"context"
	"errors"
	"time"

	"wavedeck/store/wave"
)

// Answerer is an Engine whose runs are asked at gates, and can be answered from here.
type Answerer interface {
	Engine
	// Terminal is what the process of a run is asked at. [ErrNoTerminal]: it cannot
	// be given an answer from here.
	Terminal(ctx context.Context, run string) (Terminal, error)
	// Answer gives the process of a run an answer. A gate takes one: the first is
	// returned, which may be an earlier one. [ErrNoTerminal]
	Answer(ctx context.Context, run string, a Answer) (first Answer, err error)
	// Place is where the process of a run is, as far as that is known.
	Place(run wave.Run) Place
}

// Terminal is what the process of a run is asked at.
type Terminal struct {
	Answers []Answer // that it was given
	// TakesDefaults says that it takes the default of a gate by itself when its time
	// is over. Else whoever started it has to give that answer.
	TakesDefaults bool
}

// Answer is what somebody says at a gate.
type Answer struct {
	Gate   int64     `json:"gate"` // the event by which the gate began to wait
	Step   string    `json:"step"`
	Choice string    `json:"choice"` // its key
	Text   string    `json:"text,omitempty"`
	Asks   bool      `json:"asks,omitempty"` // the gate reads a text too, if only an empty one
	Who    string    `json:"who"`
	At     time.Time `json:"at"`
}

// Same reports whether two answers say the same, by the same person.
func (a Answer) Same(b Answer) bool {
	return a.Gate == b.Gate && a.Choice == b.Choice && a.Text == b.Text && a.Who == b.Who
}

// Bounds of what can be typed at a gate: a terminal takes so much at once.
const (
	MaxChoiceKey = 200
	MaxNotes     = 3000
)

// ErrNoTerminal says that the process of a run has no terminal that is held here.
var ErrNoTerminal = errors.New("its terminal is not held here")

// ErrStopping says that a run is being stopped, so that it takes no answer.
var ErrStopping = errors.New("the run is being stopped")
