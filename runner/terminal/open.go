//go:build unix

package terminal

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/creack/pty"
	"golang.org/x/term"
)

// Open makes a terminal for a process to be asked at, and starts the program that
// holds it: command with the socket as its last argument and the terminal as file 3.
// The process gets the returned file as its standard input, and no other use of it;
// the caller closes it. The holder goes when that process has gone, or none came.
func Open(command []string, environment []string, socket string) (input *os.File, holder *os.Process, err error) {
	master, slave, err := pty.Open()
	if err != nil {
		return nil, nil, fmt.Errorf("open a terminal: %w", err)
	}
	defer master.Close()
	// What is typed reaches the process as it is: no character ends it, and no
	// line is too long. Nothing is printed here, so that nothing is lost by that.
	if _, err := term.MakeRaw(int(slave.Fd())); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("set up a terminal: %w", err), slave.Close())
	}
	args := append(append([]string{}, command[1:]...), socket)
	cmd := exec.Command(command[0], args...) //nolint:gosec,noctx // a program of the console, which outlives this process
	cmd.Env, cmd.ExtraFiles = environment, []*os.File{master}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("hold a terminal: %w", err), slave.Close())
	}
	return slave, cmd.Process, nil
}
