package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/criteria"
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
		run := r.run(d.opt.Definition(r.Pipeline))
		run.Tokens = r.spent(tokens[id])
		run.Children = r.childCounts(children[id])
		if children[id].All == 0 {
			for _, item := range r.outer {
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
func (d *database) orphans(ctx context.Context, q sqlx.QueryerContext, records map[string]*record) (map[string]bool, error) {
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
func (d *database) addTails(ctx context.Context, q sqlx.QueryerContext, records map[string]*record) error {
	var ids []string
	for id, r := range records {
		if r.history == nil {
			r.history = &history{}
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
		records[e.RunID].history.add(e)
	}
	return nil
}

const childCountsSQL = `
SELECT r.parent_run_id AS parent, count(*) AS n,
	COALESCE(sum(r.status NOT IN ('pending', 'running')), 0) AS ended,
	COALESCE(sum(r.status = 'failed' %[1]s), 0) AS failed,
	COALESCE(sum(r.status = 'failed' %[1]s AND (instr(%[2]s, 'context canceled') > 0 OR instr(%[2]s, 'signal: killed') > 0)), 0) AS killed
FROM pipeline_run r %[3]s WHERE r.parent_run_id IN %[4]s AND r.run_id <> r.parent_run_id GROUP BY r.parent_run_id`

// childCounts counts the children of r: those that were stopped because another
// failed did not fail.
func (r *record) childCounts(c wave.ChildTally) wave.ChildCounts {
	if c.All == 0 {
		c.All = len(r.outer)
		for _, item := range r.outer {
			if item.Status != "pending" && item.Status != "running" {
				c.Ended++
			}
			if item.Status == "failed" {
				c.Failed++
			}
		}
	}
	if r.state == wave.Cancelled || r.facts.Error != "" && !killed(r.facts.Error) {
		c.Failed -= c.Killed
	}
	return wave.ChildCounts{All: c.All, Ended: c.Ended, Failed: c.Failed}
}

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

// spentTokens is what a run used, nil when nothing says: the row's sum leaves out
// attempts that failed and what came before a resumption, is written at the end
// only, and zeroed by a forced stop. The attempts that were measured have all.
func spentTokens(row *int64, measured int64, isOpen bool) *int64 {
	if measured > 0 && (row == nil || measured > *row) {
		return &measured
	}
	if row != nil && *row == 0 && isOpen {
		return nil // not written yet, or never
	}
	return row
}

func (r *record) spent(measured int64) *int64 {
	return spentTokens(r.Tokens, measured, r.undecided())
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

// run is the record as shown. The definition may be nil.
func (r *record) run(def []wave.StepDef) wave.Run {
	run := wave.Run{
		ID: r.ID, Pipeline: r.Pipeline, Status: r.Status, State: r.state, Reason: r.reason, Input: r.Input,
		Error: r.errorText(), StartedAt: wave.Unix(r.StartedAt), CompletedAt: wave.Unix(r.CompletedAt),
		CancelledAt: wave.Unix(r.CancelledAt), Heartbeat: wave.Unix(r.Heartbeat), Branch: r.Branch, PID: r.facts.PID,
		Parent: r.Parent, ParentStep: r.ParentStep, ForkedFrom: r.ForkedFrom, Kind: r.Kind, Tokens: r.Tokens,
		Tags: wave.ParseTags(r.Tags), DryRun: r.facts.DryRun,
	}
	if run.State != wave.Lost && strings.Contains(run.Error, orphaned) {
		run.Error = "" // whoever took it for lost did not know how it had ended
	}
	if r.undecided() {
		run.LastEvent = r.facts.LastEvent
	}
	if r.IterateIndex != nil || r.IterateTotal != nil {
		run.Iterate = &wave.Iterate{Index: int(wave.OrZero(r.IterateIndex)), Total: int(wave.OrZero(r.IterateTotal)), Mode: r.IterateMode}
	}
	if r.CancelAsked != nil {
		run.Cancel = &wave.Cancellation{RequestedAt: wave.Unix(*r.CancelAsked), Force: r.CancelForce != 0}
	}
	r.addDuration(&run)
	r.addSteps(&run, def)
	return run
}

// addDuration prefers the milliseconds of the completed event to the whole
// seconds of the row. How long a lost run worked is not known: the row's end,
// if any, is when its loss was noticed.
func (r *record) addDuration(run *wave.Run) {
	switch {
	case run.State == wave.Lost || !run.State.Ended():
	case r.history.endLength > 0 && r.history.end != "":
		run.Duration, run.HasDuration = r.history.endLength, true
	case !run.StartedAt.IsZero() && !run.CompletedAt.Before(run.StartedAt):
		run.Duration, run.HasDuration, run.CoarseSecond = run.CompletedAt.Sub(run.StartedAt), true, true
	}
}

// addSteps counts steps. How many a run has is what it said when it began; the
// definition may have changed since.
func (r *record) addSteps(run *wave.Run, def []wave.StepDef) {
	done := 0
	for _, s := range r.steps {
		switch settledWord(s.State, s.Error, s.Step, run.State, run.Error) {
		case "completed", "completed_empty", "skipped":
			done++
		case "failed", "rejected", "running", "retrying", "reworking":
			if run.State.Active() || run.State.Ended() && run.State != wave.Succeeded && run.State != wave.Empty {
				run.Current = append(run.Current, s.Step)
			} else if s.State == "failed" {
				run.StepsFailed++
			}
		}
	}
	if len(r.steps) == 0 && run.State != wave.Succeeded && run.State != wave.Empty {
		run.Current = r.currentByEvents(run)
	}
	run.StepsDone = max(done, r.history.done, int(wave.OrZero(r.ProgressDone)))
	run.StepsAll = r.history.total
	for _, n := range []int{int(wave.OrZero(r.ProgressTotal)), len(def), len(r.steps)} {
		if run.StepsAll == 0 {
			run.StepsAll = n
		}
	}
	if run.State == wave.Succeeded || run.State == wave.Empty {
		run.StepsDone = run.StepsAll
	}
	run.StepsDone = min(run.StepsDone, run.StepsAll)
	switch {
	case run.State.Active() && r.Progress != nil:
		percent := int(min(max(*r.Progress, 0), 100))
		run.Progress = &percent
	case run.StepsAll > 0:
		percent := run.StepsDone * 100 / run.StepsAll
		run.Progress = &percent
	}
}

// currentByEvents names the steps a run is or ended at where step_state has
// none of it: old schemas keep the rows of the latest run only.
func (r *record) currentByEvents(run *wave.Run) []string {
	var current []string
	for _, id := range r.history.order {
		switch h := r.history.steps[id]; settledWord(h.word, h.err, id, run.State, run.Error) {
		case "running", "retrying", "reworking", "failed", "rejected":
			current = append(current, id)
		}
	}
	if len(current) > 0 {
		return current
	}
	if blamed := blamedStep(run.Error); blamed != "" && run.State.Ended() {
		return []string{blamed}
	}
	if run.State.Active() && r.CurrentStep != "" && !strings.ContainsAny(r.CurrentStep, " \n\t") {
		return []string{r.CurrentStep}
	}
	return nil
}

// blamedStep is the step that an error of a run names: `step "<id>" failed: …`.
func blamedStep(text string) string {
	rest, ok := strings.CutPrefix(text, `step "`)
	if !ok {
		return ""
	}
	id, _, ok := strings.Cut(rest, `" `)
	if !ok {
		return ""
	}
	return id
}
