//go:build unix

package store

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wavedeck/store/storetest"
)

// inspectAsNobody inspects a database from a process that owns nothing.
func inspectAsNobody(t *testing.T, path string) Inspection {
	t.Helper()
	if os.Geteuid() != 0 {
		in, err := Inspect(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	const nobody = 65534
	cmd := exec.CommandContext(t.Context(), reachableCopy(t, os.Args[0]))
	cmd.Env = []string{inspectEnv + "=" + path}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("inspect as nobody: %v", err)
	}
	var in Inspection
	if err := json.Unmarshal(out, &in); err != nil {
		t.Fatal(err)
	}
	return in
}

// reachableCopy copies a program to where every user may run it.
func reachableCopy(t *testing.T, program string) string {
	t.Helper()
	to := filepath.Join(openDir(t), "program")
	from, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755) // to be run by another user
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(f, from); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return to
}

// openDir is a temporary directory that every user may enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOpenInForeignDirectory(t *testing.T) {
	source := storetest.New(t)
	source.Run(storetest.Run{ID: "r"})
	// place puts a copy of the source into a directory that only its owner
	// may write to, with or without what a writer leaves beside it.
	place := func(t *testing.T, beside ...string) string {
		t.Helper()
		dir := openDir(t)
		path := filepath.Join(dir, "state.db")
		copyDatabase(t, source, path)
		w := startWriter(t, path)
		w.exec("PRAGMA journal_mode = WAL")
		w.close()
		for _, suffix := range beside {
			if err := os.WriteFile(path+suffix, []byte(strings.Repeat("x", 64)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, mode := range []struct {
			path string
			mode os.FileMode
		}{{path, 0o444}, {dir, 0o555}} {
			if err := os.Chmod(mode.path, mode.mode); err != nil {
				t.Fatal(err)
			}
		}
		t.Cleanup(func() { _ = os.Chmod(dir, 0o755) }) // so that it can be removed
		return path
	}

	t.Run("a database nobody writes is read without locks", func(t *testing.T) {
		path := place(t)
		in := inspectAsNobody(t, path)
		if in.Phase != Ready || in.ReadMode != "immutable" {
			t.Errorf("got %s, %q: %s", in.Phase, in.ReadMode, in.Problem)
		}
	})
	t.Run("one with a log beside it is refused with advice", func(t *testing.T) {
		path := place(t, "-wal")
		in := inspectAsNobody(t, path)
		if in.Phase != Unreadable || !strings.Contains(in.Problem, "grant this user") {
			t.Errorf("got %s, %q: %s", in.Phase, in.ReadMode, in.Problem)
		}
	})
}

// BenchmarkIdle is the share of one core that following a database takes while
// nothing happens.
func BenchmarkIdle(b *testing.B) {
	builder := storetest.New(b)
	builder.Run(storetest.Run{Status: "running", Start: time.Now(), Heartbeat: time.Now()})
	s, sub := followed(b, builder.Path, Options{})
	opens(b, s, sub)
	const each = 5 * time.Second
	began, used := time.Now(), cpuTime(b)
	for b.Loop() {
		ctx, cancel := context.WithTimeout(b.Context(), each)
		<-ctx.Done()
		cancel()
	}
	b.ReportMetric(100*(cpuTime(b)-used).Seconds()/time.Since(began).Seconds(), "%core")
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
