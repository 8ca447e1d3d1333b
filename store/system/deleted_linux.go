package system

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// HoldDeleted names the processes that hold a file open which was deleted from one
// of the paths, as far as this user may see their files.
func HoldDeleted(paths ...string) (pids []int) {
	gone := make([]string, len(paths))
	for i, path := range paths {
		gone[i] = path + " (deleted)"
	}
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		dir := filepath.Join("/proc", entry.Name(), "fd")
		files, _ := os.ReadDir(dir)
		for _, file := range files {
			if at, err := os.Readlink(filepath.Join(dir, file.Name())); err == nil && slices.Contains(gone, at) {
				pids = append(pids, pid)
				break
			}
		}
	}
	return pids
}
