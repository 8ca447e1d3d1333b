package main

import (
	"fmt"

	"wavedeck/handlers"
)

type versionCommand struct{}

// Run prints what the build noted about itself.
func (versionCommand) Run(io stdio) error {
	_, err := fmt.Fprintf(io.out, "wavedeck %s\n", handlers.Version())
	return err
}
