package store

import (
	"errors"
	"os"
	"testing"

	"wavedeck/store/feed"
	"wavedeck/store/wave"
)

// TestAWriterThatLostItsCompanions: a process that was at work when they were
// deleted goes on with the deleted ones, and no other is told of its commits.
func TestAWriterThatLostItsCompanions(t *testing.T) {
	t.Run("what it writes to the log is found, and health says why it is late", func(t *testing.T) {
		path := placeWAL(t)
		w := startWriter(t, path)
		w.exec(runningRow, "before", "")
		s, sub := followed(t, path, Options{})
		epoch := opens(t, s, sub)
		if h := s.Health(); h.Stray != "" {
			t.Fatalf("before anything is lost: %s", h.Stray)
		}
		if err := os.Remove(path + "-shm"); err != nil {
			t.Fatal(err)
		}
		until(t, sub, "the database to open again", func(c feed.Change) bool { return c.Reset && c.Epoch == epoch })
		w.exec(runningRow, "past-the-index", "")
		until(t, sub, "the run", func(c feed.Change) bool { return shows(t, s, "past-the-index") })
		if h := s.Health(); h.Stray == "" {
			t.Error("health says nothing of it")
		}
		w.exec(runningRow, "and-another", "")
		until(t, sub, "the next run", func(c feed.Change) bool { return shows(t, s, "and-another") })
	})

	t.Run("what it writes to a deleted log is found when that is copied to the file", func(t *testing.T) {
		path := placeWAL(t)
		w := startWriter(t, path)
		w.exec(runningRow, "before", "")
		s, sub := followed(t, path, Options{})
		epoch := opens(t, s, sub)
		for _, suffix := range []string{"-shm", "-wal"} {
			if err := os.Remove(path + suffix); err != nil {
				t.Fatal(err)
			}
		}
		until(t, sub, "the database to open again", func(c feed.Change) bool { return c.Reset && c.Epoch == epoch })
		runs := func() int { // as the index of runs has them in memory
			f, err := s.Facets(t.Context())
			if err != nil && !errors.Is(err, ErrUnavailable) {
				t.Fatal(err)
			}
			return f.States[wave.Running] + f.States[wave.Lost]
		}
		before := runs() // what was in the log only is gone
		w.exec(runningRow, "past-the-log", "")
		w.exec("PRAGMA wal_checkpoint")
		until(t, sub, "the run", func(feed.Change) bool { return runs() > before })
	})
}
