package main

import (
	"fmt"

	"github.com/alecthomas/kong"

	"wavedeck/handlers/buildinfo"
)

type versionCommand struct{}

// Run prints one line.
func (versionCommand) Run(io stdio) error {
	_, err := fmt.Fprintln(io.out, versionLine())
	return err
}

func versionLine() string { return "wavedeck " + buildinfo.Get().String() }

// versionFlag is --version.
type versionFlag bool

// BeforeReset prints the version instead of running a command, however wrong the other arguments are.
//
//nolint:unparam // kong wants an error
func (versionFlag) BeforeReset(app *kong.Kong) error {
	fmt.Fprintln(app.Stdout, versionLine())
	app.Exit(exitOK)
	return nil
}
