package sqlite

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"time"

	"wavedeck/store/wave"
)

const (
	maxOpenRuns = 20_000 // recorded as going on; real histories have a handful
	maxCompared = 500    // compared row by row at each commit
)

// Afterglow is how long after an event Wave writes the last of the rows that belong
// to it.
const Afterglow = 30 * time.Second

// rowDiff finds changed rows that no event announces: a run that fails has no
// event of its own, its steps and artifacts are committed apart from theirs.
//
// New rows show by their rowid. Changed ones show by a hash of what is shown
// of them, for the runs that are open or had something happen lately; older
// ones are left to the index, which reads through all of them from time to time.
type rowDiff struct {
	d       *DB
	seed    maphash.Seed
	lastRow map[string]int64     // by table: the greatest rowid seen
	open    map[string]struct{}  // recorded as pending or running
	recent  map[string]time.Time // until when to compare a run that is not open
	hashes  map[rowKey]uint64

	pending func() // makes the last comparison the base of the next
}

type rowKey struct {
	table string
	ref   wave.StepRef // Step is empty for rows of the run itself
}

// RowChanges names what became different. Row is set when it is the run's own
// row, so that its parent's counts may be others.
type RowChanges struct {
	Runs  map[string]struct{}
	Steps map[wave.StepRef]struct{}
	Row   bool
	more  bool // new rows are left for the next comparison
}

// NewRowChanges names nothing yet.
func NewRowChanges() RowChanges {
	return RowChanges{Runs: map[string]struct{}{}, Steps: map[wave.StepRef]struct{}{}}
}

// Add names a run, and its step if there is one.
func (c *RowChanges) Add(ref wave.StepRef) {
	c.Runs[ref.Run] = struct{}{}
	if ref.Step != "" {
		c.Steps[ref] = struct{}{}
	}
}

// growing are the tables whose rows are only added.
func growing() []comparedTable {
	return []comparedTable{
		{name: "pipeline_run", run: "run_id"}, {name: "cancellation", run: "run_id"},
		{name: "artifact", run: "run_id", step: "step_id"}, {name: "step_attempt", run: "run_id", step: "step_id"},
		{name: "performance_metric", run: "run_id", step: "step_id"}, {name: "pipeline_outcome", run: "run_id", step: "step_id"},
		{name: "decision_log", run: "run_id", step: "step_id"}, {name: "checkpoint", run: "run_id", step: "step_id"},
	}
}

// changing are the tables whose rows are updated in place, with the columns
// that are shown. A heartbeat alone is no change.
func changing() []comparedTable {
	return []comparedTable{
		{"pipeline_run", "run_id", "", strings.Fields("pipeline_name status current_step total_tokens started_at completed_at cancelled_at error_message tags_json branch_name pid parent_run_id forked_from_run_id")},
		{"pipeline_state", "pipeline_id", "", []string{"status"}},
		{"pipeline_progress", "run_id", "", strings.Fields("total_steps completed_steps overall_progress")},
		{"step_state", "pipeline_id", "step_id", strings.Fields("state retry_count visit_count started_at completed_at error_message")},
		{"step_progress", "run_id", "step_id", strings.Fields("state progress current_action message tokens_used")},
	}
}

type comparedTable struct {
	name, run, step string // step is empty in tables of runs
	columns         []string
}

func newRowDiff(d *DB) *rowDiff {
	return &rowDiff{
		d: d, seed: maphash.MakeSeed(), lastRow: map[string]int64{}, open: map[string]struct{}{},
		recent: map[string]time.Time{}, hashes: map[rowKey]uint64{}, pending: func() {},
	}
}

// begin takes the rows as they are for the base of the first comparison.
func (w *rowDiff) begin(ctx context.Context) error {
	for _, t := range growing() {
		if !w.d.Schema[t.name][t.run] {
			continue
		}
		var last int64
		if err := w.d.GetContext(ctx, &last, "SELECT COALESCE(max(rowid), 0) FROM "+t.name); err != nil {
			return fmt.Errorf("find last row of %s: %w", t.name, err)
		}
		w.lastRow[t.name] = last
	}
	if _, err := w.compare(ctx, time.Now(), func(string) wave.State { return "" }); err != nil {
		return err
	}
	w.accept()
	return nil
}

// touch has runs compared for a while, open or not.
func (w *rowDiff) touch(runs map[string]struct{}, now time.Time) {
	for id := range runs {
		w.recent[id] = now.Add(Afterglow)
	}
}

func (w *rowDiff) openRuns() []string { return slices.Collect(maps.Keys(w.open)) }

// accept makes what compare found known. Until then comparing again finds it
// again, so that a failure in between loses nothing.
func (w *rowDiff) accept() { w.pending() }

