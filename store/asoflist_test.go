package store

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/criteria"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// idsOfPages reads every page and returns the ids, in order.
func idsOfPages(t *testing.T, f criteria.RunFilter, page func(criteria.RunFilter) (criteria.RunPage, error)) (ids []string) {
	t.Helper()
	for {
		p, err := page(f)
		if err != nil {
			t.Fatal(err)
		}
		if len(ids) > 1000 {
			t.Fatal("there is no end of pages")
		}
		for _, run := range p.Runs {
			ids = append(ids, run.ID)
		}
		if p.Older == nil {
			return ids
		}
		f.Older = p.Older
	}
}

// TestPastListFiltersAsTheListDoes: as of the last event a filter chooses what it
// chooses now, but for runs that are lost, which nobody knew then.
func TestPastListFiltersAsTheListDoes(t *testing.T) {
	d := openSample(t)
	o := &opened{Reader: d.Reader, db: d.db, index: loaded(t, d)}
	at := wave.Moment{Event: 1 << 40, Time: sampleNow}
	text := func(f criteria.Field, texts ...string) criteria.Predicate {
		term := criteria.Predicate{Field: f}
		for _, x := range texts {
			term.Texts = append(term.Texts, criteria.PredicateText{Text: x})
		}
		return term
	}
	not := func(term criteria.Predicate) criteria.Predicate { term.Not = true; return term }
	for name, f := range map[string]criteria.RunFilter{
		"everything":     {},
		"states":         {States: []wave.State{wave.Failed, wave.Cancelled}},
		"pipelines":      {Pipelines: []string{"fix-issue", "slow-soak"}},
		"since":          {Since: sampleNow.Add(-90 * time.Minute), States: []wave.State{wave.Succeeded}},
		"parent":         {Parent: "nightly-audit-20261123-003816-b6f6"},
		"words":          {Predicates: criteria.Words("fix acme")},
		"word of error":  {Predicates: criteria.Words("suite_passed")},
		"not a word":     {Predicates: []criteria.Predicate{not(text(criteria.FieldText, "fix"))}},
		"error":          {Predicates: []criteria.Predicate{text(criteria.FieldError, "exit status")}},
		"no error":       {Predicates: []criteria.Predicate{not(text(criteria.FieldError, "exit status"))}},
		"state term":     {Predicates: []criteria.Predicate{text(criteria.FieldState, string(wave.Failed))}},
		"not succeeded":  {Predicates: []criteria.Predicate{not(text(criteria.FieldState, string(wave.Succeeded)))}},
		"tokens":         {Predicates: []criteria.Predicate{{Field: criteria.FieldTokens, Low: 10_000, High: math.MaxInt64}}},
		"not that long":  {Predicates: []criteria.Predicate{{Field: criteria.FieldDuration, Low: 10, High: math.MaxInt64, Not: true}}},
		"long and green": {States: []wave.State{wave.Succeeded}, Predicates: []criteria.Predicate{{Field: criteria.FieldDuration, Low: 10, High: math.MaxInt64}}},
		"nothing":        {Pipelines: []string{"no such"}},
	} {
		f.Limit = criteria.MaxLimit
		want := idsOfPages(t, f, func(f criteria.RunFilter) (criteria.RunPage, error) {
			if !f.Narrow() {
				return d.page(t.Context(), f)
			}
			return o.matching(t.Context(), f)
		})
		lost := func(id string) bool { return mustDetail(t, d, id).Run.State == wave.Lost }
		want = slices.DeleteFunc(want, lost)
		for _, limit := range []int{1, 3, criteria.MaxLimit} {
			f.Limit = limit
			got := idsOfPages(t, f, func(f criteria.RunFilter) (criteria.RunPage, error) { return o.pageAt(t.Context(), f, at) })
			if diff := cmp.Diff(want, slices.DeleteFunc(got, lost)); diff != "" {
				t.Errorf("%s by %d (-now +as of now)\n%s", name, limit, diff)
			}
		}
	}
}

