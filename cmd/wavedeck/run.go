//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"wavedeck/runner"
	"wavedeck/runner/engine"
	"wavedeck/runner/process"
	"wavedeck/runner/terminal"
)

// runCommand carries out a pipeline in this process. Its flags come from the
// command line only: a variable of a run must not become that of another.
type runCommand struct {
	Pipeline string `arg:"" env:"-" help:"The pipeline to run."`

	Project  string `default:"." env:"-" placeholder:"DIR" group:"project" help:"The project folder, which holds wave.yaml and .agents or .wave. Default: the current folder."`
	DB       string `name:"db" env:"-" placeholder:"FILE" group:"project" help:"The state database. Default: state.db in the state directory."`
	Manifest string `env:"-" placeholder:"FILE" group:"project" help:"The manifest. Default: wave.yaml in the project folder."`

	Input       string   `env:"-" placeholder:"TEXT" help:"The input of the pipeline."`
	RunID       string   `name:"run" env:"-" placeholder:"ID" help:"The id of the run, if it is already recorded."`
	FromStep    string   `env:"-" placeholder:"STEP" help:"The step to begin at."`
	Original    string   `env:"-" placeholder:"ID" help:"The run to resume: the outputs of its steps before --from-step are reused."`
	Steps       []string `env:"-" placeholder:"A,B" help:"Run only these steps."`
	Exclude     []string `env:"-" placeholder:"A,B" help:"Skip these steps."`
	Timeout     int      `env:"-" placeholder:"MIN" help:"The time limit of each step, in minutes."`
	OnFailure   string   `env:"-" enum:",halt,skip" default:"" placeholder:"halt|skip" help:"When a step fails: halt, or skip the steps that need it. Default: halt."`
	AutoApprove bool     `env:"-" help:"Take the default choice of each approval gate."`
	DryRun      bool     `env:"-" help:"Print what would run, and run nothing."`
	Model       string   `env:"-" placeholder:"NAME" help:"The model of every persona."`
	Adapter     string   `env:"-" placeholder:"NAME" help:"The adapter of every persona."`
}

// Run carries the pipeline out until it has ended. A signal stops it.
func (c *runCommand) Run(ctx context.Context, io stdio) error {
	source, err := projectFlags{Project: c.Project, DB: c.DB, Manifest: c.Manifest}.open()
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	result, err := engine.Run(ctx, engine.Options{
		Catalog: source.Current(), In: os.Stdin, Out: io.out, Guard: []string{self, "guard"},
		Request: runner.Request{
			ID: c.RunID, Pipeline: c.Pipeline, Input: c.Input, FromStep: c.FromStep, Original: c.Original,
			Steps: c.Steps, Exclude: c.Exclude, Model: c.Model, Adapter: c.Adapter,
			AutoApprove: c.AutoApprove, Timeout: time.Duration(c.Timeout) * time.Minute, OnFailure: runner.OnFailure(c.OnFailure), DryRun: c.DryRun,
		},
	})
	switch {
	case err != nil && refused(err):
		return fmt.Errorf("%w %s: %w", errUsage, c.Pipeline, err)
	case err != nil:
		return err
	case result.Outcome == engine.Completed:
		return nil
	}
	fmt.Fprintf(io.err, "wavedeck: run %s: %s: %s\n", result.Run, result.Outcome, result.Message)
	if result.Outcome == engine.Cancelled {
		return codeError(exitCancelled)
	}
	return codeError(exitError)
}

// guardCommand is what a run leaves behind when it is killed, to clear up.
type guardCommand struct {
	Variables []string `arg:"" env:"-" help:"What the processes of the run carry in their environment."`
}

// Run waits until the run has ended. Signals do not end it.
func (c *guardCommand) Run(io stdio) error {
	process.Guard(io.in, c.Variables...)
	return nil
}

// holdCommand holds the terminal that a run is asked at.
type holdCommand struct {
	Socket        string `arg:"" env:"-" help:"Where it takes answers."`
	TakesDefaults bool   `env:"-" help:"The run takes the default of a gate by itself."`
}

// heldFile is the file that the terminal is, see terminal.Open.
const heldFile = 3

// Run holds the terminal until its run has gone.
func (c *holdCommand) Run(ctx context.Context) error {
	return terminal.Hold(ctx, os.NewFile(heldFile, "terminal"), c.Socket, c.TakesDefaults)
}

// refused reports whether nothing ran because of what was asked for.
func refused(err error) bool {
	var input *runner.InputError
	var unsupported *runner.UnsupportedError
	var conflict *runner.ConflictError
	return errors.Is(err, runner.ErrUnknownPipeline) || errors.As(err, &input) || errors.As(err, &unsupported) || errors.As(err, &conflict)
}
