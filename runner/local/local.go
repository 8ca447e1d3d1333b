//go:build unix

// Package local has our own program carry out runs, so that a machine needs
// nothing else. See package engine for what it can do.
package local

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"wavedeck/runner"
	"wavedeck/runner/engine"
	"wavedeck/runner/launch"
	"wavedeck/store/manifest"
	"wavedeck/store/wave"
)

// Name is how an operator chooses this engine.
const Name = "local"

// Options adapt the engine.
type Options struct {
	Binary string // the program; empty is this one
	Launch launch.Options
}

// Engine starts `wavedeck run`.
type Engine struct {
	catalog  func() *manifest.Catalog
	opt      Options
	launcher *launch.Launcher
}

var (
	_ runner.Answerer = (*Engine)(nil)
	_ runner.Approver = (*Engine)(nil)
)

// New returns the engine of the project that catalog tells, which must be quick.
func New(catalog func() *manifest.Catalog, opt Options) *Engine {
	opt.Launch.Logs = func() string { return filepath.Join(catalog().Project.StateDir, "logs") }
	return &Engine{catalog: catalog, opt: opt, launcher: launch.New(func() string { return catalog().Project.DB }, opt.Launch)}
}

// Name is "local".
func (e *Engine) Name() string { return Name }

// Plan says what a start would do.
func (e *Engine) Plan(_ context.Context, r runner.Request) ([]runner.PlannedStep, error) {
	r.Answerable = e.launcher.Asks()
	return engine.Check(e.catalog(), r)
}

// Start records the run and starts a process for it. A project without a
// database gets one.
func (e *Engine) Start(ctx context.Context, r runner.Request) (string, error) {
	if _, err := e.Plan(ctx, r); err != nil {
		return "", err
	}
	project := e.catalog().Project
	if err := runner.EnsureDatabase(ctx, project.DB); err != nil {
		return "", err
	}
	binary := e.opt.Binary
	if binary == "" {
		var err error
		if binary, err = os.Executable(); err != nil {
			return "", fmt.Errorf("%w: %w", runner.ErrUnavailable, err)
		}
	}
	pipeline, _ := e.catalog().Pipeline(r.Pipeline)
	return e.launcher.Start(ctx, runner.NewRun(r), launch.Program{
		Asks: runner.Asks(e.catalog(), pipeline, r), TakesDefaults: true,
		Path: binary, Args: func(run string) []string { return arguments(project, run, r) },
		Dir: project.Root, Logs: filepath.Join(project.StateDir, "logs"),
		Limit: runner.Limit(e.catalog()),
	})
}

// arguments is what `wavedeck run` understands. A value is joined to its flag,
// so that it cannot be taken for another one.
func arguments(project manifest.Project, run string, r runner.Request) []string {
	args := []string{
		"run", "--run=" + run, "--input=" + r.Input,
		"--project=" + project.Root, "--db=" + project.DB, "--manifest=" + project.Manifest,
	}
	add := func(flag, value string) {
		if value != "" {
			args = append(args, flag+"="+value)
		}
	}
	add("--from-step", r.FromStep)
	add("--original", r.Original)
	add("--model", r.Model)
	add("--adapter", r.Adapter)
	add("--steps", strings.Join(r.Steps, ","))
	add("--exclude", strings.Join(r.Exclude, ","))
	if r.Timeout > 0 {
		add("--timeout", strconv.Itoa(int(r.Timeout/time.Minute)))
	}
	add("--on-failure", string(r.OnFailure))
	if r.DryRun {
		args = append(args, "--dry-run")
	}
	if r.AutoApprove {
		args = append(args, "--auto-approve")
	}
	return append(args, "--", r.Pipeline)
}

// AutoApproves says that gates can be approved by themselves.
func (e *Engine) AutoApproves() {}

// Terminal is what the process of a run is asked at.
func (e *Engine) Terminal(ctx context.Context, run string) (runner.Terminal, error) {
	return e.launcher.Terminal(ctx, run)
}

// Answer gives the process of a run an answer.
func (e *Engine) Answer(ctx context.Context, run string, a runner.Answer) (runner.Answer, error) {
	return e.launcher.Answer(ctx, run, a)
}

// Place is where the process of a run is.
func (e *Engine) Place(run wave.Run) runner.Place {
	return e.launcher.Place(run, e.catalog().Project.Root)
}

// Stop asks the run to end.
func (e *Engine) Stop(ctx context.Context, run string, force bool) error {
	return e.launcher.Stop(ctx, run, force)
}

// Close lets go of the processes and the database.
func (e *Engine) Close() error { return e.launcher.Close() }
