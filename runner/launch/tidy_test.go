package launch

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"wavedeck/store/control"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// sleeper is a program that a launcher can start for a run.
func sleeper(logs string) Program {
	return Program{Path: "/bin/sh", Dir: logs, Logs: logs, Args: func(string) []string { return []string{"-c", "exec sleep 1000"} }}
}

func TestARunWhoseProcessDiedWhileNoConsoleRanIsClosedByTheNext(t *testing.T) {
	for name, test := range map[string]struct {
		begun bool
		asked bool // to stop
		state wave.State
		says  string
	}{
		"it had begun":              {begun: true, state: wave.Lost, says: wave.ReasonGone},
		"it had not begun":          {state: wave.Failed, says: reasonUnbegun},
		"it had been asked to stop": {begun: true, asked: true, state: wave.Cancelled, says: wave.ReasonCancelled},
	} {
		t.Run(name, func(t *testing.T) {
			b := storetest.New(t)
			logs := t.TempDir()
			first := newLauncher(t, b, Options{})
			id, err := first.Start(t.Context(), control.NewRun{Pipeline: "fix"}, sleeper(logs))
			if err != nil {
				t.Fatal(err)
			}
			pid := first.look(t, id).PID
			if test.begun {
				b.Update("pipeline_run", statedb.Row{"run_id": id, "status": "running", "last_heartbeat": time.Now().Unix()})
			}
			if test.asked {
				if err := first.control.RequestCancellation(t.Context(), id, false); err != nil {
					t.Fatal(err)
				}
			}
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}

			next := newLauncher(t, b, Options{Logs: func() string { return logs }, Tidy: time.Hour})
			if err := next.tidy(t.Context()); err != nil || !wave.IsOpen(next.look(t, id).Status) {
				t.Fatalf("a run whose process lives is %s, %v", next.look(t, id).Status, err)
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			var status syscall.WaitStatus
			_, _ = syscall.Wait4(pid, &status, 0, nil) // nobody else would
			if err := next.tidy(t.Context()); err != nil {
				t.Fatal(err)
			}
			if r := next.look(t, id); wave.IsOpen(r.Status) || r.State != test.state || r.Error != test.says {
				t.Errorf("%s, recorded as %s: %q", r.State, r.Status, r.Error)
			}
		})
	}
}

func TestRunsWhoseProcessIsGoneDoNotCountAgainstTheLimit(t *testing.T) {
	b := storetest.New(t)
	logs := t.TempDir()
	l := newLauncher(t, b, Options{Logs: func() string { return logs }, Tidy: time.Hour})
	p := sleeper(logs)
	p.Limit = 1
	id := b.Run(storetest.Run{ID: "fix-gone", Pipeline: "fix", Status: "running", Start: time.Now(), Heartbeat: time.Now(), PID: deadPID(t)})
	if _, err := l.Start(t.Context(), control.NewRun{Pipeline: "fix"}, p); !errors.As(err, new(*control.LimitError)) {
		t.Fatalf("a run that nobody here started: %v", err)
	}
	if err := os.WriteFile(filepath.Join(logs, id+".log"), nil, logMode); err != nil {
		t.Fatal(err)
	}
	started, err := l.Start(t.Context(), control.NewRun{Pipeline: "fix"}, p)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(l.look(t, started).PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await(t, "its end", func() bool { return !wave.IsOpen(l.look(t, started).Status) })
}

func TestARunWhoseOutputIsHeldIsLeftAlone(t *testing.T) {
	b := storetest.New(t)
	logs := t.TempDir()
	l := newLauncher(t, b, Options{Logs: func() string { return logs }, Tidy: time.Hour})
	id := b.Run(storetest.Run{ID: "fix-held", Pipeline: "fix", Status: "running", Start: time.Now(), Heartbeat: time.Now(), PID: deadPID(t)})
	log, err := os.OpenFile(filepath.Join(logs, id+".log"), os.O_CREATE|os.O_WRONLY, logMode)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(log.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	holder := exec.Command("sleep", "1000") // of another container, as far as its pid tells
	holder.Stdout = log
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.tidy(t.Context()); err != nil || !wave.IsOpen(l.look(t, id).Status) {
		t.Errorf("%s, %v", l.look(t, id).Status, err)
	}
	_ = holder.Process.Kill()
	_ = holder.Wait()
	if err := l.tidy(t.Context()); err != nil || wave.IsOpen(l.look(t, id).Status) {
		t.Errorf("%s, %v", l.look(t, id).Status, err)
	}
}
