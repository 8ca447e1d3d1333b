package catalog

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/store"
	"wavedeck/store/diagnose"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// trends are the figures of a pipeline's last runs, beside its record.
type trends struct {
	history  diagnose.PipelineHistory
	failures []failureGroup // most frequent first
	steps    []diagnose.StepStats
	costs    map[string]runview.RunCost // nil where no prices are given
}

// failureGroup is one failure over many runs.
type failureGroup struct {
	key         string
	count       int
	newest      wave.Run
	line        string // of the newest
	first, last time.Time
}

func (h *Handler) trendsOf(ctx context.Context, pipeline string) (trends, error) {
	history, err := h.History(ctx, pipeline)
	if err != nil {
		return trends{}, err
	}
	return h.trendsFrom(ctx, history)
}

func (h *Handler) trendsFrom(ctx context.Context, history diagnose.PipelineHistory) (trends, error) {
	history.Recent = slices.DeleteFunc(slices.Clone(history.Recent), func(run wave.Run) bool { return run.DryRun })
	t := trends{history: history, failures: failureGroups(history.Recent)}
	ids := make([]string, len(history.Recent))
	for i, run := range history.Recent {
		ids[i] = run.ID
	}
	var err error
	if t.steps, err = h.Store.StepStats(ctx, ids); err != nil && !errors.Is(err, store.ErrUnavailable) {
		return t, fmt.Errorf("steps of pipeline %s: %w", history.Pipeline, err)
	}
	if t.costs, err = h.Costs(ctx, ids); err != nil {
		return t, err
	}
	slices.SortStableFunc(t.steps, func(a, b diagnose.StepStats) int { return cmp.Compare(b.P50, a.P50) })
	return t, nil
}

// failureGroups puts runs that did not end well together by what the telling
// lines of their errors have in common.
func failureGroups(runs []wave.Run) []failureGroup {
	var groups []failureGroup
	at := map[string]int{}
	for _, run := range runs {
		switch run.State {
		case wave.Failed, wave.Rejected, wave.Lost:
		default:
			continue
		}
		line := present.FailureLine(run)
		key := present.FailureKey(line)
		i, ok := at[key]
		if !ok {
			i = len(groups)
			at[key] = i
			groups = append(groups, failureGroup{key: key, newest: run, line: line, first: run.StartedAt, last: run.StartedAt})
		}
		g := &groups[i]
		g.count++
		if run.StartedAt.After(g.last) {
			g.newest, g.line, g.last = run, line, run.StartedAt
		}
		if run.StartedAt.Before(g.first) {
			g.first = run.StartedAt
		}
	}
	slices.SortStableFunc(groups, func(a, b failureGroup) int {
		return cmp.Or(cmp.Compare(b.count, a.count), b.last.Compare(a.last))
	})
	return groups
}

// showTrends is the fragment of a pipeline's page that follows its runs.
func (h *Handler) showTrends(w http.ResponseWriter, r *http.Request) error {
	name, err := web.PathVar(r, "pipeline")
	if err != nil {
		return err
	}
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		t, err := h.trendsOf(ctx, name)
		if err != nil {
			return err
		}
		return views.PipelineTrends(h.trendsView(h.Layout(r, "pipelines", name, ""), name, t)).Render(ctx, b)
	})
}

