package sqlite

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"wavedeck/store/wave"
)

// relativeRows are what pipeline_run says of runs that belong to others.
type relativeRows struct{ source }

// Bounds of the look for the runs of an outer row.
const (
	maxItems    = 1000 // runs of one row
	maxFollowed = 2000 // runs of any pipeline that began after it
)

// hasParents reports whether runs name the one that started them.
func (s source) hasParents() bool { return s.schema["pipeline_run"]["parent_run_id"] }

func (s source) outerColumns() string {
	const t = "pipeline_run"
	event := "0 AS last_event"
	if s.schema.Has("event_log") {
		event = "COALESCE((SELECT " + TimeSQL("e.timestamp") + " FROM event_log e WHERE e.id = (SELECT max(id) FROM event_log WHERE run_id = r.run_id)), 0) AS last_event"
	}
	return strings.Join([]string{
		"r.run_id", s.schema.text("r", t, "parent_run_id"), s.schema.text("r", t, "run_kind"), s.schema.text("r", t, "pipeline_name"),
		s.schema.text("r", t, "status"), s.schema.text("r", t, "forked_from_run_id"), s.schema.time("r", t, "started_at"),
		s.schema.time("r", t, "completed_at"), s.schema.time("r", t, "last_heartbeat"), s.schema.number("r", t, "pid"),
		"COALESCE(r.input, '') <> '' AS has_input", event,
	}, ", ")
}

// Items reads the direct children of runs that hold others together, oldest first.
func (s relativeRows) Items(ctx context.Context, ids []string) ([]wave.OuterItem, error) {
	if !s.hasParents() {
		return nil, nil
	}
	var items []wave.OuterItem
	query := "SELECT " + s.outerColumns() + " FROM pipeline_run r WHERE r.parent_run_id IN " + in(len(ids)) + " ORDER BY r.started_at, r.rowid LIMIT " + strconv.Itoa(maxItems*len(ids))
	if err := s.sel(ctx, &items, query, anys(ids)...); err != nil {
		return nil, fmt.Errorf("select runs of outer runs: %w", err)
	}
	return items, nil
}

// followersSQL selects runs of a pipeline among the first that began after one,
// in their order: that of the inner rows, which are walked one by one.
const followersSQL = `
SELECT %s FROM (
	SELECT rowid FROM pipeline_run WHERE (started_at, rowid) > (?, (SELECT rowid FROM pipeline_run WHERE run_id = ?)) ORDER BY started_at, rowid LIMIT ?
) next CROSS JOIN pipeline_run r ON r.rowid = next.rowid WHERE +r.pipeline_name = ? LIMIT ?`

// Followers reads the runs of its pipeline that began after a run, in their order.
// Where no run says whether it beats, nothing tells them from others: there are none.
func (s relativeRows) Followers(ctx context.Context, run, pipeline string, started int64) ([]wave.OuterItem, error) {
	if !s.schema["pipeline_run"]["last_heartbeat"] {
		return nil, nil
	}
	var items []wave.OuterItem
	if err := s.sel(ctx, &items, fmt.Sprintf(followersSQL, s.outerColumns()), started, run, maxFollowed, pipeline, maxItems); err != nil {
		return nil, fmt.Errorf("select runs of a batch: %w", err)
	}
	return items, nil
}

// Orphans lists those of the runs whose parent cannot be found.
func (s relativeRows) Orphans(ctx context.Context, ids []string) (orphans []string, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	query := "SELECT r.run_id FROM pipeline_run r WHERE r.run_id IN " + in(len(ids)) + topLevelSQL
	if err := s.sel(ctx, &orphans, query, anys(ids)...); err != nil {
		return nil, fmt.Errorf("look for parents: %w", err)
	}
	return orphans, nil
}

const childCountsSQL = `
SELECT r.parent_run_id AS parent, count(*) AS n,
	COALESCE(sum(r.status NOT IN ('pending', 'running')), 0) AS ended,
	COALESCE(sum(r.status = 'failed' %[1]s), 0) AS failed,
	COALESCE(sum(r.status = 'failed' %[1]s AND (instr(%[2]s, 'context canceled') > 0 OR instr(%[2]s, 'signal: killed') > 0)), 0) AS killed
FROM pipeline_run r %[3]s WHERE r.parent_run_id IN %[4]s AND r.run_id <> r.parent_run_id GROUP BY r.parent_run_id`

