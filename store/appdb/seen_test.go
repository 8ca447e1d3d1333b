package appdb

import (
	"testing"
	"time"
)

func TestSeen(t *testing.T) {
	dir := t.TempDir()
	d := Open(t.Context(), dir)
	other := Open(t.Context(), dir)
	t.Cleanup(func() { _, _ = d.Close(), other.Close() })
	at := func(day int) time.Time { return time.Date(2026, 3, day, 12, 0, 0, 0, time.UTC) }
	see := func(day int, runs ...string) {
		t.Helper()
		if err := d.See(t.Context(), at(day), runs...); err != nil {
			t.Fatal(err)
		}
	}
	look := func(what string, all time.Time, runs map[string]time.Time) {
		t.Helper()
		got, err := other.Seen(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !got.All.Equal(all) || len(got.Runs) != len(runs) {
			t.Errorf("%s: got %+v", what, got)
		}
		for run, when := range runs {
			if !got.Runs[run].Equal(when) {
				t.Errorf("%s: %s was seen at %v, want %v", what, run, got.Runs[run], when)
			}
		}
	}
	look("nothing was seen yet", time.Time{}, nil)
	see(1, "a", "b")
	look("two runs", time.Time{}, map[string]time.Time{"a": at(1), "b": at(1)})
	see(3, "a")
	see(2, "a")
	look("a mark does not go back", time.Time{}, map[string]time.Time{"a": at(3), "b": at(1)})
	see(2)
	look("all covers what was marked before, and no more", at(2), map[string]time.Time{"a": at(3)})
	see(1)
	look("nor does that of all", at(2), map[string]time.Time{"a": at(3)})
	if err := d.See(t.Context(), at(1).AddDate(0, 3, 0), "z"); err != nil {
		t.Fatal(err)
	}
	look("old marks are forgotten", at(2), map[string]time.Time{"z": at(1).AddDate(0, 3, 0)})
}
