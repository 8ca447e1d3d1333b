package store

import (
	"bytes"
	"os"
	"strconv"
	"time"
)

// userHZ is the unit of times in /proc. It has been 100 on every architecture
// that Go runs on since Linux 2.6.
const userHZ = 100

// processBorn reads when a process began: ticks after the boot, whose moment
// is known to the second.
func processBorn(pid int) (time.Time, bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return time.Time{}, false
	}
	// The second field is the program's name in brackets and may hold anything.
	end := bytes.LastIndexByte(stat, ')')
	fields := bytes.Fields(stat[end+1:])
	const starttime = 22 - 3 // of fields that count from the third on
	if end < 0 || len(fields) <= starttime {
		return time.Time{}, false
	}
	ticks, err := strconv.ParseInt(string(fields[starttime]), 10, 64)
	boot, ok := bootTime()
	if err != nil || !ok {
		return time.Time{}, false
	}
	return boot.Add(time.Duration(ticks) * time.Second / userHZ), true
}

func bootTime() (time.Time, bool) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return time.Time{}, false
	}
	for line := range bytes.Lines(stat) {
		if rest, ok := bytes.CutPrefix(line, []byte("btime ")); ok {
			at, err := strconv.ParseInt(string(bytes.TrimSpace(rest)), 10, 64)
			return time.Unix(at, 0), err == nil
		}
	}
	return time.Time{}, false
}
