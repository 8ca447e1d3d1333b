package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"wavedeck/store/feed"
	"wavedeck/store/storetest"
)

// placeWAL puts a database in WAL mode to where no connection of this process has
// it open: SQLite lets all of them share one mapping of the -shm file.
func placeWAL(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	copyDatabase(t, storetest.New(t), path)
	w := startWriter(t, path)
	w.exec(runningRow, "r", "")
	w.close()
	return path
}

func TestLostCompanions(t *testing.T) {
	for name, lost := range map[string][]string{
		"the -shm file": {"-shm"}, "the -wal file": {"-wal"}, "both files": {"-wal", "-shm"},
	} {
		t.Run(name+" of an open database is deleted", func(t *testing.T) {
			path := placeWAL(t)
			s, sub := followed(t, path, Options{})
			epoch := opens(t, s, sub)
			for _, suffix := range lost {
				if err := os.Remove(path + suffix); err != nil {
					t.Fatal(err)
				}
			}
			until(t, sub, "the database to open again", func(c feed.Change) bool { return c.Reset && c.Epoch == epoch })
			w := startWriter(t, path)
			for _, id := range []string{"next", "after"} {
				w.exec(runningRow, id, "")
				until(t, sub, id, func(c feed.Change) bool { return namesRun(id)(c) || c.Reset && c.Epoch != "" && shows(t, s, id) })
				if !shows(t, s, id) {
					t.Errorf("%s is named and not found", id)
				}
			}
		})
	}

	t.Run("the folder is moved away and back", func(t *testing.T) {
		path := placeWAL(t)
		s, sub := followed(t, path, Options{})
		opens(t, s, sub)
		away := filepath.Dir(path) + ".away"
		if err := os.Rename(filepath.Dir(path), away); err != nil {
			t.Fatal(err)
		}
		until(t, sub, "the word that it is missing", func(feed.Change) bool { return s.Health().Phase == Missing })
		if err := os.Rename(away, filepath.Dir(path)); err != nil {
			t.Fatal(err)
		}
		opens(t, s, sub)
		startWriter(t, path).exec(runningRow, "next", "")
		until(t, sub, "the run", func(c feed.Change) bool { return namesRun("next")(c) || shows(t, s, "next") })
	})

	t.Run("a database that changes to WAL mode is followed on", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state.db")
		copyDatabase(t, storetest.New(t), path) // has no journal but for its commits
		s, sub := followed(t, path, Options{})
		opens(t, s, sub)
		w := startWriter(t, path)
		w.exec(runningRow, "next", "")
		until(t, sub, "the run", func(c feed.Change) bool { return namesRun("next")(c) || shows(t, s, "next") })
	})
}

func shows(t *testing.T, s *Store, id string) bool {
	t.Helper()
	_, err := s.Run(t.Context(), id)
	if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrUnavailable) {
		t.Fatal(err)
	}
	return err == nil
}

func TestLockedDatabase(t *testing.T) {
	// lock takes what lets nobody read, as a migration or a shell does.
	lock := func(t *testing.T, path string) *writer {
		t.Helper()
		w := startWriter(t, path)
		w.exec("PRAGMA journal_mode = DELETE")
		w.exec("BEGIN EXCLUSIVE")
		return w
	}
	place := func(t *testing.T) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "state.db")
		b := storetest.New(t)
		b.Run(storetest.Run{ID: "r"})
		copyDatabase(t, b, path)
		return path
	}

	t.Run("is told while it is open, and read again afterwards", func(t *testing.T) {
		path := place(t)
		w := startWriter(t, path)
		w.exec("PRAGMA journal_mode = DELETE")
		s, sub := followed(t, path, Options{LockWait: time.Millisecond})
		epoch := opens(t, s, sub)
		w.exec("BEGIN EXCLUSIVE")
		for {
			if _, err := s.Run(t.Context(), "r"); err != nil {
				if !errors.Is(err, ErrLocked) || !errors.Is(err, ErrUnavailable) {
					t.Fatalf("got %v", err)
				}
				break
			}
		}
		if h := s.Health(); h.Phase != Locked || h.Problem == "" || h.LastProblem != h.Problem {
			t.Errorf("health is %+v", h)
		}
		w.exec("INSERT INTO pipeline_run (run_id, pipeline_name, status, started_at) VALUES ('next', 'p', 'completed', 5)")
		w.exec("COMMIT")
		until(t, sub, "the word that it is free", func(c feed.Change) bool { return c.Reset && c.Epoch == epoch && s.Health().Phase == Ready })
		if !shows(t, s, "next") {
			t.Error("the run that was committed is not found")
		}
	})

	t.Run("nobody waits once it is known", func(t *testing.T) {
		path := place(t)
		w := startWriter(t, path)
		w.exec("PRAGMA journal_mode = DELETE")
		s, sub := followed(t, path, Options{LockWait: patience})
		opens(t, s, sub)
		w.exec("BEGIN EXCLUSIVE")
		s.lock()                                                           // as the first one finds out
		if _, err := s.Run(t.Context(), "r"); !errors.Is(err, ErrLocked) { // or this takes longer than the test may
			t.Errorf("got %v", err)
		}
		w.exec("COMMIT")
	})

	t.Run("is told at the start, and opened afterwards", func(t *testing.T) {
		path := place(t)
		w := lock(t, path)
		s, sub := followed(t, path, Options{LockWait: time.Millisecond})
		until(t, sub, "the word that it is locked", func(feed.Change) bool { return s.Health().Phase == Locked })
		if _, err := s.Run(t.Context(), "r"); !errors.Is(err, ErrLocked) {
			t.Errorf("got %v", err)
		}
		w.exec("COMMIT")
		opens(t, s, sub)
		if !shows(t, s, "r") {
			t.Error("the run is not found")
		}
	})
}
