package store

import (
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"wavedeck/store/criteria"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// history makes runs that are alike enough for every filter to find some:
// few seconds, few pipelines, several states that the row alone does not tell.
type randomHistory struct {
	*storetest.Builder
	rng *rand.Rand
	ids []string
}

var (
	somePipelines = []string{"build", "Deploy", "ops-sync", ""}
	someInputs    = []string{"", "fix the LOGIN form", "Straße und ÄPFEL", "a\x00b", "<b>markup</b>", strings.Repeat("ä", 700) + "needle"}
	someTags      = [][]string{nil, {"nightly"}, {"team/a", "nightly"}, {"team/a", "team/a"}, {"Ü"}}
	someStatuses  = []string{"completed", "completed_empty", "failed", "cancelled", "running", "pending"}
	someBranches  = []string{"", "main", "feature/Login"}
	someKinds     = []string{"", "top_level", "iterate_child"}
	someErrors    = []string{"", "boom", "step \"s\" failed: context canceled", "process gone (orphaned)"}
)

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

func (h *randomHistory) grow() {
	r := storetest.Run{
		ID:       fmt.Sprintf("%s-Run-%04x", pick(h.rng, somePipelines), h.rng.IntN(1<<16)) + strconv.Itoa(len(h.ids)),
		Pipeline: pick(h.rng, somePipelines), Status: pick(h.rng, someStatuses), Input: pick(h.rng, someInputs),
		Tags: pick(h.rng, someTags), CurrentStep: pick(h.rng, someErrors), Error: pick(h.rng, []string{"", "", "exit STATUS 1"}),
		Branch: pick(h.rng, someBranches), Kind: pick(h.rng, someKinds), Tokens: h.rng.IntN(4) * 500,
		Start: storetest.Base.Add(time.Duration(h.rng.IntN(40)) * time.Second),
	}
	if len(h.ids) > 0 && h.rng.IntN(3) == 0 {
		r.Parent = pick(h.rng, h.ids)
	}
	if h.rng.IntN(2) == 0 && r.Status != "running" && r.Status != "pending" {
		r.End = r.Start.Add(time.Duration(h.rng.IntN(60)-5) * time.Second)
	}
	h.Run(r)
	h.ids = append(h.ids, r.ID)
	if h.rng.IntN(3) == 0 {
		h.Metric(r.ID, storetest.Metric{Step: "s", Tokens: h.rng.IntN(2000)})
	}
	if h.rng.IntN(4) == 0 {
		h.Cancel(r.ID)
	}
	if h.rng.IntN(4) == 0 {
		h.PipelineState(r.ID, pick(h.rng, []string{"rejected", "running", "completed", "failed"}))
	}
	if h.rng.IntN(3) == 0 {
		h.Event(r.ID, storetest.Event{State: pick(h.rng, []string{"started", "gate_waiting", "failed"})})
	}
}

// change does one of the things that a writer, or an operator's hand, may do.
func (h *randomHistory) change() {
	id := pick(h.rng, h.ids)
	switch h.rng.IntN(6) {
	case 0:
		h.grow()
	case 1:
		h.Exec("UPDATE pipeline_run SET status = ?, completed_at = started_at + 5 WHERE run_id = ?", pick(h.rng, someStatuses), id)
	case 2:
		h.Exec("UPDATE pipeline_run SET input = ?, tags_json = '[\"late\"]' WHERE run_id = ?", pick(h.rng, someInputs), id)
	case 3:
		h.Exec("UPDATE pipeline_run SET started_at = started_at + 1, parent_run_id = NULL WHERE run_id = ?", id)
	case 4:
		h.Exec("INSERT OR REPLACE INTO cancellation (run_id, requested_at, force) VALUES (?, 1, 0)", id)
	case 5:
		h.Exec("DELETE FROM pipeline_run WHERE run_id = ?", id)
	}
}

func randomFilter(rng *rand.Rand, ids []string) criteria.RunFilter {
	var f criteria.RunFilter
	if rng.IntN(2) == 0 {
		f.States = []wave.State{pick(rng, wave.States[:]), pick(rng, wave.States[:])}
	}
	if rng.IntN(3) == 0 {
		f.Pipelines = []string{pick(rng, somePipelines), "no such pipeline"}
	}
	if rng.IntN(3) == 0 {
		f.Tags = []string{pick(rng, []string{"nightly", "team/a", "late", "none"})}
	}
	if rng.IntN(5) == 0 {
		f.Parent = pick(rng, ids)
	}
	if rng.IntN(4) == 0 {
		f.Since = storetest.Base.Add(time.Duration(rng.IntN(40000)) * time.Millisecond)
	}
	if rng.IntN(4) == 0 {
		f.Until = storetest.Base.Add(time.Duration(rng.IntN(40000)) * time.Millisecond)
	}
	if rng.IntN(3) == 0 {
		f.Predicates = criteria.Words(pick(rng, []string{"login", "LOGIN fix", "äpfel", "needle", "ops", "run-", "b", "<B>", "deploy", "\x00", " ", "status 1"}))
	}
	for rng.IntN(2) == 0 {
		f.Predicates = append(f.Predicates, randomTerm(rng, ids))
	}
	f.Limit = 1 + rng.IntN(12)
	return f
}

func randomTerm(rng *rand.Rand, ids []string) criteria.Predicate {
	t := criteria.Predicate{Field: criteria.Field(rng.IntN(int(criteria.FieldStarted) + 1)), Not: rng.IntN(3) == 0}
	texts := []string{"LOGIN", "b", "nightly", "team/*", "*ü*", "main", "FEATURE/*o*n", "top_level", "*", "deploy", "ops*sync", "boom", "exit status", "run-0"}
	switch t.Field {
	case criteria.FieldState:
		texts = []string{string(pick(rng, wave.States[:])), string(pick(rng, wave.States[:]))}
	case criteria.FieldParent, criteria.FieldID:
		texts = []string{pick(rng, ids), "", "no such run"}
	}
	for range 1 + rng.IntN(2) {
		text := pick(rng, texts)
		t.Texts = append(t.Texts, criteria.PredicateText{Text: text, Glob: strings.Contains(text, "*") && t.Field > criteria.FieldError})
	}
	t.Low, t.High = int64(rng.IntN(30)), int64(rng.IntN(60))
	switch t.Field {
	case criteria.FieldTokens:
		t.Low, t.High = t.Low*50, math.MaxInt64
	case criteria.FieldStarted:
		t.Low, t.High = t.Low+storetest.Base.Unix(), t.High+storetest.Base.Unix()
	}
	return t
}

// whole shows all of a text.
func whole(text string) string { return text }

// termHolds is a term as Term documents it, on a run as shown.
func termHolds(t criteria.Predicate, r wave.Run, now time.Time) bool {
	name := func(text string) bool {
		return slices.ContainsFunc(t.Texts, func(w criteria.PredicateText) bool {
			if !w.Glob {
				return strings.EqualFold(w.Text, text)
			}
			pattern := strings.ReplaceAll(regexp.QuoteMeta(w.Text), `\*`, `.*`)
			return regexp.MustCompile(`(?is)^` + pattern + `$`).MatchString(text)
		})
	}
	part := func(texts ...string) bool {
		return slices.ContainsFunc(t.Texts, func(w criteria.PredicateText) bool {
			return slices.ContainsFunc(texts, func(text string) bool {
				return strings.Contains(strings.ToLower(text), strings.ToLower(w.Text)) && !strings.Contains(w.Text, "\x00")
			})
		})
	}
	number, known := int64(0), false
	switch t.Field {
	case criteria.FieldText:
		return t.Not != part(r.ID, r.Pipeline, criteria.SearchText(whole, r.Input), criteria.SearchText(whole, r.Error))
	case criteria.FieldID:
		return t.Not != part(r.ID)
	case criteria.FieldInput:
		return t.Not != part(criteria.SearchText(whole, r.Input))
	case criteria.FieldError:
		return t.Not != part(criteria.SearchText(whole, r.Error))
	case criteria.FieldPipeline:
		return t.Not != name(r.Pipeline)
	case criteria.FieldTag:
		return t.Not != slices.ContainsFunc(r.Tags, name)
	case criteria.FieldBranch:
		return t.Not != name(r.Branch)
	case criteria.FieldKind:
		return t.Not != name(r.Kind)
	case criteria.FieldParent:
		return t.Not != slices.ContainsFunc(t.Texts, func(w criteria.PredicateText) bool { return w.Text == r.Parent })
	case criteria.FieldState:
		return t.Not != slices.ContainsFunc(t.Texts, func(w criteria.PredicateText) bool { return w.Text == string(r.State) })
	case criteria.FieldDuration:
		switch {
		case r.State.Active() && r.State != wave.Pending:
			number, known = int64(now.Sub(r.StartedAt).Seconds()), true
		case r.State.Ended() && r.State != wave.Lost && !r.CompletedAt.IsZero():
			number = int64(r.CompletedAt.Sub(r.StartedAt).Seconds())
			known = number >= 0
		}
	case criteria.FieldTokens:
		if r.Tokens != nil {
			number, known = *r.Tokens, true
		}
	case criteria.FieldStarted:
		number, known = r.StartedAt.Unix(), !r.StartedAt.IsZero()
	}
	return known && t.Not != (number >= t.Low && number <= t.High)
}

// matches is the filter as RunFilter documents it, on a run as shown.
func matches(f criteria.RunFilter, r wave.Run, now time.Time) bool {
	return !slices.ContainsFunc(f.Predicates, func(t criteria.Predicate) bool { return !termHolds(t, r, now) }) &&
		(len(f.States) == 0 || slices.Contains(f.States, r.State)) &&
		(len(f.Pipelines) == 0 || slices.Contains(f.Pipelines, r.Pipeline)) &&
		(len(f.Tags) == 0 || slices.ContainsFunc(r.Tags, func(t string) bool { return slices.Contains(f.Tags, t) })) &&
		(f.Parent == "" || r.Parent == f.Parent) &&
		(f.Since.IsZero() || !r.StartedAt.Before(f.Since)) &&
		(f.Until.IsZero() || r.StartedAt.Before(f.Until))
}
