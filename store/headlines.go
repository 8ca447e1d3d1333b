package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
	"wavedeck/store/headline"
	"wavedeck/store/wave"
)

// Bounds of what is read to find the line that says why a run failed.
const (
	causesAsked = 8  // children of a run that may have caused its failure
	failureTail = 64 // last events of a run among which its failures are looked for
)

// addHeadlines gives each run that did not end well the line that says why. Where
// a child failed it, that is the child's, however far below. The number of
// statements depends on the depth of the nesting, not on the number of runs.
func (d *database) addHeadlines(ctx context.Context, q sqlx.QueryerContext, runs []*wave.Run, records map[string]*diagnose.Record) error {
	chains := map[string][]*diagnose.Record{} // from the run itself to the one that its failure began in
	var below []string                        // runs whose children are looked at next
	for _, run := range runs {
		switch run.State {
		case wave.Failed, wave.Rejected:
			chains[run.ID] = []*diagnose.Record{records[run.ID]}
			below = append(below, run.ID)
		case wave.Lost, wave.Cancelled:
			if run.Headline = d.opt.Shown(run.Reason); run.Headline == "" {
				run.Headline = d.headline(run.Error)
			}
		}
	}
	if err := d.followCauses(ctx, q, chains, below); err != nil {
		return err
	}
	said, err := d.failureTexts(ctx, q, chains)
	if err != nil {
		return err
	}
	for _, run := range runs {
		chain := chains[run.ID]
		if chain == nil {
			continue
		}
		var texts []string
		for _, r := range slices.Backward(chain) {
			texts = append(append(texts, said[r.ID]...), r.Failures()...)
		}
		cause := wave.Cause{Run: last(chain).ID, Pipeline: last(chain).Pipeline}
		if steps := last(chain).FailedSteps(); len(steps) > 0 {
			cause.Step = steps[0]
		}
		if cause.Run != run.ID {
			run.Cause = &cause
		}
		run.Headline = d.headline(texts...)
		switch {
		case run.Headline == "":
			run.Headline = d.opt.Shown(run.Reason)
		case cause.Step != "" && !headline.Tells(run.Headline):
			run.Headline = fmt.Sprintf("step %q failed: %s", wave.Clip(cause.Step, diagnose.MaxStepName), run.Headline)
		}
	}
	return nil
}

// headline is the most telling line of texts, without their secrets.
func (d *database) headline(texts ...string) string {
	shown := make([]string, 0, len(texts))
	for _, text := range texts {
		if text != "" && !slices.Contains(shown, text) {
			shown = append(shown, text)
		}
	}
	return d.lines.get(shown, func() string {
		for i, text := range shown {
			shown[i] = d.opt.Shown(headline.Window(text))
		}
		return headline.Of(shown...)
	})
}

// informative reports whether texts say more than how a run ended.
func (d *database) informative(texts []string) bool {
	return d.informativeCache.get(texts, func() bool { return headline.Tells(texts...) })
}

// followCauses extends each chain by the child that failed its last run, until
// no child did. A run that names itself as its parent ends the way.
func (d *database) followCauses(ctx context.Context, q sqlx.QueryerContext, chains map[string][]*diagnose.Record, below []string) error {
	if !d.schema["pipeline_run"]["parent_run_id"] {
		return nil
	}
	for hop := 0; hop < maxAncestors && len(below) > 0; hop++ {
		parents := make([]*diagnose.Record, len(below))
		for i, id := range below {
			parents[i] = last(chains[id])
		}
		children, err := d.failedChildren(ctx, q, parents)
		if err != nil {
			return err
		}
		var next []string
		for _, id := range below {
			chain := chains[id]
			cause := diagnose.CauseOf(last(chain), children[last(chain).ID])
			if cause == nil || slices.ContainsFunc(chain, func(r *diagnose.Record) bool { return r.ID == cause.ID }) {
				continue
			}
			chains[id] = append(chain, cause)
			next = append(next, id)
		}
		below = next
	}
	return nil
}

func last(chain []*diagnose.Record) *diagnose.Record { return chain[len(chain)-1] }

// failedChildrenSQL is one parent's share of the statement for all of them. What
// was stopped because another failed comes last: in a wide fan-out that is nearly
// everything.
const failedChildrenSQL = `SELECT run_id, parent_run_id FROM (SELECT run_id, parent_run_id FROM pipeline_run WHERE parent_run_id = ? AND run_id <> ''
AND status NOT IN ('completed', 'completed_empty', 'pending')
ORDER BY instr(%[1]s, 'context canceled') + instr(%[1]s, 'signal: killed') > 0, rowid LIMIT ?)`

func (d *database) failedChildren(ctx context.Context, q sqlx.QueryerContext, parents []*diagnose.Record) (map[string][]*diagnose.Record, error) {
	above := map[string]string{} // of each child
	var nested []string
	for _, parent := range parents {
		items := 0
		for _, item := range parent.Outer { // these may name no parent
			if item.Status == "failed" && items < causesAsked {
				above[item.ID], items = parent.ID, items+1
			}
		}
		if len(parent.Outer) == 0 {
			nested = append(nested, parent.ID)
		}
	}
	err := chunks(nested, criteria.MaxLimit, func(part []string) error { return d.addFailedChildren(ctx, q, above, part) })
	if err != nil {
		return nil, fmt.Errorf("select failed children: %w", err)
	}
	children := map[string][]*diagnose.Record{}
	err = chunks(slices.Sorted(maps.Keys(above)), criteria.MaxLimit, func(ids []string) error {
		records, err := d.records(ctx, q, ids)
		for id, r := range records {
			children[above[id]] = append(children[above[id]], r)
		}
		return err
	})
	for _, list := range children {
		slices.SortFunc(list, func(a, b *diagnose.Record) int {
			return cmp.Or(cmp.Compare(a.StartedAt, b.StartedAt), cmp.Compare(wave.OrZero(a.IterateIndex), wave.OrZero(b.IterateIndex)), cmp.Compare(a.ID, b.ID))
		})
	}
	return children, err
}