// compare names what changed since the last comparison that was accepted.
// state is a run's last derived state; empty: unknown.
func (w *rowDiff) compare(ctx context.Context, now time.Time, state func(string) wave.State) (RowChanges, error) {
	changed := NewRowChanges()
	lastRow, err := w.newRows(ctx, &changed)
	if err != nil {
		return changed, err
	}
	open, err := w.readOpen(ctx)
	if err != nil {
		return changed, err
	}
	for id := range open {
		if _, was := w.open[id]; !was {
			changed.Add(wave.StepRef{Run: id})
			changed.Row = true
		}
	}
	for id := range w.open {
		if _, is := open[id]; !is {
			changed.Add(wave.StepRef{Run: id})
			changed.Row = true
		}
	}
	recent := maps.Clone(w.recent)
	maps.DeleteFunc(recent, func(_ string, until time.Time) bool { return now.After(until) })
	for id := range changed.Runs {
		recent[id] = now.Add(Afterglow)
	}
	chosen := w.choose(open, recent, state)
	hashes, err := w.readHashes(ctx, chosen)
	if err != nil {
		return changed, err
	}
	compared := set(chosen)
	for key := range w.hashes {
		_, there := hashes[key]
		if _, asked := compared[key.ref.Run]; asked && !there { // it was deleted
			changed.Add(key.ref)
			changed.Row = changed.Row || key.ref.Step == ""
		}
	}
	for key, sum := range hashes {
		if was, known := w.hashes[key]; !known || was != sum {
			changed.Add(key.ref)
			changed.Row = changed.Row || key.ref.Step == ""
		}
	}
	w.pending = func() {
		w.lastRow, w.open, w.recent, w.hashes = lastRow, open, recent, hashes
		w.pending = func() {}
	}
	return changed, nil
}

// choose bounds the runs to compare: the ones of which something is expected.
func (w *rowDiff) choose(open map[string]struct{}, recent map[string]time.Time, state func(string) wave.State) []string {
	var ids []string
	for id := range open {
		if s := state(id); s == "" || s.Active() {
			ids = append(ids, id)
		}
	}
	// A longer list is cut at the same runs each time, or it would name them
	// all again and again.
	slices.Sort(ids)
	ids = ids[:min(len(ids), maxCompared)]
	latest := slices.SortedFunc(maps.Keys(recent), func(a, b string) int {
		return cmp.Or(recent[b].Compare(recent[a]), cmp.Compare(a, b))
	})
	for _, id := range latest[:min(len(latest), maxCompared)] {
		if _, is := open[id]; !is {
			ids = append(ids, id)
		}
	}
	return ids
}

// newRows reads at most a window of each table; the next comparison goes on.
func (w *rowDiff) newRows(ctx context.Context, changed *RowChanges) (map[string]int64, error) {
	lastRow := maps.Clone(w.lastRow)
	for _, t := range growing() {
		if !w.d.Schema[t.name][t.run] {
			continue
		}
		for {
			var rows []struct {
				Row int64  `db:"row"`
				Run string `db:"run"`
				Stp string `db:"step"`
			}
			query := "SELECT rowid AS row, " + refColumns(w.d.Schema, t) + " FROM " + t.name + " WHERE rowid > ? ORDER BY rowid LIMIT ?"
			if err := w.d.SelectContext(ctx, &rows, query, lastRow[t.name], eventWindow); err != nil {
				return nil, fmt.Errorf("read new rows of %s: %w", t.name, err)
			}
			for _, r := range rows {
				changed.Add(wave.StepRef{Run: r.Run, Step: r.Stp})
				changed.Row = changed.Row || t.step == ""
				lastRow[t.name] = r.Row
			}
			if len(rows) < eventWindow {
				break
			}
			if len(changed.Runs) > maxOpenRuns {
				changed.more = true
				break
			}
		}
	}
	return lastRow, nil
}

func refColumns(s Schema, t comparedTable) string {
	step := "''"
	if t.step != "" && s[t.name][t.step] {
		step = "COALESCE(" + t.step + ", '')"
	}
	return "COALESCE(" + t.run + ", '') AS run, " + step + " AS step"
}

func (w *rowDiff) readOpen(ctx context.Context) (map[string]struct{}, error) {
	var ids []string
	if err := w.d.SelectContext(ctx, &ids, openRunsSQL, maxOpenRuns); err != nil {
		return nil, fmt.Errorf("list open runs: %w", err)
	}
	return set(ids), nil
}

func (w *rowDiff) readHashes(ctx context.Context, ids []string) (map[rowKey]uint64, error) {
	hashes := map[rowKey]uint64{}
	for _, t := range changing() {
		if !w.d.Schema[t.name][t.run] {
			continue
		}
		var shown []string
		for _, column := range t.columns {
			if w.d.Schema[t.name][column] {
				shown = append(shown, "quote("+column+")")
			}
		}
		if len(shown) == 0 {
			continue
		}
		query := "SELECT " + refColumns(w.d.Schema, t) + ", " + strings.Join(shown, "||' '||") + " AS shown FROM " + t.name + " WHERE " + t.run + " IN "
		err := parts(ids, maxCompared, func(part []string) error {
			var rows []struct {
				Run   string `db:"run"`
				Step  string `db:"step"`
				Shown string `db:"shown"`
			}
			err := w.d.SelectContext(ctx, &rows, query+in(len(part)), anys(part)...)
			for _, r := range rows {
				key := rowKey{t.name, wave.StepRef{Run: r.Run, Step: r.Step}}
				hashes[key] ^= maphash.String(w.seed, r.Shown)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("compare rows of %s: %w", t.name, err)
		}
	}
	return hashes, nil
}

func set(ids []string) map[string]struct{} {
	m := make(map[string]struct{}, len(ids))
	for _, id := range ids {
		m[id] = struct{}{}
	}
	return m
}
