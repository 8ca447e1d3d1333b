//go:build unix

package wave

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/term"

	"wavedeck/runner"
	"wavedeck/runner/launch"
	"wavedeck/runner/terminal"
	"wavedeck/store/wave"
)

// holds is the first argument of the test binary as a holder of a terminal.
const holds = "hold-a-terminal"

func holdTerminal(socket string) error {
	return terminal.Hold(context.Background(), os.NewFile(3, "terminal"), socket, false)
}

// askAsWave carries out a run that comes to a gate, as Wave does: it refuses to ask
// where its standard input is no terminal, reads a line for the choice and one for the
// notes, asks again after a line that is no choice, and notices that it was interrupted
// only between two lines.
func askAsWave(ctx context.Context, db *sqlx.DB, run string) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	event := func(step, state, message string) {
		_, err := db.Exec(`INSERT INTO event_log (run_id, timestamp, step_id, state, message) VALUES (?, ?, ?, ?, ?)`, run, time.Now().Unix(), step, state, message)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	end := func(status, step, text string) error {
		_, err := db.Exec(`INSERT INTO step_state (step_id, pipeline_id, state, error_message) VALUES ('approve', ?, ?, ?)
ON CONFLICT DO UPDATE SET state = excluded.state, error_message = excluded.error_message`, run, step, text)
		cancelled := any(nil)
		message := ""
		switch status {
		case "cancelled":
			cancelled, message = time.Now().Unix(), "pipeline cancelled"
		case "failed":
			message = `step "approve" failed: ` + text
		}
		_, runErr := db.Exec(`UPDATE pipeline_run SET status = ?, current_step = ?, completed_at = ?, cancelled_at = ? WHERE run_id = ?`, status, message, time.Now().Unix(), cancelled, run)
		return errors.Join(err, runErr)
	}
	event("", "started", `input="" steps=1`)
	event("approve", "running", "gate step: approval")
	event("", "gate_waiting", "gate: approval — ")
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		const why = "gate prompt failed: gate requires interactive terminal (stdin is not a TTY); use --auto-approve for non-interactive mode"
		event("approve", "failed", why)
		return end("failed", "failed", why)
	}
	fmt.Fprint(os.Stderr, "\n  Ship it?\n\n  [s] Ship it\n  [a] Abort (abort)\n\n")
	lines := bufio.NewScanner(os.Stdin)
	for {
		if ctx.Err() != nil {
			event("approve", "failed", "gate prompt failed: context canceled")
			return end("cancelled", "failed", "gate prompt failed: context canceled")
		}
		fmt.Fprint(os.Stderr, "  Choice: ")
		if !lines.Scan() {
			return end("failed", "failed", "gate prompt failed: unexpected end of input")
		}
		key := strings.TrimSpace(lines.Text())
		label := map[string]string{"s": "Ship it", "a": "Abort"}[key]
		if label == "" {
			fmt.Fprintf(os.Stderr, "  Invalid choice %q. Try again.\n", key)
			continue
		}
		fmt.Fprint(os.Stderr, "  Additional notes (press Enter to skip): ")
		lines.Scan()
		if err := os.WriteFile("decided", []byte(key+"|"+strings.TrimSpace(lines.Text())+"\n.\n"), 0o600); err != nil {
			return err
		}
		event("", "gate_resolved", "gate resolved: "+label+" ("+key+")")
		event("approve", "completed", "gate step completed")
		if key == "a" {
			return end("failed", "completed", `gate "approve" aborted with choice "Abort"`)
		}
		return end("completed", "completed", "")
	}
}

// newGated is a world whose pipeline has a gate, and whose runs are answered.
func newGated(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, takesUp(t))
	w.write(".agents/pipelines/gated.yaml", "kind: WavePipeline\nmetadata: {name: gated}\nsteps:\n"+
		"  - id: approve\n    gate: {type: approval, prompt: 'Ship it?', freeform: true, timeout: 30m, default: s, choices: [{key: s, label: Ship it}, {key: a, label: Abort, target: _fail}]}\n")
	w.held(t)
	return w
}

