package store

import (
	"context"
	"fmt"
	"maps"
	"math"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// maxAncestors bounds how far the states of nested runs follow their parents;
// rows that name each other as parents would have no end.
const maxAncestors = 8

// record is a run with what was read to tell it.
type record struct {
	wave.RunRow
	steps   []wave.StepWord
	history *history // nil where the recorded status decides
	facts   runFacts
	state   wave.State
	reason  string
	outer   []wave.OuterItem // the runs that a row without a life of its own holds together
}

// recordsSQL assembles the statement for n runs in the schema at hand. Each
// join is by primary key, so it adds one seek per run.
func (d *database) recordsSQL(n int) string {
	const t = "pipeline_run"
	columns := []string{
		"r.run_id", d.schema.text("r", t, "pipeline_name"), d.schema.text("r", t, "status"), d.schema.text("r", t, "input"),
		d.schema.text("r", t, "current_step"), d.schema.maybe("r", t, "total_tokens"), d.schema.time("r", t, "started_at"),
		d.schema.time("r", t, "completed_at"), d.schema.time("r", t, "cancelled_at"), d.schema.text("r", t, "error_message"),
		d.schema.text("r", t, "tags_json"), d.schema.text("r", t, "branch_name"), d.schema.number("r", t, "pid"),
		d.schema.text("r", t, "parent_run_id"), d.schema.text("r", t, "parent_step_id"), d.schema.text("r", t, "forked_from_run_id"),
		d.schema.time("r", t, "last_heartbeat"), d.schema.maybe("r", t, "iterate_index"), d.schema.maybe("r", t, "iterate_total"),
		d.schema.text("r", t, "iterate_mode"), d.schema.text("r", t, "run_kind"),
		d.cancelSQL("c"), d.schema.number("c", "cancellation", "force"),
		d.schema.maybe("p", "pipeline_progress", "total_steps"), d.schema.maybe("p", "pipeline_progress", "completed_steps"),
		d.schema.maybe("p", "pipeline_progress", "overall_progress"),
	}
	joins := ""
	if d.schema.has("cancellation") {
		joins += " LEFT JOIN cancellation c ON c.run_id = r.run_id"
	}
	if d.schema.has("pipeline_progress") {
		joins += " LEFT JOIN pipeline_progress p ON p.run_id = r.run_id"
	}
	if d.schema.has("pipeline_state") {
		joins += " LEFT JOIN pipeline_state s ON s.pipeline_id = r.run_id"
		columns = append(columns, "COALESCE(s.status, '') AS pipeline_state", "COALESCE("+timeSQL("s.updated_at")+", 0) AS pipeline_state_at")
	} else {
		columns = append(columns, "'' AS pipeline_state", "0 AS pipeline_state_at")
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM pipeline_run r" + joins + " WHERE r.run_id IN " + in(n)
}

// cancelSQL is when the cancellation in the aliased row was requested, 0 when
// that is unknown, NULL when there is none.
func (d *database) cancelSQL(alias string) string {
	if !d.schema["cancellation"]["requested_at"] {
		return "NULL AS requested_at"
	}
	return "CASE WHEN " + alias + ".run_id IS NOT NULL THEN COALESCE(" + timeSQL(alias+".requested_at") + ", 0) END AS requested_at"
}

const stepWordsSQL = `
SELECT pipeline_id, step_id, COALESCE(state, '') AS state,
	CASE WHEN state IN ('failed', 'rejected') THEN COALESCE(error_message, '') ELSE '' END AS error
FROM step_state WHERE pipeline_id IN %s ORDER BY pipeline_id, rowid`

// records reads and derives the runs with these ids; ids that no run has are
// left out. The number of statements does not depend on the number of runs.
func (d *database) records(ctx context.Context, q sqlx.QueryerContext, ids []string) (map[string]*record, error) {
	return d.recordsUpTo(ctx, q, ids, maxAncestors)
}

func (d *database) recordsUpTo(ctx context.Context, q sqlx.QueryerContext, ids []string, ancestors int) (map[string]*record, error) {
	found := make(map[string]*record, len(ids))
	if len(ids) == 0 || !d.schema.has("pipeline_run") {
		return found, nil
	}
	var rows []wave.RunRow
	if err := sqlx.SelectContext(ctx, q, &rows, d.recordsSQL(len(ids)), anys(ids)...); err != nil {
		return nil, fmt.Errorf("select runs: %w", err)
	}
	for _, r := range rows {
		found[r.ID] = &record{RunRow: r}
	}
	if err := d.addStepWords(ctx, q, found, ids); err != nil {
		return nil, err
	}
	var undecided, parents []string
	for id, r := range found {
		r.facts = r.factsOf()
		if r.undecided() {
			undecided = append(undecided, id)
		}
		if r.Parent != "" && r.Parent != id && (r.undecided() || killed(r.facts.Error)) {
			parents = append(parents, r.Parent)
		}
	}
	histories, err := d.historiesOf(ctx, q, undecided)
	if err != nil {
		return nil, err
	}
	parentRecords := map[string]*record{}
	if ancestors > 0 && len(parents) > 0 {
		if parentRecords, err = d.recordsUpTo(ctx, q, parents, ancestors-1); err != nil {
			return nil, err
		}
	}
	for id, r := range found {
		r.addHistory(histories[id])
	}
	if err := d.addOuter(ctx, q, found); err != nil {
		return nil, err
	}
	now := d.opt.Now()
	for _, r := range found {
		r.addParent(parentRecords[r.Parent])
		r.state, r.reason = deriveRun(r.facts, now, d.aliveSince(r.facts))
		r.settleEnd()
	}
	return found, nil
}

func (d *database) addStepWords(ctx context.Context, q sqlx.QueryerContext, found map[string]*record, ids []string) error {
	if !d.schema.has("step_state") {
		return nil
	}
	var words []wave.StepWord
	if err := sqlx.SelectContext(ctx, q, &words, fmt.Sprintf(stepWordsSQL, in(len(ids))), anys(ids)...); err != nil {
		return fmt.Errorf("select steps of runs: %w", err)
	}
	for _, w := range words {
		if r := found[w.Run]; r != nil {
			r.steps = append(r.steps, w)
		}
	}
	return nil
}

// derived reads and derives any number of runs; ids that no run has are left out.
func (d *database) derived(ctx context.Context, ids []string) (map[string]*record, error) {
	all := make(map[string]*record, len(ids))
	err := chunks(ids, criteria.MaxLimit, func(part []string) error {
		records, err := d.records(ctx, d, part)
		maps.Copy(all, records)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("tell runs: %w", err)
	}
	return all, nil
}

// factsOf is what the row says, without its events and its parent.
func (r *record) factsOf() runFacts {
	f := runFacts{
		Status: r.Status, Error: r.errorText(), CancelledAt: wave.Unix(r.CancelledAt),
		PipelineState: r.PipelineState, PipelineStateAt: wave.Unix(r.PipelineStateAt), Kind: r.Kind,
		StartedAt: wave.Unix(r.StartedAt), CompletedAt: wave.Unix(r.CompletedAt), Heartbeat: wave.Unix(r.Heartbeat),
	}
	if r.PID <= math.MaxInt32 { // more is no pid, and the kernel would cut it to one
		f.PID = int(r.PID)
	}
	if r.CancelAsked != nil {
		f.Cancel = time.Unix(*r.CancelAsked, 0) // 0 is a request too, at an unknown time
	}
	f.RewoundTo, f.Forked, f.DryRun = r.rewoundTo(), r.ForkedFrom != "", r.CurrentStep == ReasonDryRun
	for _, s := range r.steps {
		f.Rejected = f.Rejected || s.State == "rejected"
	}
	return f
}

// addParent adds what the parent tells of a run; nil: nothing.
func (r *record) addParent(p *record) {
	if p == nil {
		return
	}
	r.facts.Parent, r.facts.ParentEnded, r.facts.ParentError = p.state, wave.Unix(p.CompletedAt), p.facts.Error
	if p.facts.Outer != nil {
		r.facts.Parent = wave.Unknown // it is derived from its children, not they from it
	}
}

// settleEnd gives the run the end that it really had where its row has a later
// one or none: of a rejected run the reaper writes it, of a rewound one whoever
// rewound it, and of an outer row nobody.
func (r *record) settleEnd() {
	var end int64
	switch {
	case !r.state.Ended() || r.state == wave.Lost:
		return
	case r.facts.Outer != nil:
		end = r.facts.Outer.Last.Unix()
	case r.undecided():
		end = r.PipelineStateAt
		if r.history != nil && r.history.last > 0 {
			end = r.history.lastAt.Unix()
		}
	}
	if end > 0 && (r.CompletedAt == 0 || end < r.CompletedAt) {
		r.CompletedAt = end
	}
}

// rewoundTo is the step that the run was rewound to after its end: Wave then
// records a failure without a text, at a step that had completed.
func (r *record) rewoundTo() string {
	if r.Status != "failed" || r.ErrorMessage != "" || r.CurrentStep == "" {
		return ""
	}
	for _, s := range r.steps {
		if s.Step == r.CurrentStep && s.State == "completed" {
			return s.Step
		}
	}
	return ""
}

// undecided reports whether signs of life or its events matter to a run.
func (r *record) undecided() bool {
	switch r.Status {
	case "running", "pending":
		return true
	case "failed":
		return strings.Contains(r.facts.Error, orphaned) || r.facts.RewoundTo != "" || r.PipelineState == "rejected"
	default:
		return false
	}
}

func (r *record) addHistory(h *history) {
	if h == nil {
		return
	}
	r.history = h
	r.facts.HasEvents, r.facts.LastEvent, r.facts.AtGate, r.facts.End = h.last > 0, h.lastAt, h.gate, h.end
}

// errorText is the error of a run that ended badly, whole, from wherever Wave
// left it: mostly in current_step, where other writers keep a step's id.
func (r *record) errorText() string {
	text := r.ErrorMessage
	if r.Status != "failed" && r.Status != "cancelled" {
		return text
	}
	isText := strings.ContainsAny(r.CurrentStep, " \n\t")
	if isText && (text == "" || len(r.CurrentStep) > len(text) && !strings.Contains(text, orphaned)) {
		text = r.CurrentStep
	}
	if text != "" {
		return text
	}
	for _, s := range r.steps {
		if s.Error != "" {
			return s.Error
		}
	}
	return ""
}
