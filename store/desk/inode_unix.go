//go:build unix

package desk

import (
	"io/fs"
	"syscall"
)

// inode is the number by which the file system knows a file.
func inode(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Ino
	}
	return 0
}
