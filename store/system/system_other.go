//go:build !unix

package system

import "io/fs"

// Alive cannot ask here: a recorded process is taken to be alive, so that
// nothing is called lost without a sign.
func Alive(pid int) bool { return pid > 0 }

// Writable cannot ask here: a writable directory is the safe answer, for it rules
// out reading a file as immutable that someone may write.
func Writable(string) bool { return true }

// Inode is not known here.
func Inode(fs.FileInfo) (device, number uint64) { return 0, 0 }
