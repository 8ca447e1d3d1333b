package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

// Bounds of what is read to learn how a pipeline usually goes.
const (
	baselineRuns    = 100              // past runs that figures rest on
	baselineRows    = 4 * baselineRuns // rows looked at to find them
	baselineFor     = 2 * time.Second  // how long the list of past runs is believed
	baselineEvents  = 5000             // of one run; a longer one counts by its steps' rows alone
	baselineBudget  = 50_000           // events read at one time; the next time goes on
	maxBaselines    = 256              // pipelines kept
	baselineAtATime = 25               // runs in a statement
	silentEvents    = 2000             // the first of a run's events, whose silences are measured
)

// baselines keeps how pipelines usually go. Past runs do not change, so that each
// is read once, and a new one costs itself alone. The zero value works. It
// belongs to one opened file, as histories does.
type baselines struct {
	mu   sync.Mutex
	byID map[string]*baseline // by pipeline
}

// baseline is what is known of one pipeline.
type baseline struct {
	mu      sync.Mutex // held while it is brought up to date
	checked time.Time
	used    time.Time // under baselines.mu
	order   []string  // the past runs, newest first
	runs    map[string]*diagnose.PastRun
}

func (c *baselines) get(pipeline string, now time.Time) *baseline {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.byID[pipeline]
	if p == nil {
		if c.byID == nil {
			c.byID = map[string]*baseline{}
		}
		if len(c.byID) >= maxBaselines {
			oldest := ""
			for name, other := range c.byID {
				if oldest == "" || other.used.Before(c.byID[oldest].used) {
					oldest = name
				}
			}
			delete(c.byID, oldest)
		}
		p = &baseline{runs: map[string]*diagnose.PastRun{}}
		c.byID[pipeline] = p
	}
	p.used = now
	return p
}

// pastOf returns the past runs of a pipeline that ended well, newest first, at
// most baselineRuns. It costs one seek when nothing is new, and nothing at all
// within baselineFor; runs whose turn to be read has not come yet are missing.
func (d *database) pastOf(ctx context.Context, pipeline string) ([]*diagnose.PastRun, error) {
	now := time.Now()
	p := d.baselines.get(pipeline, now)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.checked.IsZero() || now.Sub(p.checked) > baselineFor {
		if err := d.updateBaseline(ctx, pipeline, p); err != nil {
			return nil, fmt.Errorf("past of pipeline %s: %w", pipeline, err)
		}
		p.checked = now
	}
	past := make([]*diagnose.PastRun, 0, len(p.order))
	for _, id := range p.order {
		if run := p.runs[id]; run != nil {
			past = append(past, run)
		}
	}
	return past, nil
}

// pastRunsSQL finds a pipeline's latest runs that ended well, along
// idx_run_pipeline as pipelineRunsSQL does. A resumed run did a part of its
// steps only, a dry run none.
func pastRunsSQL() string {
	return `
SELECT run_id, started_at, completed_at FROM (
	SELECT r.run_id, r.status, %s AS kind, %s AS step, COALESCE(` + timeSQL("r.started_at") + `, 0) AS started_at,
		COALESCE(` + timeSQL("r.completed_at") + `, 0) AS completed_at
	FROM pipeline_run r WHERE r.pipeline_name = ? AND +r.run_id <> '' ORDER BY r.rowid DESC LIMIT ?)
WHERE status IN ('completed', 'completed_empty') AND kind <> 'resume' AND step <> ? AND started_at > 0 AND completed_at >= started_at LIMIT ?`
}

func (d *database) updateBaseline(ctx context.Context, pipeline string, p *baseline) error {
	if !d.schema.has("pipeline_run") {
		return nil
	}
	var rows []wave.BaselineRow
	kind, step := "''", "''"
	if d.schema["pipeline_run"]["run_kind"] {
		kind = "COALESCE(r.run_kind, '')"
	}
	if d.schema["pipeline_run"]["current_step"] {
		step = "COALESCE(r.current_step, '')"
	}
	if err := d.SelectContext(ctx, &rows, fmt.Sprintf(pastRunsSQL(), kind, step), pipeline, baselineRows, wave.ReasonDryRun, baselineRuns); err != nil {
		return err
	}
	p.order = make([]string, len(rows))
	listed := make(map[string]bool, len(rows))
	var news []wave.BaselineRow
	for i, r := range rows {
		p.order[i], listed[r.ID] = r.ID, true
		// Some rows of a run come a moment after its end.
		if settled := d.opt.Now().Unix()-r.Completed > int64(afterglow/time.Second); settled && p.runs[r.ID] == nil {
			news = append(news, r)
		}
	}
	maps.DeleteFunc(p.runs, func(id string, _ *diagnose.PastRun) bool { return !listed[id] })
	budget := baselineBudget
	for part := range slices.Chunk(news, baselineAtATime) {
		spent, err := d.readPast(ctx, part, p.runs)
		if err != nil {
			return err
		}
		if budget -= spent; budget <= 0 {
			break
		}
	}
	return nil
}

