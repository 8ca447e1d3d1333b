package store

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
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

func TestLogPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	place := func(after logPlace) logPlace {
		t.Helper()
		p, err := readLogPlace(path, after)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	const page = 512
	salt := func(n byte) []byte { return []byte{n, 1, 2, 3, 4, 5, 6, 7} }
	head := append(binary.BigEndian.AppendUint32(nil, 0x377f0682), make([]byte, 4)...)
	head = binary.BigEndian.AppendUint32(head, page)
	head = append(append(append(head, make([]byte, 4)...), salt(1)...), make([]byte, 8)...)
	frame := func(commit uint32, s byte) []byte {
		f := binary.BigEndian.AppendUint32(make([]byte, 4), commit)
		return append(append(append(f, salt(s)...), make([]byte, 8)...), make([]byte, page)...)
	}
	file := []byte{}
	put := func(more []byte) {
		t.Helper()
		file = append(file, more...)
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if p := place(logPlace{}); p != (logPlace{}) {
		t.Errorf("of no log: %v", p)
	}
	put(head[:20])
	if p := place(logPlace{}); p != (logPlace{}) {
		t.Errorf("of half a head: %v", p)
	}
	put(head[20:])
	begun := place(logPlace{})
	put(frame(0, 1))
	if p := place(begun); p != begun {
		t.Errorf("an open transaction moved it from %v to %v", begun, p)
	}
	put(frame(9, 1))
	first := place(begun)
	if first.commits != 2 {
		t.Errorf("after a commit of two pages: %v", first)
	}
	put(frame(0, 1))
	put(frame(9, 1)[:30])
	if p := place(first); p != first {
		t.Errorf("a torn commit moved it to %v", p)
	}
	file = file[:len(file)-30]
	put(frame(9, 1))
	put(frame(9, 2)) // left over from a log before
	if a, b := place(first), place(logPlace{}); a != b || a.commits != 4 {
		t.Errorf("from the last place %v, from the start %v", a, b)
	}
}
