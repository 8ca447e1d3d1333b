package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"wavedeck/store/diagnose"
	"wavedeck/store/sqlite"
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
	kept *simplelru.LRU[string, *baseline] // by pipeline
}

// baseline is what is known of one pipeline.
type baseline struct {
	mu      sync.Mutex // held while it is brought up to date
	checked time.Time
	order   []string // the past runs, newest first
	runs    map[string]*diagnose.PastRun
}

func (c *baselines) get(pipeline string) *baseline {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept, _ = simplelru.NewLRU[string, *baseline](maxBaselines, nil) // its error is that of a size below 1
	}
	p, known := c.kept.Get(pipeline)
	if !known {
		p = &baseline{runs: map[string]*diagnose.PastRun{}}
		c.kept.Add(pipeline, p)
	}
	return p
}

// pastOf returns the past runs of a pipeline that ended well, newest first, at
// most baselineRuns. It costs one seek when nothing is new, and nothing at all
// within baselineFor; runs whose turn to be read has not come yet are missing.
func (d *pastReader) pastOf(ctx context.Context, pipeline string) ([]*diagnose.PastRun, error) {
	now := time.Now()
	p := d.baselines.get(pipeline)
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

func (d *pastReader) updateBaseline(ctx context.Context, pipeline string, p *baseline) error {
	rows, err := d.GoodRuns(ctx, pipeline, baselineRows, baselineRuns)
	if err != nil {
		return err
	}
	p.order = make([]string, len(rows))
	listed := make(map[string]bool, len(rows))
	var news []wave.BaselineRow
	for i, r := range rows {
		p.order[i], listed[r.ID] = r.ID, true
		// Some rows of a run come a moment after its end.
		if settled := d.opt.Now().Unix()-r.Completed > int64(sqlite.Afterglow/time.Second); settled && p.runs[r.ID] == nil {
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

// readPast reads the given runs into the map and returns how many events that took.
func (d *pastReader) readPast(ctx context.Context, rows []wave.BaselineRow, into map[string]*diagnose.PastRun) (events int, err error) {
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
	counts, err := d.EventCounts(ctx, ids, baselineEvents+1)
	if err != nil {
		return 0, err
	}
	var read []string
	for _, id := range ids {
		if n := counts[id]; n > 0 && n <= baselineEvents {
			read, events = append(read, id), events+n
		}
	}
	if err := d.pastByEvents(ctx, read, starts, past); err != nil {
		return 0, err
	}
	maps.Copy(into, past)
	return events, nil
}

// pastByRows takes the steps from step_state: all that runs without events have.
func (d *pastReader) pastByRows(ctx context.Context, ids []string, starts map[string]int64, past map[string]*diagnose.PastRun) error {
	rows, err := d.PastSteps(ctx, ids)
	if err != nil {
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

// pastByEvents adds what the events tell better: when a step first began and
// last ended, its tokens and its silences.
func (d *pastReader) pastByEvents(ctx context.Context, ids []string, starts map[string]int64, past map[string]*diagnose.PastRun) error {
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
	gaps, err := d.Silences(ctx, ids, silentEvents)
	if err != nil {
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
