//go:build unix

package launch

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wavedeck/store"
	"wavedeck/store/control"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come; it is no measure.
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

// newLauncher writes to the builder's database.
func newLauncher(t *testing.T, b *storetest.Builder, opt Options) *Launcher {
	t.Helper()
	l := New(func() string { return b.Path }, opt)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func (l *Launcher) look(t *testing.T, id string) wave.Run {
	t.Helper()
	run, err := l.runOf(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// stranger is a process that nobody here started as a run. Args follow the
// shell's script, so that they are among its arguments.
func stranger(t *testing.T, args ...string) (pid int, gone func() bool) {
	t.Helper()
	cmd := exec.Command("sh", append([]string{"-c", "echo ready; while :; do sleep 1; done", "wave"}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, len("ready\n"))); err != nil { // it has its own arguments by now
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have gone
		<-ended
	})
	return cmd.Process.Pid, func() bool {
		select {
		case <-ended:
			return true
		default:
			return false
		}
	}
}

// deadPID is that of a process that has gone.
func deadPID(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}

func TestStopOfARunThatWasStartedElsewhere(t *testing.T) {
	type world struct {
		*testing.T
		b   *storetest.Builder
		now time.Time
	}
	const requested = "requested"
	for name, test := range map[string]struct {
		run   func(world) storetest.Run
		row   statedb.Row // further columns
		force bool
		want  string // the derived state, or an error
		says  string // a part of the run's error
		ended bool   // the process
	}{
		"in the foreground without its id: it is asked and interrupted": {
			run: func(w world) storetest.Run {
				pid, _ := stranger(w.T, "run", "fix")
				return storetest.Run{Pipeline: "fix", Status: "running", Start: w.now, PID: pid}
			},
			want: requested, ended: true,
		},
		"in the foreground, by force: its process is ended": {
			run: func(w world) storetest.Run {
				pid, _ := stranger(w.T, "run", "fix")
				return storetest.Run{Pipeline: "fix", Status: "running", Start: w.now, PID: pid}
			},
			force: true, want: "cancelled", says: wave.ReasonCancelled, ended: true,
		},
		"with its id, by force: its process is ended": {
			run: func(w world) storetest.Run {
				pid, _ := stranger(w.T, "run", "--run", "fix-7")
				return storetest.Run{ID: "fix-7", Pipeline: "fix", Status: "running", Start: w.now.Add(-time.Hour), PID: pid}
			},
			force: true, want: "cancelled", says: wave.ReasonCancelled, ended: true,
		},
		"its pid belongs to a process of which nothing is proven: that one is left alone": {
			run: func(w world) storetest.Run {
				pid, _ := stranger(w.T)
				return storetest.Run{Pipeline: "fix", Status: "running", Start: w.now, PID: pid}
			},
			force: true, want: requested,
		},
		"its pid belongs to a process that began after its last sign: it is closed and that one is left alone": {
			run: func(w world) storetest.Run {
				pid, _ := stranger(w.T, "run", "fix")
				return storetest.Run{Pipeline: "fix", Status: "running", Start: w.now.Add(-time.Hour), PID: pid}
			},
			force: true, want: "lost", says: wave.ReasonGone,
		},
		"its process is gone and so is its heartbeat: it is closed": {
			run: func(w world) storetest.Run {
				return storetest.Run{Pipeline: "fix", Status: "running", Start: w.now.Add(-time.Hour), PID: deadPID(w.T)}
			},
			want: "lost", says: wave.ReasonGone,
		},
		"its process is gone from here, but its heart beats: it is asked": {
			run: func(w world) storetest.Run {
				return storetest.Run{Pipeline: "fix", Status: "running", Start: w.now.Add(-time.Hour), Heartbeat: w.now, PID: deadPID(w.T)}
			},
			want: requested,
		},
		"without a pid, with a recent event: it is asked": {
			run: func(w world) storetest.Run {
				return storetest.Run{Pipeline: "fix", Status: "running", Start: w.now.Add(-time.Minute)}
			},
			want: requested,
		},
		"without a pid and any sign: it is closed": {
			run: func(w world) storetest.Run {
				return storetest.Run{Pipeline: "fix", Status: "running", Start: w.now.Add(-time.Hour)}
			},
			want: "lost", says: wave.ReasonGone,
		},
		"reserved long ago, never begun: it is closed": {
			run: func(w world) storetest.Run {
				return storetest.Run{Pipeline: "fix", Status: "pending", Start: w.now.Add(-time.Hour)}
			},
			want: "failed", says: "no process had begun it",
		},
		"pending over runs that go on: it is asked": {
			run: func(w world) storetest.Run {
				w.b.Run(storetest.Run{ID: "inner", Pipeline: "fix", Status: "running", Start: w.now, Parent: "outer"})
				return storetest.Run{ID: "outer", Pipeline: "fix", Status: "pending", Start: w.now.Add(-time.Hour)}
			},
			want: requested,
		},
		"it has ended": {
			run:  func(world) storetest.Run { return storetest.Run{Pipeline: "fix", Status: "completed"} },
			want: control.ErrEnded.Error(),
		},
		"its end is known in another table only": {
			run: func(w world) storetest.Run {
				w.b.Insert("pipeline_state", statedb.Row{"pipeline_id": "r", "pipeline_name": "r", "status": "completed", "created_at": w.now.Unix(), "updated_at": w.now.Unix()})
				return storetest.Run{ID: "r", Pipeline: "fix", Status: "running", Start: w.now.Add(-time.Hour)}
			},
			want: control.ErrEnded.Error(),
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := storetest.New(t)
			l := newLauncher(t, b, Options{Grace: time.Second, Look: time.Hour})
			r := test.run(world{t, b, time.Now()})
			id := b.Run(r)
			err := l.Stop(t.Context(), id, test.force)
			switch {
			case errors.Is(err, control.ErrEnded):
				var rows int
				if err := b.DB.Get(&rows, `SELECT count(*) FROM cancellation`); err != nil || rows != 0 || test.want != control.ErrEnded.Error() {
					t.Errorf("%d rows of requests, want %s: %v", rows, test.want, err)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			if test.want == requested {
				run := l.look(t, id)
				if run.Cancel == nil || run.Cancel.Force != test.force || run.Status != r.Status || run.State.Ended() {
					t.Errorf("%s, recorded as %s, %+v", run.State, run.Status, run.Cancel)
				}
			} else {
				await(t, "the run to be "+test.want, func() bool { return !wave.IsOpen(l.look(t, id).Status) })
				if run := l.look(t, id); string(run.State) != test.want || !strings.Contains(run.Error, test.says) || run.CompletedAt.IsZero() {
					t.Errorf("%s: %q, ended %v", run.State, run.Error, run.CompletedAt)
				}
			}
			if r.PID > 0 && test.ended {
				await(t, "the process to be gone", func() bool { return !alive(r.PID) })
			} else if r.PID > 0 && !alive(r.PID) && !strings.Contains(name, "is gone") {
				t.Error("the process is gone")
			}
		})
	}
}

// alive reports whether a process is there; its test reaps it.
func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestStopOfNoRun(t *testing.T) {
	l := newLauncher(t, storetest.New(t), Options{})
	if err := l.Stop(t.Context(), "none", false); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

func TestARunThatWasAskedToStopIsFollowedUntilItsProcessIsGone(t *testing.T) {
	b := storetest.New(t)
	l := newLauncher(t, b, Options{Look: 10 * time.Millisecond})
	now := time.Now()
	id := b.Run(storetest.Run{Pipeline: "fix", Status: "running", Start: now.Add(-time.Hour), Heartbeat: now, PID: deadPID(t)})
	other := b.Run(storetest.Run{Pipeline: "fix", Status: "running", Start: now})
	for _, id := range []string{id, other} {
		if err := l.Stop(t.Context(), id, false); err != nil {
			t.Fatal(err)
		}
	}
	if run := l.look(t, id); run.State != wave.Running {
		t.Fatalf("it is told as %s at once", run.State)
	}
	b.Update("pipeline_run", statedb.Row{"run_id": id, "last_heartbeat": now.Add(-2 * time.Minute).Unix()})
	await(t, "the run to be closed", func() bool { return l.look(t, id).Status == "failed" })
	b.Update("pipeline_run", statedb.Row{"run_id": other, "status": "cancelled", "cancelled_at": now.Unix()})
	await(t, "nothing to be left to look after", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.stopped) == 0
	})
}

func TestAProcessThatDiesIsTold(t *testing.T) {
	for name, test := range map[string]struct {
		script string
		adapt  func(*Program)
		begins bool // the record says that the run had begun
		state  wave.State
		says   []string
	}{
		"at once": {
			script: "echo no such flag >&2; exit 3", state: wave.Failed,
			says: []string{"its process ended before the run had begun: exit status 3", "it printed:\nno such flag"},
		},
		"at once and without a word": {script: "exit 0", state: wave.Failed, says: []string{"exit status 0; it printed nothing"}},
		"after it had begun":         {script: "echo half; kill -9 $$", begins: true, state: wave.Lost, says: []string{wave.ReasonGone, "signal: killed", "half"}},
		"with a plan that was asked for": {
			script: "echo would run a", adapt: func(p *Program) { p.Empty = true }, state: wave.Empty,
		},
		"with a plan that failed": {
			script: "echo no; exit 1", adapt: func(p *Program) { p.Empty = true }, state: wave.Failed, says: []string{"exit status 1", "no"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := storetest.New(t)
			l := newLauncher(t, b, Options{})
			dir := t.TempDir()
			begin := dir + "/go"
			p := Program{Path: "/bin/sh", Dir: dir, Logs: dir + "/logs", Args: func(string) []string {
				return []string{"-c", "while ! test -e go; do sleep 0.01; done; " + test.script}
			}}
			if test.adapt != nil {
				test.adapt(&p)
			}
			id, err := l.Start(t.Context(), control.NewRun{Pipeline: "fix"}, p)
			if err != nil {
				t.Fatal(err)
			}
			if test.begins {
				b.Update("pipeline_run", statedb.Row{"run_id": id, "status": "running"})
			}
			if err := os.WriteFile(begin, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			pid := l.look(t, id).PID
			await(t, "the run to have ended", func() bool { return !wave.IsOpen(l.look(t, id).Status) })
			run := l.look(t, id)
			if run.State != test.state {
				t.Errorf("told as %s", run.State)
			}
			for _, says := range test.says {
				if !strings.Contains(run.Error, says) {
					t.Errorf("%q lacks %q", run.Error, says)
				}
			}
			await(t, "the process to be reaped", func() bool { return !alive(pid) })
		})
	}
}

func TestAProcessThatRecordsNothingIsEnded(t *testing.T) {
	b := storetest.New(t)
	l := newLauncher(t, b, Options{Begin: time.Minute})
	logs := t.TempDir()
	id, err := l.Start(t.Context(), control.NewRun{Pipeline: "fix"}, Program{Path: "/bin/sh", Dir: logs, Logs: logs, Args: func(string) []string {
		return []string{"-c", "echo thinking; exec sleep 60"}
	}})
	if err != nil {
		t.Fatal(err)
	}
	output := filepath.Join(logs, id+".log")
	await(t, "it to say something", func() bool { return tail(output) != "" })
	pid := l.look(t, id).PID
	l.endUnbegun(id, pid, output)
	if run := l.look(t, id); run.State != wave.Failed || !strings.Contains(run.Error, "recorded nothing for 1m0s") || !strings.Contains(run.Error, "thinking") {
		t.Errorf("%s: %q", run.State, run.Error)
	}
	await(t, "the process to be reaped", func() bool { return !alive(pid) })

	begun, err := l.Start(t.Context(), control.NewRun{Pipeline: "fix"}, Program{Path: "/bin/sh", Dir: logs, Logs: logs, Args: func(string) []string {
		return []string{"-c", "while ! test -e go; do sleep 0.01; done"}
	}})
	if err != nil {
		t.Fatal(err)
	}
	b.Update("pipeline_run", statedb.Row{"run_id": begun, "status": "running"})
	l.endUnbegun(begun, l.look(t, begun).PID, output)
	if run := l.look(t, begun); run.Status != "running" || !alive(run.PID) {
		t.Errorf("a run that has begun is %s: %q", run.State, run.Error)
	}
	if err := os.WriteFile(filepath.Join(logs, "go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	await(t, "its end", func() bool { return !wave.IsOpen(l.look(t, begun).Status) })
}

func TestOneWatchLooksAfterAllThatWereAskedToStop(t *testing.T) {
	l := newLauncher(t, storetest.New(t), Options{Look: time.Hour})
	for _, id := range []string{"a", "a", "b", "a"} {
		l.follow(id)
	}
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	if n := bytes.Count(stacks, []byte("created by sync.(*WaitGroup).Go")); n != 1 {
		t.Errorf("%d watches", n)
	}
}

func TestARunThatWaveRecordsAsFailedBecauseItWasStoppedIsRecordedAsCancelled(t *testing.T) {
	b := storetest.New(t)
	l := newLauncher(t, b, Options{Look: 10 * time.Millisecond})
	now := time.Now()
	stopped := b.Run(storetest.Run{Pipeline: "fix", Status: "running", Start: now})
	failed := b.Run(storetest.Run{Pipeline: "fix", Status: "running", Start: now})
	for _, id := range []string{stopped, failed} {
		if err := l.Stop(t.Context(), id, false); err != nil {
			t.Fatal(err)
		}
	}
	end := now.Add(time.Second).Unix()
	b.Update("pipeline_run", statedb.Row{"run_id": failed, "status": "failed", "completed_at": end, "current_step": `step "a" failed: exit status 1`})
	b.Update("pipeline_run", statedb.Row{"run_id": stopped, "status": "failed", "completed_at": end, "current_step": `step "a" failed: context canceled`})
	await(t, "the run to be cancelled", func() bool { return l.look(t, stopped).Status == "cancelled" })
	if run := l.look(t, stopped); run.CompletedAt.Unix() != end || run.CancelledAt.Unix() != end || run.Error != wave.ReasonCancelled || run.Cancel != nil {
		t.Errorf("%+v", run)
	}
	await(t, "nothing to be left to look after", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.stopped) == 0
	})
	if run := l.look(t, failed); run.Status != "failed" {
		t.Errorf("a run that failed by itself is %s", run.Status)
	}
}
