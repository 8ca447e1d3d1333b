package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"wavedeck/store/criteria"
	"wavedeck/store/diagnose"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// family writes runs whose parents can be found and runs whose parents cannot.
func family(t testing.TB) *storetest.Builder {
	t.Helper()
	b := storetest.New(t)
	for _, r := range []storetest.Run{
		{ID: "root"}, {ID: "child", Parent: "root"}, {ID: "grandchild", Parent: "child"},
		{ID: "orphan", Parent: "gone"}, {ID: "child-of-orphan", Parent: "orphan"},
		{ID: "own-parent", Parent: "own-parent"}, {ID: "child-of-own-parent", Parent: "own-parent"},
		{ID: "two-a", Parent: "two-b"}, {ID: "two-b", Parent: "two-a"}, {ID: "child-of-two", Parent: "two-a"},
	} {
		r.Status = "failed"
		b.Run(r)
	}
	for i := range 300 {
		b.Run(storetest.Run{ID: fmt.Sprintf("ring-%03d", i), Parent: fmt.Sprintf("ring-%03d", (i+1)%300), Status: "failed"})
	}
	return b
}

// TestRunsWithoutAParentAreAtTheTop compares the list, the index, what needs
// attention and the list as of a moment.
func TestRunsWithoutAParentAreAtTheTop(t *testing.T) {
	b := family(t)
	b.Event("root", storetest.Event{At: storetest.Base.Add(400 * time.Minute)})
	now := storetest.Base.Add(10 * time.Hour)
	d := openTest(t, b.Path, now, Options{})
	o := &opened{Reader: d.Reader, db: d.db, index: loaded(t, d)}
	want := []string{"orphan", "own-parent", "root", "two-a", "two-b"}
	for i := range 300 {
		want = append(want, fmt.Sprintf("ring-%03d", i))
	}
	slices.Sort(want)
	same := func(where string, got []string) {
		t.Helper()
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s has %d runs, want %d: %v", where, len(got), len(want), got)
		}
	}
	var list, past, tops, attention []string
	for f := (criteria.RunFilter{Limit: 100}); ; {
		page, err := d.page(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Runs {
			list = append(list, r.ID)
			if orphan := r.ID != "root"; r.Orphan != orphan {
				t.Errorf("%s is an orphan: %t", r.ID, r.Orphan)
			}
		}
		if f.Older = page.Older; page.Older == nil {
			break
		}
	}
	same("the list", list)
	for f := (criteria.RunFilter{Limit: 100}); ; {
		page, err := o.pageAt(t.Context(), f, wave.Moment{Event: 1, Time: now})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Runs {
			past = append(past, r.ID)
		}
		if f.Older = page.Older; page.Older == nil {
			break
		}
	}
	same("the list as of a moment", past)
	all, _, err := o.index.Newest(t.Context(), criteria.RunFilter{}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range all {
		if o.index.IsTop(id) {
			tops = append(tops, id)
		}
	}
	same("the index", tops)
	needs, err := o.reevaluator.failures(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range needs {
		attention = append(attention, a.Run)
	}
	same("what needs attention", attention)
}

func TestARunWhoseParentIsDeletedComesToTheTop(t *testing.T) {
	b := family(t)
	d := openTest(t, b.Path, storetest.Base.Add(10*time.Hour), Options{})
	o := &opened{Reader: d.Reader, db: d.db, index: loaded(t, d)}
	if _, err := o.reevaluator.failures(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	b.Exec(`DELETE FROM pipeline_run WHERE run_id = 'root'`)
	o.index.Apply([]string{"root"}, nil)
	needs, err := o.reevaluator.failures(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(needs, func(a diagnose.Attention) bool { return a.Run == "child" }) {
		t.Error("the failure of a run whose parent was deleted does not need attention")
	}
}

func TestARunIsNoChildOfItself(t *testing.T) {
	d := openTest(t, family(t).Path, storetest.Base.Add(10*time.Hour), Options{})
	got := mustDetail(t, d, "own-parent")
	if len(got.Children) != 1 || got.Run.Children.All != 1 || got.Children[0].ID != "child-of-own-parent" {
		t.Errorf("%d children, counted %d", len(got.Children), got.Run.Children.All)
	}
	children, err := d.children(t.Context(), []string{"own-parent"}, 10)
	if err != nil || len(children["own-parent"]) != 1 {
		t.Errorf("children %v, %v", children, err)
	}
}
