package system

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// HoldDeleted names the processes that have the file at path open, and one that was
// deleted beside it: a name of path with one of the suffixes. It knows of those whose
// files this user may see, and nothing where there is no /proc.
func HoldDeleted(path string, suffixes ...string) (pids []int, known bool) {
	gone := make([]string, len(suffixes))
	for i, suffix := range suffixes {
		gone[i] = path + suffix + " (deleted)"
	}
	entries, err := os.ReadDir("/proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		open := openOf(filepath.Join("/proc", entry.Name(), "fd"))
		if slices.Contains(open, path) && slices.ContainsFunc(gone, func(g string) bool { return slices.Contains(open, g) }) {
			pids = append(pids, pid)
		}
	}
	return pids, err == nil
}

func openOf(dir string) (paths []string) {
	files, _ := os.ReadDir(dir)
	for _, file := range files {
		if at, err := os.Readlink(filepath.Join(dir, file.Name())); err == nil {
			paths = append(paths, at)
		}
	}
	return paths
}
