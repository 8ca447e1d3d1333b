//go:build unix

package process

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// disarm is the line by which a guarded process says that it has left nothing.
const disarm = "done"

// Guard is the work of a process that outlives the one that started it, by
// whatever end that comes to, kill -9 included: when in ends, it kills all
// processes that carry the variables, and the groups that it was told of. It
// returns without doing so when the other one disarmed it.
func Guard(in io.Reader, variables ...string) {
	groups := map[int]bool{}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		line := lines.Text()
		if line == disarm {
			return
		}
		if group, err := strconv.Atoi(line); err == nil && group > 1 {
			groups[group] = true
		} else if group < -1 {
			delete(groups, -group)
		}
	}
	for group := range groups {
		SignalGroup(group, syscall.SIGKILL)
	}
	// What is killed may have just begun something: none must be there twice.
	for quiet, late := 0, time.Now().Add(guardPatience); quiet < 2 && time.Now().Before(late); quiet++ {
		if len(Marked(variables...)) > 0 {
			quiet = 0
		}
		End(context.Background(), 0, 0, variables...)
		await(context.Background(), look, func() bool { return false })
	}
}

// guardPatience bounds how long a guard goes on killing.
const guardPatience = 10 * time.Second

// Guarded is the end of a guard that its process holds. The nil Guarded does nothing.
type Guarded struct {
	cmd *exec.Cmd
	mu  sync.Mutex
	in  io.WriteCloser
}

// StartGuard starts a program that calls [Guard] with its standard input. The
// kernel closes that when this process ends. The caller calls Done.
func StartGuard(command ...string) (*Guarded, error) {
	cmd := exec.Command(command[0], command[1:]...) //nolint:gosec,noctx // a program of the console, which outlives this process
	cmd.Env = []string{}                            // it must not carry the marks itself
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &Guarded{cmd: cmd, in: in}, nil
}

// Add has the guard end a process group too, until it is taken away again.
func (g *Guarded) Add(group int) { g.say(strconv.Itoa(group)) }

// Remove takes away a group that is gone: its id may become another one's.
func (g *Guarded) Remove(group int) { g.say(strconv.Itoa(-group)) }

func (g *Guarded) say(line string) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	_, _ = fmt.Fprintln(g.in, line) // a guard that is gone guards nothing
}

// Done ends the guard: nothing is left to be ended.
func (g *Guarded) Done() {
	if g == nil {
		return
	}
	g.say(disarm)
	_ = g.in.Close()
	_ = g.cmd.Wait() // how it ended is of no use
}