// ChildTallies counts the direct children of runs.
func (s relativeRows) ChildTallies(ctx context.Context, ids []string) (map[string]wave.ChildTally, error) {
	if !s.hasParents() || len(ids) == 0 {
		return nil, nil
	}
	notStopped, join := "", ""
	if s.schema.Has("cancellation") {
		notStopped, join = "AND c.run_id IS NULL", "LEFT JOIN cancellation c ON c.run_id = r.run_id"
	}
	failure := "COALESCE(r.error_message, '')"
	if s.schema["pipeline_run"]["current_step"] {
		failure += " || COALESCE(r.current_step, '')"
	}
	var rows []wave.ChildTally
	query := fmt.Sprintf(childCountsSQL, notStopped, "("+failure+")", join, in(len(ids)))
	if err := s.sel(ctx, &rows, query, anys(ids)...); err != nil {
		return nil, fmt.Errorf("count children: %w", err)
	}
	counts := make(map[string]wave.ChildTally, len(rows))
	for _, r := range rows {
		counts[r.Parent] = r
	}
	return counts, nil
}

// maxSubtree is how many runs beneath those of a page are summed up; more are
// left unknown.
const maxSubtree = 20_000

// subtreeSQL lists each run beneath the given ones once, whatever circles the
// rows make, with what it used: the more of what its row and its attempts say.
const subtreeSQL = `
WITH RECURSIVE wanted(id) AS (VALUES %s), beneath(root, id) AS (
	SELECT id, id FROM wanted
	UNION
	SELECT b.root, r.run_id FROM beneath b JOIN pipeline_run r ON r.parent_run_id = b.id WHERE r.run_id <> ''
	LIMIT %d)
SELECT b.root AS root, count(*) AS n, %s AS tokens
FROM beneath b JOIN pipeline_run r ON r.run_id = b.id WHERE b.id <> b.root GROUP BY b.root`

// SubtreeTokens sums what all runs beneath each run used; nil when there are too
// many to look at.
func (s relativeRows) SubtreeTokens(ctx context.Context, ids []string) ([]wave.TokenSum, error) {
	if len(ids) == 0 || !s.hasParents() {
		return nil, nil
	}
	used := []string{"0", "0"}
	if s.schema["pipeline_run"]["total_tokens"] {
		used[0] = "COALESCE(" + countSQL("r.total_tokens") + ", 0)"
	}
	if s.schema.Has("performance_metric") {
		used[1] = "(SELECT " + tokenSumSQL() + " FROM performance_metric WHERE run_id = r.run_id)"
	}
	sum := "COALESCE(" + countSQL("total(max("+strings.Join(used, ", ")+"))") + ", 0)"
	var sums []wave.TokenSum
	query := fmt.Sprintf(subtreeSQL, strings.TrimSuffix(strings.Repeat("(?),", len(ids)), ","), maxSubtree+len(ids), sum)
	if err := s.sel(ctx, &sums, query, anys(ids)...); err != nil {
		return nil, fmt.Errorf("sum tokens of descendants: %w", err)
	}
	beneath := 0
	for _, s := range sums {
		beneath += s.Runs
	}
	if beneath >= maxSubtree {
		return nil, nil
	}
	return sums, nil
}

// childrenSQL is one parent's share of the statement for all of them.
const childrenSQL = `SELECT run_id FROM (SELECT run_id FROM pipeline_run WHERE parent_run_id = ? AND run_id <> '' AND run_id <> parent_run_id ORDER BY started_at, rowid LIMIT ?)`

// Children lists the first direct children of each parent, oldest first, at most
// limit of each.
func (s relativeRows) Children(ctx context.Context, parents []string, limit int) (ids []string, err error) {
	if len(parents) == 0 || !s.hasParents() {
		return nil, nil
	}
	selects := make([]string, len(parents))
	args := make([]any, 0, 2*len(parents))
	for i, parent := range parents {
		selects[i] = childrenSQL
		args = append(args, parent, limit)
	}
	err = s.sel(ctx, &ids, strings.Join(selects, " UNION ALL "), args...)
	return ids, err
}

// ChildrenUntil is Children of those that had begun at a second.
func (s relativeRows) ChildrenUntil(ctx context.Context, parent string, second int64, limit int) (ids []string, err error) {
	if !s.hasParents() {
		return nil, nil
	}
	query := `SELECT run_id FROM pipeline_run WHERE parent_run_id = ? AND run_id <> '' AND run_id <> parent_run_id AND COALESCE(` + TimeSQL("started_at") + `, 0) <= ? ORDER BY started_at, rowid LIMIT ?`
	err = s.sel(ctx, &ids, query, parent, second, limit)
	return ids, err
}

// NewestChildren lists the direct children of a run, newest first.
func (s relativeRows) NewestChildren(ctx context.Context, parent string, limit int) (ids []string, err error) {
	if !s.hasParents() {
		return nil, nil
	}
	err = s.sel(ctx, &ids, `SELECT run_id FROM pipeline_run WHERE parent_run_id = ? AND run_id <> '' AND run_id <> parent_run_id
ORDER BY started_at DESC, rowid DESC LIMIT ?`, parent, limit)
	return ids, err
}

