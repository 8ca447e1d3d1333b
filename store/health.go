package store

import (
	"time"

	"wavedeck/store/runindex"
)

// Phase is how far a Store has come with its file.
type Phase string

// The phases of a Store. Only an open one answers.
const (
	Closed     Phase = "closed"     // nobody follows the file
	Missing    Phase = "missing"    // there is no file
	Unreadable Phase = "unreadable" // there is one, and Problem says what is wrong
	Locked     Phase = "locked"     // another process lets nobody read
	Ready      Phase = "open"
)

// Health is what an operator wants to know of a Store.
type Health struct {
	Path          string
	Phase         Phase
	Problem       string // one sentence and what to do; empty when all is well
	Epoch         string // empty unless open
	ReadMode      string // read-only or immutable
	Notified      bool   // changes are announced by the kernel, not polled for
	SchemaVersion int    // 0: unknown
	LastEventID   int64
	ChangedAt     time.Time     // when a change was last noticed; zero: never
	Lag           time.Duration // from noticing that change to having told it
	CheckedAt     time.Time     // when the file was last looked at, by the clock of this machine; zero: never
	LogBytes      int64         // of the write-ahead log, as last seen
	LogBound      int64         // from which on reads are held back for it; 0: not looked at yet
	LogPauses     int           // how often they were, since the database was opened
	Stray         string        // why what another program writes may not be seen, and what to do; empty: it is
	StrayUnknown  bool          // it cannot be found out whether a process holds files that were replaced
	LastProblem   string        // the Problem that was told last, also when all is well again
	LastProblemAt time.Time     // when it was; zero: never
	Index         runindex.Health
}

// Health returns how the store is now.
func (s *Store) Health() Health {
	s.mu.Lock()
	h, o := s.health, s.current
	s.mu.Unlock()
	if o != nil {
		h.Index = o.index.Health() // may wait for the index, which queries need not
	}
	return h
}

// Place is how far the changes that were told go: Epoch and LastEventID of Health.
func (s *Store) Place() (epoch string, event int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.health.Epoch, s.health.LastEventID
}
