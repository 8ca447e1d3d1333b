//go:build unix

package store

import (
	"errors"
	"io/fs"
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

// dirWritable reports whether this process may create files in dir.
func dirWritable(dir string) bool {
	const write = 2 // W_OK
	return syscall.Access(dir, write) == nil
}

// inode is the number of the file on its device, both 0 when unknown.
func inode(info fs.FileInfo) (device, number uint64) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0
	}
	return uint64(st.Dev), st.Ino //nolint:unconvert // Dev is 32 bits wide on some systems
}
