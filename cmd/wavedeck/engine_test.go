package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"wavedeck/runner"
	"wavedeck/runner/local"
	"wavedeck/runner/process"
	"wavedeck/store/control"
	"wavedeck/store/manifest"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// asStarter in the environment makes the test binary a process that starts one
// run in the project that it names, prints its id, and waits to be killed.
const asStarter = "WAVEDECK_TEST_START"

func startHere(dir string) error {
	source, err := manifest.Open(manifest.Options{Dir: dir})
	if err != nil {
		return err
	}
	engine := local.New(source.Current, local.Options{})
	run, err := engine.Start(context.Background(), runner.Request{Pipeline: "wait"})
	fmt.Fprintln(os.Stdout, run)
	if err != nil {
		return err
	}
	select {}
}

// plant is a project with pipelines that the local engine carries out. Its runs
// are ended with the test.
type plant struct {
	*local.Engine
	t       *testing.T
	root    string
	control *control.Control // to read runs by
}

func newPlant(t *testing.T) *plant {
	t.Helper()
	p := &plant{t: t, root: t.TempDir()}
	p.control = control.Open(func() string { return storetest.StatePath(p.root) })
	for name, text := range map[string]string{
		"wave.yaml":                   "metadata: {name: plant}\nruntime: {max_concurrent_workers: 5}\n",
		".agents/pipelines/wait.yaml": "kind: WavePipeline\nmetadata: {name: wait}\nsteps:\n  - {id: a, type: command, script: 'echo $$ > ../../../../shell; exec sleep 600'}\n",
		".agents/pipelines/say.yaml": "kind: WavePipeline\nmetadata: {name: say}\nsteps:\n  - {id: a, type: command, script: 'echo {{ input }}; env > ../../../../env', " +
			"output_artifacts: [{name: said, source: stdout}]}\n",
	} {
		path := filepath.Join(p.root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.open()
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		files, _ := filepath.Glob(filepath.Join(p.root, ".agents/logs/*.log"))
		for _, file := range files {
			id := strings.TrimSuffix(filepath.Base(file), ".log")
			if r := p.run(id); process.Identify(r.PID, process.Run{ID: id}) == process.Proven {
				process.EndTree(context.WithoutCancel(t.Context()), r.PID, 0, process.Work{Run: id, DB: storetest.StatePath(p.root)})
			}
		}
		if err := p.control.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// open has an engine of its own look after the project, as a server that was
// started again has.
func (p *plant) open() {
	p.t.Helper()
	source, err := manifest.Open(manifest.Options{Dir: p.root})
	if err != nil {
		p.t.Fatal(err)
	}
	p.Engine = local.New(source.Current, local.Options{})
}

func (p *plant) run(id string) wave.Run {
	p.t.Helper()
	runs, err := p.control.Derived(context.WithoutCancel(p.t.Context()), id)
	if err != nil || len(runs) != 1 {
		p.t.Fatalf("run %q: %v, %v", id, runs, err)
	}
	return runs[0]
}

// becomes waits for a derived state.
func (p *plant) becomes(id string, state wave.State) wave.Run {
	p.t.Helper()
	var r wave.Run
	eventually(p.t, id+" is "+string(state)+" or has ended", func() bool {
		r = p.run(id)
		return r.State == state || r.State.Ended()
	})
	if r.State != state {
		output, _ := os.ReadFile(filepath.Join(p.root, ".agents/logs", id+".log"))
		p.t.Errorf("%s is %s, not %s: %s\n%s", id, r.State, state, r.Error, output)
	}
	return r
}

// shell waits for the process of the step and returns its pid.
func (p *plant) shell() (pid int) {
	p.t.Helper()
	eventually(p.t, "its step runs", func() bool {
		text, err := os.ReadFile(filepath.Join(p.root, "shell"))
		if err != nil {
			return false
		}
		n, err := fmt.Sscan(string(text), &pid)
		return n == 1 && err == nil
	})
	return pid
}

func gone(pid int) bool { return process.Identify(pid, process.Run{}) == process.Gone }

func TestARunIsStartedWhereThereIsNoDatabase(t *testing.T) {
	t.Setenv("WAVEDECK_TOKEN", "secret")
	p := newPlant(t)
	id, err := p.Start(t.Context(), runner.Request{Pipeline: "say", Input: "hello; touch pwned"})
	if err != nil {
		t.Fatal(err)
	}
	r := p.becomes(id, wave.Succeeded)
	if r.Input != "hello; touch pwned" || r.PID == 0 || r.StepsDone != 1 {
		t.Errorf("%+v", r)
	}
	if env, err := os.ReadFile(filepath.Join(p.root, "env")); err != nil || strings.Contains(string(env), "secret") || !strings.Contains(string(env), "WAVE_RUN_ID="+id) {
		t.Errorf("its environment is %s, %v", env, err)
	}
	if log, err := os.ReadFile(filepath.Join(p.root, ".agents/logs", id+".log")); err != nil || !strings.Contains(string(log), id+" completed") {
		t.Errorf("its output is %q, %v", log, err)
	}
	eventually(t, "its process is reaped", func() bool { return gone(r.PID) })
}

func TestOfManyStartsAtOnceAsManyRunAsMay(t *testing.T) {
	p := newPlant(t)
	var mu sync.Mutex
	var started []string
	limited := 0
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			id, err := p.Start(t.Context(), runner.Request{Pipeline: "wait"})
			for errors.Is(err, control.ErrBusy) { // the others took too long: nothing was started
				id, err = p.Start(t.Context(), runner.Request{Pipeline: "wait"})
			}
			mu.Lock()
			defer mu.Unlock()
			var limit *control.LimitError
			switch {
			case err == nil:
				started = append(started, id)
			case errors.As(err, &limit) && limit.Limit == 5 && limit.Active == 5:
				limited++
			default:
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(started) != 5 || limited != 45 {
		t.Errorf("%d were started and %d refused", len(started), limited)
	}
	for _, id := range started {
		p.becomes(id, wave.Running)
		if err := p.Stop(t.Context(), id, false); err != nil {
			t.Error(err)
		}
	}
	for _, id := range started {
		p.becomes(id, wave.Cancelled)
	}
	if logs, _ := filepath.Glob(filepath.Join(p.root, ".agents/logs/*.log")); len(logs) != 5 {
		t.Errorf("%d processes were started", len(logs))
	}
}

func TestWhileAnotherHoldsTheDatabaseNothingIsStarted(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes seconds")
	}
	p := newPlant(t)
	if err := runner.EnsureDatabase(t.Context(), storetest.StatePath(p.root)); err != nil {
		t.Fatal(err)
	}
	db, err := statedb.Open(t.Context(), storetest.StatePath(p.root))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.BeginTxx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Start(t.Context(), runner.Request{Pipeline: "wait"}); !errors.Is(err, control.ErrBusy) {
		t.Error(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	var rows int
	if err := db.Get(&rows, `SELECT count(*) FROM pipeline_run`); err != nil || rows != 0 {
		t.Errorf("%d runs are recorded, %v", rows, err)
	}
	if _, err := os.Stat(filepath.Join(p.root, ".agents/logs")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a process was started: %v", err)
	}
}

func TestARunWhoseEngineIsKilledIsLostAndCanBeRepeated(t *testing.T) {
	p := newPlant(t)
	id, err := p.Start(t.Context(), runner.Request{Pipeline: "wait"})
	if err != nil {
		t.Fatal(err)
	}
	shell := p.shell()
	if err := syscall.Kill(p.run(id).PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if r := p.becomes(id, wave.Lost); !strings.Contains(r.Error, "signal: killed") {
		t.Errorf("it says %q", r.Error)
	}
	eventually(t, "the step's process is gone", func() bool { return gone(shell) })
	again, err := p.Start(t.Context(), runner.Request{Pipeline: "wait", Original: id})
	if err != nil {
		t.Fatal(err)
	}
	if r := p.becomes(again, wave.Running); r.ForkedFrom != "" {
		t.Errorf("it is recorded as a fork of %q", r.ForkedFrom)
	}
}

func TestARunOutlivesAServerThatIsKilled(t *testing.T) {
	for name, force := range map[string]bool{"and is stopped by the next": false, "and is ended by force by the next": true} {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t)
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			server := exec.Command(self)
			server.Env = append(os.Environ(), asStarter+"="+p.root)
			out, err := server.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := server.Start(); err != nil {
				t.Fatal(err)
			}
			line, _ := bufio.NewReader(out).ReadString('\n')
			id := strings.TrimSpace(line)
			shell := p.shell()
			if err := server.Process.Kill(); err != nil {
				t.Error(err)
			}
			_ = server.Wait() // it was killed
			r := p.run(id)
			if r.State != wave.Running || gone(r.PID) || gone(shell) {
				t.Fatalf("it is %s", r.State)
			}
			if err := p.Stop(t.Context(), id, force); err != nil {
				t.Fatal(err)
			}
			p.becomes(id, wave.Cancelled)
			eventually(t, "its processes are gone", func() bool { return gone(r.PID) && gone(shell) })
		})
	}
}
