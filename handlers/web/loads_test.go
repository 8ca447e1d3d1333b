package web

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wavedeck/store"
	"wavedeck/store/manifest"
)

// emptyKit is a Kit of a project that has nothing.
func emptyKit(t *testing.T, now func() time.Time) *Kit {
	t.Helper()
	source, err := manifest.Open(manifest.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return &Kit{
		Store: store.Open(source.Current().Project.DB, store.Options{}), Manifest: source, Now: now,
		Budgets: Budgets{}.WithDefaults(), Shared: &Shared{},
	}
}

func TestLoads(t *testing.T) {
	at := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	k := emptyKit(t, func() time.Time { return at })
	loads := NewLoads[int]()
	var reads atomic.Int64
	get := func(key string) int {
		made, err := loads.Get(t.Context(), k, key, func(context.Context) (int, error) { return int(reads.Add(1)), nil })
		if err != nil {
			t.Error(err)
		}
		return made
	}
	t.Run("who asks at the same moment and soon after gets what was read once", func(t *testing.T) {
		var all sync.WaitGroup
		for range 7 {
			all.Go(func() { get("run") })
		}
		all.Wait()
		if got := get("run"); got != 1 || reads.Load() != 1 {
			t.Errorf("read %d times", reads.Load())
		}
	})
	t.Run("another key is another thing", func(t *testing.T) {
		if got := get("other"); got != 2 {
			t.Errorf("got %d", got)
		}
	})
	t.Run("after a change it is read again", func(t *testing.T) {
		k.Shared.Acted.Add(1)
		if got := get("run"); got != 3 {
			t.Errorf("got %d", got)
		}
	})
	t.Run("it is not older than an answer may be", func(t *testing.T) {
		at = at.Add(cacheFor + time.Millisecond)
		if got := get("run"); got != 4 {
			t.Errorf("got %d", got)
		}
	})
	t.Run("an error is not kept", func(t *testing.T) {
		broken := errors.New("broken")
		if _, err := loads.Get(t.Context(), k, "bad", func(context.Context) (int, error) { return 0, broken }); !errors.Is(err, broken) {
			t.Errorf("error %v", err)
		}
		if got := get("bad"); got != 5 {
			t.Errorf("got %d", got)
		}
	})
}
