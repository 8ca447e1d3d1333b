package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"wavedeck/cmd/wavedeck/demo"
	"wavedeck/views"
)

type demoCommand struct {
	listenFlags
	dataFlags
	Engine engineName `enum:"auto,wave,local" default:"local" placeholder:"auto|wave|local" group:"runs" help:"The engine that executes runs started here: local (this program), wave, or auto, which is wave if it is on PATH and local otherwise."`
	Dir    string     `placeholder:"DIR" group:"project" help:"Write the example project to this folder, which must be empty or not exist, and keep it. Default: a temporary folder."`
	Keep   bool       `group:"project" help:"Keep the temporary folder."`
	Seed   uint64     `default:"1" group:"project" help:"The seed of the example's runs: another number gives other runs."`
}

// Run writes the example project and serves it while a second process plays
// runs into it.
func (c *demoCommand) Run(ctx context.Context, io stdio) (err error) {
	dir := c.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "wavedeck-demo-"); err != nil {
			return fmt.Errorf("make demo folder: %w", err)
		}
		fmt.Fprintf(io.err, "wavedeck: writing an example project to %s\n", dir)
		if !c.Keep {
			defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		}
	}
	script := demo.Script{Dir: dir, Epoch: time.Now(), Seed: c.Seed}
	if err := demo.Write(ctx, script); err != nil {
		return err
	}
	source, err := projectFlags{Project: dir}.open()
	if err != nil {
		return err
	}
	log := io.log(c.LogFormat)
	log.Info("wrote the example project", "dir", dir)
	if c.Data == "" {
		c.Data = filepath.Join(dir, ".wavedeck")
	}
	return site{
		runs:   runOptions{Together: true, Grace: demoGrace}, // its folder is removed below them
		source: source, data: c.dataFlags, engine: c.Engine, listen: c.listenFlags, log: log, out: io.out, err: io.err,
		notices: []views.Banner{{
			ID: "demo", Level: "info", Title: "Demo data. Runs you start are real.",
		}},
		beside: func(ctx context.Context) error { return replay(ctx, script, io.err) },
	}.serve(ctx)
}

// demoGrace is how long the runs that were started may take to end with the demo.
const demoGrace = time.Second

// replay runs the second process and waits for its end, which the end of ctx
// brings about.
func replay(ctx context.Context, s demo.Script, stderr io.Writer) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, program, //nolint:gosec // this program itself, with what it made up
		"replay", "--dir", s.Dir,
		"--epoch", strconv.FormatInt(s.Epoch.UnixNano(), 10), "--seed", strconv.FormatUint(s.Seed, 10))
	cmd.Stderr = stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	cmd.Cancel = stdin.Close // it ends when its input does, however this process ends
	cmd.WaitDelay = time.Second
	apart(cmd) // Ctrl-C would end it first, which looks like a failure
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("play the demo's runs: %w", err)
	}
	return nil
}

type replayCommand struct {
	Dir   string `required:"" env:"-"`
	Epoch int64  `required:"" env:"-" help:"Unix nanoseconds."`
	Seed  uint64 `required:"" env:"-"`
}

// Run plays until the parent lets go of its input.
func (c *replayCommand) Run(ctx context.Context, std stdio) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends with the process: nothing interrupts a read of stdin
		_, _ = io.Copy(io.Discard, std.in)
		cancel()
	}()
	return demo.Replay(ctx, demo.Script{Dir: c.Dir, Epoch: time.Unix(0, c.Epoch), Seed: c.Seed})
}
