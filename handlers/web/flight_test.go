package web

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// waiting returns when n wait for the only thing that is in the making.
func waiting(f *flight[answer], n int) {
	for {
		f.mu.Lock()
		there := false
		for _, c := range f.calls {
			there = c.waiting == n
		}
		f.mu.Unlock()
		if there {
			return
		}
		<-time.After(time.Millisecond)
	}
}

func TestFlight(t *testing.T) {
	const long = time.Hour
	untilEnd := func(ctx context.Context) (answer, error) {
		<-ctx.Done()
		return answer{}, ctx.Err()
	}
	t.Run("an answer is made once for all who ask at the same moment", func(t *testing.T) {
		var f flight[answer]
		var all sync.WaitGroup
		made, begin := 0, make(chan struct{})
		for range 5 {
			all.Go(func() {
				a, err := f.do(t.Context(), "k", long, func(context.Context) (answer, error) {
					made++
					<-begin
					return answer{etag: "x"}, nil
				})
				if err != nil || a.etag != "x" {
					t.Errorf("%v, %v", a, err)
				}
			})
		}
		waiting(&f, 5)
		close(begin)
		all.Wait()
		if made != 1 || len(f.calls) != 0 {
			t.Errorf("made %d times, %d left", made, len(f.calls))
		}
	})
	t.Run("the work goes on while one waits, and ends when the last has left", func(t *testing.T) {
		var f flight[answer]
		first, leaveFirst := context.WithCancel(t.Context())
		second, leaveSecond := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		go func() { _, err := f.do(first, "k", long, untilEnd); ended <- err }()
		waiting(&f, 1)
		go func() { _, err := f.do(second, "k", long, untilEnd); ended <- err }()
		waiting(&f, 2)
		leaveFirst()
		waiting(&f, 1)
		select {
		case err := <-ended:
			t.Fatalf("it ended: %v", err)
		default:
		}
		leaveSecond()
		for range 2 {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("it ended with %v", err)
			}
		}
	})
	t.Run("a panic is the first request's, and the others are told", func(t *testing.T) {
		var f flight[answer]
		begin, others := make(chan struct{}), make(chan error, 1)
		go func() {
			waiting(&f, 1)
			go func() { waiting(&f, 2); close(begin) }()
			_, err := f.do(t.Context(), "k", long, untilEnd)
			others <- err
		}()
		func() {
			defer func() {
				if recover() == nil {
					t.Error("it was swallowed")
				}
			}()
			_, _ = f.do(t.Context(), "k", long, func(context.Context) (answer, error) { <-begin; panic("no") })
		}()
		if err := <-others; !errors.Is(err, errFlight) {
			t.Errorf("they are told %v", err)
		}
	})
	t.Run("it lasts no longer than it may", func(t *testing.T) {
		var f flight[answer]
		if _, err := f.do(t.Context(), "k", time.Millisecond, untilEnd); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it ended with %v", err)
		}
	})
}
