package runindex

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

func TestIndexWaits(t *testing.T) {
	t.Run("a reader leaves when its context ends", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := New(Options{}).Facets(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a reader leaves when the file is closed first", func(t *testing.T) {
		gone := errors.New("gone")
		ix := New(Options{Gone: gone})
		close(ix.gone)
		if _, err := ix.Facets(t.Context()); !errors.Is(err, gone) {
			t.Errorf("got %v", err)
		}
	})
}

// TestIndexAnswersWhileTextsAreShown: taking secrets out of texts takes longer than all
// else that a chunk does, so nobody waits for it.
func TestIndexAnswersWhileTextsAreShown(t *testing.T) {
	ix := New(Options{})
	asked := 0
	ix.opt.Shown = func(text string) string {
		asked++
		if !ix.mu.TryRLock() {
			t.Error("readers wait for a text to be shown")
			return text
		}
		ix.mu.RUnlock()
		return text
	}
	ix.Apply([]string{"a"}, []Entry{{ID: "a", Input: "in", Err: "bad"}})
	ix.beginChunk()
	ix.endChunk([]Entry{{ID: "b", Input: "in", Err: "bad"}})
	if asked == 0 {
		t.Error("nothing was shown")
	}
}

func TestIndexKeepsWhatIsNewerThanItsChunk(t *testing.T) {
	ix := New(Options{})
	ix.beginChunk()
	ix.Apply([]string{"r", "gone"}, []Entry{{ID: "r", State: wave.Succeeded}})
	ix.endChunk([]Entry{{ID: "r", State: wave.Running}, {ID: "gone", State: wave.Running}, {ID: "other", State: wave.Running}})
	for id, want := range map[string]wave.State{"r": wave.Succeeded, "gone": "", "other": wave.Running} {
		if got := ix.State(id); got != want {
			t.Errorf("%s is %q, want %q", id, got, want)
		}
	}
}

// TestBriefsFollowTheirRuns adds, changes and removes runs at random and looks at
// each place of the order.
func TestBriefsFollowTheirRuns(t *testing.T) {
	ix := New(Options{})
	rng := rand.New(rand.NewPCG(1, 2))
	random := func() Entry {
		return Entry{
			ID: fmt.Sprint("run-", rng.IntN(300)), Started: int64(rng.IntN(40)), State: wave.States[rng.IntN(len(wave.States))],
			Pipeline: fmt.Sprint("p", rng.IntN(600)), Tags: fmt.Sprintf(`["t%d"]`, rng.IntN(300)),
		}
	}
	for range 200 {
		ix.Apply(nil, []Entry{random()})
	}
	ix.sort()
	for range 3000 {
		e := random()
		if rng.IntN(4) == 0 {
			ix.Apply([]string{e.ID}, nil)
		} else {
			ix.Apply([]string{e.ID}, []Entry{e})
		}
	}
	if len(ix.briefs) != len(ix.order) || len(ix.order) < 100 {
		t.Fatalf("%d briefs of %d runs", len(ix.briefs), len(ix.order))
	}
	for at, i := range ix.order {
		if got, want := ix.briefs[at], ix.rows[i].brief(); got != want {
			t.Errorf("place %d has %v, its run %v", at, got, want)
		}
	}
	for n := range 600 {
		name := fmt.Sprint("p", n)
		f := criteria.RunFilter{Predicates: []criteria.Predicate{{Field: criteria.FieldPipeline, Texts: []criteria.PredicateText{{Text: name}}}, {Field: criteria.FieldState, Not: true, Texts: []criteria.PredicateText{{Text: string(wave.Failed)}}}}}
		var want []string
		for _, i := range slices.Backward(ix.order) {
			if r := &ix.rows[i]; ix.pipelines.list[r.pipeline] == name && wave.States[r.state] != wave.Failed {
				want = append(want, string(ix.id(i)))
			}
		}
		m := ix.compile(f)
		var got []string
		for at := m.next(len(ix.order)-1, -1); at >= 0; at = m.next(at-1, -1) {
			got = append(got, string(ix.id(ix.order[at])))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
