//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"wavedeck/runner"
	"wavedeck/runner/launch"
	"wavedeck/runner/local"
	"wavedeck/runner/terminal"
	"wavedeck/runner/wave"
	"wavedeck/store/manifest"
	"wavedeck/views"
)

// runOptions adapt the engine that executes the runs started here.
type runOptions = launch.Options

// start returns the engine of the project that source describes, whose runs are
// answered by sockets in the folder data. The caller closes it.
func (n engineName) start(source *manifest.Source, opt runOptions, data string) runner.Engine {
	self, err := os.Executable()
	if dir, absErr := filepath.Abs(data); err == nil && absErr == nil && data != "" {
		opt.Terminals, opt.Holder = terminal.Sockets(filepath.Join(dir, "gates")), []string{self, "hold"}
	}
	if n == wave.Name || n == "auto" && wave.Installed("") {
		return wave.New(source.Current, wave.Options{Launch: opt})
	}
	return local.New(source.Current, local.Options{Launch: opt})
}

// platformNotices tell what this platform cannot do.
func platformNotices() []views.Banner { return nil }

// apart keeps the signals of a terminal from a child, which has another way to learn that it should end.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
