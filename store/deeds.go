package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	deedsAtOnce  = 400 // of a run, the newest
	deedsOfPast  = 1000
	pastForHabit = 20  // past runs whose habits are asked for
	maxDeeds     = 512 // runs whose deeds are kept
)

// deeds keeps what the steps of runs that go on did last, so that asking again
// costs what is new. The zero value works; it belongs to one opened file.
type deeds struct {
	mu     sync.Mutex
	byRun  map[string]*runDeeds
	habits map[StepRef]habit // of past runs' steps, which do not change
}

type runDeeds struct {
	mu    sync.Mutex
	last  int64 // id of the newest event seen
	steps map[string][]deed
}

func (c *deeds) of(run string) *runDeeds {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.byRun[run]
	if r == nil {
		if c.byRun == nil || len(c.byRun) >= maxDeeds {
			c.byRun = map[string]*runDeeds{} // what is still asked for is read again
		}
		r = &runDeeds{steps: map[string][]deed{}}
		c.byRun[run] = r
	}
	return r
}

func (c *deeds) habit(ref StepRef) (habit, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, ok := c.habits[ref]
	return h, ok
}

func (c *deeds) keep(ref StepRef, h habit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.habits == nil || len(c.habits) >= maxDeeds*pastForHabit {
		c.habits = map[StepRef]habit{}
	}
	c.habits[ref] = h
}

// newDeedsSQL walks back from the end of a run's part of idx_event_run.
func newDeedsSQL() string {
	return `
SELECT id, COALESCE(` + timeSQL("timestamp") + `, 0) AS timestamp, COALESCE(step_id, '') AS step_id,
	substr(COALESCE(message, ''), 1, 1000) AS message
FROM event_log WHERE run_id = ? AND id > ? AND +state = 'stream_activity' ORDER BY id DESC LIMIT ?`
}

type deedRow struct {
	ID      int64  `db:"id"`
	At      int64  `db:"timestamp"`
	Step    string `db:"step_id"`
	Message string `db:"message"`
}

// runawayOf looks at what the steps of a run do now.
func (d *database) runawayOf(ctx context.Context, r *record, past []*pastRun, now time.Time) (*Runaway, error) {
	if r.state != Running || r.history == nil {
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
	kept := d.deeds.of(r.ID)
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if kept.last < r.history.last {
		if err := d.readDeeds(ctx, r, kept); err != nil {
			return nil, fmt.Errorf("read what %s does: %w", r.ID, err)
		}
	}
	for _, step := range steps {
		habit, found := repeats(kept.steps[step])
		if found == nil {
			continue
		}
		usual, err := d.usualHabit(ctx, step, past)
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

func (d *database) readDeeds(ctx context.Context, r *record, kept *runDeeds) error {
	var rows []deedRow
	if err := d.SelectContext(ctx, &rows, newDeedsSQL(), r.ID, kept.last, deedsAtOnce); err != nil {
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
		list = append(list, deed{unix(row.At), text})
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

func pastDeedsSQL() string {
	return `
SELECT id, COALESCE(` + timeSQL("timestamp") + `, 0) AS timestamp, '' AS step_id, substr(COALESCE(message, ''), 1, 1000) AS message
FROM event_log WHERE run_id = ? AND +state = 'stream_activity' AND +step_id = ? ORDER BY id LIMIT ?`
}

// usualHabit is the most that a step repeated itself in the latest past runs. It
// is asked for a step that seems to run away, and read once of each run.
func (d *database) usualHabit(ctx context.Context, step string, past []*pastRun) (habit, error) {
	var usual habit
	for _, run := range past[:min(len(past), pastForHabit)] {
		ref := StepRef{run.id, step}
		h, known := d.deeds.habit(ref)
		if !known {
			var rows []deedRow
			if err := d.SelectContext(ctx, &rows, pastDeedsSQL(), run.id, step, deedsOfPast); err != nil {
				return usual, err
			}
			list := make([]deed, len(rows))
			for i, row := range rows {
				list[i] = deed{unix(row.At), normalize(row.Message)}
			}
			h = habitOf(list)
			d.deeds.keep(ref, h)
		}
		usual = usual.with(h)
	}
	return usual, nil
}
