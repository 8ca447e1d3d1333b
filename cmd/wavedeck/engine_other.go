//go:build !unix

package main

import (
	"context"
	"log/slog"
	"os/exec"
	"time"

	"wavedeck/runner"
	"wavedeck/store/manifest"
	"wavedeck/views"
)

// runOptions are accepted and ignored: nothing is started here.
type runOptions struct {
	Together bool
	Grace    time.Duration
	Log      *slog.Logger
}

func (engineName) start(*manifest.Source, runOptions, string) runner.Engine { return noEngine{} }

// platformNotices tell what this platform cannot do.
func platformNotices() []views.Banner {
	return []views.Banner{{ID: "platform", Level: "info", Title: "Read-only: starting and stopping runs is not supported on this platform."}}
}

// runCommand is listed, so that the help is the same everywhere, and refuses.
type runCommand struct {
	Arguments []string `arg:"" optional:"" passthrough:"" env:"-" help:"The pipeline to run."`
}

// Run always fails.
func (*runCommand) Run(context.Context) error { return errNoEngine() }

type guardCommand struct{}

// Run is never called: only a run starts a guard.
func (*guardCommand) Run() error { return errNoEngine() }

type holdCommand struct{}

// Run is never called: only a run is asked at a terminal.
func (*holdCommand) Run() error { return errNoEngine() }

func apart(*exec.Cmd) {}
