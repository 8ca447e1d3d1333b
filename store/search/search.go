// Package search finds the events of all runs by their words. The index is a file
// of the console's own, search.db, which only holds words and ids: what is shown
// of a hit is read from the state database, and looked at again. It can be
// deleted at any time; it is then rebuilt.
//
// One server at a time writes the file, by a lease in it; all that share the
// folder read it.
package search

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"wavedeck/store"
	"wavedeck/store/files"
)

// FileName is the index in the folder of the console's own files.
const FileName = "search.db"

// Options say how an Index is made.
type Options struct {
	// Dir is the folder of the console's own files; it is made when it does not exist.
	Dir string
	// Shown gives of a message what a reader may see of it. Only that is indexed
	// and found. Nil: all of it.
	Shown func(message string) string
	// Form names what Shown does; when it is another one, the index is rebuilt.
	Form string
	// Log receives what an operator should know; nil drops it.
	Log *slog.Logger
}

// Index is the index of all events. It is safe for concurrent use. Run must run
// somewhere for it to grow.
type Index struct {
	release func() // its file may be opened by others
	store   *store.Store
	opt     Options
	owner   string        // names this one in the lease
	hasty   time.Duration // what takes longer is looked for by stretches
	wake    chan struct{}

	mu    sync.Mutex
	file  *file // nil while it cannot be used
	first int64 // the least id of an event, as last asked
	trouble
}

// trouble is what keeps an index from being used or from growing.
type trouble struct {
	problem string // why it cannot be used or does not grow; for an operator
	paused  string // as problem, where all is well otherwise
	tried   time.Time
	closed  bool
}

// Open returns the index of the store's events. A file that cannot be used is no
// error: Status tells it, and it is tried again. The caller closes the index.
func Open(s *store.Store, opt Options) *Index {
	if opt.Shown == nil {
		opt.Shown = func(message string) string { return message }
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	x := &Index{store: s, opt: opt, owner: rand.Text(), hasty: hastyFor, wake: make(chan struct{}, 1), release: func() {}}
	if dir, err := filepath.Abs(opt.Dir); opt.Dir != "" && err == nil {
		x.release = files.Forbid(dir, FileName)
	}
	return x
}

// Close lets go of the file.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed = true
	x.release()
	if x.file == nil {
		return nil
	}
	f := x.file
	x.file = nil
	return f.close()
}

// Path is where the index is.
func (x *Index) Path() string { return filepath.Join(x.opt.Dir, FileName) }

// retryAfter is how long a file that could not be used is left alone.
const retryAfter = 5 * time.Second

// ErrUnusable says that there is no index to ask; Status says why.
var ErrUnusable = errors.New("failed to open the search index")

// open returns the file, opened when it is not.
func (x *Index) open(ctx context.Context) (*file, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.closed:
		return nil, ErrUnusable
	case x.file != nil:
		if x.file.same(x.Path()) {
			return x.file, nil
		}
		_ = x.file.close() // somebody took it away
		x.file = nil
	case x.problem != "" && time.Since(x.tried) < retryAfter:
		return nil, ErrUnusable
	}
	f, err := openFile(ctx, x.opt.Dir, x.opt.Form)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	x.tried = time.Now()
	if err != nil {
		x.tell(why(x.opt.Dir, err))
		return nil, errors.Join(ErrUnusable, err)
	}
	x.file = f
	x.tell("")
	return f, nil
}

// tell keeps what is wrong, and has it in the log once. The caller holds mu.
func (x *Index) tell(problem string) {
	if problem != "" && problem != x.problem {
		x.opt.Log.Warn("failed to update the search index", "file", x.Path(), "problem", problem)
	}
	x.problem = problem
}

// failed takes in what went wrong with the file. One that is damaged is removed:
// it holds nothing that cannot be made again.
func (x *Index) failed(f *file, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.tried = time.Now()
	x.tell(why(x.opt.Dir, err))
	if !damaged(err) || x.file != f {
		return
	}
	x.file = nil
	mine := f.same(x.Path())
	_ = f.close() // it is damaged
	if mine {
		x.opt.Log.Warn("the search index is damaged and is rebuilt", "file", x.Path(), "err", err)
		removeFile(x.Path())
		x.tried = time.Time{} // there is no reason to wait for
	}
}

func removeFile(path string) {
	for _, beside := range []string{"", "-wal", "-shm", "-journal"} {
		_ = os.Remove(path + beside) // what is left is told by the next opening
	}
}

// Rebuild has the index rebuilt. Any server may ask; the one that has the lease
// does it.
func (x *Index) Rebuild(ctx context.Context) error {
	f, err := x.open(ctx)
	if err == nil {
		err = f.write(ctx, func(tx *sqlx.Tx) error { return reset(ctx, tx, x.opt.Form) })
	}
	if err != nil && f != nil && ctx.Err() == nil {
		x.failed(f, err)
	}
	x.poke()
	return err
}

// poke has Run look whether there is something to do.
func (x *Index) poke() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// State is how far an Index is.
type State string

// The states of an Index.
const (
	Waiting  State = "waiting"  // there is no state database to read
	Building State = "building" // it does not hold all events yet
	Paused   State = "paused"   // as Building, and it does not go on; Problem says why
	Ready    State = "ready"    // it follows
	Unusable State = "unusable" // Problem says why
)

// Status is what an operator wants to know of an Index.
type Status struct {
	State   State
	Events  int64   // every event up to this id is in it
	Of      int64   // the id of the newest event
	Behind  int64   // ids between these
	Share   float64 // from 0 to 1: how much of the history is in it
	Bytes   int64   // of the file and what is beside it
	Problem string  // one sentence, and what to do; empty when all is well
	Path    string
}

// closeBehind is how many events an index may lack and still follow.
const closeBehind = 2000

// Status returns how the index is now.
func (x *Index) Status(ctx context.Context) Status {
	health := x.store.Health()
	s := Status{State: Waiting, Path: x.Path(), Of: health.LastEventID}
	f, err := x.open(ctx)
	x.mu.Lock()
	s.Problem = x.problem
	if s.Problem == "" {
		s.Problem = x.paused
	}
	first := x.first
	x.mu.Unlock()
	if err != nil {
		s.State = Unusable
		return s
	}
	for _, beside := range []string{"", "-wal"} {
		if info, err := os.Stat(s.Path + beside); err == nil {
			s.Bytes += info.Size()
		}
	}
	m, err := f.mark(ctx)
	if err != nil {
		s.State, s.Problem = Unusable, why(x.opt.Dir, err)
		return s
	}
	s.Events = m.Event
	if health.Phase != store.Ready {
		return s
	}
	s.Behind = max(0, s.Of-s.Events)
	s.Share = 1
	if span := s.Of - first + 1; first > 0 && s.Behind > 0 && span > 0 {
		s.Share = min(1, max(0, float64(s.Events-first+1)/float64(span)))
	} else if s.Behind > 0 {
		s.Share = float64(s.Events) / float64(s.Of)
	}
	switch {
	case s.Behind <= closeBehind:
		s.State = Ready
	case s.Problem != "":
		s.State = Paused
	default:
		s.State = Building
	}
	return s
}
