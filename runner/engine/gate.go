//go:build unix

package engine

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"wavedeck/store/gate"
	"wavedeck/store/manifest"
	"wavedeck/store/statedb"
)

// decision is what was chosen at a gate, and the notes beside it.
type decision struct {
	manifest.GateChoice

	text string
}

// approvalLimit is how long an approval waits where nothing says how long.
const approvalLimit = 24 * time.Hour

// runGate waits at a gate and records it as Wave does: an aborted one completes, and
// then fails. It returns the step that the choice leads back to; empty: none.
func (x *executor) runGate(ctx context.Context, step manifest.Step) (target string, err error) {
	began := time.Now()
	x.check(x.rec.stepState(ctx, step.ID, "running", statedb.Row{"started_at": began.Unix(), "error_message": ""}))
	select { // one gate asks at a time: answers are read from one place
	case x.asking <- struct{}{}:
		defer func() { <-x.asking }()
	case <-ctx.Done():
		return "", x.gateFailed(ctx, step.ID, fmt.Errorf("gate prompt failed: %w", ctx.Err()))
	}
	x.typed.drop() // whatever was typed before was for no gate
	g := *step.Gate
	x.sayf("  %s: waiting at a gate (%s)", step.ID, g.Type)
	x.event(event{step: step.ID, state: "running", message: "gate step: " + g.Type})
	x.event(event{state: "gate_waiting", message: "gate: " + g.Type + " — " + g.Message})
	x.check(x.log.flush())
	chosen, err := x.pass(ctx, g)
	if err != nil {
		return "", x.gateFailed(ctx, step.ID, err)
	}
	if chosen.text != "" {
		x.keepNotes(step.ID, chosen.text)
	}
	x.event(event{step: step.ID, state: "completed", message: "gate step completed"})
	x.check(x.log.flush())
	x.check(x.rec.stepState(ctx, step.ID, "completed", statedb.Row{"completed_at": time.Now().Unix()}))
	x.sayf("  %s: completed in %v", step.ID, time.Since(began).Round(time.Millisecond))
	if chosen.Target == gate.Aborts {
		err := fmt.Errorf("gate %q aborted with choice %q", step.ID, chosen.Label)
		x.event(event{step: step.ID, state: "failed", message: err.Error()})
		return "", err
	}
	return chosen.Target, nil
}

func (x *executor) gateFailed(ctx context.Context, step string, err error) error {
	x.event(event{step: step, state: "failed", message: err.Error()})
	x.check(x.log.flush())
	x.check(x.rec.stepState(ctx, step, "failed", statedb.Row{"error_message": err.Error()}))
	x.sayf("  %s: failed: %s", step, firstLine(err.Error()))
	return err
}

// keepNotes writes the notes where Wave does.
func (x *executor) keepNotes(step, text string) {
	path := filepath.Join(x.root, ".agents", "artifacts", "gate-"+step+"-text")
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o600)
	}
	if err != nil {
		x.event(event{step: step, state: "step_progress", message: "warning: failed to write gate freeform text artifact: " + err.Error()})
	}
}

// pass waits until a gate lets the run go on.
func (x *executor) pass(ctx context.Context, g manifest.Gate) (decision, error) {
	resolved := func(format string, args ...any) {
		x.event(event{state: "gate_resolved", message: fmt.Sprintf(format, args...)})
	}
	limit, err := x.gateLimit(g)
	if err != nil {
		return decision{}, err
	}
	switch {
	case g.Type == gate.Timer:
		if err := wait(ctx, limit); err != nil {
			return decision{}, err
		}
		resolved("timer gate elapsed: %s", limit)
		return decision{}, nil
	case len(g.Choices) == 0 && (g.Auto || x.opt.Request.AutoApprove):
		resolved("gate auto-approved")
		return decision{}, nil
	case len(g.Choices) == 0:
		if err := wait(ctx, limit); err != nil {
			return decision{}, err
		}
		return decision{}, fmt.Errorf("gate timed out after %s", limit)
	case g.Auto || x.opt.Request.AutoApprove:
		chosen, known := choiceOf(g, g.Default)
		if !known {
			chosen = g.Choices[0]
		}
		resolved("gate auto-approved: %s (%s)", chosen.Label, chosen.Key)
		return decision{GateChoice: chosen}, nil
	}
	chosen, err := x.prompt(ctx, g, limit)
	var late *timeoutError
	if fallback, known := choiceOf(g, g.Default); errors.As(err, &late) && known {
		resolved("gate timed out, using default: %s", fallback.Label)
		return decision{GateChoice: fallback}, nil
	}
	switch {
	case ctx.Err() != nil:
		return decision{}, fmt.Errorf("gate prompt failed: %w", ctx.Err())
	case late != nil:
		return decision{}, fmt.Errorf("gate timed out after %s", limit)
	case err != nil:
		return decision{}, fmt.Errorf("gate prompt failed: %w", err)
	}
	resolved("gate resolved: %s (%s)", chosen.Label, chosen.Key)
	return chosen, nil
}

