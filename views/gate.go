package views

import (
	"time"

	"wavedeck/views/legible"
)

// Gate is a gate that waits: what it asks, and who can answer it where.
type Gate struct {
	Run      string
	Pipeline string
	Step     string
	Event    int64 // by which it began to wait; 0: not known
	Type     string
	Prompt   string
	Choices  []GateChoice
	More     int    // choices that are left out
	Default  string // the key of a choice
	Freeform bool   // it takes notes
	Since    time.Time
	Without  string    // what happens without an answer: waits, default, fails, continues
	Expires  time.Time // when that happens; zero: never, or not known
	Self     bool      // the run sees to it by itself

	Answerable bool
	Why        string // why not; empty when it is
	By         string // who may answer
	Answered   *GateAnswer
	Place      *GatePlace // where else it can be answered; nil: not known, or here
	Action     string     // where an answer is sent
}

// GateChoice is an answer to a gate.
type GateChoice struct {
	Key, Label, Target string
	Aborts             bool // it ends the run
	Usable             bool // it can be given from here
}

// GateAnswer is what somebody answered.
type GateAnswer struct {
	Choice, Label, Text, Who string
	At                       time.Time
}

// GatePlace is where the process of a run can be found.
type GatePlace struct {
	Host, Terminal, User, Command string
	PID                           int
}

// GateNotes is how long the notes of an answer may be, in characters.
const GateNotes = 1000

// Question is what a gate asks, in a line.
func (g Gate) Question() string {
	switch {
	case g.Prompt != "":
		return firstLine(g.Prompt)
	case g.Type == "timer":
		return "Waiting for its time"
	case g.Type == "pr_merge":
		return "Waiting for a pull request to be merged"
	case g.Type == "ci_pass":
		return "Waiting for checks to pass"
	default:
		return "Waiting for an approval"
	}
}

// rest is what the question's line leaves out.
func (g Gate) rest() string {
	if g.Question() != g.Prompt {
		return g.Prompt
	}
	return ""
}

// label names a choice, by its key.
func (g Gate) label(key string) string {
	for _, c := range g.Choices {
		if c.Key == key {
			return c.name()
		}
	}
	return legible.Name(key)
}

func (c GateChoice) name() string {
	if c.Label != "" {
		return c.Label
	}
	return legible.Name(c.Key)
}

// LeadsTo is where a choice leads.
func (c GateChoice) LeadsTo() string {
	switch {
	case c.Aborts:
		return "ends the run"
	case c.Target == "":
		return "continues"
	default:
		return legible.Name(c.Target)
	}
}

// Otherwise is what happens without an answer, up to the time at which it does.
func (g Gate) Otherwise() string {
	switch g.Without {
	case "default":
		return g.label(g.Default)
	case "fails":
		return "the run fails"
	case "continues":
		return "it continues"
	default:
		return "it waits"
	}
}

// class is that of a choice's button: the default is what is wanted, an abort is not.
func (g Gate) class(c GateChoice) string {
	switch {
	case c.Aborts:
		return "btn danger"
	case c.Key == g.Default:
		return "btn go"
	default:
		return "btn"
	}
}
