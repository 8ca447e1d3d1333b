package store

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"wavedeck/store/criteria"
	"wavedeck/store/runindex"
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

// everyRun reads all runs one by one from the database, newest first.
func everyRun(t *testing.T, d *opened) []wave.Run {
	t.Helper()
	var ids []string
	if err := d.db.Select(&ids, "SELECT run_id FROM pipeline_run"); err != nil {
		t.Fatal(err)
	}
	runs, err := d.RunsByID(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(runs, func(a, b wave.Run) int {
		return cmp.Or(b.StartedAt.Compare(a.StartedAt), cmp.Compare(b.ID, a.ID))
	})
	return runs
}

func idsOf(runs []wave.Run) []string {
	ids := []string{}
	for _, r := range runs {
		ids = append(ids, r.ID)
	}
	return ids
}

// pagesOf walks all pages of a filter to its end and back again and fails
// unless both ways meet the same runs.
func pagesOf(t *testing.T, o *opened, f criteria.RunFilter) []string {
	t.Helper()
	forth := []string{}
	var last criteria.RunPage
	for page := 0; ; page++ {
		p, err := o.matching(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if (p.Newer != nil) != (page > 0 && len(p.Runs) > 0) {
			t.Errorf("page %d of %+v: newer is %v", page, f, p.Newer)
		}
		forth, last = append(forth, idsOf(p.Runs)...), p
		if f.Older = p.Older; f.Older == nil {
			break
		}
	}
	back := idsOf(last.Runs)
	for f.Newer = last.Newer; f.Newer != nil; {
		p, err := o.matching(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if p.Older == nil {
			t.Errorf("%+v: no way back to older runs", f)
		}
		back = append(idsOf(p.Runs), back...)
		f.Newer = p.Newer
	}
	if !slices.Equal(forth, back) {
		t.Errorf("%+v: going back meets %v, going forth %v", f, back, forth)
	}
	return forth
}

func checkIndex(t *testing.T, o *opened, rng *rand.Rand, filters int) {
	t.Helper()
	all := everyRun(t, o)
	ids := idsOf(all)
	for range filters {
		f := randomFilter(rng, ids)
		want := idsOf(slices.DeleteFunc(slices.Clone(all), func(r wave.Run) bool { return !matches(f, r, o.opt.Now()) }))
		if got := pagesOf(t, o, f); !slices.Equal(got, want) {
			t.Errorf("%+v:\n%s", f, gocmp.Diff(want, got))
		}
	}
	want := criteria.Facets{All: len(all), States: map[wave.State]int{}, Pipelines: map[string]int{}, Tags: map[string]int{}}
	for _, r := range all {
		want.States[r.State]++
		want.Pipelines[r.Pipeline]++
		tags := slices.Sorted(slices.Values(r.Tags))
		for _, tag := range slices.Compact(tags) {
			want.Tags[tag]++
		}
	}
	got, err := o.index.Facets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// loaded is an index of all runs that nothing keeps in step.
func loaded(t testing.TB, d *testReader) *runindex.Index {
	t.Helper()
	ix := indexOf(d.Reader)
	if err := ix.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return ix
}

func TestIndexAnswersAsTheDatabaseWould(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("random history ", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			h := &randomHistory{storetest.New(t), rng, nil}
			for range 150 {
				h.grow()
			}
			d := openTest(t, h.Path, storetest.Base.Add(time.Hour), Options{})
			ix := loaded(t, d)
			o := &opened{Reader: d.Reader, db: d.db, index: ix}
			checkIndex(t, o, rng, 60)

			t.Run("after changes told by name", func(t *testing.T) {
				for range 60 {
					h.change()
				}
				ask := append(slices.Clone(h.ids), "nobody")
				entries, err := d.Entries(t.Context(), ask)
				if err != nil {
					t.Fatal(err)
				}
				ix.Apply(ask, entries)
				checkIndex(t, o, rng, 60)
			})
			t.Run("after changes that left no trace", func(t *testing.T) {
				for range 60 {
					h.change()
				}
				ix.MarkStale()
				if _, walked, err := ix.Check(t.Context(), 0); err != nil || !walked {
					t.Fatal("nothing to do", err)
				}
				checkIndex(t, o, rng, 60)
			})
		})
	}
}

func TestIndexOfSamples(t *testing.T) {
	for _, version := range storetest.Schemas() {
		t.Run(fmt.Sprint("schema ", version), func(t *testing.T) {
			d := openTest(t, storetest.Schema(t, version), sampleNow, Options{})
			checkIndex(t, &opened{Reader: d.Reader, db: d.db, index: loaded(t, d)}, rand.New(rand.NewPCG(uint64(version), 2)), 40)
		})
	}
}

// TestIndexIsWalkedAfterCommitsOnly: a walk reads the whole history, and a run that
// stays open is told anew every few seconds for ever.
func TestIndexIsWalkedAfterCommitsOnly(t *testing.T) {
	b := storetest.New(t)
	b.Run(storetest.Run{ID: "open", Status: "running", Start: time.Now()})
	s, sub := followed(t, b.Path, Options{})
	opens(t, s, sub)
	if _, err := s.Facets(t.Context()); err != nil {
		t.Fatal(err)
	}
	ix := s.current.index
	b.Exec("UPDATE pipeline_run SET branch_name = 'main'")
	until(t, sub, "the change", namesRun("open"))
	if _, walked, err := ix.Check(t.Context(), 0); err != nil || !walked {
		t.Error("a commit has no walk follow it", err)
	}
	entries, err := s.current.Entries(t.Context(), []string{"open"})
	if err != nil {
		t.Fatal(err)
	}
	ix.Apply([]string{"open"}, entries)
	if _, walked, _ := ix.Check(t.Context(), 0); walked {
		t.Error("a walk has another one follow it, and so has a run that is told anew")
	}
}

func BenchmarkIndex(b *testing.B) {
	const runs = 1_000_000
	d := openTest(b, storetest.Big(b, runs), time.Now(), Options{})
	var ix *runindex.Index
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			ix = loaded(b, d)
		}
		h := ix.Health()
		b.ReportMetric(float64(h.Bytes)/float64(h.Runs), "B/run")
	})
	if ix == nil {
		ix = loaded(b, d)
	}
	all, _, err := ix.Newest(b.Context(), criteria.RunFilter{}, runs)
	if err != nil {
		b.Fatal(err)
	}
	place := func(n int) *criteria.Cursor { // from the oldest on
		run, err := d.run(b.Context(), all[len(all)-1-n])
		if err != nil {
			b.Fatal(err)
		}
		return &criteria.Cursor{T: run.StartedAt.Unix(), ID: run.ID}
	}
	o, deep := &opened{Reader: d.Reader, db: d.db, index: ix}, place(runs/2)
	for name, f := range map[string]criteria.RunFilter{
		"first page":          {States: []wave.State{wave.Failed}},
		"deep page":           {States: []wave.State{wave.Failed}, Older: deep},
		"rare pipeline":       {Pipelines: []string{storetest.RarePipeline}},
		"two filters":         {States: []wave.State{wave.Cancelled}, Pipelines: []string{storetest.RarePipeline}},
		"text, no match":      {Predicates: criteria.Words("zzzz-nowhere")},
		"two words, no match": {Predicates: criteria.Words("nowhere build")},
		"deep and no match":   {States: []wave.State{wave.Queued}, Older: deep},
		"text, one match":     {Predicates: criteria.Words(storetest.Needle)},
		"four terms, no match": {Predicates: append(criteria.Words("zzzz-nowhere"), criteria.Predicate{Field: criteria.FieldDuration, Low: 60, High: math.MaxInt64},
			criteria.Predicate{Field: criteria.FieldTokens, Low: 1, High: math.MaxInt64}, criteria.Predicate{Field: criteria.FieldPipeline, Not: true, Texts: []criteria.PredicateText{{Text: "fix-*", Glob: true}}})},
		"tokens, no match":     {Predicates: []criteria.Predicate{{Field: criteria.FieldTokens, Low: 1e14, High: math.MaxInt64}}},
		"rare tag":             {Tags: []string{storetest.RareTag}},
		"time range from past": {Since: time.Unix(place(1000).T, 0), Until: time.Unix(place(5000).T, 0)},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				ix.Places(f)
			}
		})
	}
	b.Run("first page with rows", func(b *testing.B) {
		for b.Loop() {
			if _, err := o.matching(b.Context(), criteria.RunFilter{States: []wave.State{wave.Failed}}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("facets", func(b *testing.B) {
		for b.Loop() {
			ix.Apply(nil, nil)
			if _, err := ix.Facets(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("one run changes", func(b *testing.B) {
		id := deep.ID
		for b.Loop() {
			entries, err := d.Entries(b.Context(), []string{id})
			if err != nil {
				b.Fatal(err)
			}
			ix.Apply([]string{id}, entries)
		}
	})
}
