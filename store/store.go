// Package store reads a Wave state database that another process writes.
//
// The file belongs to Wave: it is opened read-only, nothing is added to it,
// and it may be missing, older, replaced or deleted at any time. Rows come out
// as Wave recorded them together with what they really mean ([diagnose]).
package store

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"wavedeck/store/dbfile"
	"wavedeck/store/feed"
	"wavedeck/store/runindex"
	"wavedeck/store/sqlite"
	"wavedeck/store/system"
	"wavedeck/store/wave"
)

// Errors that callers tell apart; everything else is an I/O or SQL failure.
var (
	// ErrNotFound says that the named run does not exist.
	ErrNotFound = errors.New("not found")
	// ErrUnavailable says that there is no readable database right now;
	// Health says why.
	ErrUnavailable = errors.New("state database unavailable")
	// ErrLocked is an ErrUnavailable: another process holds the database, and lets
	// nobody read meanwhile.
	ErrLocked = fmt.Errorf("%w: another process holds it", ErrUnavailable)
	// ErrUnjudged says that nobody has looked yet which runs need attention: the
	// index of all runs is still being made. Subscribers are told when it is known.
	ErrUnjudged = errors.New("runs are not evaluated yet")
)

// Options adapt a Store to its surroundings. The zero value works.
type Options struct {
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Alive reports whether a process of this host lives; nil asks the kernel.
	Alive func(pid int) bool
	// Born is when a process of this host began, false when that is not known;
	// nil asks the kernel. A pid may be given again to another process.
	Born func(pid int) (time.Time, bool)
	// Definition names the steps of a pipeline in file order, nil when the
	// pipeline is not defined (any more). It must be quick: it is asked for
	// each row of a list.
	Definition func(pipeline string) []wave.StepDef
	// Locate says where the database is, while there is none: a project may get
	// its state directory later, and of another name. Nil: where Open was told.
	Locate func() string
	// Shown gives of a recorded text what a reader may see, such as without
	// secrets: what is not shown is not found either. Nil: all of it.
	Shown func(text string) string
	// Across hides what goes on over several events, wherever their messages are
	// read. Nil: nothing does.
	Across Across
	// LockWait is how long a read waits for a lock that another process holds
	// before it is told that the database is locked; 0 is 250 ms.
	LockWait time.Duration
	// LogBound is the size of the write-ahead log, in bytes, from which on reads are
	// held back whenever it has grown, so that the writer can begin it again: until
	// those in flight have ended, at most for LogDrain, and for LogPause then; 0 is
	// 32 MB, a second and 100 ms.
	LogBound int64
	LogDrain time.Duration
	LogPause time.Duration
	// Log receives what an operator of the dashboard should know; nil drops it.
	Log *slog.Logger
}

// withDefaults fills in what the caller left out.
func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Alive == nil {
		o.Alive = system.Alive
	}
	if o.Born == nil {
		o.Born = system.Born
	}
	if o.Definition == nil {
		o.Definition = func(string) []wave.StepDef { return nil }
	}
	if o.Shown == nil {
		o.Shown = func(text string) string { return text }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// file is how the file is read.
func (o Options) file() sqlite.Options {
	return sqlite.Options{LockWait: o.LockWait, LogBound: o.LogBound, LogDrain: o.LogDrain, LogPause: o.LogPause, Log: o.Log}
}

// Store answers from the database at its path, as long as there is one. It is
// safe for concurrent use. Follow must run, or every answer is ErrUnavailable.
type Store struct {
	*stateFile
	TextSource
}

// stateFile is the file at a path: which database it is now, and how that is.
type stateFile struct {
	path  string // of Follow only once it runs
	opt   Options
	feed  *feed.Broker
	doubt chan struct{} // a query found the file broken: look at it again

	mu      sync.Mutex
	current *opened // nil while there is no readable database
	health  Health
}

// opened is the database in use with what is kept of it in memory.
type opened struct {
	*Reader
	db    *sqlite.DB
	epoch string
	seed  string // the epoch but for rollbacks
	index *runindex.Index

	reevaluator reevaluator

	users   int  // queries in flight; under stateFile.mu, like retired
	retired bool // to be closed by its last user
}

// Open returns a Store for the database at path, which need not exist yet.
func Open(path string, opt Options) *Store {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	file := &stateFile{
		path: path, opt: opt.withDefaults(), feed: feed.New(), doubt: make(chan struct{}, 1),
		health: Health{Path: path, Phase: Closed, Problem: "the state database is not open yet"},
	}
	return &Store{file, TextSource{file}}
}

// read answers from the current database, which stays open meanwhile even if
// it is replaced.
func read[T any](s *stateFile, query func(*opened) (T, error)) (T, error) {
	var none T
	s.mu.Lock()
	o := s.current
	if s.health.Phase == Locked {
		s.mu.Unlock()
		return none, ErrLocked
	}
	if o == nil {
		s.mu.Unlock()
		return none, ErrUnavailable
	}
	o.users++
	s.mu.Unlock()
	defer s.release(o)
	answer, err := query(o)
	switch {
	case dbfile.Code(err) == dbfile.Busy:
		s.lock()
		err = fmt.Errorf("%w: %w", ErrLocked, err)
	case sqlite.Broken(err):
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	default:
		return answer, err
	}
	select {
	case s.doubt <- struct{}{}:
	default:
	}
	return none, err
}

func (s *stateFile) release(o *opened) {
	s.mu.Lock()
	o.users--
	last := o.retired && o.users == 0
	s.mu.Unlock()
	if last {
		s.closeDatabase(o)
	}
}

// replace makes o, which may be nil, the database in use. The one before is
// closed when its last query has ended.
func (s *stateFile) replace(o *opened) {
	s.mu.Lock()
	old := s.current
	s.current = o
	last := false
	if old != nil {
		old.retired = true
		last = old.users == 0
	}
	s.mu.Unlock()
	if last {
		s.closeDatabase(old)
	}
}

func (s *stateFile) closeDatabase(o *opened) {
	if err := o.db.Close(); err != nil {
		s.opt.Log.Warn("failed to close the state database", "err", err)
	}
}

// Subscribe returns a mailbox that receives every change from now on. The
// caller closes it. To miss nothing, subscribe first and Replay after that.
func (s *Store) Subscribe() *feed.Subscription { return s.feed.Subscribe() }

// Version counts what was published so far: what is read now may be kept until
// it is another number. It means nothing outside of this process.
func (s *Store) Version() uint64 { return s.feed.Version() }
