//go:build unix

// Package wave has the real Wave carry out runs, as its own dashboard does.
package wave

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"wavedeck/runner"
	"wavedeck/runner/handover"
	"wavedeck/runner/launch"
	"wavedeck/runner/process"
	"wavedeck/store/control"
	"wavedeck/store/manifest"
	wavedb "wavedeck/store/wave"
)

// Name is how an operator chooses this engine.
const Name = "wave"

// Options adapt the engine.
type Options struct {
	Binary string // the program; empty is "wave" on PATH
	Copy   int64  // bytes that may be copied for a resumed run; 0 is handover.DefaultLimit
	Launch launch.Options
}

// Engine starts `wave run`.
type Engine struct {
	catalog  func() *manifest.Catalog
	binary   string
	limit    int64 // of what is copied for a resumed run
	launcher *launch.Launcher

	mu      sync.Mutex
	version map[string]string // by path, time and size of the program
}

// New returns the engine of the project that catalog tells, which must be quick.
func New(catalog func() *manifest.Catalog, opt Options) *Engine {
	if opt.Binary == "" {
		opt.Binary = "wave"
	}
	opt.Launch.Logs = func() string { return filepath.Join(catalog().Project.StateDir, "logs") }
	return &Engine{catalog: catalog, binary: opt.Binary, limit: cmp.Or(opt.Copy, handover.DefaultLimit), launcher: launch.New(func() string { return catalog().Project.DB }, opt.Launch)}
}

var (
	_ runner.Approver = (*Engine)(nil)
	_ runner.Answerer = (*Engine)(nil)
)

// Installed reports whether the program is there.
func Installed(binary string) bool {
	if binary == "" {
		binary = "wave"
	}
	_, err := exec.LookPath(binary)
	return err == nil
}

// AutoApproves says that Wave can pass approval gates by itself.
func (e *Engine) AutoApproves() {}

// Name is "wave".
func (e *Engine) Name() string { return Name }

// versionWithin is how long the program may take to tell its version.
const versionWithin = 5 * time.Second

// Version is what the program says of itself, asked once for each program that
// is found. [runner.ErrUnavailable]
func (e *Engine) Version(ctx context.Context) (string, error) {
	path, err := e.program()
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("%w: %w", runner.ErrUnavailable, err)
	}
	key := fmt.Sprint(path, info.ModTime(), info.Size())
	e.mu.Lock()
	defer e.mu.Unlock()
	if version, known := e.version[key]; known {
		return version, nil
	}
	ctx, cancel := context.WithTimeout(ctx, versionWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version") //nolint:gosec // the program that runs are started with
	cmd.WaitDelay = time.Second                        // what it started may keep its output open
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", path, err)
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	e.version = map[string]string{key: line}
	return line, nil
}

// Plan says what a start would do. Wave's own plan may be wiser.
func (e *Engine) Plan(ctx context.Context, r runner.Request) ([]runner.PlannedStep, error) {
	steps, _, err := e.look(ctx, r)
	if err == nil {
		_, err = e.program()
	}
	return steps, err
}

// program is the path of Wave's program, which can be executed.
func (e *Engine) program() (string, error) {
	path, err := exec.LookPath(e.binary)
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return "", fmt.Errorf("%w: %w", runner.ErrUnavailable, err)
	}
	return filepath.Abs(path)
}

// look plans a request, and finds what a resumed run needs.
func (e *Engine) look(ctx context.Context, r runner.Request) ([]runner.PlannedStep, *handover.Found, error) {
	catalog := e.catalog()
	pipeline, ok := catalog.Pipeline(r.Pipeline)
	if !ok {
		return nil, nil, fmt.Errorf("%w %q", runner.ErrUnknownPipeline, r.Pipeline)
	}
	r.Answerable = e.launcher.Asks()
	steps, err := runner.Plan(pipeline, r)
	if err == nil {
		err = keepsState(catalog.Project)
	}
	if err == nil {
		err = preflight(ctx, catalog, pipeline, r)
	}
	if err == nil {
		runner.WithInnerGates(catalog, pipeline, r, steps)
		withChecks(catalog, pipeline, r, steps)
	}
	if err != nil || r.FromStep == "" {
		return steps, nil, err
	}
	reused, err := inOrder(pipeline, r, steps)
	if err != nil {
		return nil, nil, err
	}
	withoutInput(pipeline, steps)
	found, err := handover.Find(catalog, pipeline, r, reused)
	return steps, found, err
}

// inputPlace is where a script has the run's input filled in.
var inputPlace = regexp.MustCompile(`\{\{ ?input ?\}\}`)

// withoutInput warns of scripts that get no input: Wave fills it in when a run
// begins, and not when it is resumed. It does so in prompts.
func withoutInput(p manifest.Pipeline, steps []runner.PlannedStep) {
	for i := range steps {
		if steps[i].Does == runner.Runs && inputPlace.MatchString(p.Steps[i].Script) {
			steps[i].Warn = "gets no input: Wave does not replace {{ input }} in the script of a resumed run"
		}
	}
}

