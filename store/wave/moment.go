package wave

import (
	"time"
)

// Moment is a place in the history of a database: after one event and before the
// next. Time is that event's, or a later one that was asked for.
type Moment struct {
	Event int64
	Time  time.Time
}

// Neighbours are the events of a run on both sides of a moment, by id; 0: none.
type Neighbours struct {
	First    int64 `db:"first"`
	Last     int64 `db:"last"`
	Previous int64 `db:"previous"`
	Next     int64 `db:"next"`
}
