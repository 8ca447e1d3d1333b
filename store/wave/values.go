package wave

import (
	"encoding/json"
	"math"
	"strings"
	"time"
)

// Unix reads a time of the database; 0 and below are no time.
func Unix(seconds int64) time.Time {
	if seconds <= 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

// Milliseconds reads a duration of the database; 0, below and overflow are none.
func Milliseconds(ms int64) time.Duration {
	if ms <= 0 || ms > int64(time.Duration(1<<63-1)/time.Millisecond) {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

// ParseTags reads tags_json; what is not a list of texts holds no tags.
func ParseTags(text string) []string {
	if len(text) <= len("[]") {
		return nil
	}
	var list []string
	if json.Unmarshal([]byte(text), &list) != nil {
		return nil
	}
	return list
}

// OrZero is a count of the database; one that is missing or impossible is 0.
func OrZero(n *int64) int64 {
	if n == nil || *n < 0 || *n > math.MaxInt32 {
		return 0
	}
	return *n
}

// Between is the time from one moment to another, and whether both are known.
func Between(from, to time.Time) (time.Duration, bool) {
	if from.IsZero() || to.IsZero() || to.Before(from) {
		return 0, false
	}
	return to.Sub(from), true
}

// Seconds is as much as a Duration holds where a row says more.
func Seconds(n int64) time.Duration {
	return time.Duration(min(n, int64(math.MaxInt64/time.Second))) * time.Second
}

// Clip cuts a text from the database to n bytes for use inside a sentence.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// MaxUnix is the first second of the year 10000, which RFC 3339 and JSON cannot say.
const MaxUnix = 253402300800