// eventCountsSQL counts the events of each of the listed runs, no further than
// it matters: along the index alone.
const eventCountsSQL = `
WITH wanted(run_id) AS (VALUES %s)
SELECT w.run_id, (SELECT count(*) FROM (SELECT 1 FROM event_log WHERE run_id = w.run_id LIMIT ?)) AS n FROM wanted w`

// readPast reads the given runs into the map and returns how many events that took.
func (d *database) readPast(ctx context.Context, rows []wave.BaselineRow, into map[string]*diagnose.PastRun) (events int, err error) {
	past := make(map[string]*diagnose.PastRun, len(rows))
	starts := make(map[string]int64, len(rows))
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i], starts[r.ID] = r.ID, r.Started
		past[r.ID] = &diagnose.PastRun{ID: r.ID, Duration: r.Completed - r.Started, Steps: map[string]diagnose.PastStep{}}
	}
	if err := d.pastByRows(ctx, ids, starts, past); err != nil {
		return 0, err
	}
	if d.schema.has("event_log") {
		var counts []struct {
			Run string `db:"run_id"`
			N   int    `db:"n"`
		}
		query := fmt.Sprintf(eventCountsSQL, tuples(len(ids), 1))
		if err := d.SelectContext(ctx, &counts, query, append(anys(ids), baselineEvents+1)...); err != nil {
			return 0, err
		}
		var read []string
		for _, c := range counts {
			if c.N > 0 && c.N <= baselineEvents {
				read, events = append(read, c.Run), events+c.N
			}
		}
		if err := d.pastByEvents(ctx, read, starts, past); err != nil {
			return 0, err
		}
	}
	maps.Copy(into, past)
	return events, nil
}

func pastStepsSQL() string {
	return `
SELECT pipeline_id AS run_id, step_id, COALESCE(state, '') AS state, COALESCE(` + timeSQL("started_at") + `, 0) AS started_at,
	COALESCE(` + timeSQL("completed_at") + `, 0) AS completed_at
FROM step_state WHERE pipeline_id IN %s`
}

// pastByRows takes the steps from step_state: all that runs without events have.
func (d *database) pastByRows(ctx context.Context, ids []string, starts map[string]int64, past map[string]*diagnose.PastRun) error {
	if !d.schema.has("step_state") {
		return nil
	}
	var rows []struct {
		Run       string `db:"run_id"`
		Step      string `db:"step_id"`
		State     string `db:"state"`
		Started   int64  `db:"started_at"`
		Completed int64  `db:"completed_at"`
	}
	if err := d.SelectContext(ctx, &rows, fmt.Sprintf(pastStepsSQL(), in(len(ids))), anys(ids)...); err != nil {
		return err
	}
	for _, r := range rows {
		switch start := starts[r.Run]; {
		case r.State == "skipped":
			past[r.Run].Steps[r.Step] = diagnose.PastStep{Skipped: true}
		case r.Started >= start && r.Completed >= r.Started:
			past[r.Run].Steps[r.Step] = diagnose.PastStep{Start: r.Started - start, End: r.Completed - start}
		}
	}
	return nil
}

// silencesSQL measures the longest time between two events of each step among
// the first events of each run.
func silencesSQL() string {
	return `
WITH wanted(run_id) AS (VALUES %s)
SELECT run_id, step_id, max(gap) AS gap FROM (
	SELECT e.run_id, COALESCE(e.step_id, '') AS step_id,
		` + timeSQL("e.timestamp") + ` - lag(` + timeSQL("e.timestamp") + `) OVER (PARTITION BY e.run_id, e.step_id ORDER BY e.id) AS gap
	FROM wanted w CROSS JOIN event_log e ON e.id IN (SELECT id FROM (SELECT id FROM event_log WHERE run_id = w.run_id ORDER BY id LIMIT ?))
	WHERE COALESCE(e.step_id, '') <> '')
WHERE gap IS NOT NULL GROUP BY run_id, step_id`
}

// pastByEvents adds what the events tell better: when a step first began and
// last ended, its tokens and its silences.
func (d *database) pastByEvents(ctx context.Context, ids []string, starts map[string]int64, past map[string]*diagnose.PastRun) error {
	if len(ids) == 0 {
		return nil
	}
	entries := make(map[string]*cachedHistory, len(ids)) // not kept: what is kept is far less
	for _, id := range ids {
		entries[id] = &cachedHistory{run: id}
	}
	if err := d.foldNew(ctx, d, ids, entries); err != nil {
		return err
	}
	for id, entry := range entries {
		past[id].AddHistory(&entry.h, starts[id])
	}
	var gaps []struct {
		Run  string `db:"run_id"`
		Step string `db:"step_id"`
		Gap  int64  `db:"gap"`
	}
	query := fmt.Sprintf(silencesSQL(), tuples(len(ids), 1))
	if err := d.SelectContext(ctx, &gaps, query, append(anys(ids), silentEvents)...); err != nil {
		return err
	}
	for _, g := range gaps {
		if s, ok := past[g.Run].Steps[g.Step]; ok && !s.Skipped {
			s.Heard, s.Silence = true, max(g.Gap, 0)
			past[g.Run].Steps[g.Step] = s
		}
	}
	return nil
}
