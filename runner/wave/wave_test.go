//go:build unix

package wave

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"wavedeck/runner"
	"wavedeck/runner/launch"
	"wavedeck/store/control"
	"wavedeck/store/manifest"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// standIn is the first argument of the test binary when the stand-in for Wave
// hands over to it.
const standIn = "stand-in-for-wave"

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == holds {
		if err := holdTerminal(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) > 2 && os.Args[1] == standIn {
		if err := beginAsWave(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// beginAsWave takes up the reserved run, as Wave does from its working
// directory, and goes on until it is interrupted or asked to stop. Of the two it
// looks for the second less often, and records a failure then.
func beginAsWave(args []string) error {
	if slices.Contains(args, "--from-step") {
		return resumeAsWave(args)
	}
	ctx := context.Background()
	run := args[slices.Index(args, "--run")+1]
	db, err := statedb.Open(ctx, ".agents/state.db")
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.Exec(`UPDATE pipeline_run SET status = 'running', last_heartbeat = ? WHERE run_id = ? AND status = 'pending'`, time.Now().Unix(), run); err != nil {
		return err
	}
	if asksAsWave(args) {
		return askAsWave(ctx, db, run)
	}
	interrupted, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-interrupted.Done():
			_, err := db.Exec(`UPDATE pipeline_run SET status = 'cancelled', current_step = 'pipeline cancelled', completed_at = ?1, cancelled_at = ?1
WHERE run_id = ?2`, time.Now().Unix(), run)
			if err == nil {
				_, err = db.Exec(`DELETE FROM cancellation WHERE run_id = ?`, run)
			}
			return err
		}
		var asked int
		if err := db.Get(&asked, `SELECT count(*) FROM cancellation WHERE run_id = ?`, run); err != nil {
			return err
		}
		if asked > 0 {
			_, err := db.Exec(`UPDATE pipeline_run SET status = 'failed', current_step = 'step "a" failed: context canceled', completed_at = ? WHERE run_id = ?`, time.Now().Unix(), run)
			return err
		}
	}
}

// takesUp has the stand-in take up the run.
func takesUp(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return "exec '" + self + "' " + standIn + ` "$@"`
}

const patience = 30 * time.Second

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !done() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited for %s", what)
		}
	}
}

// world is a project, and a stand-in for Wave that runs a script.
type world struct {
	*Engine
	t       *testing.T
	root    string
	placed  sync.Mutex
	place   manifest.Options // where the project is; the engine looks at any time
	control *control.Control // to read runs by
}

func TestTheVersionIsWhatWaveSaysOnce(t *testing.T) {
	w := newWorld(t, `echo x >> "$0.asked"; echo "wave version 1.4.2"; echo more`)
	for range 2 {
		if version, err := w.Version(t.Context()); err != nil || version != "wave version 1.4.2" {
			t.Errorf("%q, %v", version, err)
		}
	}
	if asked, err := os.ReadFile(w.binary + ".asked"); err != nil || string(asked) != "x\n" {
		t.Errorf("asked %q, %v", asked, err)
	}
	w.binary = filepath.Join(w.root, "none")
	if _, err := w.Version(t.Context()); !errors.Is(err, runner.ErrUnavailable) {
		t.Errorf("without a program: %v", err)
	}
	if _, err := newWorld(t, "exit 3").Version(t.Context()); err == nil || errors.Is(err, runner.ErrUnavailable) {
		t.Errorf("one that does not say: %v", err)
	}
}

