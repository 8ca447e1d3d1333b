package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

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
	repetitions map[wave.StepRef]repetition // of past runs' steps, which do not change
}

type runActions struct {
	mu    sync.Mutex
	last  int64 // id of the newest event seen
	steps map[string][]toolCall
}

func (c *actions) of(run string) *runActions {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.byRun[run]
	if r == nil {
		if c.byRun == nil || len(c.byRun) >= maxActions {
			c.byRun = map[string]*runActions{} // what is still asked for is read again
		}
		r = &runActions{steps: map[string][]toolCall{}}
		c.byRun[run] = r
	}
	return r
}

func (c *actions) repetition(ref wave.StepRef) (repetition, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, ok := c.repetitions[ref]
	return h, ok
}

func (c *actions) keep(ref wave.StepRef, h repetition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.repetitions == nil || len(c.repetitions) >= maxActions*pastForRepetition {
		c.repetitions = map[wave.StepRef]repetition{}
	}
	c.repetitions[ref] = h
}

// newDeedsSQL walks back from the end of a run's part of idx_event_run.
func newActionsSQL() string {
	return `
SELECT id, COALESCE(` + timeSQL("timestamp") + `, 0) AS timestamp, COALESCE(step_id, '') AS step_id,
	substr(COALESCE(message, ''), 1, 1000) AS message
FROM event_log WHERE run_id = ? AND id > ? AND +state = 'stream_activity' ORDER BY id DESC LIMIT ?`
}

// runawayOf looks at what the steps of a run do now.
func (d *database) runawayOf(ctx context.Context, r *record, past []*pastRun, now time.Time) (*Runaway, error) {
	if r.state != wave.Running || r.history == nil {
		return nil, nil
	}
	steps := r.runningSteps()
	for _, step := range steps {
		if found := surge(step, r.history.steps[step], past, now); found != nil {
			return found, nil
		}
	}
	if len(steps) == 0 || !d.schema.has("event_log") {
		return nil, nil
	}
	kept := d.actions.of(r.ID)
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if kept.last < r.history.last {
		if err := d.readActions(ctx, r, kept); err != nil {
			return nil, fmt.Errorf("read what %s does: %w", r.ID, err)
		}
	}
	for _, step := range steps {
		habit, found := repeats(kept.steps[step])
		if found == nil {
			continue
		}
		usual, err := d.usualRepetition(ctx, step, past)
		if err != nil {
			return nil, fmt.Errorf("habits of step %s: %w", step, err)
		}
		if habit.exceeds(usual) {
			found.Step, found.Past = step, len(past)
			return found, nil
		}
	}
	return nil, nil
}

func (d *database) readActions(ctx context.Context, r *record, kept *runActions) error {
	var rows []wave.ToolCallRow
	if err := d.SelectContext(ctx, &rows, newActionsSQL(), r.ID, kept.last, actionsAtOnce); err != nil {
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
		text := normalize(row.Message)
		if text == "" {
			continue // it does not say what was done
		}
		list := kept.steps[row.Step]
		list = append(list, toolCall{wave.Unix(row.At), text})
		if len(list) > 2*loopWindow {
			list = slices.Clone(list[len(list)-loopWindow:])
		}
		if len(kept.steps) < maxSteps || kept.steps[row.Step] != nil {
			kept.steps[row.Step] = list
		}
	}
	kept.last = r.history.last
	if len(rows) > 0 {
		kept.last = max(kept.last, rows[0].ID)
	}
	return nil
}

func pastActionsSQL() string {
	return `
SELECT id, COALESCE(` + timeSQL("timestamp") + `, 0) AS timestamp, '' AS step_id, substr(COALESCE(message, ''), 1, 1000) AS message
FROM event_log WHERE run_id = ? AND +state = 'stream_activity' AND +step_id = ? ORDER BY id LIMIT ?`
}

// usualHabit is the most that a step repeated itself in the latest past runs. It
// is asked for a step that seems to run away, and read once of each run.
func (d *database) usualRepetition(ctx context.Context, step string, past []*pastRun) (repetition, error) {
	var usual repetition
	for _, run := range past[:min(len(past), pastForRepetition)] {
		ref := wave.StepRef{Run: run.id, Step: step}
		h, known := d.actions.repetition(ref)
		if !known {
			var rows []wave.ToolCallRow
			if err := d.SelectContext(ctx, &rows, pastActionsSQL(), run.id, step, actionsOfPast); err != nil {
				return usual, err
			}
			list := make([]toolCall, len(rows))
			for i, row := range rows {
				list[i] = toolCall{wave.Unix(row.At), normalize(row.Message)}
			}
			h = repetitionOf(list)
			d.actions.keep(ref, h)
		}
		usual = usual.with(h)
	}
	return usual, nil
}
