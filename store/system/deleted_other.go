//go:build !linux

package system

// HoldDeleted is not known on this system.
func HoldDeleted(string, ...string) (pids []int, known bool) { return nil, false }
