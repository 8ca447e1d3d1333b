//go:build unix

package engine

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"wavedeck/runner"
	"wavedeck/runner/process"
	statecontrol "wavedeck/store/control"
	"wavedeck/store/wave"
)

// engineProcess is a run in a process of its own.
type engineProcess struct {
	*exec.Cmd
	out  bytes.Buffer
	done chan struct{} // closed when it has ended
}

// startEngine begins "p" as run "p-1" in another process.
func startEngine(p *project, r runner.Request) *engineProcess {
	p.t.Helper()
	r.Pipeline, r.ID = "p", "p-1"
	text, err := json.Marshal(engineCall{p.dir, r})
	if err != nil {
		p.t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	e := &engineProcess{Cmd: exec.Command(self), done: make(chan struct{})}
	e.Env = append(os.Environ(), asEngine+"="+string(text))
	e.Stdout, e.Stderr = &e.out, &e.out
	if err := e.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() { _ = e.Wait(); close(e.done) }()
	p.t.Cleanup(func() {
		_ = e.Process.Kill()
		<-e.done
		process.EndMarked(p.t.Context(), 0, "WAVE_RUN_ID=p-1", "TEST_DIR="+p.dir)
	})
	return e
}

func (e *engineProcess) await(p *project) {
	p.t.Helper()
	select {
	case <-e.done:
	case <-time.After(patienceInTests):
		p.t.Fatalf("the run does not end: %s", e.out.String())
	}
}

// pids reads the process ids that a script wrote, a file each.
func (p *project) pids(names ...string) []int {
	p.t.Helper()
	var pids []int
	for _, name := range names {
		var pid int
		p.await(name, func() bool {
			text, err := os.ReadFile(filepath.Join(p.dir, name))
			return err == nil && json.Unmarshal(bytes.TrimSpace(text), &pid) == nil
		})
		pids = append(pids, pid)
	}
	return pids
}

// gone reports whether none of the processes does anything any more.
func gone(pids []int) bool {
	for _, pid := range pids {
		stat, err := os.ReadFile("/proc/" + json.Number(jsonInt(pid)).String() + "/stat")
		if err == nil && !bytes.Contains(stat, []byte(") Z ")) {
			return false
		}
	}
	return true
}

func jsonInt(n int) string { text, _ := json.Marshal(n); return string(text) }

// stubborn has a shell that ignores TERM, its child, and one that left the group.
const stubborn = `
  - id: a
    type: command
    script: |
      trap '' TERM
      echo $$ > ../../../../shell
      sh -c 'echo $$ > ../../../../child; while :; do sleep 1; done' &
      setsid sh -c 'echo $$ > ../../../../escaped; while :; do sleep 1; done' &
      echo waiting
      while :; do sleep 1; done
  - {id: b, type: command, dependencies: [a], script: "true"}
`

func TestARequestToStopEndsAllProcesses(t *testing.T) {
	for name, force := range map[string]bool{"asked": false, "forced": true} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, stubborn)
			e := startEngine(p, runner.Request{})
			pids := p.pids("shell", "child", "escaped")
			control := statecontrol.Open(func() string { return filepath.Join(p.dir, ".agents/state.db") })
			defer control.Close()
			asked := time.Now()
			if err := control.RequestCancellation(t.Context(), "p-1", force); err != nil {
				t.Fatal(err)
			}
			e.await(p)
			t.Logf("%s to stop: over after %v", name, time.Since(asked))
			if !gone(pids) {
				t.Error("processes are left")
			}
			d := p.readBack("p-1")
			if d.Run.State != wave.Cancelled || states(d) != "a=cancelled b=skipped" || d.Run.CancelledAt.IsZero() || d.Run.Status != "cancelled" || d.Run.Error != wave.ReasonCancelled || d.Run.Cancel != nil {
				t.Errorf("%s: %s %+v", d.Run.State, states(d), d.Run)
			}
			if a := step(t, d, "a").Attempts; len(a) != 1 || a[0].State != wave.Cancelled {
				t.Errorf("%+v", a)
			}
		})
	}
}

func TestARequestToStopIsNoticedSoon(t *testing.T) {
	p := newProject(t, "  - {id: a, type: command, script: 'echo $$ > ../../../../shell; exec sleep 60'}\n")
	e := startEngine(p, runner.Request{})
	pids := p.pids("shell")
	control := statecontrol.Open(func() string { return filepath.Join(p.dir, ".agents/state.db") })
	defer control.Close()
	asked := time.Now()
	if err := control.RequestCancellation(t.Context(), "p-1", false); err != nil {
		t.Fatal(err)
	}
	p.await("its process to be gone", func() bool { return gone(pids) })
	t.Logf("its process was gone after %v", time.Since(asked))
	e.await(p)
	t.Logf("the run had ended after %v", time.Since(asked))
}