// held replaces the engine by one whose runs get a terminal, as another console on the
// same data folder has it.
func (w *world) held(t *testing.T) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	w.Engine = w.console(t)
}

func (w *world) console(t *testing.T) *Engine {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return New(w.Engine.catalog, Options{Binary: w.binary, Launch: launch.Options{
		Begin: time.Minute, Grace: time.Second, Look: 20 * time.Millisecond, Tidy: 50 * time.Millisecond,
		Terminals: terminal.Sockets(filepath.Join(w.root, "data", "gates")), Holder: []string{self, holds},
	}})
}

// asked starts a run, and waits until it asks.
func (w *world) asked(t *testing.T) (run string, gate int64) {
	t.Helper()
	run, err := w.Start(t.Context(), runner.Request{Pipeline: "gated"})
	if err != nil {
		t.Fatal(err)
	}
	w.end(run)
	await(t, "the question", func() bool {
		text, _ := os.ReadFile(filepath.Join(w.root, ".agents", "logs", run+".log"))
		return strings.Contains(string(text), "Choice: ")
	})
	if r := w.recorded(run); r.State != wave.Waiting {
		t.Fatalf("it is %s", r.State)
	}
	return run, 2 // the second event
}

func (w *world) becomes(t *testing.T, run string, state wave.State) wave.Run {
	t.Helper()
	await(t, string(state), func() bool { return w.recorded(run).State == state })
	return w.recorded(run)
}

// unheld waits until nobody holds the terminal of a run.
func (w *world) unheld(t *testing.T, run string) {
	t.Helper()
	await(t, "the holder to be gone", func() bool {
		_, err := w.Terminal(t.Context(), run)
		return errors.Is(err, runner.ErrNoTerminal)
	})
}

func answer(gate int64, choice string) runner.Answer {
	return runner.Answer{Gate: gate, Step: "approve", Choice: choice, Text: "because", Asks: true, Who: "ada", At: time.Unix(1, 0).UTC()}
}

func TestAGateIsAnswered(t *testing.T) {
	for choice, state := range map[string]wave.State{"s": wave.Succeeded, "a": wave.Failed} {
		t.Run(choice, func(t *testing.T) {
			w := newGated(t)
			run, gate := w.asked(t)
			if first, err := w.Answer(t.Context(), run, answer(gate, choice)); err != nil || first.Choice != choice {
				t.Fatalf("%+v, %v", first, err)
			}
			if got := w.wrote("decided"); got != choice+"|because" {
				t.Errorf("it read %q", got)
			}
			w.becomes(t, run, state)
			w.unheld(t, run)
		})
	}
}

// TestAGateIsAnsweredByTheNextConsole: the terminal outlives the console that made it,
// and two consoles on one data folder reach it.
func TestAGateIsAnsweredByTheNextConsole(t *testing.T) {
	w := newGated(t)
	run, gate := w.asked(t)
	beside := w.console(t)
	defer beside.Close()
	w.held(t) // it is started again
	if given, err := w.Terminal(t.Context(), run); err != nil || len(given.Answers) > 0 || given.TakesDefaults {
		t.Fatalf("%v, %v", given, err)
	}
	first, err := beside.Answer(t.Context(), run, answer(gate, "s"))
	if err != nil {
		t.Fatal(err)
	}
	if late, err := w.Answer(t.Context(), run, answer(gate, "a")); err == nil && late != first {
		t.Errorf("%+v was first too", late)
	}
	if got := w.wrote("decided"); got != "s|because" {
		t.Errorf("it read %q", got)
	}
	w.becomes(t, run, wave.Succeeded)
}

