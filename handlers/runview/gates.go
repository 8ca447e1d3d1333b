package runview

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"wavedeck/handlers/present"
	"wavedeck/runner"
	"wavedeck/store"
	"wavedeck/store/gate"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// gateRuns is how many runs are looked through for gates that wait, and gatesShown how
// many of those are shown.
const (
	gateRuns   = 50
	gatesShown = 20
	gateDepth  = 10 // of runs below each other
)

// gateReader finds the gates that a run waits at, and who can answer them.
type gateReader struct{ *Reader }

// Gates are the gates that a run waits at, and those of the runs below it: what they
// ask, and whether they can be answered here. The process that a run was started for
// carries out those below it too, and is asked for all of them.
func (rv *Reader) Gates(ctx context.Context, d wave.RunDetail) ([]views.Gate, error) {
	open, _, err := gateReader{rv}.openGates(ctx, d)
	return open, err
}

// openGates also returns the run whose process is asked.
func (rv gateReader) openGates(ctx context.Context, d wave.RunDetail) ([]views.Gate, wave.Run, error) {
	run := d.Run
	if !run.State.Active() {
		return nil, run, nil
	}
	root, err := rv.rootOf(ctx, run)
	if err != nil {
		return nil, root, err
	}
	walk := gateWalk{Reader: rv.Reader, of: run.ID}
	if root.State == wave.Waiting || run.State == wave.Waiting {
		err = walk.find(ctx, root.ID, false, 0)
	} else { // nobody is asked, but it may wait for its time
		walk.take(d, true)
	}
	if err != nil || len(walk.found) == 0 {
		return nil, root, err
	}
	return rv.answerable(ctx, root, walk), root, nil
}

// questionsRead is how many runs of one list are asked for their question.
const questionsRead = 20

// Question is what a run waits to be answered, in a line; empty: nothing that is known.
func (rv *Reader) Question(ctx context.Context, run wave.Run) string {
	open, err := rv.Gates(ctx, wave.RunDetail{Run: run})
	if err != nil || len(open) == 0 {
		return ""
	}
	question := open[0].Question()
	if len(open) > 1 {
		question += fmt.Sprintf(" (and %d more)", len(open)-1)
	}
	return present.ClipMarkup(question, present.LineShown)
}

// Asked is a gate that waits, and the run whose process is asked.
type Asked struct {
	views.Gate
	Root  wave.Run
	First *runner.Answer // that it was given; nil: none, as far as is known here
}

// Choice finds a choice by its key.
func (a Asked) Choice(key string) (views.GateChoice, bool) {
	for _, c := range a.Choices {
		if c.Key == key && key != "" {
			return c, true
		}
	}
	return views.GateChoice{}, false
}

// AskedAt finds the gate that a run waits at in a step; nil: it does not.
func (rv *Reader) AskedAt(ctx context.Context, run wave.Run, step string) (*Asked, error) {
	open, root, err := gateReader{rv}.openGates(ctx, wave.RunDetail{Run: run})
	if err != nil {
		return nil, err
	}
	for _, g := range open {
		if g.Run != run.ID || g.Step != step {
			continue
		}
		asked := &Asked{Gate: g, Root: root}
		if answerer, ok := rv.Engine.(runner.Answerer); ok && g.Answered != nil {
			terminal, _ := answerer.Terminal(ctx, root.ID) // it was there a moment ago
			for _, a := range terminal.Answers {
				if a.Gate == g.Event {
					asked.First = &a
				}
			}
		}
		return asked, nil
	}
	return nil, nil
}

// rootOf is the run that the process was started for which carries out a run.
func (rv gateReader) rootOf(ctx context.Context, run wave.Run) (wave.Run, error) {
	for range gateDepth {
		if !run.Inner() {
			break
		}
		parent, err := rv.Store.Run(ctx, run.Parent)
		if errors.Is(err, store.ErrNotFound) {
			break
		}
		if err != nil {
			return run, fmt.Errorf("parent of %s: %w", run.ID, err)
		}
		run = parent
	}
	return run, nil
}

// gateWalk goes through the runs of a process.
type gateWalk struct {
	*Reader
	of    string // the gates of this run, and those below it, are wanted
	seen  []string
	found []gate.Open
	asks  int // of the whole process
}

