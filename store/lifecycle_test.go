package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wavedeck/store/criteria"
	"wavedeck/store/feed"
	"wavedeck/store/storetest"
)

// followed is a store that is followed until the test ends, and all it tells.
func followed(t testing.TB, path string, opt Options) (*Store, *feed.Subscription) {
	t.Helper()
	s := Open(path, opt)
	sub := s.Subscribe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Follow(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("follow: %v", err)
		}
	})
	return s, sub
}

// patience is how long a test waits for what must happen; it is no measure.
const patience = 30 * time.Second

// until takes changes from sub until one satisfies the test.
func until(t testing.TB, sub *feed.Subscription, what string, ok func(feed.Change) bool) feed.Change {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		c, err := sub.Wait(ctx)
		if err != nil {
			t.Fatalf("waiting for %s: %v", what, err)
		}
		if ok(c) {
			return c
		}
	}
}

// opens waits until the store answers from a database and returns its epoch.
func opens(t testing.TB, s *Store, sub *feed.Subscription) string {
	t.Helper()
	if h := s.Health(); h.Phase == Ready {
		return h.Epoch
	}
	return until(t, sub, "the database to open", func(c feed.Change) bool { return c.Reset && c.Epoch != "" }).Epoch
}

func namesRun(id string) func(feed.Change) bool {
	return func(c feed.Change) bool { return slices.Contains(c.Runs, id) }
}