func TestARunIsStoppedWhileItWaits(t *testing.T) {
	t.Run("by a signal", func(t *testing.T) {
		w := newGated(t)
		run, gate := w.asked(t)
		if err := w.Stop(t.Context(), run, false); err != nil {
			t.Fatal(err)
		}
		if r := w.becomes(t, run, wave.Cancelled); r.Status != "cancelled" {
			t.Errorf("it is recorded as %s", r.Status)
		}
		if first, err := w.Answer(t.Context(), run, answer(gate, "s")); err == nil {
			t.Errorf("it took %+v", first)
		}
		w.unheld(t, run)
	})
	t.Run("by force", func(t *testing.T) {
		w := newGated(t)
		run, _ := w.asked(t)
		if err := w.Stop(t.Context(), run, true); err != nil {
			t.Fatal(err)
		}
		w.becomes(t, run, wave.Cancelled)
		w.unheld(t, run)
	})
	t.Run("by a kill", func(t *testing.T) {
		w := newGated(t)
		run, _ := w.asked(t)
		if err := syscall.Kill(w.recorded(run).PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		w.becomes(t, run, wave.Lost)
		w.unheld(t, run)
	})
	t.Run("by somebody who only wrote the request", func(t *testing.T) {
		w := newGated(t)
		run, _ := w.asked(t)
		if err := w.control.RequestCancellation(t.Context(), run, false); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(w.recorded(run).PID, syscall.SIGINT); err != nil { // Wave sees the row by itself
			t.Fatal(err)
		}
		w.becomes(t, run, wave.Cancelled)
		w.unheld(t, run)
	})
}

func TestARunWithoutATerminalFailsAtItsGate(t *testing.T) {
	w := newGated(t)
	w.Engine.launcher.Close()
	w.Engine = New(w.Engine.catalog, Options{Binary: w.binary, Launch: launch.Options{Begin: time.Minute, Grace: time.Second, Look: 20 * time.Millisecond}})
	steps, err := w.Plan(t.Context(), runner.Request{Pipeline: "gated"})
	if err != nil || !strings.Contains(steps[0].Warn, "nobody can give here") {
		t.Errorf("the plan says %+v, %v", steps, err)
	}
	run, err := w.Start(t.Context(), runner.Request{Pipeline: "gated"})
	if err != nil {
		t.Fatal(err)
	}
	w.end(run)
	if r := w.becomes(t, run, wave.Failed); !strings.Contains(r.Error, "interactive terminal") {
		t.Errorf("it says %q", r.Error)
	}
	if _, err := w.Terminal(t.Context(), run); !errors.Is(err, runner.ErrNoTerminal) {
		t.Errorf("it has a terminal: %v", err)
	}
}

// TestOnlyARunThatMayBeAskedGetsATerminal: for others nothing changes.
func TestOnlyARunThatMayBeAskedGetsATerminal(t *testing.T) {
	w := newGated(t)
	if steps, err := w.Plan(t.Context(), runner.Request{Pipeline: "gated"}); err != nil || steps[0].Warn != "" {
		t.Errorf("the plan says %+v, %v", steps, err)
	}
	for name, r := range map[string]runner.Request{
		"no gate": {Pipeline: "fix"}, "a dry run": {Pipeline: "gated", DryRun: true}, "one that approves by itself": {Pipeline: "gated", AutoApprove: true},
	} {
		p, _ := w.Engine.catalog().Pipeline(r.Pipeline)
		if runner.Asks(w.Engine.catalog(), p, r) {
			t.Errorf("%s may be asked", name)
		}
	}
	w.write(".agents/pipelines/outer.yaml", "metadata: {name: outer}\nsteps:\n  - {id: a, pipeline: gated}\n")
	w.write(".agents/pipelines/later.yaml", "metadata: {name: later}\nsteps:\n  - {id: a, pipeline: '{{ input }}'}\n")
	for _, name := range []string{"gated", "outer", "later"} {
		p, _ := w.Engine.catalog().Pipeline(name)
		if !runner.Asks(w.Engine.catalog(), p, runner.Request{Pipeline: name}) {
			t.Errorf("%s may not be asked", name)
		}
	}
}

// asksAsWave reports whether the arguments of the stand-in are those of a run that
// comes to a gate.
func asksAsWave(args []string) bool {
	i := slices.Index(args, "--pipeline")
	return i >= 0 && i+1 < len(args) && args[i+1] == "gated"
}