// openBelowSQL selects the children of runs that may still work.
const openBelowSQL = `
SELECT run_id FROM pipeline_run
WHERE parent_run_id IN %s AND +status IN ('pending', 'running') AND run_id <> '' LIMIT ?`

// OpenChildren lists the direct children of runs that have no end.
func (s relativeRows) OpenChildren(ctx context.Context, parents []string, limit int) (ids []string, err error) {
	if !s.hasParents() {
		return nil, nil
	}
	if err := s.sel(ctx, &ids, fmt.Sprintf(openBelowSQL, in(len(parents))), append(anys(parents), limit)...); err != nil {
		return nil, fmt.Errorf("list open children: %w", err)
	}
	return ids, nil
}

// UnsettledChildren lists the direct children of runs whose state is derived from
// theirs.
func (s relativeRows) UnsettledChildren(ctx context.Context, parents []string) (children []string, err error) {
	if !s.hasParents() {
		return nil, nil
	}
	err = parts(parents, maxCompared, func(part []string) error {
		var ids []string
		query := "SELECT run_id FROM pipeline_run WHERE parent_run_id IN " + in(len(part)) + " AND +status IN ('pending', 'running', 'failed') LIMIT ?"
		err := s.sel(ctx, &ids, query, append(anys(part), maxOpenRuns)...)
		children = append(children, ids...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list children: %w", err)
	}
	return children, nil
}

// failedChildrenSQL is one parent's share of the statement for all of them. What
// was stopped because another failed comes last: in a wide fan-out that is nearly
// everything.
const failedChildrenSQL = `SELECT run_id, parent_run_id FROM (SELECT run_id, parent_run_id FROM pipeline_run WHERE parent_run_id = ? AND run_id <> ''
AND status NOT IN ('completed', 'completed_empty', 'pending')
ORDER BY instr(%[1]s, 'context canceled') + instr(%[1]s, 'signal: killed') > 0, rowid LIMIT ?)`

// FailedChildren names, of each run that may have failed one of the parents, that
// parent: at most limit of each.
func (s relativeRows) FailedChildren(ctx context.Context, parents []string, limit int) (map[string]string, error) {
	if !s.hasParents() {
		return nil, nil
	}
	var with []string // those that have any: mostly none
	query := "SELECT DISTINCT parent_run_id FROM pipeline_run WHERE parent_run_id IN " + in(len(parents))
	if err := s.sel(ctx, &with, query, anys(parents)...); err != nil || len(with) == 0 {
		return nil, err
	}
	text := "''"
	for _, column := range []string{"current_step", "error_message"} {
		if s.schema["pipeline_run"][column] {
			text += " || COALESCE(" + column + ", '')"
		}
	}
	selects, args := make([]string, len(with)), make([]any, 0, 2*len(with))
	for i, parent := range with {
		selects[i] = fmt.Sprintf(failedChildrenSQL, text)
		args = append(args, parent, limit)
	}
	var rows []struct {
		ID     string `db:"run_id"`
		Parent string `db:"parent_run_id"`
	}
	err := s.sel(ctx, &rows, strings.Join(selects, " UNION ALL "), args...)
	above := make(map[string]string, len(rows))
	for _, row := range rows {
		above[row.ID] = row.Parent
	}
	return above, err
}

const parentsSQL = `SELECT DISTINCT parent_run_id FROM pipeline_run WHERE run_id IN %s AND parent_run_id <> ''`

// Parents lists the runs that are named as parent of one of the runs.
func (s relativeRows) Parents(ctx context.Context, ids []string) (parents []string, err error) {
	if !s.hasParents() {
		return nil, nil
	}
	err = parts(ids, maxCompared, func(part []string) error {
		var found []string
		err := s.sel(ctx, &found, fmt.Sprintf(parentsSQL, in(len(part))), anys(part)...)
		parents = append(parents, found...)
		return err
	})
	return parents, err
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

// Descendants lists each run and those beneath it, the nearest first, to a depth and
// at most limit of all.
func (s relativeRows) Descendants(ctx context.Context, ids []string, depth, limit int) ([]wave.Descendant, error) {
	var rows []wave.Descendant
	if !s.hasParents() {
		for _, id := range ids {
			rows = append(rows, wave.Descendant{Root: id, ID: id})
		}
		return rows, nil
	}
	query := fmt.Sprintf(spendTreeSQL, in(len(ids)))
	if err := s.sel(ctx, &rows, query, append(anys(ids), depth, limit)...); err != nil {
		return nil, fmt.Errorf("select children: %w", err)
	}
	return rows, nil
}
