//go:build !linux

package store

import "time"

// processBorn cannot tell here.
func processBorn(int) (time.Time, bool) { return time.Time{}, false }
