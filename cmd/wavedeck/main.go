// Command wavedeck shows a project that Wave runs in the browser, live.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr}))
}

// Exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
	// exitCancelled is what shells say of a program that Ctrl-C ended.
	exitCancelled = 130
)

// stdio is where the program reads and writes. Lines for people go to err, so
// that out holds answers only.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

type commands struct {
	Serve   serveCommand   `cmd:"" default:"withargs" help:"Serve a project (what happens without a command)."`
	Doctor  doctorCommand  `cmd:"" help:"Print what is found of a project. Exits 1 when something is missing or broken."`
	Demo    demoCommand    `cmd:"" help:"Serve an example project with live runs; needs nothing."`
	Run     runCommand     `cmd:"" help:"Run a pipeline here, without Wave. Exits 0 when it completed, 1 when it failed, 130 when it was stopped."`
	Replay  replayCommand  `cmd:"" hidden:"" help:"Play the demo's runs into its database until stdin ends."`
	Guard   guardCommand   `cmd:"" hidden:"" help:"End what is left of a run when stdin ends."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// helped is thrown where kong would end the process after printing help.
type helped struct{}

// run is the program. It returns its exit code when everything it started has ended.
func run(ctx context.Context, args []string, io stdio) (code int) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(helped); !ok {
				panic(r)
			}
			code = exitOK
		}
	}()
	var cmds commands
	parser, err := kong.New(&cmds,
		kong.Name("wavedeck"),
		kong.Description("Wave's runs in the browser, live. Reads a project's state database and files; changes nothing."),
		kong.DefaultEnvars("WAVEDECK"),
		kong.Writers(io.out, io.err),
		kong.Exit(func(int) { panic(helped{}) }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(io),
	)
	if err != nil {
		return io.fail(err, exitError)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return io.fail(fmt.Errorf("%w (wavedeck --help tells the flags)", err), exitUsage)
	}
	var ended codeError
	switch err := parsed.Run(); {
	case errors.Is(err, errUnwell):
		return exitError // doctor has said everything
	case errors.As(err, &ended):
		return int(ended) // as run has
	case errors.Is(err, errUsage):
		return io.fail(err, exitUsage)
	case err != nil:
		return io.fail(err, exitError)
	}
	return exitOK
}

func (s stdio) fail(err error, code int) int {
	fmt.Fprintf(s.err, "wavedeck: %v\n", err)
	return code
}

func (s stdio) log(format string) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(s.err, nil))
	}
	return slog.New(slog.NewTextHandler(s.err, nil))
}
