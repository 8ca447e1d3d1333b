package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// stopGrace is how long an interrupted command may take to end by itself.
const stopGrace = 5 * time.Second

// command prepares a child that runs in the module root and writes to our outputs. It leads a process group of its
// own, so that the end of ctx reaches what it starts in turn (go test's binaries, their browsers): first SIGINT, then,
// when the child itself has not ended within stopGrace, SIGKILL.
func (w *workshop) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = w.root
	cmd.Stdout, cmd.Stderr = w.stdout, w.stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = stopGrace
	return cmd
}

// exec runs a command to its end, with env added to our environment.
func (w *workshop) exec(ctx context.Context, env []string, name string, args ...string) error {
	cmd := w.command(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	err := cmd.Run()
	if ctx.Err() != nil && cmd.Process != nil {
		// Whoever outlived the leader of the group; an error says that nobody did.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", abridge(name, args), err)
	}
	return nil
}

// output runs a command and returns what it wrote to its standard output, without the white space around it.
func (w *workshop) output(ctx context.Context, name string, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := w.command(ctx, name, args...)
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w", abridge(name, args), err)
	}
	return strings.TrimSpace(out.String()), nil
}

// abridge names a command in an error: its first words tell which one it was.
func abridge(name string, args []string) string {
	const words = 4
	if len(args) > words {
		args = append(args[:words:words], "...")
	}
	return strings.Join(append([]string{name}, args...), " ")
}
