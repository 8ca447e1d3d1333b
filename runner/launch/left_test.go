package launch

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"wavedeck/store/control"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// leaver is a program as Wave is one: what it starts has neither its mark nor,
// like the agents, its group, and some of it not even its session or a parent.
// The stranger is of another project that has a run of the same id. It dies of
// kill -9 when it is told to.
func leaver(dir string) Program {
	const script = `
env -i PATH="$PATH" sh -c 'echo $$ > shell; setsid sh -c "echo \$\$ > escaped; sleep 1000; :" & setsid -w sleep 1000; :' > /dev/null 2>&1 &
perl -e 'setpgrp(0, 0); exec @ARGV' env -i PATH="$PATH" sh -c 'echo $$ > agent; sleep 1000; :' > /dev/null 2>&1 &
(env -i PATH="$PATH" PWD="$PWD" WAVE_DEPS_DIR=".agents/workspaces/$2/a/.agents/artifacts" setsid sh -c 'echo $$ > daemon; sleep 1000; :' > /dev/null 2>&1 &)
(cd / && env -i PATH="$PATH" PWD=/ WAVE_DEPS_DIR=".agents/workspaces/$2/a/.agents/artifacts" setsid sh -c "echo \$\$ > '$OLDPWD/stranger'; exec sleep 1000" > /dev/null 2>&1 &)
while ! test -e die; do sleep 0.01; done
kill -9 $$
`
	return Program{Path: "/bin/sh", Dir: dir, Logs: filepath.Join(dir, "logs"), Args: func(run string) []string {
		return []string{"-c", script, "wave", "--run", run}
	}}
}

// pidsIn reads what the processes of a leaver wrote, and ends them at last.
func pidsIn(t *testing.T, dir string) (pids []int) {
	t.Helper()
	for _, name := range []string{"shell", "escaped", "agent", "daemon", "stranger"} {
		pid := 0
		await(t, "the process "+name, func() bool {
			text, _ := os.ReadFile(filepath.Join(dir, name))
			pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
			return pid > 0
		})
		if name != "stranger" {
			pids = append(pids, pid)
		}
		t.Cleanup(func() {
			if name == "stranger" && !works(pid) {
				t.Error("a process of another project was ended")
			}
			if works(pid) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		})
	}
	return pids
}

// works reports whether a process is there and no zombie, which nobody may reap.
func works(pid int) bool {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && !strings.Contains(string(text), ") Z ")
}

func TestNothingOfARunGoesOnAfterItsProcess(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *Launcher, string, string) (state wave.State){
		"when that is killed": func(t *testing.T, _ *Launcher, _, dir string) wave.State {
			t.Helper()
			write(t, dir, "die")
			return wave.Lost
		},
		"when it is stopped by force": func(t *testing.T, l *Launcher, id, _ string) wave.State {
			t.Helper()
			if err := l.Stop(t.Context(), id, true); err != nil {
				t.Fatal(err)
			}
			return wave.Cancelled
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := storetest.New(t)
			l := newLauncher(t, b, Options{Grace: 100 * time.Millisecond})
			dir := t.TempDir()
			id, err := l.Start(t.Context(), control.NewRun{Pipeline: "fix"}, leaver(dir))
			if err != nil {
				t.Fatal(err)
			}
			b.Update("pipeline_run", statedb.Row{"run_id": id, "status": "running", "last_heartbeat": time.Now().Unix()})
			pids := pidsIn(t, dir)
			state := end(t, l, id, dir)
			await(t, "the run to be closed", func() bool { return !wave.IsOpen(l.look(t, id).Status) })
			if r := l.look(t, id); r.State != state {
				t.Errorf("%s: %q", r.State, r.Error)
			}
			for _, pid := range pids {
				if works(pid) {
					t.Errorf("process %d is left", pid)
				}
			}
		})
	}
}

func TestWhatARunLeftWhileNoConsoleRanIsEndedByTheNext(t *testing.T) {
	b := storetest.New(t)
	dir := t.TempDir()
	p := leaver(dir)
	first := newLauncher(t, b, Options{})
	id, err := first.Start(t.Context(), control.NewRun{Pipeline: "fix"}, p)
	if err != nil {
		t.Fatal(err)
	}
	pid := first.look(t, id).PID
	b.Update("pipeline_run", statedb.Row{"run_id": id, "status": "running", "last_heartbeat": time.Now().Unix()})
	pids := pidsIn(t, dir)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "die")
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil { // nobody else would
		t.Fatal(err)
	}
	next := newLauncher(t, b, Options{Grace: 100 * time.Millisecond})
	next.opt.Logs = func() string { return p.Logs } // it looks when it is told to
	b.Update("pipeline_run", statedb.Row{"run_id": id, "last_heartbeat": time.Now().Add(-2 * time.Hour).Unix(), "started_at": time.Now().Add(-3 * time.Hour).Unix()})
	if r := next.look(t, id); r.State != wave.Lost {
		t.Fatalf("told as %s", r.State)
	}
	next.endLeft(t.Context(), next.look(t, id), lastSign(next.look(t, id)))
	for _, pid := range pids[:3] { // the rest is known by its environment
		if !works(pid) {
			t.Fatal("what began after the last sign of a run may be another's, and was ended")
		}
	}
	b.Update("pipeline_run", statedb.Row{"run_id": id, "last_heartbeat": time.Now().Add(-91 * time.Second).Unix()})
	b.Event(id, storetest.Event{Step: "a", At: time.Now()})
	if err := next.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		if works(pid) {
			t.Errorf("process %d is left", pid)
		}
	}
}

func write(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}
