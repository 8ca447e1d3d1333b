package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	t.Run("without a task it lists every task", func(t *testing.T) {
		var out bytes.Buffer
		if err := run(t.Context(), nil, &out, io.Discard); err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks() {
			if !strings.Contains(out.String(), task.name) || !strings.Contains(out.String(), task.help) {
				t.Errorf("%s is not listed", task.name)
			}
		}
	})
	for _, args := range [][]string{{"tset"}, {"gen", "now"}, {"test", "./store"}} {
		t.Run("refuses "+strings.Join(args, " "), func(t *testing.T) {
			err := run(t.Context(), args, io.Discard, io.Discard)
			if err == nil || !strings.Contains(err.Error(), args[len(args)-1]) {
				t.Errorf("error %v does not name what is wrong", err)
			}
		})
	}
	t.Run("every check of test is a task", func(t *testing.T) {
		for _, name := range checks() {
			if _, err := taskNamed(name); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestUnknownTests(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "a_test.go"), []byte("package a\n\nfunc TestHere(t *testing.T) {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	gone, err := unknownTests(root, []string{"TestHere", "TestHer", "TestGone"})
	if err != nil || !slices.Equal(gone, []string{"TestHer", "TestGone"}) {
		t.Errorf("unknownTests() = %v, %v", gone, err)
	}
}

func TestModuleRoot(t *testing.T) {
	root := t.TempDir()
	below := filepath.Join(root, "a", "b")
	if err := os.MkdirAll(below, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := moduleRoot(below); err == nil {
		t.Error("found a module where there is none")
	}
	if err := os.WriteFile(filepath.Join(root, "go.mod"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := moduleRoot(below); got != root || err != nil {
		t.Errorf("moduleRoot = %q, %v; want %q", got, err, root)
	}
}

func TestBenchmarkPackages(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"a/a_test.go":   "package a\n\nfunc BenchmarkA(b *testing.B) {}\n",
		"a/b_test.go":   "package a\n\nfunc BenchmarkB(b *testing.B) {}\n",
		"b/c/c_test.go": "package c\n\nfunc TestC(t *testing.T) {} // func BenchmarkC is gone\n",
		"b/d/d_test.go": "package d\n\nfunc BenchmarkD(b *testing.B) {}\n",
	} {
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := benchmarkPackages(root)
	if want := []string{"./a", "./b/d"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("benchmarkPackages = %q, %v; want %q", got, err, want)
	}
}

func TestCommandEndsWithItsGroup(t *testing.T) {
	for name, script := range map[string]string{
		"a grandchild that obeys an interrupt": `sh -c "echo started; exec sleep 600"; exit 1`,
		// A shell's background jobs ignore SIGINT.
		"a grandchild that ignores an interrupt": `sleep 600 & echo started; wait`,
	} {
		t.Run(name, func(t *testing.T) {
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer read.Close()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() {
				w := &workshop{root: t.TempDir(), stdout: write, stderr: write}
				ended <- errors.Join(w.exec(ctx, nil, "sh", "-c", script), write.Close())
			}()
			lines := bufio.NewReader(read)
			if line, err := lines.ReadString('\n'); err != nil || line != "started\n" {
				t.Fatalf("read %q, %v", line, err)
			}
			cancel()
			if err := <-ended; err == nil {
				t.Error("an interrupted command returned no error")
			}
			// The pipe ends when the last process that could write to it has.
			if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
				t.Errorf("read %q, %v", rest, err)
			}
		})
	}
}
