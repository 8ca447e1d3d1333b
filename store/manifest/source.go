package manifest

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long after the first notification the files are read, so that
	// an editor's several writes are one change.
	settle = 50 * time.Millisecond
	// pollEvery is how soon a change is noticed that no notification told: on a
	// network file system, or when the system has no watches left.
	pollEvery = 2 * time.Second
)

// Source keeps the catalog of one project up to date. Its methods may be called
// from any goroutine; Run from one only.
type Source struct {
	opts       Options
	current    atomic.Pointer[Catalog]
	newWatcher func() (*fsnotify.Watcher, error)
	pollEvery  time.Duration
	seen       print // the fingerprint of current; of Run only once it runs

	mu      sync.Mutex
	changed chan struct{}
}

// Open locates and loads the project. The error is that of Locate.
func Open(opts Options) (*Source, error) {
	project, err := Locate(opts)
	if err != nil {
		return nil, err
	}
	// Absolute from here on: a working directory that changes must not move the project.
	opts.Dir = project.Root
	if opts.DB != "" {
		opts.DB = project.DB
	}
	if opts.Manifest != "" {
		opts.Manifest = project.Manifest
	}
	s := &Source{
		opts: opts, newWatcher: fsnotify.NewWatcher, pollEvery: pollEvery,
		changed: make(chan struct{}),
	}
	s.load(project)
	return s, nil
}

// Current is the newest catalog. It never waits and is never nil.
func (s *Source) Current() *Catalog { return s.current.Load() }

// Changed gives a channel that is closed when the next catalog takes the place
// of the current one. Take the channel before Current, or a change in between is missed.
func (s *Source) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Run reloads the catalog when the files change, until ctx ends. Without file
// notification it goes on, and notices a change within two seconds.
func (s *Source) Run(ctx context.Context) {
	watch := newWatch(s.newWatcher)
	defer watch.close()
	s.refresh(watch) // what changed before the watches were in place

	poll := time.NewTicker(s.pollEvery)
	defer poll.Stop()
	var settled <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case event, open := <-watch.events:
			switch {
			case !open:
				watch.events = nil
			case settled == nil && watch.concerns(event.Name):
				settled = time.After(settle)
			}
		case _, open := <-watch.errors:
			if !open {
				watch.errors = nil
			} else if settled == nil { // notifications were lost: anything may have changed
				settled = time.After(settle)
			}
		case <-settled:
			settled = nil
			project := locate(s.opts)
			watch.follow(project)
			s.load(project)
		case <-poll.C:
			s.refresh(watch)
		}
	}
}

// refresh loads only when a file looks different from when it was loaded. The
// project is located again each time: another state directory may have appeared.
// It is watched before it is read, so that no change falls in between.
func (s *Source) refresh(watch *watch) {
	project := locate(s.opts)
	watch.follow(project)
	current := s.Current()
	if fingerprint(project) != s.seen || promptPrint(project, current) != current.prompts {
		s.load(project)
	}
}

// load publishes the project's content when it differs from the current one.
func (s *Source) load(project Project) {
	// Before the files are read: a write in between then shows as a difference.
	s.seen = fingerprint(project)
	old, next := s.Current(), Load(project)
	if old != nil && old.Hash == next.Hash {
		return
	}
	next.Generation = 1
	if old != nil {
		next.Generation = old.Generation + 1
	}
	s.current.Store(next)
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}
