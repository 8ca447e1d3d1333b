package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// toolsModule pins golangci-lint in a module of its own: its two hundred dependencies stay out of ours.
const toolsModule = "cmd/dev/tools/go.mod"

// program is the main package that must build without cgo.
const program = "./cmd/wavedeck"

// lint reports what all of its tools find, so that one run shows everything. One of them is the compiler for another system:
// a file that is left out of a build there is noticed nowhere else before a release is built.
func (w *workshop) lint(ctx context.Context) error {
	return errors.Join(
		w.gofmt(ctx),
		w.exec(ctx, nil, "go", "vet", "./..."),
		w.compileFor(ctx, platform{"windows", "amd64"}),
		w.exec(ctx, nil, "go", "tool", "-modfile="+toolsModule, "golangci-lint", "run"),
	)
}

func (w *workshop) gofmt(ctx context.Context) error {
	goroot, err := w.output(ctx, "go", "env", "GOROOT")
	if err != nil {
		return err
	}
	unformatted, err := w.output(ctx, filepath.Join(goroot, "bin", "gofmt"), "-l", ".")
	if err != nil {
		return err
	}
	if unformatted != "" {
		return fmt.Errorf("not formatted, run gofmt -w on: %s", strings.Join(strings.Fields(unformatted), " "))
	}
	return nil
}

// compileFor compiles the program for a platform without linking it, so that a second time takes a second.
func (w *workshop) compileFor(ctx context.Context, p platform) error {
	if err := w.exec(ctx, p.env(), "go", "list", "-export", "-deps", "-f", "", program); err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	return nil
}

// build links the program for this machine, and compiles it for every platform of a release.
func (w *workshop) build(ctx context.Context) error {
	if err := w.exec(ctx, nil, "go", "build", "./..."); err != nil {
		return err
	}
	for _, p := range platforms() {
		if err := w.compileFor(ctx, p); err != nil {
			return err
		}
	}
	return w.exec(ctx, []string{"CGO_ENABLED=0"}, "go", "build", "-o", os.DevNull, program)
}

func (w *workshop) goTest(ctx context.Context) error {
	args := []string{"test", "-shuffle=on", "-timeout=30m"}
	missing, err := w.missingForRace(ctx)
	if err != nil {
		return err
	}
	if missing == "" {
		args = append(args, raceFlags()...)
	} else {
		fmt.Fprintf(w.stdout, "!!! WITHOUT THE RACE DETECTOR: %s\n", missing)
	}
	s := machine()
	browser, err := w.provideBrowser(ctx, s)
	if err != nil {
		return err
	}
	env := []string{chromiumVar + "=" + browser}
	if s.underCI() {
		env = append(env, requiredVar+"=1")
	}
	return w.exec(ctx, env, "go", append(args, "./...")...)
}

// raceFlags are for a test that looks for races in Go, and not in what was translated from C: SQLite has locks of its own,
// and is ten times as slow when each of its accesses to memory is watched. What is written for Go, the driver included,
// is watched.
func raceFlags() []string {
	flags := []string{"-race"}
	for _, translated := range []string{"modernc.org/sqlite/lib", "modernc.org/libc"} {
		flags = append(flags, "-gcflags="+translated+"=-race=false")
	}
	return flags
}

// missingForRace says why the race detector, which needs cgo, cannot be used; "" when it can.
func (w *workshop) missingForRace(ctx context.Context) (string, error) {
	out, err := w.output(ctx, "go", "env", "CGO_ENABLED", "CC")
	if err != nil {
		return "", err
	}
	enabled, compiler, _ := strings.Cut(out, "\n")
	words := strings.Fields(compiler) // CC may carry arguments
	if len(words) > 0 && !installed(words[0]) {
		return fmt.Sprintf("no C compiler %q (Debian: apt-get install gcc libc6-dev)", words[0]), nil
	}
	if enabled != "1" {
		return "cgo is switched off (CGO_ENABLED=" + enabled + ")", nil
	}
	return "", nil
}

func installed(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// bench runs the benchmarks of the packages that have any, one package at a time.
func (w *workshop) bench(ctx context.Context, args []string) error {
	packages, err := benchmarkPackages(w.root)
	if err != nil {
		return err
	}
	if len(packages) == 0 {
		return errors.New("no package has a benchmark")
	}
	bench := append([]string{"test", "-run=^$", "-bench=.", "-benchmem"}, args...)
	return w.exec(ctx, nil, "go", append(bench, packages...)...)
}

// benchmarkPackages returns the packages below root with a benchmark, as `go test` takes them.
func benchmarkPackages(root string) ([]string, error) {
	tests, err := readFiles(os.DirFS(root), "_test.go")
	if err != nil {
		return nil, err
	}
	var packages []string
	for name, content := range tests {
		if bytes.Contains(content, []byte("\nfunc Benchmark")) {
			packages = append(packages, "./"+path.Dir(name))
		}
	}
	slices.Sort(packages)
	return slices.Compact(packages), nil
}
