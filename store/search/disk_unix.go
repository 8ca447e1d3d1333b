//go:build linux || darwin

package search

import "syscall"

// diskFree is how many bytes of the disk of dir are left to this user.
func diskFree(dir string) (bytes int64, known bool) {
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true //nolint:gosec,unconvert // disks are smaller; the types differ between systems
}
