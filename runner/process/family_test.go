//go:build unix

package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestOneProcessIsAskedBeforeItIsKilled is how a process ends that does not lead
// its group, where the processes of the system cannot be listed.
func TestOneProcessIsAskedBeforeItIsKilled(t *testing.T) {
	for name, row := range map[string]struct {
		trap string
		says string
	}{
		"one that ends when asked has its last word": {`trap 'echo ended > "$0"; exit' TERM`, "ended\n"},
		"one that does not listen is killed":         {`trap '' TERM`, "began\n"},
	} {
		t.Run(name, func(t *testing.T) {
			word := filepath.Join(t.TempDir(), "word")
			cmd := exec.Command("sh", "-c", row.trap+`; echo began > "$0"; while :; do sleep 0.01; done`, word)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			gone := make(chan struct{})
			go func() { defer close(gone); _ = cmd.Wait() }()
			read := func() string { b, _ := os.ReadFile(word); return string(b) }
			await(t.Context(), time.Minute, func() bool { return read() == "began\n" })
			grace := time.Minute
			if row.says == "began\n" {
				grace = 50 * time.Millisecond
			}
			endOne(t.Context(), cmd.Process.Pid, grace)
			<-gone
			if got := read(); got != row.says {
				t.Errorf("it wrote %q, want %q", got, row.says)
			}
		})
	}
}

// TestALeaderIsAskedBeforeItsChildren: whoever carries out a run ends its steps itself,
// and must not take their end by the same signal for a failure of theirs.
func TestALeaderIsAskedBeforeItsChildren(t *testing.T) {
	if !listed {
		t.Skip("the processes of this system cannot be listed")
	}
	word := filepath.Join(t.TempDir(), "word")
	const child = `trap 'echo asked >> "$0"; exit' TERM; echo began >> "$0"; while :; do sleep 0.01; done`
	cmd := exec.Command("sh", "-c", `setsid sh -c "$1" "$0" & c=$!; trap 'sleep 0.2; kill -KILL $c; echo ended >> "$0"; exit' TERM; wait`, word, child)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { defer close(gone); _ = cmd.Wait() }()
	read := func() string { b, _ := os.ReadFile(word); return string(b) }
	await(t.Context(), time.Minute, func() bool { return read() == "began\n" })
	EndTree(t.Context(), cmd.Process.Pid, time.Minute, Work{})
	<-gone
	if got := read(); got != "began\nended\n" {
		t.Errorf("the processes wrote %q", got)
	}
}
