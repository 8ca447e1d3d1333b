// Package gate says what a run that waits at a gate asks, what can be answered, and
// what happens without an answer: from the definition of its pipeline and its steps.
// It knows no SQL and no HTTP.
package gate

import (
	"cmp"
	"regexp"
	"strings"
	"time"
	"unicode"

	"wavedeck/store/manifest"
	"wavedeck/store/wave"
)

// Kinds of gates.
const (
	Approval = "approval"
	Timer    = "timer"
	Merge    = "pr_merge"
	Checks   = "ci_pass"
)

// Aborts is the target of a choice that ends the run.
const Aborts = "_fail"

// Open is a gate that waits.
type Open struct {
	Run      string
	Pipeline string
	Step     string
	Event    int64 // by which it began to wait; 0: not known
	Since    time.Time
	Defined  bool // the definition says what it asks; else only that it waits is known
	Type     string
	Prompt   string
	Choices  []manifest.GateChoice
	Default  string // the key of a choice; empty: none
	Freeform bool   // it reads notes too
	limit    time.Duration
}

// Limits of Wave where neither the definition nor the manifest names one.
const (
	approvalLimit = 24 * time.Hour
	pollLimit     = 30 * time.Minute
)

// inputPlace is where a definition has the run's input. Wave leaves it as it is in a
// question, which says less.
var inputPlace = regexp.MustCompile(`\{\{ ?input ?\}\}`)

// Of lists the gates that a run waits at, in the order of its steps.
func Of(run wave.Run, steps []wave.Step, p manifest.Pipeline, m manifest.Runtime) []Open {
	var open []Open
	for _, step := range steps {
		if step.Asked == nil && (step.State != wave.Waiting || !step.Gate && step.Kind != "gate") {
			continue
		}
		g := Open{Run: run.ID, Pipeline: run.Pipeline, Step: step.ID, Since: step.StartedAt}
		if step.Asked != nil {
			g.Event, g.Since, g.Type = step.Asked.Event, step.Asked.At, step.Asked.Type
		}
		if def := find(p.Steps, step.ID); def != nil {
			g.define(*def, m)
			g.Prompt = inputPlace.ReplaceAllLiteralString(g.Prompt, run.Input)
		}
		open = append(open, g)
	}
	return open
}

// find looks for a gate among steps, and in those of loops.
func find(steps []manifest.Step, id string) *manifest.Gate {
	for _, s := range steps {
		if s.ID == id && s.Gate != nil {
			return s.Gate
		}
		if s.Loop != nil {
			if found := find(s.Loop.Steps, id); found != nil {
				return found
			}
		}
	}
	return nil
}

func (g *Open) define(def manifest.Gate, m manifest.Runtime) {
	g.Defined, g.Prompt, g.Choices, g.Freeform = true, cmp.Or(def.Prompt, def.Message), def.Choices, def.Freeform
	g.Type = cmp.Or(g.Type, def.Type)
	if _, known := g.Choice(def.Default); known {
		g.Default = def.Default
	}
	limit, err := time.ParseDuration(def.Timeout)
	switch {
	case err == nil && limit >= 0:
		g.limit = limit
	case def.Timeout != "": // Wave fails at once there, or has no use for it
	case g.Type == Approval && m.GateApprovalHours > 0:
		g.limit = time.Duration(m.GateApprovalHours) * time.Hour
	case g.Type == Approval && len(g.Choices) == 0:
		g.limit = approvalLimit
	case g.Type == Merge, g.Type == Checks:
		g.limit = pollLimit
	}
}

// Choice finds a choice by its key.
func (g Open) Choice(key string) (manifest.GateChoice, bool) {
	for _, c := range g.Choices {
		if c.Key == key && key != "" {
			return c, true
		}
	}
	return manifest.GateChoice{}, false
}

// ForHuman reports whether a person's answer is what it waits for.
func (g Open) ForHuman() bool { return g.Type == Approval || g.Type == "" }

// Asks reports whether it reads an answer.
func (g Open) Asks() bool { return g.Type == Approval && len(g.Choices) > 0 }

// Keeper is who keeps the time of a gate that asks.
type Keeper int

// Nobody does: at a terminal Wave waits without end. Whoever started the run does, and
// answers with the default. The engine itself does, which fails without a default.
const (
	NoKeeper Keeper = iota
	Starter
	Engine
)

// Outcome is what happens to a gate that gets no answer.
type Outcome string

// It waits without end; its default is taken; the run fails; it goes on.
const (
	Waits        Outcome = "waits"
	TakesDefault Outcome = "default"
	Fails        Outcome = "fails"
	GoesOn       Outcome = "continues"
)

// Without is what happens without an answer, and when. The time is zero when it
// waits without end, or when it began to wait is not known.
func (g Open) Without(k Keeper) (Outcome, time.Time) {
	var at time.Time
	if !g.Since.IsZero() && g.limit > 0 {
		at = g.Since.Add(g.limit)
	}
	switch {
	case !g.Defined, g.limit == 0:
		return Waits, time.Time{}
	case g.Type == Timer:
		return GoesOn, at
	case !g.Asks():
		return Fails, at
	case k == NoKeeper:
		return Waits, time.Time{}
	case g.Default != "":
		return TakesDefault, at
	case k == Engine:
		return Fails, at
	default:
		return Waits, time.Time{}
	}
}

// Limit is how long the definition lets it wait; 0: it does not say.
func (g Open) Limit() time.Duration { return g.limit }

// Typable reports whether a choice can be given: Wave reads it from a line, and
// leaves out the blanks around it.
func Typable(key string, most int) bool {
	return key != "" && len(key) <= most && strings.TrimSpace(key) == key && strings.IndexFunc(key, unicode.IsControl) < 0
}

// Line is a text as one line: more than that Wave would take for the answer of a
// later gate. Control characters are left out.
func Line(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool {
		return r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029' || r == '\v' || r == '\f'
	})
	for i, word := range words {
		words[i] = strings.TrimSpace(strings.Map(func(r rune) rune {
			switch {
			case r == '\t':
				return ' '
			case unicode.IsControl(r):
				return -1
			}
			return r
		}, word))
	}
	return strings.TrimSpace(strings.Join(words, " "))
}
