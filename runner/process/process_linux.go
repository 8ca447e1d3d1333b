package process

import (
	"bytes"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Marked are the processes whose environment holds all of the variables.
func Marked(variables ...string) []int {
	return withEnviron(func(environ [][]byte) bool { return holdsAll(environ, variables) })
}

// processes are those whose environment says that they are of the work: by its
// marks, or by what Wave gives the scripts of its steps instead of its own
// environment, which is a folder of the run, in the project that they work in.
func (w Work) processes() []int {
	project := filepath.Dir(filepath.Dir(w.DB)) + "/"
	return withEnviron(func(environ [][]byte) bool {
		var step, here bool
		for _, entry := range environ {
			name, value, _ := strings.Cut(string(entry), "=")
			step = step || name == "WAVE_DEPS_DIR" && w.Run != "" && strings.Contains(value, "/"+w.Run+"/")
			here = here || name == "PWD" && strings.HasPrefix(value, project)
		}
		return step && here || holdsAll(environ, w.marks())
	})
}

func withEnviron(is func([][]byte) bool) []int {
	var found []int
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid <= 1 || pid == os.Getpid() {
			continue
		}
		environ, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "environ"))
		if err != nil || len(environ) == 0 {
			continue
		}
		if is(bytes.Split(environ, []byte{0})) {
			found = append(found, pid)
		}
	}
	return found
}

func holdsAll(environ [][]byte, variables []string) bool {
	for _, variable := range variables {
		if !slices.ContainsFunc(environ, func(entry []byte) bool { return string(entry) == variable }) {
			return false
		}
	}
	return true
}

// groupWorks reports whether a process of the group is more than a zombie.
func groupWorks(pgid int) bool {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return true
	}
	return slices.ContainsFunc(entries, func(entry os.DirEntry) bool {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			return false
		}
		state, group := status(pid)
		return group == pgid && state != 'Z' && state != 'X'
	})
}

// works reports whether a process is there and more than a zombie.
func works(pid int) bool {
	state, _ := status(pid)
	return state != 0 && state != 'Z' && state != 'X'
}

// status is the state of a process, 0 when there is none, and its group.
func status(pid int) (state byte, group int) {
	fields := stat(pid)
	if len(fields) < 3 {
		return 0, 0
	}
	group, _ = strconv.Atoi(fields[2])
	return fields[0][0], group
}

// stat is what the kernel tells of a process, from its state on: what comes
// before, "pid (name)", may hold anything.
func stat(pid int) []string {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return nil
	}
	return strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
}

// arguments are those that a process was started with, its name first.
func arguments(pid int) []string { return words(pid, "cmdline") }

// carries reports whether the environment of a process holds a variable.
func carries(pid int, variable string) bool { return slices.Contains(words(pid, "environ"), variable) }

func words(pid int, file string) []string {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), file))
	if err != nil {
		return nil
	}
	return strings.Split(string(text), "\x00")
}

// Group has a process start in a group of its own, and die with the thread that
// started it: the caller must hold that thread.
func Group() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// listed reports whether [table] lists the processes of the system.
const listed = true

// table lists the processes that are more than zombies.
func table() []entry {
	names, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var list []entry
	for _, name := range names {
		pid, err := strconv.Atoi(name.Name())
		if err != nil {
			continue
		}
		const parent, group, session, began = 1, 2, 3, 22 - 3 // of fields that begin with the state
		fields := stat(pid)
		if len(fields) <= began || fields[0] == "Z" || fields[0] == "X" {
			continue
		}
		e := entry{pid: pid, began: fields[began]}
		e.parent, _ = strconv.Atoi(fields[parent])
		e.group, _ = strconv.Atoi(fields[group])
		e.session, _ = strconv.Atoi(fields[session])
		list = append(list, e)
	}
	return list
}

// workingIn is the folder that a process works in.
func workingIn(pid int) string {
	dir, _ := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "cwd"))
	return dir
}

// terminalOf is the terminal that a process reads from.
func terminalOf(pid int) string {
	path, _ := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "fd", "0"))
	if strings.HasPrefix(path, "/dev/pts/") || strings.HasPrefix(path, "/dev/tty") {
		return path
	}
	return ""
}

// userOf is who a process belongs to.
func userOf(pid int) string {
	info, err := os.Stat(filepath.Join("/proc", strconv.Itoa(pid)))
	if err != nil {
		return ""
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	id := strconv.FormatUint(uint64(owner.Uid), 10)
	if found, err := user.LookupId(id); err == nil {
		return found.Username
	}
	return id
}