// addFailedChildren notes the parent of each child that may have failed it.
func (d *database) addFailedChildren(ctx context.Context, q sqlx.QueryerContext, above map[string]string, parents []string) error {
	var with []string // those that have any: mostly none
	query := "SELECT DISTINCT parent_run_id FROM pipeline_run WHERE parent_run_id IN " + in(len(parents))
	if err := sqlx.SelectContext(ctx, q, &with, query, anys(parents)...); err != nil || len(with) == 0 {
		return err
	}
	text := "''"
	for _, column := range []string{"current_step", "error_message"} {
		if d.schema["pipeline_run"][column] {
			text += " || COALESCE(" + column + ", '')"
		}
	}
	selects, args := make([]string, len(with)), make([]any, 0, 2*len(with))
	for i, parent := range with {
		selects[i] = fmt.Sprintf(failedChildrenSQL, text)
		args = append(args, parent, causesAsked)
	}
	var rows []struct {
		ID     string `db:"run_id"`
		Parent string `db:"parent_run_id"`
	}
	err := sqlx.SelectContext(ctx, q, &rows, strings.Join(selects, " UNION ALL "), args...)
	for _, row := range rows {
		above[row.ID] = row.Parent
	}
	return err
}

// failureTextsSQL selects what the last events of runs say of failures.
const failureTextsSQL = `
WITH wanted(run_id) AS (VALUES %[1]s)
SELECT e.id, e.run_id, COALESCE(e.step_id, '') AS step_id, CASE WHEN octet_length(e.message) <= %[2]d THEN e.message
	ELSE CAST(substr(CAST(e.message AS BLOB), 1, %[2]d / 2) || char(10) || substr(CAST(e.message AS BLOB), -%[2]d / 2) AS TEXT) END AS message
FROM wanted w CROSS JOIN event_log e ON e.id IN (SELECT id FROM event_log WHERE run_id = w.run_id ORDER BY id DESC LIMIT %[3]d)
WHERE e.state IN ('failed', 'rejected', 'contract_failed') AND e.message <> ''`

// failureTexts reads, of the runs in chains whose rows say no more than how they
// ended, what their events do: only they have what a command wrote to stderr.
func (d *database) failureTexts(ctx context.Context, q sqlx.QueryerContext, chains map[string][]*diagnose.Record) (map[string][]string, error) {
	said := map[string][]string{}
	wanted := map[string]*diagnose.Record{}
	for _, chain := range chains {
		if r := last(chain); !d.informative(r.Failures()) {
			wanted[r.ID] = r
		}
	}
	if len(wanted) == 0 || !d.schema.has("event_log") || !d.schema["event_log"]["message"] {
		return said, nil
	}
	err := chunks(keys(wanted), criteria.MaxLimit, func(part []string) error {
		var rows []wave.FailureText
		query := fmt.Sprintf(failureTextsSQL, tuples(len(part), 1), MaxEventText, failureTail)
		if err := sqlx.SelectContext(ctx, q, &rows, query, anys(part)...); err != nil {
			return fmt.Errorf("select failures: %w", err)
		}
		messages := make([]message, len(rows))
		for i := range rows {
			messages[i] = message{rows[i].ID, rows[i].Run, rows[i].Step, &rows[i].Message}
		}
		if err := d.hideAcross(ctx, q, messages); err != nil {
			return err
		}
		slices.SortFunc(rows, func(a, b wave.FailureText) int { return cmp.Compare(b.ID, a.ID) })
		for _, row := range rows {
			steps := wanted[row.Run].FailedSteps()
			if len(said[row.Run]) < diagnose.MaxFailureTexts && (len(steps) == 0 || slices.Contains(steps, row.Step)) {
				said[row.Run] = append(said[row.Run], row.Message)
			}
		}
		return nil
	})
	return said, err
}

// stepHeadlines gives each step that did not end well the line that says why. The
// one that its run failed by has the run's.
func (d *database) stepHeadlines(detail *wave.RunDetail, run wave.Run) {
	steps, children := detail.Steps, detail.Children
	at := -1
	if run.State.Ended() && run.State != wave.Succeeded && run.State != wave.Empty {
		at = diagnose.Culprit(run, steps)
	}
	if at >= 0 {
		detail.FailedStep = steps[at].ID
	}
	for i := range steps {
		s := &steps[i]
		switch s.State {
		case wave.Failed, wave.Rejected, wave.Cancelled, wave.Lost:
		default:
			continue
		}
		if s.State == wave.Cancelled && s.Note != "" { // "signal: killed" says less
			s.Headline = d.opt.Shown(s.Note)
			continue
		}
		if i == at && run.Headline != "" {
			s.Headline, s.Cause = run.Headline, run.Cause
			continue
		}
		var texts []string
		for _, child := range children {
			if child.ParentStep == s.ID && (child.State == wave.Failed || child.State == wave.Rejected) && !diagnose.Killed(child.Error) && len(texts) < diagnose.MaxFailureTexts {
				texts = append(texts, child.Headline)
			}
		}
		texts = append(texts, s.Error)
		if n := len(s.Attempts); n > 0 {
			texts = append(texts, s.Attempts[n-1].Error, s.Attempts[n-1].OutputTail)
		}
		s.Headline = d.headline(texts...)
	}
}
