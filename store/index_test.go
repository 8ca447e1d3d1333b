package store

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"wavedeck/store/criteria"
	"wavedeck/store/runindex"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

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
// stays open is told again every few seconds for ever.
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
