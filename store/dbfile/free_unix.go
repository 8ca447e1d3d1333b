//go:build linux || darwin

package dbfile

import "syscall"

// Free is how many bytes this user may still write below dir; false when that is not known.
func Free(dir string) (bytes int64, known bool) {
	var fs syscall.Statfs_t
	if dir == "" || syscall.Statfs(dir, &fs) != nil {
		return 0, false
	}
	return int64(fs.Bavail) * int64(fs.Bsize), true //nolint:gosec,unconvert // their types differ between systems; no disk holds 2^63 bytes
}