// TestPastListKnowsNothingLater: what a run became later chooses it in no filter
// as of before.
func TestPastListKnowsNothingLater(t *testing.T) {
	b := storetest.New(t)
	second := func(n int) time.Time { return storetest.Base.Add(time.Duration(n) * time.Second) }
	run := b.Run(storetest.Run{ID: "a", Status: "failed", Error: "broke", Tokens: 50, Start: second(0), End: second(100)})
	b.Run(storetest.Run{ID: "later", Status: "completed", Start: second(50), End: second(60)})
	first := b.Event(run, storetest.Event{State: "started", At: second(0)})
	b.Event(run, storetest.Event{Step: "x", State: "failed", Message: "broke", At: second(100)})
	d := openBuilt(t, b)
	o := &opened{Reader: d.Reader, db: d.db, index: loaded(t, d)}
	at := wave.Moment{Event: first, Time: second(20)}
	for name, c := range map[string]struct {
		f    criteria.RunFilter
		want []string
	}{
		"running":         {criteria.RunFilter{States: []wave.State{wave.Running}}, []string{"a"}},
		"failed":          {criteria.RunFilter{States: []wave.State{wave.Failed}}, nil},
		"its error":       {criteria.RunFilter{Predicates: []criteria.Predicate{{Field: criteria.FieldError, Texts: []criteria.PredicateText{{Text: "broke"}}}}}, nil},
		"its tokens":      {criteria.RunFilter{Predicates: []criteria.Predicate{{Field: criteria.FieldTokens, Low: 1, High: 100}}}, nil},
		"20 s by then":    {criteria.RunFilter{Predicates: []criteria.Predicate{{Field: criteria.FieldDuration, Low: 20, High: 20}}}, []string{"a"}},
		"its id":          {criteria.RunFilter{Predicates: []criteria.Predicate{{Field: criteria.FieldID, Texts: []criteria.PredicateText{{Text: "a"}}}}}, []string{"a"}},
		"what came later": {criteria.RunFilter{Predicates: []criteria.Predicate{{Field: criteria.FieldID, Texts: []criteria.PredicateText{{Text: "later"}}}}}, nil},
	} {
		got := idsOfPages(t, c.f, func(f criteria.RunFilter) (criteria.RunPage, error) { return o.pageAt(t.Context(), f, at) })
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

// TestPastListFindsNothingHidden: what is not shown of a text is not found either.
func TestPastListFindsNothingHidden(t *testing.T) {
	b := storetest.New(t)
	run := b.Run(storetest.Run{ID: "a", Status: "failed", Error: "no access with hunter2 today", Input: "log in with hunter2", End: storetest.Base.Add(time.Minute)})
	last := b.Event(run, storetest.Event{State: "started"})
	d := openTest(t, b.Path, storetest.Base.Add(time.Hour), Options{Shown: func(text string) string { return strings.ReplaceAll(text, "hunter2", "***") }})
	o := &opened{Reader: d.Reader, db: d.db, index: loaded(t, d)}
	at := wave.Moment{Event: last, Time: storetest.Base.Add(time.Hour)}
	for _, field := range []criteria.Field{criteria.FieldText, criteria.FieldError} {
		for text, found := range map[string]int{"hunter": 0, "with ***": 1} {
			f := criteria.RunFilter{Predicates: []criteria.Predicate{{Field: field, Texts: []criteria.PredicateText{{Text: text}}}}}
			if got := idsOfPages(t, f, func(f criteria.RunFilter) (criteria.RunPage, error) { return o.pageAt(t.Context(), f, at) }); len(got) != found {
				t.Errorf("field %d has %q in %d runs, want %d", field, text, len(got), found)
			}
		}
	}
}

// TestListNamesNoStepOfWhatSucceeded has a last step that no event says the end of.
func TestListNamesNoStepOfWhatSucceeded(t *testing.T) {
	b := storetest.New(t)
	run := b.Run(storetest.Run{Status: "completed", End: storetest.Base.Add(time.Minute)})
	b.Event(run, storetest.Event{Step: "build", State: "running"})
	last := b.Event(run, storetest.Event{State: "completed"})
	d := openTest(t, b.Path, storetest.Base.Add(time.Hour), Options{})
	o := &opened{Reader: d.Reader, db: d.db, index: loaded(t, d)}
	now, err := d.page(t.Context(), criteria.RunFilter{})
	if err != nil {
		t.Fatal(err)
	}
	then, err := o.pageAt(t.Context(), criteria.RunFilter{}, wave.Moment{Event: last, Time: storetest.Base.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range []wave.Run{now.Runs[0], then.Runs[0]} {
		if run.State != wave.Succeeded || len(run.Current) > 0 {
			t.Errorf("%s at %q", run.State, run.Current)
		}
	}
}