func (w *gateWalk) find(ctx context.Context, id string, within bool, depth int) error {
	if len(w.seen) >= gateRuns || depth > gateDepth || slices.Contains(w.seen, id) {
		return nil
	}
	w.seen = append(w.seen, id)
	d, err := w.Store.Detail(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("gates of %s: %w", id, err)
	}
	within = within || id == w.of
	w.take(d, within)
	for _, child := range d.Children {
		if child.State.Active() && child.Inner() {
			if err := w.find(ctx, child.ID, within, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// take adds the gates that one run waits at.
func (w *gateWalk) take(d wave.RunDetail, within bool) {
	catalog := w.Manifest.Current()
	pipeline, _ := catalog.Pipeline(d.Run.Pipeline)
	for _, g := range gate.Of(d.Run, d.Steps, pipeline, catalog.Manifest.Runtime) {
		if g.Asks() {
			w.asks++
		}
		if within && len(w.found) < gatesShown {
			w.found = append(w.found, g)
		}
	}
}

// answerable says of each gate whether, and by whom, it can be answered here.
func (rv gateReader) answerable(ctx context.Context, root wave.Run, walk gateWalk) []views.Gate {
	answerer, _ := rv.Engine.(runner.Answerer)
	var asked runner.Terminal
	held := runner.ErrNoTerminal
	keeper := gate.NoKeeper
	if answerer != nil {
		if asked, held = answerer.Terminal(ctx, root.ID); held == nil {
			if keeper = gate.Starter; asked.TakesDefaults {
				keeper = gate.Engine
			}
		}
	}
	var list []views.Gate
	for _, g := range walk.found {
		v := present.GateOf(g, keeper, runner.MaxChoiceKey)
		v.Action, v.Self = rv.Paths.GateAnswer(g.Run, g.Step), keeper == gate.Engine
		for _, a := range asked.Answers {
			if a.Gate == g.Event && g.Event != 0 {
				v.Answered = AnswerOf(g, a)
			}
		}
		v.Why = rv.unanswerable(g, root, walk.asks, v.Answered, held)
		if v.Answerable = v.Why == ""; v.Answerable {
			v.By = "Anyone who can use this console may answer"
			if rv.Frame.Gated {
				v.By = "Anyone who is signed in here may answer"
			}
		} else {
			v.Action = ""
		}
		if held != nil && answerer != nil && g.Asks() {
			v.Place = placeOf(answerer.Place(root))
		}
		list = append(list, v)
	}
	return list
}

// unanswerable is why a gate cannot be answered here, in a sentence; empty: it can.
func (rv gateReader) unanswerable(g gate.Open, root wave.Run, asks int, answered *views.GateAnswer, held error) string {
	switch {
	case !g.Defined:
		return "The definition of its pipeline does not have this gate any more, so that its choices are unknown."
	case g.Type == gate.Timer:
		return "Nobody has to answer: it waits for its time."
	case !g.ForHuman():
		return "Nobody has to answer: it waits for something outside."
	case !g.Asks():
		return "It offers no choices, so that nobody can answer it."
	case answered != nil:
		return "It was answered by " + answered.Who + "."
	case root.Cancel != nil:
		return "The run is being stopped."
	case held != nil:
		return "It waits in a terminal that this console does not hold. Answer it there, or stop the run."
	case rv.ReadOnly:
		return "This console is read-only."
	case asks > 1:
		return "Several gates of this run wait at once, and which of them would read an answer is unknown. Stop the run, or start it again with automatic approval."
	case g.Event == 0:
		return "No event says when it began to wait, so that an answer might reach another gate."
	}
	return ""
}

// AnswerOf is an answer as it is shown.
func AnswerOf(g gate.Open, a runner.Answer) *views.GateAnswer {
	choice, _ := g.Choice(a.Choice)
	return &views.GateAnswer{
		Choice: a.Choice, Label: present.Clip(present.Redact(cmp.Or(choice.Label, a.Choice)), present.TextShown), Text: present.Clip(present.Redact(a.Text), present.AccountShown), Who: present.Clip(present.Redact(a.Who), present.NameShown), At: a.At,
	}
}

func placeOf(p runner.Place) *views.GatePlace {
	return &views.GatePlace{
		Host: present.Clip(p.Host, present.NameShown), PID: p.PID, Terminal: p.Terminal, User: present.Clip(p.User, present.NameShown), Command: present.Clip(present.Redact(p.Command), present.TextShown),
	}
}
