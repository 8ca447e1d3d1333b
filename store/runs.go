package store

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
)

// runsByID returns the runs with these ids in their order; an id that no run
// has is left out.
func (d *database) runsByID(ctx context.Context, ids []string) ([]wave.Run, error) {
	runs, err := d.runsOf(ctx, d, ids)
	if err != nil {
		return nil, fmt.Errorf("load runs: %w", err)
	}
	return runs, nil
}

func (d *database) runsOf(ctx context.Context, q sqlx.QueryerContext, ids []string) ([]wave.Run, error) {
	runs := make([]wave.Run, 0, len(ids))
	err := chunks(ids, criteria.MaxLimit+1, func(part []string) error {
		batch, err := d.runBatch(ctx, q, part)
		runs = append(runs, batch...)
		return err
	})
	return runs, err
}

// runBatch reads one batch in a number of statements that does not depend on
// its size.
func (d *database) runBatch(ctx context.Context, q sqlx.QueryerContext, ids []string) ([]wave.Run, error) {
	records, err := d.records(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	if err := d.addTails(ctx, q, records); err != nil {
		return nil, err
	}
	children, err := d.childCounts(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	tokens, err := d.metricTokens(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	orphans, err := d.orphans(ctx, q, records)
	if err != nil {
		return nil, err
	}
	runs := make([]wave.Run, 0, len(ids))
	for _, id := range ids {
		r := records[id]
		if r == nil {
			continue
		}
		run := r.Run(d.opt.Definition(r.Pipeline))
		run.Tokens = r.Spent(tokens[id])
		run.Children = r.CountChildren(children[id])
		if children[id].All == 0 {
			for _, item := range r.Outer {
				run.Items = append(run.Items, item.ID)
			}
		}
		run.Orphan = orphans[id]
		if run.State.Ended() {
			run.Children.Ended = run.Children.All // they live in one process
		}
		runs = append(runs, run)
	}
	if err := d.addSubtreeTokens(ctx, q, runs); err != nil {
		return nil, err
	}
	failed := make([]*wave.Run, len(runs))
	for i := range runs {
		failed[i] = &runs[i]
	}
	return runs, d.addHeadlines(ctx, q, failed, records)
}

// orphans names the runs that another one is said to have started which cannot
// be found.
func (d *database) orphans(ctx context.Context, q sqlx.QueryerContext, records map[string]*diagnose.Record) (map[string]bool, error) {
	var children []string
	for id, r := range records {
		if r.Parent != "" {
			children = append(children, id)
		}
	}
	if len(children) == 0 {
		return nil, nil
	}
	var ids []string
	query := "SELECT r.run_id FROM pipeline_run r WHERE r.run_id IN " + in(len(children)) + topLevelSQL
	if err := sqlx.SelectContext(ctx, q, &ids, query, anys(children)...); err != nil {
		return nil, fmt.Errorf("look for parents: %w", err)
	}
	orphans := make(map[string]bool, len(ids))
	for _, id := range ids {
		orphans[id] = true
	}
	return orphans, nil
}

// tailsSQL selects the run-level events among the first and the last few of
// each run: how many steps it began with, how far it came and how long it took.
func tailsSQL() string {
	return `
WITH wanted(run_id) AS (VALUES %s)
SELECT e.id, e.run_id, COALESCE(` + timeSQL("e.timestamp") + `, 0) AS timestamp, '' AS step_id, e.state AS state,
	COALESCE(e.message, '') AS message, COALESCE(` + countSQL("e.duration_ms") + `, 0) AS duration_ms
FROM wanted w CROSS JOIN event_log e ON e.id IN (
	SELECT id FROM (SELECT id FROM event_log WHERE run_id = w.run_id ORDER BY id LIMIT 2)
	UNION ALL
	SELECT id FROM (SELECT id FROM event_log WHERE run_id = w.run_id ORDER BY id DESC LIMIT 8))
WHERE COALESCE(e.step_id, '') = '' AND e.state IN ('started', 'running', 'completed', 'completed_empty')
ORDER BY e.id`
}

// addTails gives the runs whose events were not folded the little of them that
// a list shows.
func (d *database) addTails(ctx context.Context, q sqlx.QueryerContext, records map[string]*diagnose.Record) error {
	var ids []string
	for id, r := range records {
		if r.History == nil {
			r.History = &diagnose.History{}
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 || !d.schema.has("event_log") {
		return nil
	}
	events, err := selectEvents(ctx, q, fmt.Sprintf(tailsSQL(), tuples(len(ids), 1)), anys(ids)...)
	if err != nil {
		return fmt.Errorf("select first and last events: %w", err)
	}
	for _, e := range events {
		records[e.RunID].History.Add(e)
	}
	return nil
}

const childCountsSQL = `
SELECT r.parent_run_id AS parent, count(*) AS n,
	COALESCE(sum(r.status NOT IN ('pending', 'running')), 0) AS ended,
	COALESCE(sum(r.status = 'failed' %[1]s), 0) AS failed,
	COALESCE(sum(r.status = 'failed' %[1]s AND (instr(%[2]s, 'context canceled') > 0 OR instr(%[2]s, 'signal: killed') > 0)), 0) AS killed
FROM pipeline_run r %[3]s WHERE r.parent_run_id IN %[4]s AND r.run_id <> r.parent_run_id GROUP BY r.parent_run_id`

func (d *database) childCounts(ctx context.Context, q sqlx.QueryerContext, ids []string) (map[string]wave.ChildTally, error) {
	if !d.schema["pipeline_run"]["parent_run_id"] || len(ids) == 0 {
		return nil, nil
	}
	notStopped, join := "", ""
	if d.schema.has("cancellation") {
		notStopped, join = "AND c.run_id IS NULL", "LEFT JOIN cancellation c ON c.run_id = r.run_id"
	}
	failure := "COALESCE(r.error_message, '')"
	if d.schema["pipeline_run"]["current_step"] {
		failure += " || COALESCE(r.current_step, '')"
	}
	var rows []wave.ChildTally
	query := fmt.Sprintf(childCountsSQL, notStopped, "("+failure+")", join, in(len(ids)))
	if err := sqlx.SelectContext(ctx, q, &rows, query, anys(ids)...); err != nil {
		return nil, fmt.Errorf("count children: %w", err)
	}
	counts := make(map[string]wave.ChildTally, len(rows))
	for _, r := range rows {
		counts[r.Parent] = r
	}
	return counts, nil
}

// tokenSumSQL is a sum whatever a writer put there: sum() itself is an error where
// it is more than 64 bits hold, and that much is no sum of tokens.
func tokenSumSQL() string {
	return "COALESCE(" + countSQL("total("+countSQL("tokens_used")+")") + ", 0) AS tokens"
}

func metricTokensSQL() string {
	return "SELECT run_id, " + tokenSumSQL() + " FROM performance_metric WHERE run_id IN %s GROUP BY run_id HAVING tokens > 0"
}

// metricTokens sums what the measured attempts of runs used.
func (d *database) metricTokens(ctx context.Context, q sqlx.QueryerContext, ids []string) (map[string]int64, error) {
	if len(ids) == 0 || !d.schema.has("performance_metric") {
		return nil, nil
	}
	var rows []struct {
		Run    string `db:"run_id"`
		Tokens int64  `db:"tokens"`
	}
	if err := sqlx.SelectContext(ctx, q, &rows, fmt.Sprintf(metricTokensSQL(), in(len(ids))), anys(ids)...); err != nil {
		return nil, fmt.Errorf("sum tokens: %w", err)
	}
	sums := make(map[string]int64, len(rows))
	for _, r := range rows {
		sums[r.Run] = r.Tokens
	}
	return sums, nil
}
