package engine

import (
	"cmp"
	"fmt"
	"time"

	"wavedeck/store/manifest"
)

// backoff says how often a step is tried and how long it waits in between.
type backoff struct {
	attempts    int
	base, limit time.Duration
	growth      string // exponential, linear or fixed
}

// backoffOf reads a retry policy. The figures of the policies, and that it grows
// linearly without one, are Wave's; what Wave takes for the longest wait where
// neither says it is not known here.
func backoffOf(r manifest.Retry) (backoff, error) {
	var b backoff
	switch r.Policy {
	case "standard":
		b = backoff{3, time.Second, 30 * time.Second, "exponential"}
	case "aggressive":
		b = backoff{5, 200 * time.Millisecond, 30 * time.Second, "exponential"}
	case "patient":
		b = backoff{3, 5 * time.Second, 90 * time.Second, "exponential"}
	case "none":
		return backoff{attempts: 1}, nil
	default:
		b = backoff{1, time.Second, 30 * time.Second, "linear"}
	}
	b.attempts = cmp.Or(max(r.MaxAttempts, 0), b.attempts)
	for _, delay := range []struct {
		name, text string
		is         *time.Duration
	}{{"base", r.BaseDelay, &b.base}, {"longest", r.MaxDelay, &b.limit}} {
		if delay.text == "" {
			continue
		}
		d, err := time.ParseDuration(delay.text)
		if err != nil || d < 0 {
			return b, fmt.Errorf("its %s delay %q is not a duration", delay.name, delay.text)
		}
		*delay.is = d
	}
	switch r.Backoff {
	case "":
	case "exponential", "linear", "fixed":
		b.growth = r.Backoff
	default:
		return b, fmt.Errorf("unknown backoff %q", r.Backoff)
	}
	return b, nil
}

// wait is how long to wait before the attempt of a number, which is 2 or more.
func (b backoff) wait(attempt int) time.Duration {
	d := b.base
	switch b.growth {
	case "linear":
		d *= time.Duration(attempt - 1)
	case "exponential":
		for range attempt - 2 {
			if d *= 2; d > b.limit {
				break
			}
		}
	}
	return min(d, b.limit)
}
