// Package feed delivers changes to subscribers: each has a mailbox in which the
// changes that it has not taken yet are merged. It knows nothing of where changes
// come from.
package feed

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"wavedeck/store/wave"
)

// MaxPending bounds what one Change names and what a Subscription holds. A
// reader that far behind is better served by loading afresh.
const MaxPending = 1000

// Change names what became different, never how: who is interested reads it
// again. It may name more than what changed, never less.
type Change struct {
	Epoch       string         // names the database file; other after it was replaced or rolled back
	LastEventID int64          // every event up to this one is accounted for
	Runs        []string       // runs whose derived row changed, and the parents of changed children
	Steps       []wave.StepRef // steps whose derived row changed
	List        bool           // the set of runs, or how many are in a state, changed
	Reset       bool           // everything may have changed, nothing else is named
	Health      bool           // Store.Health has changed
}

// Subscription is one reader's mailbox. Changes that it has not taken yet are
// merged by key, so a slow reader costs its publisher nothing and reads the
// sum of what it missed.
type Subscription struct {
	broker *Broker
	ready  chan struct{} // holds one token while something is pending

	mu      sync.Mutex
	has     bool
	pending Change // its slices unused: kept in the sets below
	runs    map[string]struct{}
	steps   map[wave.StepRef]struct{}
}

// Wait blocks until something changed since the last call and returns all of
// it as one Change. Names come sorted.
func (s *Subscription) Wait(ctx context.Context) (Change, error) {
	for {
		if c, ok := s.Take(); ok {
			return c, nil
		}
		select {
		case <-ctx.Done():
			return Change{}, ctx.Err()
		case <-s.ready:
		}
	}
}

// Ready is for those who wait for something else besides: it holds a value
// while a change is pending. Take it off before Take is called.
func (s *Subscription) Ready() <-chan struct{} { return s.ready }

// Take returns what Wait would, or false when nothing is pending.
func (s *Subscription) Take() (Change, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.has {
		return Change{}, false
	}
	c := s.pending
	c.Runs = slices.Sorted(maps.Keys(s.runs))
	c.Steps = slices.SortedFunc(maps.Keys(s.steps), wave.StepRef.Compare)
	s.pending, s.has = Change{}, false
	s.forget()
	return c, true
}

// Close ends the subscription; a closed one receives nothing more.
func (s *Subscription) Close() { s.broker.remove(s) }

// put merges c into what is pending. A reset swallows all names; so does a
// mailbox that would hold more than maxPending of them.
func (s *Subscription) put(c Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &s.pending
	if s.has && p.Epoch != c.Epoch {
		p.Reset = true
	}
	s.has = true
	if p.Epoch != c.Epoch || c.LastEventID > p.LastEventID { // publishers are not in step
		p.Epoch, p.LastEventID = c.Epoch, c.LastEventID
	}
	p.List = p.List || c.List
	p.Health = p.Health || c.Health
	p.Reset = p.Reset || c.Reset
	if !p.Reset {
		s.name(c)
	}
	if p.Reset || len(s.runs)+len(s.steps) > MaxPending {
		p.Reset, p.List = true, true
		s.forget()
	}
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

func (s *Subscription) name(c Change) {
	for _, id := range c.Runs {
		s.runs[id] = struct{}{}
	}
	for _, ref := range c.Steps {
		s.steps[ref] = struct{}{}
	}
}

func (s *Subscription) forget() {
	s.runs = map[string]struct{}{}
	s.steps = map[wave.StepRef]struct{}{}
}

// Broker hands each change to every subscription. It knows nothing of where
// changes come from: for SQLite that is the tracker of store/sqlite.
type Broker struct {
	published atomic.Uint64 // counts changes

	mu   sync.Mutex
	subs map[*Subscription]struct{}
}

// New returns a broker without subscriptions.
func New() *Broker { return &Broker{subs: map[*Subscription]struct{}{}} }

// Subscribe adds a subscription, which gets every change until it is closed.
func (f *Broker) Subscribe() *Subscription {
	s := &Subscription{broker: f, ready: make(chan struct{}, 1)}
	s.forget()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.subs[s] = struct{}{}
	return s
}

func (f *Broker) remove(s *Subscription) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.subs, s)
}

// Version counts the changes that were published.
func (f *Broker) Version() uint64 { return f.published.Load() }

// Publish never waits for a reader. The slices of c stay the caller's.
func (f *Broker) Publish(c Change) {
	f.published.Add(1) // first: whoever is told must not be served what was kept before
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.subs {
		s.put(c)
	}
}
