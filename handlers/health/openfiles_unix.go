//go:build linux || darwin

package health

import (
	"errors"
	"os"
	"syscall"
)

// OpenFiles is how many files and connections this process has, and how many it
// may have; 0 where that is not known.
func OpenFiles() (used, most int) {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0, 0
	}
	most = int(min(limit.Cur, 1<<31))
	dir, err := os.Open("/dev/fd")
	if errors.Is(err, syscall.EMFILE) {
		return most, most
	}
	if err != nil {
		return 0, 0
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return 0, 0
	}
	return len(names) - 1, most // one of the names is the folder itself
}
