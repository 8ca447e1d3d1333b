package appdb_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"wavedeck/store/appdb"
)

func viewNames(t *testing.T, d *appdb.DB) (names []string) {
	t.Helper()
	views, err := d.SavedViews(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range views {
		names = append(names, v.Name)
	}
	return names
}

func TestViewsKeepTheirOrder(t *testing.T) {
	dir := t.TempDir()
	d := appdb.Open(t.Context(), dir)
	ids := map[string]int64{}
	for _, name := range []string{"a", "b", "c"} {
		v, err := d.AddSavedView(t.Context(), name, "q="+name)
		if err != nil {
			t.Fatal(err)
		}
		ids[name] = v.ID
	}
	for _, step := range []struct {
		what string
		do   func() error
		want string
	}{
		{"as they came", func() error { return nil }, "[a b c]"},
		{"the last goes up", func() error { return d.MoveSavedView(t.Context(), ids["c"], true) }, "[a c b]"},
		{"the first goes down", func() error { return d.MoveSavedView(t.Context(), ids["a"], false) }, "[c a b]"},
		{"the first stays the first", func() error { return d.MoveSavedView(t.Context(), ids["c"], true) }, "[c a b]"},
		{"the last stays the last", func() error { return d.MoveSavedView(t.Context(), ids["b"], false) }, "[c a b]"},
		{"another name", func() error { return d.RenameSavedView(t.Context(), ids["a"], "A!") }, "[c A! b]"},
		{"its own name in another case", func() error { return d.RenameSavedView(t.Context(), ids["a"], "a!") }, "[c a! b]"},
		{"one less", func() error { return d.RemoveSavedView(t.Context(), ids["c"]) }, "[a! b]"},
	} {
		if err := step.do(); err != nil {
			t.Errorf("%s: %v", step.what, err)
		}
		if got := fmt.Sprint(viewNames(t, d)); got != step.want {
			t.Errorf("%s: %s, want %s", step.what, got, step.want)
		}
	}
	for what, err := range map[string]error{
		"a view that is gone moves":      d.MoveSavedView(t.Context(), ids["c"], true),
		"a view that is gone is renamed": d.RenameSavedView(t.Context(), ids["c"], "z"),
		"a view that is gone is removed": d.RemoveSavedView(t.Context(), ids["c"]),
	} {
		if !errors.Is(err, appdb.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := d.RenameSavedView(t.Context(), ids["b"], "A!"); !errors.Is(err, appdb.ErrTaken) {
		t.Errorf("a name that is taken: %v", err)
	}
	if _, err := d.AddSavedView(t.Context(), "B", ""); !errors.Is(err, appdb.ErrTaken) {
		t.Errorf("a new view with a name that is taken: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	again := appdb.Open(t.Context(), dir)
	defer again.Close()
	if got := fmt.Sprint(viewNames(t, again)); got != "[a! b]" {
		t.Errorf("after a restart: %s", got)
	}
}

func TestNoMoreViewsThanMaxViews(t *testing.T) {
	dir := t.TempDir()
	var group sync.WaitGroup
	for server := range 2 { // two of them add at the same time
		group.Go(func() {
			d := appdb.Open(t.Context(), dir)
			defer d.Close()
			for n := range appdb.MaxViews {
				if _, err := d.AddSavedView(t.Context(), fmt.Sprintf("%d of %d", n, server), ""); err != nil && !errors.Is(err, appdb.ErrFull) {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	d := appdb.Open(t.Context(), dir)
	defer d.Close()
	if n := len(viewNames(t, d)); n != appdb.MaxViews {
		t.Errorf("%d views, want %d", n, appdb.MaxViews)
	}
}
