// Command wavedeck is an operations console for Wave: it serves the runs of a project in the browser, live.
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
	Serve serveCommand `cmd:"" default:"withargs" group:"serve" help:"Serve a project in the browser. This is the default command."`
	Demo  demoCommand  `cmd:"" group:"serve" help:"Serve an example project with live runs. Needs no project."`

	Run    runCommand    `cmd:"" group:"work" help:"Run a pipeline in this process, without Wave. Exits with 0 when it succeeded, 1 when it failed, 130 when it was cancelled."`
	Doctor doctorCommand `cmd:"" group:"work" help:"Check a project and print what was found. Exits with 1 when something is missing or broken."`

	Version    versionCommand    `cmd:"" group:"about" help:"Print version, commit and date."`
	Completion completionCommand `cmd:"" group:"about" help:"Print a completion script for bash, zsh or fish."`
	Man        manCommand        `cmd:"" group:"about" help:"Print the manual page (roff)."`
	Help       helpCommand       `cmd:"" group:"about" help:"Show help for a command."`

	Replay replayCommand `cmd:"" hidden:"" help:"Play the demo's runs into its database until stdin ends."`
	Hold   holdCommand   `cmd:"" hidden:"" help:"Hold the terminal that a run is asked at until the run has gone."`
	Guard  guardCommand  `cmd:"" hidden:"" help:"End what is left of a run when stdin ends."`

	ShowVersion versionFlag `name:"version" env:"-" help:"Print version, commit and date."`
}

const description = `Operations console for Wave: shows a project's runs, pipelines and personas in the browser, live, and starts, stops and retries runs.

It opens Wave's state database read-only, except to record a run it starts, or a request to stop one. The console data is in the folder --data.`

// newParser returns the parser of the command line, which fills in cmds.
func newParser(cmds *commands, options ...kong.Option) (*kong.Kong, error) {
	return kong.New(cmds, append([]kong.Option{
		kong.Name("wavedeck"),
		kong.Description(description),
		kong.DefaultEnvars("WAVEDECK"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.ValueFormatter(describe),
		groups(),
	}, options...)...)
}

// codeError is an end whose reason has been printed.
type codeError int

func (c codeError) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// errUsage marks a mistake in what was asked for.
var errUsage = errors.New("cannot run")

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
	parser, err := newParser(&cmds,
		kong.Writers(io.out, io.err),
		kong.Exit(func(int) { panic(helped{}) }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(io),
	)
	if err != nil {
		return io.fail(err, exitError)
	}
	args = helpArgs(args)
	if err := checkCommand(parser.Model, args); err != nil {
		return io.fail(err, exitUsage)
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return io.fail(fmt.Errorf("%w (see %s --help)", err, wrongCommand(err)), exitUsage)
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

// wrongCommand is the command whose arguments are wrong.
func wrongCommand(err error) string {
	var wrong *kong.ParseError
	if errors.As(err, &wrong) && wrong.Context.Selected() != nil {
		return "wavedeck " + wrong.Context.Selected().Name
	}
	return "wavedeck"
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