// inOrder makes a plan what Wave does: it begins at a step of the file, runs
// all that stand after it, and none that stand before. It returns the steps whose
// outputs are used again.
func inOrder(p manifest.Pipeline, r runner.Request, steps []runner.PlannedStep) (reused []string, err error) {
	at := slices.IndexFunc(p.Steps, func(s manifest.Step) bool { return s.ID == r.FromStep })
	for i := range steps {
		switch s := &steps[i]; {
		case i >= at && s.Does == runner.Reuses:
			s.Does, s.Why = runner.Runs, ""
		case i < at && slices.Contains(r.Completed, s.ID):
			s.Does, s.Why = runner.Reuses, "completed by "+r.Original
			reused = append(reused, s.ID)
		case i < at && s.Does == runner.Runs:
			s.Does, s.Why = runner.Skipped, "stands before the step that Wave begins at"
		}
	}
	for i, s := range steps {
		for _, need := range p.Steps[i].Dependencies {
			before := slices.IndexFunc(steps[:at], func(b runner.PlannedStep) bool { return b.ID == need })
			if s.Does == runner.Runs && before >= 0 && steps[before].Does == runner.Skipped {
				return nil, &runner.ConflictError{Step: r.FromStep, Text: fmt.Sprintf("cannot be resumed: step %q needs %q, which %s did not complete; resume at %[2]q", s.ID, need, r.Original)}
			}
		}
	}
	return reused, nil
}

// Start reserves the run and has Wave begin it. Before Wave ran for the first
// time there is no database to reserve it in; then one is made as Wave would.
func (e *Engine) Start(ctx context.Context, r runner.Request) (string, error) {
	_, found, err := e.look(ctx, r)
	if err != nil {
		return "", err
	}
	catalog := e.catalog()
	project := catalog.Project
	pipeline, _ := catalog.Pipeline(r.Pipeline)
	binary, err := e.program()
	if err != nil {
		return "", err
	}
	if err := runner.EnsureDatabase(ctx, project.DB); err != nil {
		return "", err
	}
	program := launch.Program{
		Path: binary, Args: func(run string) []string { return arguments(run, pipeline, project, r) },
		Env:  func(run string) []string { return process.Marks(run, project.DB) },
		Dir:  project.Root, // Wave takes its state database from below its working directory
		Logs: filepath.Join(project.StateDir, "logs"), Limit: runner.Limit(catalog), Empty: r.DryRun,
	}
	if pipeline, known := e.catalog().Pipeline(r.Pipeline); known {
		program.Asks = runner.Asks(e.catalog(), pipeline, r)
	}
	if found != nil {
		program.Prepare = func(ctx context.Context, run string) (control.Handover, func() error, error) {
			return found.Place(ctx, run, e.limit)
		}
	}
	return e.launcher.Start(ctx, runner.NewRun(r), program)
}

// keepsState refuses a project whose database is read from where Wave does not keep
// it: Wave would carry out the run, and nothing would be seen of it.
func keepsState(p manifest.Project) error {
	own := p.OwnDB()
	if p.DB == own || resolved(p.DB) == resolved(own) {
		return nil
	}
	return &runner.UnsupportedError{What: fmt.Sprintf("a state database elsewhere (%.200q; Wave writes to %.200q)", p.DB, own), Engine: "local"}
}

// resolved is a file's path without links. The file need not exist.
func resolved(name string) string {
	dir, err := filepath.EvalSymlinks(filepath.Dir(name))
	if err != nil {
		return name
	}
	name = filepath.Join(dir, filepath.Base(name))
	if target, err := filepath.EvalSymlinks(name); err == nil {
		return target
	}
	return name
}

// arguments is what `wave run` understands.
func arguments(run string, p manifest.Pipeline, project manifest.Project, r runner.Request) []string {
	args := []string{"run", "--pipeline", p.FileName(), "--run", run, "--input", r.Input}
	add := func(flag, value string) {
		if value != "" {
			args = append(args, flag, value)
		}
	}
	if project.Manifest != project.OwnManifest() {
		add("--manifest", project.Manifest)
	}
	if r.FromStep != "" { // what Wave would check was looked at, and of the right run
		args = append(args, "--from-step", r.FromStep, "--force")
	}
	add("--model", r.Model)
	add("--adapter", r.Adapter)
	add("--steps", strings.Join(r.Steps, ","))
	add("--exclude", strings.Join(r.Exclude, ","))
	if r.Timeout > 0 {
		add("--timeout", strconv.Itoa(int(r.Timeout/time.Minute)))
	}
	add("--on-failure", string(r.OnFailure))
	if r.DryRun {
		args = append(args, "--dry-run")
	}
	if r.AutoApprove {
		args = append(args, "--auto-approve")
	}
	return args
}

// Terminal is what the process of a run is asked at.
func (e *Engine) Terminal(ctx context.Context, run string) (runner.Terminal, error) {
	return e.launcher.Terminal(ctx, run)
}

// Answer gives the process of a run an answer.
func (e *Engine) Answer(ctx context.Context, run string, a runner.Answer) (runner.Answer, error) {
	return e.launcher.Answer(ctx, run, a)
}

// Place is where the process of a run is.
func (e *Engine) Place(run wavedb.Run) runner.Place {
	return e.launcher.Place(run, e.catalog().Project.Root)
}

// Stop asks the run to end.
func (e *Engine) Stop(ctx context.Context, run string, force bool) error {
	return e.launcher.Stop(ctx, run, force)
}

// Close lets go of the processes and the database.
func (e *Engine) Close() error { return e.launcher.Close() }
