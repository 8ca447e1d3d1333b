package feed

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/wave"
)

func TestSubscription(t *testing.T) {
	wait := func(t *testing.T, s *Subscription) Change {
		t.Helper()
		c, err := s.Wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}

	t.Run("what a reader has not taken is merged by key", func(t *testing.T) {
		f := New()
		s := f.Subscribe()
		f.Publish(Change{Epoch: "a", LastEventID: 1, Runs: []string{"r2"}})
		f.Publish(Change{Epoch: "a", LastEventID: 2, Runs: []string{"r1", "r2"}, Steps: []wave.StepRef{{Run: "r1", Step: "s"}}})
		f.Publish(Change{Epoch: "a", LastEventID: 2, List: true})
		want := Change{
			Epoch: "a", LastEventID: 2, List: true, Runs: []string{"r1", "r2"}, Steps: []wave.StepRef{{Run: "r1", Step: "s"}},
		}
		if d := cmp.Diff(want, wait(t, s)); d != "" {
			t.Error(d)
		}
	})

	t.Run("a reader waits until something is published", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := New()
			s := f.Subscribe()
			got := make(chan Change)
			go func() {
				c, _ := s.Wait(t.Context())
				got <- c
			}()
			synctest.Wait()
			select {
			case c := <-got:
				t.Fatalf("returned %+v with nothing published", c)
			default:
			}
			f.Publish(Change{Epoch: "a", List: true})
			if c := <-got; !c.List {
				t.Errorf("got %+v", c)
			}
		})
	})

	t.Run("waiting ends with its context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err := New().Subscribe().Wait(ctx)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	})

	t.Run("a reader too far behind gets a reset that names nothing", func(t *testing.T) {
		f := New()
		s := f.Subscribe()
		for i := range MaxPending + 1 {
			f.Publish(Change{Epoch: "a", LastEventID: int64(i), Runs: []string{fmt.Sprint("r", i)}})
		}
		f.Publish(Change{Epoch: "a", LastEventID: MaxPending + 1, Runs: []string{"late"}})
		want := Change{Epoch: "a", LastEventID: MaxPending + 1, List: true, Reset: true}
		if d := cmp.Diff(want, wait(t, s)); d != "" {
			t.Error(d)
		}
		f.Publish(Change{Epoch: "a", LastEventID: MaxPending + 2, Runs: []string{"next"}})
		if c := wait(t, s); c.Reset || len(c.Runs) != 1 {
			t.Errorf("after the reset was taken: %+v", c)
		}
	})

	t.Run("a publisher that is late does not take the place back", func(t *testing.T) {
		f := New()
		s := f.Subscribe()
		f.Publish(Change{Epoch: "a", LastEventID: 9, Runs: []string{"new"}})
		f.Publish(Change{Epoch: "a", LastEventID: 7, Runs: []string{"found"}})
		if c := wait(t, s); c.LastEventID != 9 {
			t.Errorf("the place is %d", c.LastEventID)
		}
	})

	t.Run("changes of two epochs cannot be merged by name", func(t *testing.T) {
		f := New()
		s := f.Subscribe()
		f.Publish(Change{Epoch: "a", LastEventID: 9, Runs: []string{"old"}})
		f.Publish(Change{Epoch: "b", LastEventID: 1, Runs: []string{"new"}})
		if d := cmp.Diff(Change{Epoch: "b", LastEventID: 1, List: true, Reset: true}, wait(t, s)); d != "" {
			t.Error(d)
		}
	})

	t.Run("a closed subscription receives nothing", func(t *testing.T) {
		f := New()
		s := f.Subscribe()
		s.Close()
		f.Publish(Change{Epoch: "a"})
		if _, ok := s.Take(); ok {
			t.Error("received a change")
		}
	})
}