func TestASignalEndsTheRunHonestly(t *testing.T) {
	p := newProject(t, "  - {id: a, type: command, script: 'echo $$ > ../../../../shell; exec sleep 60'}\n")
	e := startEngine(p, runner.Request{})
	pids := p.pids("shell")
	if err := e.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	e.await(p)
	d := p.readBack("p-1")
	if !gone(pids) || d.Run.State != wave.Cancelled || !strings.Contains(step(t, d, "a").Error, "terminated") {
		t.Errorf("%s: %q", d.Run.State, step(t, d, "a").Error)
	}
}

func TestASignalThatComesWithARequestToStopIsTheOperators(t *testing.T) {
	p := newProject(t, "  - {id: a, type: command, script: 'echo $$ > ../../../../shell; exec sleep 60'}\n")
	e := startEngine(p, runner.Request{})
	p.pids("shell")
	control := statecontrol.Open(func() string { return filepath.Join(p.dir, ".agents/state.db") })
	defer control.Close()
	if err := control.RequestCancellation(t.Context(), "p-1", true); err != nil {
		t.Fatal(err)
	}
	if err := e.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	e.await(p)
	if d := p.readBack("p-1"); d.Run.State != wave.Cancelled || d.Run.Cancel != nil {
		t.Errorf("%s: %q", d.Run.State, d.Run.Error)
	}
}

func TestAKilledEngineLeavesALostRun(t *testing.T) {
	p := newProject(t, "  - {id: a, type: command, script: 'echo $$ > ../../../../shell; exec sleep 60'}\n")
	e := startEngine(p, runner.Request{})
	pids := p.pids("shell")
	if err := e.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	e.await(p)
	p.await("the shell to die with it", func() bool { return gone(pids) })
	if d := p.detail("p-1", time.Now().Add(2*time.Minute), nil); d.Run.State != wave.Lost || states(d) != "a=lost" {
		t.Errorf("%s, %s: %s", d.Run.State, states(d), d.Run.Reason)
	}
}

func TestAKilledEngineLeavesNoProcess(t *testing.T) {
	p := newProject(t, `
  - id: a
    type: command
    script: |
      trap '' TERM
      sh -c 'echo $$ > ../../../../child; sleep 1000 & echo $! > ../../../../grandchild; sleep 1000' &
      setsid sh -c 'echo $$ > ../../../../escaped; sleep 1000 & echo $! > ../../../../below; wait' &
      env -i sh -c 'echo $$ > ../../../../bare; sleep 1000 & sleep 1000' &
      echo $$ > ../../../../shell
      wait
`)
	e := startEngine(p, runner.Request{})
	pids := p.pids("shell", "child", "grandchild", "escaped", "below", "bare")
	killed := time.Now()
	if err := e.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.await("all its processes to be gone", func() bool { return gone(pids) })
	t.Logf("gone after %v", time.Since(killed))
}

func TestHeartbeatsGoOn(t *testing.T) {
	p := newProject(t, "  - {id: a, type: command, script: 'while ! test -e ../../../../go; do sleep 0.02; done'}\n")
	e := startEngine(p, runner.Request{})
	var first time.Time
	p.await("a second heartbeat", func() bool {
		if _, err := os.Stat(filepath.Join(p.dir, ".agents/state.db")); err != nil {
			return false
		}
		d := p.readBack("p-1")
		if first.IsZero() {
			first = d.Run.Heartbeat
		}
		return d.Run.Heartbeat.After(first)
	})
	p.write("go", "")
	e.await(p)
}

