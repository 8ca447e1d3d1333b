package main

import (
	"context"
	"runtime"

	"wavedeck/runner"
)

// noEngine is the engine of a platform on which runs cannot be started or stopped. It is compiled everywhere, so that it is
// tested everywhere.
type noEngine struct{}

var _ runner.Engine = noEngine{}

func errNoEngine() error {
	return &runner.UnsupportedError{What: "starting and stopping runs is not supported on " + runtime.GOOS + "; use Linux, macOS or FreeBSD"}
}

func (noEngine) Name() string { return "none" }

func (noEngine) Plan(context.Context, runner.Request) ([]runner.PlannedStep, error) {
	return nil, errNoEngine()
}

func (noEngine) Start(context.Context, runner.Request) (string, error) { return "", errNoEngine() }

func (noEngine) Stop(context.Context, string, bool) error { return errNoEngine() }

func (noEngine) Close() error { return nil }