// gateLimit is how long a gate waits.
func (x *executor) gateLimit(g manifest.Gate) (time.Duration, error) {
	if g.Timeout == "" {
		return cmp.Or(time.Duration(max(0, x.opt.Catalog.Manifest.Runtime.GateApprovalHours))*time.Hour, approvalLimit), nil
	}
	limit, err := time.ParseDuration(g.Timeout)
	if err != nil {
		return 0, fmt.Errorf("invalid gate timeout %q: %w", g.Timeout, err)
	}
	return limit, nil
}

func wait(ctx context.Context, limit time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(limit):
		return nil
	}
}

func choiceOf(g manifest.Gate, key string) (manifest.GateChoice, bool) {
	for _, c := range g.Choices {
		if c.Key == key && key != "" {
			return c, true
		}
	}
	return manifest.GateChoice{}, false
}

// prompt asks as Wave does, and reads the choice from a line, and the notes from
// another where the gate takes some. A *timeoutError: nobody answered in time.
func (x *executor) prompt(ctx context.Context, g manifest.Gate, limit time.Duration) (decision, error) {
	if x.opt.In == nil || !term.IsTerminal(int(x.opt.In.Fd())) {
		return decision{}, errors.New("gate requires interactive terminal (stdin is not a TTY); use --auto-approve for non-interactive mode")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, &timeoutError{limit})
	defer cancel()
	if question := cmp.Or(g.Prompt, g.Message); question != "" {
		x.sayf("\n  %s\n", x.values.fill(question))
	}
	for _, c := range g.Choices {
		aborts := ""
		if c.Target == gate.Aborts {
			aborts = " (abort)"
		}
		x.sayf("  [%s] %s%s", c.Key, c.Label, aborts)
	}
	for {
		x.sayf("  Choice: ")
		line, err := x.typed.line(ctx, x.opt.In)
		if err != nil {
			return decision{}, err
		}
		chosen, known := choiceOf(g, strings.TrimSpace(line))
		if !known {
			x.sayf("  Invalid choice %q. Try again.", strings.TrimSpace(line))
			continue
		}
		d := decision{GateChoice: chosen}
		if g.Freeform {
			x.sayf("  Additional notes (press Enter to skip): ")
			text, err := x.typed.line(ctx, x.opt.In)
			if err != nil && ctx.Err() == nil {
				return d, nil // the choice counts
			}
			if err != nil {
				return decision{}, err
			}
			d.text = strings.TrimSpace(text)
		}
		return d, nil
	}
}

// typedLines are the lines that somebody types. One goroutine reads them, which
// cannot be ended: a line may never come.
type typedLines struct{ lines chan string }

// drop forgets what was typed and not asked for.
func (l *typedLines) drop() {
	for l.lines != nil {
		select {
		case _, more := <-l.lines:
			if !more {
				return
			}
		default:
			return
		}
	}
}

// errNoInput says that nobody can type any more.
var errNoInput = errors.New("unexpected end of input")

// line is the next one. It belongs to whoever holds the right to ask.
func (l *typedLines) line(ctx context.Context, in *os.File) (string, error) {
	if l.lines == nil {
		l.lines = make(chan string, 1)
		go func() {
			defer close(l.lines)
			for scanner := bufio.NewScanner(in); scanner.Scan(); {
				l.lines <- scanner.Text()
			}
		}()
	}
	select {
	case line, more := <-l.lines:
		if !more {
			return "", errNoInput
		}
		return line, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
