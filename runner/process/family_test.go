//go:build unix

package process

import (
	"os"
	"os/exec"
	"path/filepath"
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
