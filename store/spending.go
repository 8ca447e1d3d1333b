package store

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
)

// Bounds of what is summed at once.
const (
	maxSpendDepth = 8    // generations of children
	maxSpendRuns  = 2000 // with all children
)

// Spending is what one run used, by the model that used it.
type Spending struct {
	Run    string
	Parent string // as recorded
	Steps  []StepTokens
	Loose  int64 // tokens of the run that none of its steps accounts for
	Silent int   // steps that a persona worked at and whose tokens are not known
	Open   bool  // no end is recorded: more may come
}

// StepTokens is what the attempts at one step used; the model is that of the
// last, and empty when it is not recorded.
type StepTokens struct {
	Step, Model string
	Tokens      int64
}

// SpendingTree is a run and all that it started.
type SpendingTree struct {
	Runs []Spending // the run itself first
	Cut  bool       // there are more runs below than were summed
}

// Spending returns what the runs with these ids used, each with all runs below
// it. An id that no run has is left out.
func (s *Store) Spending(ctx context.Context, ids []string) (map[string]SpendingTree, error) {
	return read(s, func(o *opened) (map[string]SpendingTree, error) { return o.spending(ctx, ids) })
}

// spendTreeSQL walks from each run to its children. UNION ends rows that name
// each other as parents; so does the depth.
const spendTreeSQL = `
WITH RECURSIVE tree(root, id, depth) AS (
	SELECT run_id AS root, run_id AS id, 0 FROM pipeline_run WHERE run_id IN %s
	UNION
	SELECT t.root, r.run_id, t.depth + 1 FROM tree t CROSS JOIN pipeline_run r ON r.parent_run_id = t.id
	WHERE t.depth < ? AND r.run_id <> ''
	LIMIT ?)
SELECT root, id FROM tree`

func (d *database) spending(ctx context.Context, ids []string) (map[string]SpendingTree, error) {
	trees := map[string]SpendingTree{}
	if len(ids) == 0 || !d.schema.has("pipeline_run") {
		return trees, nil
	}
	below, all, cut, err := d.spendTrees(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("sum what runs used: %w", err)
	}
	spent := map[string]Spending{}
	err = chunks(all, criteria.MaxLimit, func(part []string) error { return d.addSpending(ctx, d, part, spent) })
	if err != nil {
		return nil, fmt.Errorf("sum what runs used: %w", err)
	}
	for root, runs := range below {
		tree := SpendingTree{Cut: cut}
		for _, id := range runs {
			if one, ok := spent[id]; ok {
				tree.Runs = append(tree.Runs, one)
			}
		}
		if len(tree.Runs) > 0 {
			trees[root] = tree
		}
	}
	return trees, nil
}

// spendTrees lists the runs below each root, itself first, and all of them once.
func (d *database) spendTrees(ctx context.Context, ids []string) (below map[string][]string, all []string, cut bool, err error) {
	below = map[string][]string{}
	if !d.schema["pipeline_run"]["parent_run_id"] {
		for _, id := range ids {
			below[id] = []string{id}
		}
		return below, ids, false, nil
	}
	var rows []struct {
		Root string `db:"root"`
		ID   string `db:"id"`
	}
	query := fmt.Sprintf(spendTreeSQL, in(len(ids)))
	if err := sqlx.SelectContext(ctx, d, &rows, query, append(anys(ids), maxSpendDepth, maxSpendRuns)...); err != nil {
		return nil, nil, false, fmt.Errorf("select children: %w", err)
	}
	type place struct{ root, id string }
	seen, listed := map[place]bool{}, map[string]bool{}
	for _, r := range rows {
		if at := (place{r.Root, r.ID}); !seen[at] {
			seen[at] = true
			below[r.Root] = append(below[r.Root], r.ID)
		}
		if !listed[r.ID] {
			listed[r.ID] = true
			all = append(all, r.ID)
		}
	}
	return below, all, len(rows) >= maxSpendRuns, nil
}

// addSpending reads what each of at most MaxLimit runs used by itself.
func (d *database) addSpending(ctx context.Context, q sqlx.QueryerContext, ids []string, into map[string]Spending) error {
	const t = "pipeline_run"
	var runs []struct {
		ID     string `db:"run_id"`
		Status string `db:"status"`
		Tokens int64  `db:"total_tokens"`
		Parent string `db:"parent_run_id"`
	}
	query := fmt.Sprintf("SELECT r.run_id, %s, %s, %s FROM pipeline_run r WHERE r.run_id IN %s",
		d.schema.text("r", t, "status"), d.schema.number("r", t, "total_tokens"), d.schema.text("r", t, "parent_run_id"), in(len(ids)))
	if err := sqlx.SelectContext(ctx, q, &runs, query, anys(ids)...); err != nil {
		return fmt.Errorf("select runs: %w", err)
	}
	histories, err := d.historiesOf(ctx, q, ids)
	if err != nil {
		return err
	}
	sums, err := d.stepTokens(ctx, q, ids)
	if err != nil {
		return err
	}
	for _, r := range runs {
		s := Spending{Run: r.ID, Parent: r.Parent, Open: r.Status == "running" || r.Status == "pending" || r.Status == "queued"}
		s.addSteps(histories[r.ID], sums[r.ID])
		var accounted int64
		for _, step := range s.Steps {
			accounted += step.Tokens
		}
		s.Loose = max(0, r.Tokens-accounted)
		into[r.ID] = s
	}
	return nil
}

// addSteps takes for each step what its page takes: the largest of the sums that
// the tables and the events come to.
func (s *Spending) addSteps(h *diagnose.History, sums map[string]int64) {
	done := map[string]bool{}
	for _, id := range h.Order {
		step := h.Steps[id]
		n, known := sums[id]
		n = max(n, step.Tokens)
		switch {
		case n > 0:
			s.Steps = append(s.Steps, StepTokens{Step: id, Model: step.Model, Tokens: n})
		case !known && !step.HasTokens && step.Persona != "" && step.Word != "pending" && step.Word != "skipped":
			s.Silent++
		}
		done[id] = true
	}
	for id, n := range sums {
		if !done[id] && n > 0 {
			s.Steps = append(s.Steps, StepTokens{Step: id, Tokens: n})
		}
	}
}

// stepTokens sums tokens by run and step in each table that has them, and takes
// the largest.
func (d *database) stepTokens(ctx context.Context, q sqlx.QueryerContext, ids []string) (map[string]map[string]int64, error) {
	sums := map[string]map[string]int64{}
	for _, table := range []string{"performance_metric", "step_attempt", "step_progress"} {
		if !d.schema[table]["tokens_used"] {
			continue
		}
		var rows []struct {
			Run    string `db:"run_id"`
			Step   string `db:"step_id"`
			Tokens int64  `db:"tokens"`
			Rows   int64  `db:"n"`
		}
		query := "SELECT run_id, step_id, " + tokenSumSQL() + ", count(*) AS n FROM " + table +
			" WHERE run_id IN " + in(len(ids)) + " AND step_id <> '' GROUP BY run_id, step_id"
		if err := sqlx.SelectContext(ctx, q, &rows, query, anys(ids)...); err != nil {
			return nil, fmt.Errorf("sum %s: %w", table, err)
		}
		for _, r := range rows {
			if sums[r.Run] == nil {
				sums[r.Run] = map[string]int64{}
			}
			if n, ok := sums[r.Run][r.Step]; table == "performance_metric" || r.Tokens > 0 || ok {
				sums[r.Run][r.Step] = max(n, r.Tokens)
			}
		}
	}
	return sums, nil
}
