// Command dev is the workshop of this repository: what a developer runs by hand and what CI runs, on a machine that
// has Go and nothing else. `go run ./cmd/dev` without arguments lists the tasks.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "dev:", err)
		os.Exit(1)
	}
}

// workshop is the repository that tasks work on.
type workshop struct {
	root           string // the folder of go.mod
	stdout, stderr io.Writer
}

type task struct {
	name, help string
	run        func(*workshop, context.Context, []string) error
}

// tasks are listed in the order in which `test` runs those it is made of.
func tasks() []task {
	return []task{
		{"quick", "check generated files, go vet, and the tests that take no time: under a minute", noArgs((*workshop).quick)},
		{"test", "check everything CI checks, in the order below", (*workshop).test},
		{"browser", "find Chromium for the browser tests; on Debian, as root, install it", noArgs((*workshop).browser)},
		{"gen-check", "fail when a generated file is not what its source gives", noArgs((*workshop).genCheck)},
		{"vendor-check", "fail when a vendored file is not the one its SHA256SUMS names", noArgs((*workshop).vendorCheck)},
		{"lint", "gofmt, go vet and golangci-lint", noArgs((*workshop).lint)},
		{"build", "compile everything, and the program for every platform of a release", noArgs((*workshop).build)},
		{"go-test", "run the tests with the race detector, browser tests included", noArgs((*workshop).goTest)},
		{"gen", "write the generated files: *_templ.go, static/minified and docs/wording.txt", noArgs((*workshop).gen)},
		{"module", "set the module path everywhere: module example.org/team/wavedeck", (*workshop).setModule},
		{"release", "write archives, checksums, SBOM and notices to dist: release [v1.2.3]", (*workshop).release},
		{"bench", "run the benchmarks; arguments go to `go test`", (*workshop).bench},
	}
}

// checks are the tasks that `test` is made of.
func checks() []string {
	return []string{"browser", "gen-check", "vendor-check", "lint", "build", "go-test"}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		usage(stdout)
		return nil
	}
	task, err := taskNamed(args[0])
	if err != nil {
		return err
	}
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	root, err := moduleRoot(here)
	if err != nil {
		return err
	}
	err = task.run(&workshop{root: root, stdout: stdout, stderr: stderr}, ctx, args[1:])
	if cause := ctx.Err(); cause != nil {
		return fmt.Errorf("%s: interrupted", task.name)
	}
	return err
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: go run ./cmd/dev TASK")
	fmt.Fprintln(w)
	for _, task := range tasks() {
		fmt.Fprintf(w, "  %-14s%s\n", task.name, task.help)
	}
}

func taskNamed(name string) (task, error) {
	all := tasks()
	i := slices.IndexFunc(all, func(t task) bool { return t.name == name })
	if i < 0 {
		return task{}, fmt.Errorf("no task %q: `go run ./cmd/dev` lists them", name)
	}
	return all[i], nil
}

func noArgs(run func(*workshop, context.Context) error) func(*workshop, context.Context, []string) error {
	return func(w *workshop, ctx context.Context, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("unexpected argument %q", args[0])
		}
		return run(w, ctx)
	}
}

// moduleRoot finds the nearest folder with a go.mod, from dir upwards.
func moduleRoot(dir string) (string, error) {
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			return d, nil
		} else if !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("no go.mod in %s or above", dir)
		}
	}
}

// test runs every check and stops at the first that fails.
func (w *workshop) test(ctx context.Context, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q: `go test` takes packages and patterns", args[0])
	}
	begin := time.Now()
	for _, name := range checks() {
		check, err := taskNamed(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(w.stdout, "=== %s\n", name)
		start := time.Now()
		if err := check.run(w, ctx, nil); err != nil {
			return fmt.Errorf("%s failed after %s: %w", name, seconds(start), err)
		}
		fmt.Fprintf(w.stdout, "=== %s ok, %s\n", name, seconds(start))
	}
	fmt.Fprintf(w.stdout, "=== all checks ok, %s\n", seconds(begin))
	return nil
}

func seconds(since time.Time) time.Duration {
	return time.Since(since).Round(100 * time.Millisecond)
}
