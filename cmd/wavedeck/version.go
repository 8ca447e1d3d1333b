package main

import (
	"cmp"
	"errors"
	"fmt"
	"runtime/debug"
)

type versionCommand struct{}

// Run prints what the build noted about itself.
func (versionCommand) Run(io stdio) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return errors.New("the build noted no version")
	}
	revision := ""
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = " " + s.Value[:min(12, len(s.Value))]
		}
	}
	fmt.Fprintf(io.out, "wavedeck %s%s, %s\n", cmp.Or(info.Main.Version, "(devel)"), revision, info.GoVersion)
	return nil
}