func TestFollowFile(t *testing.T) {
	t.Run("a file that appears is opened, directories and all", func(t *testing.T) {
		source := storetest.New(t)
		source.Run(storetest.Run{ID: "r"})
		path := filepath.Join(t.TempDir(), "project", ".agents", "state.db")
		s, sub := followed(t, path, Options{})
		until(t, sub, "the word that it is missing", func(c feed.Change) bool { return c.Health && s.Health().Phase == Missing })
		if _, err := s.Run(t.Context(), "r"); !errors.Is(err, ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		copyDatabase(t, source, path)
		opens(t, s, sub)
		if r, err := s.Run(t.Context(), "r"); err != nil || r.ID != "r" {
			t.Errorf("got %v, %v", r.ID, err)
		}
	})

	t.Run("a file that appears where the project has it now", func(t *testing.T) {
		source := storetest.New(t)
		dir := t.TempDir()
		var at atomic.Pointer[string]
		locate := func(name string) string {
			path := filepath.Join(dir, name, "state.db")
			at.Store(&path)
			return path
		}
		s, sub := followed(t, locate(".agents"), Options{Locate: func() string { return *at.Load() }})
		until(t, sub, "the word that it is missing", func(feed.Change) bool { return s.Health().Phase == Missing })
		path := locate(".wave")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		copyDatabase(t, source, path)
		opens(t, s, sub)
		if got := s.Health().Path; got != path {
			t.Errorf("open is %s, want %s", got, path)
		}
	})

	t.Run("a file that is no database, and then is", func(t *testing.T) {
		source := storetest.New(t)
		path := filepath.Join(t.TempDir(), "state.db")
		if err := os.WriteFile(path, []byte("this is not what SQLite writes, however long it may be............................................."), 0o600); err != nil {
			t.Fatal(err)
		}
		s, sub := followed(t, path, Options{})
		until(t, sub, "the word that it is unreadable", func(feed.Change) bool { return s.Health().Phase == Unreadable })
		if p := s.Health().Problem; p != path+" is not a SQLite database" {
			t.Errorf("problem is %q", p)
		}
		copyDatabase(t, source, path)
		opens(t, s, sub)
	})

	t.Run("a file without tables is waited for", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state.db")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		s, sub := followed(t, path, Options{})
		until(t, sub, "the word that it holds nothing", func(feed.Change) bool { return s.Health().Phase == Unreadable })
		startWriter(t, path).exec("CREATE TABLE pipeline_run (run_id TEXT PRIMARY KEY, status TEXT, started_at INTEGER)")
		opens(t, s, sub)
	})

	t.Run("a deleted file is missing, and its successor is another epoch", func(t *testing.T) {
		b := storetest.New(t)
		b.Run(storetest.Run{ID: "old"})
		s, sub := followed(t, b.Path, Options{})
		first := opens(t, s, sub)
		for _, suffix := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(b.Path + suffix)
		}
		until(t, sub, "the word that it is missing", func(feed.Change) bool { return s.Health().Phase == Missing })
		if _, err := s.Runs(t.Context(), criteria.RunFilter{}); !errors.Is(err, ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		next := storetest.New(t)
		next.Run(storetest.Run{ID: "new"})
		copyDatabase(t, next, b.Path)
		if second := opens(t, s, sub); second == first {
			t.Errorf("epoch stays %s", second)
		}
		if _, err := s.Run(t.Context(), "new"); err != nil {
			t.Error(err)
		}
	})

	t.Run("a file replaced by renaming is another epoch", func(t *testing.T) {
		b := storetest.New(t)
		b.Run(storetest.Run{ID: "old"})
		next := storetest.New(t)
		next.Run(storetest.Run{ID: "new"})
		beside := filepath.Join(filepath.Dir(b.Path), "next.db")
		copyDatabase(t, next, beside)
		b.Exec("PRAGMA wal_checkpoint(TRUNCATE)") // or its log would be taken for that of the next file
		s, sub := followed(t, b.Path, Options{})
		first := opens(t, s, sub)
		if err := os.Rename(beside, b.Path); err != nil {
			t.Fatal(err)
		}
		c := until(t, sub, "another epoch", func(c feed.Change) bool { return c.Epoch != first && c.Epoch != "" })
		if !c.Reset {
			t.Errorf("got %+v", c)
		}
		if _, err := s.Run(t.Context(), "new"); err != nil {
			t.Error(err)
		}
		if _, err := s.Run(t.Context(), "old"); !errors.Is(err, ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})

	t.Run("a history rolled back in place is another epoch", func(t *testing.T) {
		b := storetest.New(t)
		run := b.Run(storetest.Run{})
		for i := range 5 {
			b.Event(run, storetest.Event{Message: strconv.Itoa(i)})
		}
		s, sub := followed(t, b.Path, Options{})
		first := opens(t, s, sub)
		w := startWriter(t, b.Path)
		w.exec("BEGIN; DELETE FROM event_log WHERE id > 2; UPDATE sqlite_sequence SET seq = 2 WHERE name = 'event_log'; COMMIT")
		c := until(t, sub, "another epoch", func(c feed.Change) bool { return c.Epoch != first })
		if !c.Reset || c.Epoch != first+".1" || c.LastEventID != 2 {
			t.Errorf("got %+v after epoch %s", c, first)
		}
	})

	t.Run("events that were deleted are no rollback", func(t *testing.T) {
		b := storetest.New(t)
		run := b.Run(storetest.Run{Status: "running"})
		b.Event(run, storetest.Event{})
		b.Event(run, storetest.Event{})
		s, sub := followed(t, b.Path, Options{})
		first := opens(t, s, sub)
		w := startWriter(t, b.Path)
		w.exec("DELETE FROM event_log WHERE id = 2")
		w.exec("INSERT INTO event_log (run_id, timestamp, state) VALUES ('%s', 1, 'running')", run)
		c := until(t, sub, "the next event", func(c feed.Change) bool { return c.LastEventID == 3 })
		if c.Epoch != first || c.Reset {
			t.Errorf("got %+v after epoch %s", c, first)
		}
	})

	t.Run("a file overwritten in place with an older copy is another epoch", func(t *testing.T) {
		b := storetest.New(t)
		run := b.Run(storetest.Run{})
		b.Event(run, storetest.Event{})
		older := filepath.Join(t.TempDir(), "older.db")
		copyDatabase(t, b, older)
		b.Event(run, storetest.Event{})
		b.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
		s, sub := followed(t, b.Path, Options{})
		first := opens(t, s, sub)
		text, err := os.ReadFile(older)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(b.Path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		c := until(t, sub, "another epoch", func(c feed.Change) bool { return c.Epoch != first && c.Epoch != "" })
		if c.LastEventID != 1 {
			t.Errorf("got %+v", c)
		}
	})

	t.Run("a file damaged where it is read is unreadable until it is whole", func(t *testing.T) {
		b := storetest.New(t)
		for range 200 {
			b.Event(b.Run(storetest.Run{Input: strings.Repeat("long ", 200)}), storetest.Event{})
		}
		b.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
		whole, err := os.ReadFile(b.Path)
		if err != nil {
			t.Fatal(err)
		}
		s, sub := followed(t, b.Path, Options{})
		opens(t, s, sub)
		damaged := slices.Clone(whole)
		for i := 4096; i < len(damaged); i++ {
			damaged[i] = 0xff
		}
		if err := os.WriteFile(b.Path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		until(t, sub, "the word that it is damaged", func(feed.Change) bool { return s.Health().Phase == Unreadable })
		if p := s.Health().Problem; !strings.Contains(p, "damaged") {
			t.Errorf("problem is %q", p)
		}
		if err := os.WriteFile(b.Path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		until(t, sub, "the file to be read again", func(feed.Change) bool { return s.Health().Phase == Ready })
	})

	t.Run("tables that change have the file opened anew in the same epoch", func(t *testing.T) {
		b := storetest.NewVersion(t, 13)
		b.Run(storetest.Run{ID: "r"})
		s, sub := followed(t, b.Path, Options{})
		first := opens(t, s, sub)
		w := startWriter(t, b.Path)
		w.exec("ALTER TABLE pipeline_run ADD COLUMN parent_run_id TEXT")
		c := until(t, sub, "a reset", func(c feed.Change) bool { return c.Reset })
		if c.Epoch != first {
			t.Errorf("epoch %s became %s", first, c.Epoch)
		}
		w.exec("INSERT INTO pipeline_run (run_id, pipeline_name, status, started_at, parent_run_id) VALUES ('c', 'p', 'completed', 5, 'r')")
		until(t, sub, "the child", namesRun("c"))
		if c, err := s.Run(t.Context(), "c"); err != nil || c.Parent != "r" {
			t.Errorf("got parent %q, %v", c.Parent, err)
		}
	})

	t.Run("the epoch of a file is the same for the next server", func(t *testing.T) {
		b := storetest.New(t)
		epoch := ""
		for range 2 {
			t.Run("a server", func(t *testing.T) {
				s, sub := followed(t, b.Path, Options{})
				now := opens(t, s, sub)
				if epoch != "" && now != epoch {
					t.Errorf("%s, before %s", now, epoch)
				}
				epoch = now
			})
		}
	})
}

// copyDatabase writes a copy of b's database to path at once, as a copy that
// is complete is moved into place.
func copyDatabase(t *testing.T, b *storetest.Builder, path string) {
	t.Helper()
	temp := path + ".part"
	b.Exec("VACUUM INTO ?", temp)
	if err := os.Rename(temp, path); err != nil {
		t.Fatal(err)
	}
}
