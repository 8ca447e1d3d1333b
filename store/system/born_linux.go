package system

import (
	"bytes"
	"os"
	"strconv"
	"time"
)

// tick is the unit of times in /proc. It has been a hundredth of a second on
// every architecture that Go runs on since Linux 2.6.
const tick = time.Second / 100

// Born is when a process began, exact to a second; false when that is not known.
func Born(pid int) (time.Time, bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return time.Time{}, false
	}
	boot, ok := bootTime()
	if !ok {
		return time.Time{}, false
	}
	return bornBy(stat, boot)
}

// bornBy reads /proc/PID/stat, which counts ticks since the boot.
func bornBy(stat []byte, boot time.Time) (time.Time, bool) {
	// The second field is the program's name in brackets and may hold anything.
	end := bytes.LastIndexByte(stat, ')')
	fields := bytes.Fields(stat[end+1:])
	const starttime = 22 - 3 // of fields that count from the third on
	if end < 0 || len(fields) <= starttime {
		return time.Time{}, false
	}
	ticks, err := strconv.ParseInt(string(fields[starttime]), 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	return boot.Add(time.Duration(ticks) * tick), true
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