func TestOutputIsRecordedWithinBounds(t *testing.T) {
	p := newProject(t, `
  - id: a
    type: command
    script: |
      head -c 3000000 /dev/zero | tr '\0' x; echo
      for i in 1 2 3 4 5 6 7 8 9 10; do echo line $i; done
      printf 'no end \377'
    output_artifacts: [{name: all, source: stdout}]
`)
	res := p.run(runner.Request{}, func(o *Options) { o.lines = 8 })
	d := p.readBack(res.Run)
	if size := d.Artifacts[0].Size; size != 3000000+1+10*7+1+8 {
		t.Errorf("artifact of %d bytes", size)
	}
	if tail := step(t, d, "a").Attempts[0].OutputTail; !strings.HasSuffix(tail, "line 10\nno end \uFFFD\n") {
		t.Errorf("tail %q", tail)
	}
	db, err := openRecord(t.Context(), filepath.Join(p.dir, ".agents/state.db"), runner.Request{Pipeline: "p"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var messages []string
	if err := db.db.Select(&messages, `SELECT message FROM event_log WHERE state IN ('stream_activity', 'warning') ORDER BY id`); err != nil {
		t.Fatal(err)
	}
	if len(messages) != 9 || len(messages[0]) > maxLine+3 || messages[7] != "line 7" || !strings.HasPrefix(messages[8], "4 more lines") {
		t.Errorf("%d events: %.40q", len(messages), messages)
	}
}

func TestAPersonaIsGivenItsPrompt(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	p := newProject(t, `
  - id: write
    persona: writer
    exec: {type: prompt, source: "Write of {{ input }}"}
    output_artifacts: [{name: text, source: stdout, type: markdown}]
  - id: review
    persona: reviewer
    dependencies: [write]
    memory: {inject_artifacts: [{step: write, artifact: text, as: draft}]}
    exec: {type: prompt, source: "Review it"}
`)
	fake := func(name, script string) {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	fake("claude", `printf '%s\n' "$@" > args; cat > prompt; printf '{"result":"an answer","usage":{"input_tokens":7,"output_tokens":5}}'`)
	fake("codex", `cat; echo; cat .agents/artifacts/draft`)
	res := p.run(runner.Request{Input: `$(touch pwned) "`})
	if res.Outcome != Completed {
		t.Fatalf("%+v", res)
	}
	workspace := filepath.Join(".agents/workspaces", res.Run)
	if prompt := p.read(workspace, "write/prompt"); prompt != `Write of $(touch pwned) "` {
		t.Errorf("prompt %q", prompt)
	}
	if args := p.read(workspace, "write/args"); !strings.Contains(args, "--model=haiku\n") {
		t.Errorf("arguments %q", args)
	}
	if text := p.read(workspace, "write/.agents/artifacts/write/text"); text != "an answer" {
		t.Errorf("artifact %q", text)
	}
	d := p.readBack(res.Run)
	s := step(t, d, "write")
	if s.Persona != "writer" || s.Model != "haiku" || s.Adapter != "claude" || s.Tokens == nil || *s.Tokens != 12 || *d.Run.Tokens != 12 {
		t.Errorf("%+v", s)
	}
	if tail := step(t, d, "review").Attempts[0].OutputTail; tail != "Review it\nan answer\n" {
		t.Errorf("review printed %q", tail)
	}
}

func TestAFloodOfOutputIsHeldInLittleMemory(t *testing.T) {
	const size, most = 64 << 20, 48 << 20
	p := newProject(t, `
  - id: a
    type: command
    script: |
      head -c 33554432 /dev/zero | tr '\0' x
      yes 'a line of output as a compiler may print it, of some sixty bytes' | head -c 33554432
    output_artifacts: [{name: all, source: stdout}]
`)
	var before, peak uint64
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse
	}
	before = heap()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				peak = max(peak, heap())
			case <-stop:
				return
			}
		}
	}()
	res := p.run(runner.Request{}, func(o *Options) { o.lines = 1000 })
	close(stop)
	<-done
	if res.Outcome != Completed {
		t.Fatalf("%+v", res)
	}
	if a := p.readBack(res.Run).Artifacts; len(a) != 1 || a[0].Size != size {
		t.Errorf("artifacts %+v", a)
	}
	if peak > before+most {
		t.Errorf("%d MB of memory for %d MB of output", (peak-before)>>20, size>>20)
	}
	t.Logf("at most %d MB more than before", (peak-min(before, peak))>>20)
}

func BenchmarkFlood(b *testing.B) {
	const size = 200 << 20
	p := newProject(b, `
  - {id: a, type: command, script: "yes 'a line of output as a compiler may print it, of some sixty bytes' | head -c 209715200"}
`)
	b.SetBytes(size)
	var most uint64
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapInuse)
			}
		}
	}()
	for b.Loop() {
		if res := p.run(runner.Request{}); res.Outcome != Completed {
			b.Fatalf("%+v", res)
		}
	}
	close(stop)
	<-done
	b.ReportMetric(float64(most)/(1<<20), "MB-heap")
}
