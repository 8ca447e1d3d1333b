package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

const (
	actionsAtOnce     = 400 // of a run, the newest
	actionsOfPast     = 1000
	pastForRepetition = 20  // past runs whose repetitions are asked for
	maxActions        = 512 // runs whose actions are kept
)

// actions keeps what the steps of runs that go on did last, so that asking again
// costs what is new. The zero value works; it belongs to one opened file.
type actions struct {
	mu          sync.Mutex
	byRun       map[string]*runActions
	repetitions map[wave.StepRef]diagnose.Repetition // of past runs' steps, which do not change
}

type runActions struct {
	mu    sync.Mutex
	last  int64 // id of the newest event seen
	steps map[string][]diagnose.ToolCall
}

func (c *actions) of(run string) *runActions {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.byRun[run]
	if r == nil {
		if c.byRun == nil || len(c.byRun) >= maxActions {
			c.byRun = map[string]*runActions{} // what is still asked for is read again
		}
		r = &runActions{steps: map[string][]diagnose.ToolCall{}}
		c.byRun[run] = r
	}
	return r
}

func (c *actions) repetition(ref wave.StepRef) (diagnose.Repetition, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, ok := c.repetitions[ref]
	return h, ok
}

func (c *actions) keep(ref wave.StepRef, h diagnose.Repetition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.repetitions == nil || len(c.repetitions) >= maxActions*pastForRepetition {
		c.repetitions = map[wave.StepRef]diagnose.Repetition{}
	}
	c.repetitions[ref] = h
}

// runawayOf looks at what the steps of a run do now.
func (d *pastReader) runawayOf(ctx context.Context, r *diagnose.Record, past []*diagnose.PastRun, now time.Time) (*diagnose.Runaway, error) {
	if r.State != wave.Running || r.History == nil {
		return nil, nil
	}
	steps := r.RunningSteps()
	for _, step := range steps {
		if found := diagnose.Surge(step, r.History.Steps[step], past, now); found != nil {
			return found, nil
		}
	}
	if len(steps) == 0 {
		return nil, nil
	}
	kept := d.actions.of(r.ID)
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if kept.last < r.History.Last {
		if err := d.readActions(ctx, r, kept); err != nil {
			return nil, fmt.Errorf("read what %s does: %w", r.ID, err)
		}
	}
	for _, step := range steps {
		habit, found := diagnose.Repeats(kept.steps[step])
		if found == nil {
			continue
		}
		usual, err := d.usualRepetition(ctx, step, past)
		if err != nil {
			return nil, fmt.Errorf("habits of step %s: %w", step, err)
		}
		if habit.Exceeds(usual) {
			found.Step, found.Past = step, len(past)
			return found, nil
		}
	}
	return nil, nil
}

func (d *pastReader) readActions(ctx context.Context, r *diagnose.Record, kept *runActions) error {
	rows, err := d.ToolCalls(ctx, r.ID, kept.last, actionsAtOnce)
	if err != nil {
		return err
	}
	messages := make([]message, len(rows))
	for i := range rows {
		messages[i] = message{rows[i].ID, r.ID, rows[i].Step, &rows[i].Message}
	}
	if err := d.hideAcross(ctx, d, messages); err != nil {
		return err
	}
	for _, row := range slices.Backward(rows) {
		text := diagnose.Normalize(row.Message)
		if text == "" {
			continue // it does not say what was done
		}
		list := kept.steps[row.Step]
		list = append(list, diagnose.ToolCall{At: wave.Unix(row.At), Text: text})
		if len(list) > 2*diagnose.LoopWindow {
			list = slices.Clone(list[len(list)-diagnose.LoopWindow:])
		}
		if len(kept.steps) < diagnose.MaxSteps || kept.steps[row.Step] != nil {
			kept.steps[row.Step] = list
		}
	}
	kept.last = r.History.Last
	if len(rows) > 0 {
		kept.last = max(kept.last, rows[0].ID)
	}
	return nil
}

// usualRepetition is the most that a step repeated itself in the latest past runs. It
// is asked for a step that seems to run away, and read once of each run.
func (d *pastReader) usualRepetition(ctx context.Context, step string, past []*diagnose.PastRun) (diagnose.Repetition, error) {
	var usual diagnose.Repetition
	for _, run := range past[:min(len(past), pastForRepetition)] {
		ref := wave.StepRef{Run: run.ID, Step: step}
		h, known := d.actions.repetition(ref)
		if !known {
			rows, err := d.ToolCallsOf(ctx, run.ID, step, actionsOfPast)
			if err != nil {
				return usual, err
			}
			list := make([]diagnose.ToolCall, len(rows))
			for i, row := range rows {
				list[i] = diagnose.ToolCall{At: wave.Unix(row.At), Text: diagnose.Normalize(row.Message)}
			}
			h = diagnose.RepetitionOf(list)
			d.actions.keep(ref, h)
		}
		usual = usual.With(h)
	}
	return usual, nil
}