func (h *Handler) trendsView(chrome views.Layout, name string, t trends) views.TrendsView {
	v := views.TrendsView{Layout: chrome, Pipeline: name, Stats: runview.StatsOf(t.history), Refresh: h.Paths.PipelineTrends(name)}
	var all present.Cost
	for _, run := range slices.Backward(t.history.Recent) {
		p := views.TrendPoint{
			ID: run.ID, State: string(run.State), Word: present.RunWord(run), Started: run.StartedAt, Duration: present.RunDuration(run), Tokens: run.Tokens,
		}
		if c, ok := t.costs[run.ID]; ok {
			all = all.Plus(c.Total)
			p.CostText = c.Total.Text(h.PriceList().Currency)
			if c.Total.Priced || !c.Total.Unknown {
				p.Cost = &c.Total.Amount
			}
		}
		v.Points = append(v.Points, present.Bounded(p))
	}
	if t.costs != nil {
		v.Cost = all.Text(h.PriceList().Currency)
	}
	for _, g := range t.failures {
		v.Failures = append(v.Failures, present.Bounded(views.FailureRow{
			Line: g.line, Key: g.key, Count: g.count, First: g.first, Last: g.last,
			NewestURL: h.Paths.Run(g.newest.ID), ListURL: h.Paths.Runs(g.query(name)),
		}))
	}
	for _, step := range t.steps {
		v.Steps = append(v.Steps, present.Bounded(views.SpreadRow{
			Step: step.Step, Runs: step.Runs, Attempts: step.Attempts, P50: step.P50, P90: step.P90, Timed: step.Timed, Coarse: step.Coarse,
			Tokens50: step.Tokens50, Tokens90: step.Tokens90, Counted: step.Counted,
		}))
	}
	return v
}

// query is the list of the runs that did not end well from the first to the last
// of a group.
func (g failureGroup) query(pipeline string) url.Values {
	q := url.Values{"pipeline": {pipeline}, "state": {string(wave.Failed), string(wave.Rejected), string(wave.Lost)}}
	if !g.first.IsZero() {
		q.Set("since", g.first.UTC().Format(time.RFC3339))
		q.Set("until", g.last.UTC().Add(time.Second).Format(time.RFC3339))
	}
	return q
}

// trendsSummary is the JSON form; the runs themselves are recent_runs.
type trendsSummary struct {
	Runs     int              `json:"runs"`
	Failures []failureSummary `json:"failures"`
	Steps    []spreadSummary  `json:"steps"`
}

type failureSummary struct {
	Line      string     `json:"line"`
	Pattern   string     `json:"pattern"` // the line without numbers, times, ids and directories
	Count     int        `json:"count"`
	FirstSeen *time.Time `json:"first_seen"`
	LastSeen  *time.Time `json:"last_seen"`
	NewestRun string     `json:"newest_run_id"`
}

// spreadSummary is one step; p50 and p90 are of its attempts and left out where
// none is known.
type spreadSummary struct {
	StepID       string `json:"step_id"`
	Runs         int    `json:"runs"`
	Attempts     int    `json:"attempts"`
	P50Ms        *int64 `json:"p50_ms,omitempty"`
	P90Ms        *int64 `json:"p90_ms,omitempty"`
	Timed        int    `json:"timed"`
	WholeSeconds bool   `json:"whole_seconds,omitempty"`
	Tokens50     *int64 `json:"p50_tokens,omitempty"`
	Tokens90     *int64 `json:"p90_tokens,omitempty"`
	Counted      int    `json:"counted"`
}

func (t trends) summary() trendsSummary {
	sum := trendsSummary{Runs: len(t.history.Recent), Failures: []failureSummary{}, Steps: []spreadSummary{}}
	for _, g := range t.failures {
		sum.Failures = append(sum.Failures, present.Bounded(failureSummary{
			Line: g.line, Pattern: g.key, Count: g.count, FirstSeen: present.OptionalTime(g.first), LastSeen: present.OptionalTime(g.last), NewestRun: g.newest.ID,
		}))
	}
	for _, step := range t.steps {
		one := spreadSummary{StepID: step.Step, Runs: step.Runs, Attempts: step.Attempts, Timed: step.Timed, WholeSeconds: step.Coarse, Counted: step.Counted}
		if step.Timed > 0 {
			one.P50Ms, one.P90Ms = new(step.P50.Milliseconds()), new(step.P90.Milliseconds())
		}
		if step.Counted > 0 {
			one.Tokens50, one.Tokens90 = &step.Tokens50, &step.Tokens90
		}
		sum.Steps = append(sum.Steps, present.Bounded(one))
	}
	return sum
}
