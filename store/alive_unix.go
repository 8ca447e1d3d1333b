//go:build unix

package store

import (
	"errors"
	"syscall"
)

// processAlive asks the kernel without disturbing the process. EPERM means
// that it lives and belongs to someone else.
func processAlive(pid int) bool {
	if pid <= 0 {
		return false
	}
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
