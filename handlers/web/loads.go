package web

import (
	"context"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// loadsKept is how many things of a kind are kept: what a few open pages are made of.
const loadsKept = 16

// Loads keeps what was read for an answer, so that other answers made of the same thing
// need not read it again: the parts of a page ask at the same moment after each change.
// It is kept as long as an answer is.
type Loads[T any] struct {
	flight flight[T]
	kept   *lru.Cache[string, loaded[T]]
}

type loaded[T any] struct {
	version version
	until   time.Time
	made    T
}

// NewLoads makes an empty Loads.
func NewLoads[T any]() *Loads[T] {
	kept, _ := lru.New[string, loaded[T]](loadsKept) // its error is that of a size below 1
	return &Loads[T]{kept: kept}
}

// Get is what read returns, now or to one who asked before with the same key since the
// last change. What it returns is shared and must not be changed.
func (l *Loads[T]) Get(ctx context.Context, k *Kit, key string, read func(context.Context) (T, error)) (T, error) {
	now, v := k.Now(), k.version()
	there := func() (T, bool) {
		kept, ok := l.kept.Get(key)
		return kept.made, ok && kept.version == v && !now.After(kept.until)
	}
	if made, ok := there(); ok {
		return made, nil
	}
	return l.flight.do(ctx, v.String()+" "+key, k.Budgets.Answer, func(ctx context.Context) (T, error) {
		if made, ok := there(); ok { // the reading before this one ended in between
			return made, nil
		}
		made, err := read(ctx)
		if err == nil {
			l.kept.Add(key, loaded[T]{version: v, until: now.Add(cacheFor), made: made})
		}
		return made, err
	})
}
