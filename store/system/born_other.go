//go:build !linux

package system

import "time"

// Born cannot tell here.
func Born(int) (time.Time, bool) { return time.Time{}, false }