// TestTheVersionIsNotWaitedFor: a program that does not answer may have started
// another one, which keeps its output open.
func TestTheVersionIsNotWaitedFor(t *testing.T) {
	w := newWorld(t, `sleep 600 & echo $! > "$0.pid"; wait`)
	t.Cleanup(func() {
		text, err := os.ReadFile(w.binary + ".pid")
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		_ = syscall.Kill(pid, syscall.SIGKILL) // nothing else ends it
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
	defer cancel()
	told := make(chan error, 1)
	go func() {
		_, err := w.Version(ctx)
		told <- err
	}()
	select {
	case err := <-told:
		if err == nil {
			t.Error("it has a version")
		}
	case <-time.After(time.Minute):
		t.Error("it is still waited for")
	}
}

func newWorld(t *testing.T, script string) *world {
	t.Helper()
	w := &world{t: t, root: t.TempDir()}
	w.place.Dir = w.root
	w.control = control.Open(func() string { return storetest.StatePath(w.root) })
	w.write("wave.yaml", "metadata: {name: test}\nruntime: {max_concurrent_workers: 2}\n")
	w.write(".agents/pipelines/fix.yaml", "kind: WavePipeline\nmetadata: {name: fix}\nsteps:\n"+
		"  - {id: a, type: command, script: 'true'}\n  - {id: b, dependencies: [a], type: command, script: 'true'}\n")
	binary := filepath.Join(t.TempDir(), "wave")
	if err := os.WriteFile(binary, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	catalog := func() *manifest.Catalog {
		place, err := manifest.Locate(w.where())
		if err != nil {
			t.Error(err)
		}
		return manifest.Load(place)
	}
	w.Engine = New(catalog, Options{Binary: binary, Launch: launch.Options{Begin: time.Minute, Grace: time.Second, Look: 20 * time.Millisecond}})
	t.Cleanup(func() {
		if err := errors.Join(w.Close(), w.control.Close()); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// wrote waits for a file of the project that the stand-in wrote, and its last line.
func (w *world) wrote(name string) string {
	w.t.Helper()
	var text []byte
	await(w.t, name, func() bool {
		var err error
		text, err = os.ReadFile(filepath.Join(w.root, name))
		return err == nil && strings.HasSuffix(string(text), "\n.\n")
	})
	return strings.TrimSuffix(string(text), "\n.\n")
}

func (w *world) recorded(run string) wave.Run {
	w.t.Helper()
	runs, err := w.control.Derived(w.t.Context(), run)
	if err != nil || len(runs) != 1 {
		w.t.Fatalf("%v, %v", runs, err)
	}
	return runs[0]
}

// end ends the process of a run.
func (w *world) end(run string) {
	w.t.Helper()
	if pid := w.recorded(run).PID; pid > 1 {
		w.t.Cleanup(func() { _ = syscall.Kill(-pid, syscall.SIGKILL) }) // it may have gone
	}
}

func TestWaveIsStartedAsItsOwnDashboardStartsIt(t *testing.T) {
	for name, test := range map[string]struct {
		request runner.Request
		args    []string // after the pipeline, the run and the input
	}{
		"plain": {},
		"with all that its command line has": {
			request: runner.Request{
				Input: "line 1\n--model=x $(touch pwned)", Steps: []string{"a", "b"},
				Model: "opus", Adapter: "codex", Timeout: 7 * time.Minute, OnFailure: runner.Skip, DryRun: true,
			},
			args: []string{"--model", "opus", "--adapter", "codex", "--steps", "a,b", "--timeout", "7", "--on-failure", "skip", "--dry-run"},
		},
		"with an input that looks like a flag": {request: runner.Request{Input: "--help"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("ANTHROPIC_API_KEY", "sk-test")
			t.Setenv("WAVEDECK_TOKEN", "secret")
			t.Setenv("SOME_OTHER_SECRET", "secret")
			w := newWorld(t, `
{ printf '%s\0' "$@"; echo; echo .; } > args
{ env; echo .; } > env
{ pwd -P; echo .; } > cwd
{ cut -d' ' -f1,5,6 /proc/$$/stat; echo .; } > ids
echo said; echo wrong >&2
exec sleep 60`)
			test.request.Pipeline = "fix"
			run, err := w.Start(t.Context(), test.request)
			if err != nil {
				t.Fatal(err)
			}
			w.end(run)
			args := strings.Split(strings.TrimSuffix(w.wrote("args"), "\x00"), "\x00")
			want := append([]string{"run", "--pipeline", "fix", "--run", run, "--input", test.request.Input}, test.args...)
			if diff := cmp.Diff(want, args); diff != "" {
				t.Errorf("arguments (-want +got):\n%s", diff)
			}
			env := strings.Split(w.wrote("env"), "\n")
			for _, name := range []string{"PATH=", "HOME=", "ANTHROPIC_API_KEY=sk-test"} {
				if !slices.ContainsFunc(env, func(s string) bool { return strings.HasPrefix(s, name) }) {
					t.Errorf("the environment lacks %s", name)
				}
			}
			if text := strings.Join(env, "\n"); strings.Contains(text, "secret") {
				t.Errorf("the environment holds what is none of Wave's:\n%s", text)
			}
			if cwd, _ := filepath.EvalSymlinks(w.root); w.wrote("cwd") != cwd {
				t.Errorf("it runs in %s, not %s", w.wrote("cwd"), cwd)
			}
			recorded := w.recorded(run)
			if id := strconv.Itoa(recorded.PID); w.wrote("ids") != id+" "+id+" "+id {
				t.Errorf("process, group and session are %s; %s is recorded", w.wrote("ids"), id)
			}
			if recorded.Status != "pending" || recorded.Input != test.request.Input || recorded.Pipeline != "fix" {
				t.Errorf("%+v", recorded)
			}
			log := filepath.Join(w.root, ".agents/logs", run+".log")
			output, err := os.ReadFile(log)
			for late := time.After(30 * time.Second); err == nil && !strings.HasSuffix(string(output), "wrong\n") && late != nil; {
				select { // it is written last
				case <-late:
					late = nil
				case <-time.After(10 * time.Millisecond):
					output, err = os.ReadFile(log)
				}
			}
			if err != nil || string(output) != "said\nwrong\n" {
				t.Errorf("its output is %q, %v", output, err)
			}
			if _, err := os.Stat(filepath.Join(w.root, "pwned")); err == nil {
				t.Error("an input was executed")
			}
		})
	}
}

func TestWithoutWaveNothingIsRecorded(t *testing.T) {
	w := newWorld(t, "")
	w.binary = filepath.Join(w.root, "none")
	if _, err := w.Start(t.Context(), runner.Request{Pipeline: "fix"}); !errors.Is(err, runner.ErrUnavailable) {
		t.Error(err)
	}
	if _, err := os.Stat(storetest.StatePath(w.root)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a database: %v", err)
	}
	if Installed(w.binary) || !Installed("sh") {
		t.Error("what is on PATH is not told from what is not")
	}
}

func TestAWaveThatCannotBeExecutedLeavesAFailedRun(t *testing.T) {
	w := newWorld(t, "")
	if err := os.WriteFile(w.binary, []byte("#!/no/such/interpreter\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := w.Start(t.Context(), runner.Request{Pipeline: "fix", ID: "fix-1"})
	if err == nil {
		t.Fatal("it was started")
	}
	if run := w.recorded("fix-1"); run.State != wave.Failed || !strings.Contains(run.Error, "no such file") {
		t.Errorf("%s: %q, for %v", run.State, run.Error, err)
	}
}

func TestAWaveThatEndsAtOnceIsToldWithItsLastOutput(t *testing.T) {
	w := newWorld(t, "echo 'Error: manifest is from a later version' >&2; exit 2")
	run, err := w.Start(t.Context(), runner.Request{Pipeline: "fix"})
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the run to be closed", func() bool { return w.recorded(run).State != wave.Pending })
	if r := w.recorded(run); r.State != wave.Failed || !strings.Contains(r.Error, "exit status 2") || !strings.Contains(r.Error, "from a later version") {
		t.Errorf("%s: %q", r.State, r.Error)
	}
}

func TestAWaveThatNeverWritesIsEnded(t *testing.T) {
	w := newWorld(t, "trap '' TERM; while :; do sleep 1; done")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w.launcher = launch.New(func() string { return storetest.StatePath(w.root) }, launch.Options{Begin: 200 * time.Millisecond})
	run, err := w.Start(t.Context(), runner.Request{Pipeline: "fix"})
	if err != nil {
		t.Fatal(err)
	}
	pid := w.recorded(run).PID
	await(t, "the run to be closed", func() bool { return w.recorded(run).State != wave.Pending })
	if r := w.recorded(run); r.State != wave.Failed || !strings.Contains(r.Error, "recorded nothing") {
		t.Errorf("%s: %q", r.State, r.Error)
	}
	await(t, "its process to be gone", func() bool { return syscall.Kill(pid, 0) != nil })
}

func TestAnEndOfWaveIsLeftAsItRecordedIt(t *testing.T) {
	w := newWorld(t, takesUp(t))
	run, err := w.Start(t.Context(), runner.Request{Pipeline: "fix"})
	if err != nil {
		t.Fatal(err)
	}
	w.end(run)
	await(t, "the run to begin", func() bool { return w.recorded(run).Status == "running" })
	pid := w.recorded(run).PID
	if err := w.Stop(t.Context(), run, false); err != nil {
		t.Fatal(err)
	}
	await(t, "its process to be gone", func() bool { return syscall.Kill(pid, 0) != nil })
	if r := w.recorded(run); r.State != wave.Cancelled || r.Status != "cancelled" || r.Error != wave.ReasonCancelled || r.Cancel != nil {
		t.Errorf("%s: %q", r.State, r.Error)
	}
	if err := w.Stop(t.Context(), run, true); !errors.Is(err, control.ErrEnded) {
		t.Errorf("stopped again: %v", err)
	}
}

func TestForceEndsAWaveThatDoesNotListen(t *testing.T) {
	w := newWorld(t, "trap '' TERM\nsh -c 'trap \"\" TERM; { echo $$; echo .; } > child; while :; do sleep 1; done' &\n"+
		"{ echo $$; echo .; } > shell\nwhile :; do sleep 1; done")
	run, err := w.Start(t.Context(), runner.Request{Pipeline: "fix"})
	if err != nil {
		t.Fatal(err)
	}
	w.end(run)
	var pids []int
	for _, name := range []string{"shell", "child"} {
		var pid int
		if _, err := fmt.Sscan(w.wrote(name), &pid); err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	if err := w.Stop(t.Context(), run, true); err != nil {
		t.Fatal(err)
	}
	await(t, "the run to be closed", func() bool { return w.recorded(run).State == wave.Cancelled })
	for _, pid := range pids {
		await(t, "its processes to be gone", func() bool { return !works(pid) })
	}
}

// works reports whether a process is there and more than a zombie, which
// somebody else has to reap.
func works(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestARunOutlivesTheEngineThatStartedIt(t *testing.T) {
	w := newWorld(t, takesUp(t))
	run, err := w.Start(t.Context(), runner.Request{Pipeline: "fix"})
	if err != nil {
		t.Fatal(err)
	}
	w.end(run)
	await(t, "the run to begin", func() bool { return w.recorded(run).Status == "running" })
	pid := w.recorded(run).PID
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if r := w.recorded(run); !works(pid) || r.State != wave.Running {
		t.Fatalf("it is %s without the engine", r.State)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w.Engine = New(w.catalog, Options{})
	if err := w.Stop(t.Context(), run, false); err != nil {
		t.Fatal(err)
	}
	await(t, "the run to be stopped by another engine", func() bool { return w.recorded(run).State == wave.Cancelled })
	var status syscall.WaitStatus
	_, _ = syscall.Wait4(pid, &status, 0, nil) // this process is still its parent
}

func TestTheLimitHolds(t *testing.T) {
	w := newWorld(t, takesUp(t))
	for i := range 3 {
		run, err := w.Start(t.Context(), runner.Request{Pipeline: "fix"})
		var limit *control.LimitError
		switch {
		case i < 2 && err != nil:
			t.Fatal(err)
		case i < 2:
			w.end(run)
		case !errors.As(err, &limit) || limit.Limit != 2:
			t.Errorf("a third run: %v", err)
		}
	}
}

// where is the place of the project now.
func (w *world) where() manifest.Options {
	w.placed.Lock()
	defer w.placed.Unlock()
	return w.place
}

// move changes the place of the project.
func (w *world) move(change func(*manifest.Options)) {
	w.placed.Lock()
	defer w.placed.Unlock()
	change(&w.place)
}
