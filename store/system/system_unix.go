//go:build unix

package system

import (
	"errors"
	"io/fs"
	"syscall"
)

// Alive reports whether a process exists, a zombie included, without disturbing
// it. EPERM means that it lives and belongs to someone else.
func Alive(pid int) bool {
	if pid <= 0 {
		return false
	}
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// Writable reports whether this process may create files in dir.
func Writable(dir string) bool {
	const write = 2 // W_OK
	return syscall.Access(dir, write) == nil
}

// Inode is the number of a file on its device, both 0 when unknown.
func Inode(info fs.FileInfo) (device, number uint64) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0
	}
	return uint64(st.Dev), st.Ino //nolint:unconvert // Dev is 32 bits wide on some systems
}
