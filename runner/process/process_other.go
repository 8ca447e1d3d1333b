//go:build unix && !linux

package process

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"wavedeck/store/system"
)

// Marked cannot be told here: other processes' environments are not shown.
func Marked(...string) []int { return nil }

// processes is not available here.
func (Work) processes() []int { return nil }

// arguments are those that a process was started with, its name first, as far
// as they hold no spaces.
func arguments(pid int) []string {
	text, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output() //nolint:gosec,noctx // a number; it answers at once
	if err != nil {
		return nil
	}
	return strings.Fields(string(text))
}

// carries cannot be told here.
func carries(int, string) bool { return false }

// Group has a process start in a group of its own.
func Group() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func groupWorks(int) bool { return true }

func works(pid int) bool { return system.Alive(pid) }

// listed reports whether [table] lists the processes of the system.
const listed = false

// table is not available here.
func table() []entry { return nil }

// workingIn is not available here.
func workingIn(int) string { return "" }

// terminalOf is not available here.
func terminalOf(int) string { return "" }

// userOf is not available here.
func userOf(int) string { return "" }
