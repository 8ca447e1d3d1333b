package sqlite

import (
	"strings"
	"testing"
	"time"
)

// TestStrayWatch: health names a process that writes with deleted files until it is
// gone, and one that is not found until a minute after it was last seen to write.
func TestStrayWatch(t *testing.T) {
	var pids []int
	known, now := true, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	begin := func() StrayWatch {
		pids, known = nil, true
		w := NewStrayWatch()
		w.holders = func(string, ...string) ([]int, bool) { return pids, known }
		if text := w.Text("x", now); text != "" || w.Unknown() {
			t.Fatalf("before anything is replaced: %q, unknown %t", text, w.Unknown())
		}
		return w
	}
	says := func(w *StrayWatch, when string, parts ...string) {
		t.Helper()
		text := w.Text("x", now)
		if len(parts) == 0 && text != "" {
			t.Errorf("%s: %q", when, text)
		}
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("%s: %q, want %q in it", when, text, part)
			}
		}
	}
	t.Run("one that is found", func(t *testing.T) {
		w := begin()
		pids = []int{42}
		w.Suspect(true, now)
		says(&w, "while it writes", "(process 42)")
		pids = nil
		now = now.Add(strayLook)
		says(&w, "once it has ended")
	})
	t.Run("one that is not found", func(t *testing.T) {
		w := begin()
		w.Suspect(true, now)
		says(&w, "when it wrote", "Its process was not found", "for a minute")
		now = now.Add(strayFor - 1)
		says(&w, "within a minute", "for a minute")
		now = now.Add(1)
		says(&w, "after it")
	})
	t.Run("where nobody can look for it", func(t *testing.T) {
		w := begin()
		known = false
		w.Suspect(false, now)
		says(&w, "after the files were replaced")
		if !w.Unknown() {
			t.Error("it is known that nobody writes with them")
		}
	})
}
