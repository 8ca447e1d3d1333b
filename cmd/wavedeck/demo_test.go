package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// processesOf counts the processes that name dir in their arguments.
func processesOf(t *testing.T, dir string) int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("this system does not list its processes in /proc")
	}
	count := 0
	for _, file := range files {
		args, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(args), dir) { // an error is a process that has gone meanwhile
			count++
		}
	}
	return count
}

func TestDemo(t *testing.T) {
	t.Run("it shows every kind of run, plays more, says what it is, and leaves nothing behind", func(t *testing.T) {
		t.Setenv("TMPDIR", t.TempDir())
		p := start(t, "demo", "--port", "0")
		eventually(t, "the history is there", func() bool {
			s := p.states(t)
			return s["completed"] > 0 && s["lost"] > 0 && s["waiting"] > 0
		})
		if _, body := p.get(t, "runs"); !strings.Contains(body, "Demo data. Runs you start are real.") {
			t.Error("the page does not say that it is a demo")
		}
		_, health := p.get(t, "healthz")
		last := regexp.MustCompile(`"last_event_id":\s*\d+`)
		before := last.FindString(health)
		eventually(t, "events come", func() bool {
			status, health := p.get(t, "healthz")
			return status == http.StatusOK && last.FindString(health) != before
		})
		dirs, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "wavedeck-demo-*"))
		if err != nil || len(dirs) != 1 {
			t.Fatalf("folders %v, %v", dirs, err)
		}
		if n := processesOf(t, dirs[0]); n != 1 {
			t.Errorf("%d processes play, want 1", n)
		}
		res, err := http.Post(p.url+"api/pipelines/water-trees/start", "application/json", strings.NewReader(`{"input": "9"}`))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close() // nothing is read of it
		if res.StatusCode != http.StatusCreated {
			t.Errorf("a start is answered with %d", res.StatusCode)
		}
		eventually(t, "a run that was started is at work", func() bool {
			logs, _ := filepath.Glob(filepath.Join(dirs[0], ".agents/workspaces/water-trees-*/north"))
			return len(logs) == 1 && processesOf(t, dirs[0]) > 1
		})
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		select {
		case <-p.done:
		case <-time.After(patience):
			t.Fatal("it does not end")
		}
		if code := p.cmd.ProcessState.ExitCode(); code != exitOK {
			t.Errorf("exit code %d; stderr: %s", code, p.stderr)
		}
		if _, err := os.Stat(dirs[0]); !os.IsNotExist(err) {
			t.Errorf("the folder is still there: %v", err)
		}
		if n := processesOf(t, dirs[0]); n != 0 {
			t.Errorf("%d processes are left", n)
		}
	})

	t.Run("the second process ends when the first is killed", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "kept")
		p := start(t, "demo", "--port", "0", "--dir", dir)
		eventually(t, "the second process plays", func() bool { return processesOf(t, dir) == 2 })
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "both are gone", func() bool { return processesOf(t, dir) == 0 })
		if _, err := os.Stat(filepath.Join(dir, ".agents", "state.db")); err != nil {
			t.Errorf("the folder that was asked for is gone: %v", err)
		}
	})
}
