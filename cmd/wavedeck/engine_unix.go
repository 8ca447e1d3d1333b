//go:build unix

package main

import (
	"os/exec"
	"syscall"

	"wavedeck/runner"
	"wavedeck/runner/launch"
	"wavedeck/runner/local"
	"wavedeck/runner/wave"
	"wavedeck/store/manifest"
	"wavedeck/views"
)

// runOptions adapt the engine that executes the runs started here.
type runOptions = launch.Options

// start returns the engine of the project that source describes. The caller closes it.
func (n engineName) start(source *manifest.Source, opt runOptions) runner.Engine {
	if n == wave.Name || n == "auto" && wave.Installed("") {
		return wave.New(source.Current, wave.Options{Launch: opt})
	}
	return local.New(source.Current, local.Options{Launch: opt})
}

// platformNotices tell what this platform cannot do.
func platformNotices() []views.Banner { return nil }

// apart keeps the signals of a terminal from a child, which has another way to learn that it should end.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
