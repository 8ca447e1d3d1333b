package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/wave"
)

// maxSubtree is how many runs beneath those of a page are summed up; more are
// left unknown.
const maxSubtree = 20_000

// subtreeSQL lists each run beneath the given ones once, whatever circles the
// rows make, with what it used by the rule of spentTokens.
const subtreeSQL = `
WITH RECURSIVE wanted(id) AS (VALUES %s), beneath(root, id) AS (
	SELECT id, id FROM wanted
	UNION
	SELECT b.root, r.run_id FROM beneath b JOIN pipeline_run r ON r.parent_run_id = b.id WHERE r.run_id <> ''
	LIMIT %d)
SELECT b.root AS root, count(*) AS n, %s AS tokens
FROM beneath b JOIN pipeline_run r ON r.run_id = b.id WHERE b.id <> b.root GROUP BY b.root`

// addSubtreeTokens gives the runs that started others what all of them used
// together. A run's own sum never has those of its children in it.
func (d *database) addSubtreeTokens(ctx context.Context, q sqlx.QueryerContext, runs []wave.Run) error {
	at := map[string]int{}
	var ids []string
	for i, run := range runs {
		if run.Children.All > 0 && len(run.Items) == 0 {
			at[run.ID] = i
			ids = append(ids, run.ID)
		}
	}
	if len(ids) == 0 || !d.schema["pipeline_run"]["parent_run_id"] {
		return nil
	}
	used := []string{"0", "0"}
	if d.schema["pipeline_run"]["total_tokens"] {
		used[0] = "COALESCE(" + countSQL("r.total_tokens") + ", 0)"
	}
	if d.schema.has("performance_metric") {
		used[1] = "(SELECT " + tokenSumSQL() + " FROM performance_metric WHERE run_id = r.run_id)"
	}
	sum := "COALESCE(" + countSQL("total(max("+strings.Join(used, ", ")+"))") + ", 0)"
	var sums []struct {
		Root   string `db:"root"`
		Runs   int    `db:"n"`
		Tokens int64  `db:"tokens"`
	}
	query := fmt.Sprintf(subtreeSQL, strings.TrimSuffix(strings.Repeat("(?),", len(ids)), ","), maxSubtree+len(ids), sum)
	if err := sqlx.SelectContext(ctx, q, &sums, query, anys(ids)...); err != nil {
		return fmt.Errorf("sum tokens of descendants: %w", err)
	}
	beneath := 0
	for _, s := range sums {
		beneath += s.Runs
	}
	if beneath >= maxSubtree {
		return nil // not all of them were looked at
	}
	for _, s := range sums {
		run := &runs[at[s.Root]]
		total := s.Tokens
		if run.Tokens != nil {
			total += *run.Tokens
		}
		if total > 0 || run.Tokens != nil {
			run.Subtree = &total
		}
	}
	return nil
}
