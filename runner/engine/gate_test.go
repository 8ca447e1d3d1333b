//go:build unix

package engine

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"

	"wavedeck/runner"
	"wavedeck/store/statedb"
	"wavedeck/store/wave"
)

// gated is a pipeline that is asked between two steps.
func gated(gate string) string {
	return `
  - {id: build, type: command, script: "echo x >> ../../../../built"}
  - id: approve
    dependencies: [build]
    gate: ` + gate + `
  - {id: publish, type: command, dependencies: [approve], script: "true"}
`
}

const asks = `{type: approval, prompt: "Ship {{ input }}?", freeform: true, TIMEOUT choices: [{key: s, label: Ship it, target: publish}, {key: r, label: Again, target: build}, {key: a, label: Abort, target: _fail}]}`

// typist answers at a terminal whenever it is asked.
type typist struct {
	mu      sync.Mutex
	to      *os.File
	printed bytes.Buffer
	answers []string // one for each time that a choice is asked for
}

func (p *typist) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.printed.Write(b)
	if strings.Contains(string(b), "Choice: ") && len(p.answers) > 0 {
		_, _ = p.to.WriteString(p.answers[0])
		p.answers = p.answers[1:]
	}
	return len(b), nil
}

// typing has a run asked at a terminal.
func typing(t *testing.T, answers ...string) (*typist, func(*Options)) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("this machine has no terminals: %v", err)
	}
	if _, err := term.MakeRaw(int(slave.Fd())); err != nil {
		t.Fatal(err)
	}
	p := &typist{to: master, answers: answers}
	t.Cleanup(func() { _ = master.Close(); _ = slave.Close() }) // ends whoever reads
	return p, func(o *Options) { o.In, o.Out = slave, p }
}

// messages are those of the events of a run, but of its beginning.
func (p *project) messages(run string) string {
	p.t.Helper()
	var list []string
	rec, err := openRecordToRead(p, run)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, e := range rec {
		if e.State == "started" || e.Step == "" && e.State == "completed" || e.Step == "build" || e.Step == "publish" && e.State != "pending" || e.State == "running" && e.Step == "" {
			continue
		}
		list = append(list, e.Step+" "+e.State+" "+e.Message)
	}
	return strings.Join(list, "\n")
}

func TestGatesOfTheLocalEngine(t *testing.T) {
	for name, row := range map[string]struct {
		gate    string
		answers []string
		request runner.Request
		mute    bool // without a terminal
		outcome Outcome
		says    string
		states  string
		events  string
		notes   string
	}{
		"it is approved": {
			gate: asks, answers: []string{"x\n", " s \nfor v2\n"}, outcome: Completed, states: "build=succeeded approve=succeeded publish=succeeded", notes: "for v2",
			events: "approve running gate step: approval\n gate_waiting gate: approval — \n gate_resolved gate resolved: Ship it (s)\napprove completed gate step completed",
		},
		"it is aborted": {
			gate: asks, answers: []string{"a\n\n"}, outcome: Failed, says: `step "approve" failed: gate "approve" aborted with choice "Abort"`, states: "build=succeeded approve=failed publish=skipped",
			events: "approve running gate step: approval\n gate_waiting gate: approval — \n gate_resolved gate resolved: Abort (a)\napprove completed gate step completed\napprove failed gate \"approve\" aborted with choice \"Abort\"",
		},
		"it leads back": {
			gate: asks, answers: []string{"r\n\n", "s\n\n"}, outcome: Completed, states: "build=succeeded approve=succeeded publish=succeeded",
			events: "approve running gate step: approval\n gate_waiting gate: approval — \n gate_resolved gate resolved: Again (r)\napprove completed gate step completed\n" +
				"approve pending re-queued by gate routing to \"build\"\npublish pending re-queued by gate routing to \"build\"\n" +
				"approve running gate step: approval\n gate_waiting gate: approval — \n gate_resolved gate resolved: Ship it (s)\napprove completed gate step completed",
		},
		"its time is over, and it has a default": {
			gate: strings.Replace(asks, "TIMEOUT", "timeout: 50ms, default: s,", 1), outcome: Completed, states: "build=succeeded approve=succeeded publish=succeeded",
			events: "approve running gate step: approval\n gate_waiting gate: approval — \n gate_resolved gate timed out, using default: Ship it\napprove completed gate step completed",
		},
		"its time is over": {
			gate: strings.Replace(asks, "TIMEOUT", "timeout: 50ms,", 1), outcome: Failed, says: `step "approve" failed: gate timed out after 50ms`, states: "build=succeeded approve=failed publish=skipped",
			events: "approve running gate step: approval\n gate_waiting gate: approval — \napprove failed gate timed out after 50ms",
		},
		"nobody can be asked": {
			gate: asks, mute: true, outcome: Failed, says: "gate requires interactive terminal (stdin is not a TTY)", states: "build=succeeded approve=failed publish=skipped",
		},
		"it is approved by itself": {
			gate: strings.Replace(asks, "TIMEOUT", "default: a,", 1), mute: true, request: runner.Request{AutoApprove: true}, outcome: Failed, says: `aborted with choice "Abort"`, states: "build=succeeded approve=failed publish=skipped",
		},
		"it approves itself": {
			gate: "{type: approval, auto: true, message: m}", mute: true, outcome: Completed, states: "build=succeeded approve=succeeded publish=succeeded",
			events: "approve running gate step: approval\n gate_waiting gate: approval — m\n gate_resolved gate auto-approved\napprove completed gate step completed",
		},
		"a timer": {
			gate: "{type: timer, timeout: 20ms}", mute: true, outcome: Completed, states: "build=succeeded approve=succeeded publish=succeeded",
			events: "approve running gate step: timer\n gate_waiting gate: timer — \n gate_resolved timer gate elapsed: 20ms\napprove completed gate step completed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, gated(strings.Replace(row.gate, "TIMEOUT", "", 1)))
			row.request.Input = "v2"
			typist, adapt := typing(t, row.answers...)
			if row.mute {
				adapt = func(*Options) {}
			}
			res := p.run(row.request, adapt)
			if res.Outcome != row.outcome || !strings.Contains(res.Message, row.says) {
				t.Fatalf("%+v", res)
			}
			if got := states(p.readBack(res.Run)); got != row.states {
				t.Error(got)
			}
			if got := p.messages(res.Run); row.events != "" && got != row.events {
				t.Errorf("events\n%s\nwant\n%s", got, row.events)
			}
			if len(row.answers) > 0 && !strings.Contains(typist.printed.String(), "\n  Ship v2?\n\n  [s] Ship it\n  [r] Again\n  [a] Abort (abort)\n") {
				t.Errorf("it asked %q", typist.printed.String())
			}
			notes, _ := os.ReadFile(filepath.Join(p.dir, ".agents/workspaces", res.Run, ".agents/artifacts/gate-approve-text"))
			if string(notes) != row.notes {
				t.Errorf("notes %q", notes)
			}
			if again := strings.Count(p.read("built"), "x"); again != 1+strings.Count(row.events, "to \"build\"")/2 {
				t.Errorf("it was built %d times", again)
			}
		})
	}
}

func TestARunOfTheLocalEngineIsStoppedAtItsGate(t *testing.T) {
	p := newProject(t, gated(strings.Replace(asks, "TIMEOUT", "", 1)))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	_, adapt := typing(t)
	opt := Options{Catalog: p.catalog(), Request: runner.Request{Pipeline: "p"}, grace: time.Second}
	adapt(&opt)
	typist := opt.Out.(*typist)
	ended := make(chan Result, 1)
	go func() {
		res, err := Run(ctx, opt)
		if err != nil {
			t.Error(err)
		}
		ended <- res
	}()
	p.await("the question", func() bool {
		typist.mu.Lock()
		defer typist.mu.Unlock()
		return strings.Contains(typist.printed.String(), "Choice: ")
	})
	stop()
	res := <-ended
	d := p.readBack(res.Run)
	if d.Run.State != wave.Cancelled || states(d) != "build=succeeded approve=cancelled publish=skipped" {
		t.Errorf("%s: %s", d.Run.State, states(d))
	}
}

// TestGatesAskOneAfterTheOther: answers are read from one place.
func TestGatesAskOneAfterTheOther(t *testing.T) {
	one := "{type: approval, choices: [{key: KEY, label: L}]}"
	p := newProject(t, "\n  - {id: a, gate: "+strings.Replace(one, "KEY", "x", 1)+"}\n  - {id: b, gate: "+strings.Replace(one, "KEY", "x", 1)+"}\n")
	_, adapt := typing(t, "x\n", "x\n")
	if res := p.run(runner.Request{}, adapt); res.Outcome != Completed {
		t.Errorf("%+v", res)
	}
}

func TestGatesThatWouldFailAreRefused(t *testing.T) {
	for name, gate := range map[string]string{
		"a timer without a time":       "{type: timer}",
		"a time that is none":          "{type: approval, timeout: soon, choices: [{key: x, label: L}]}",
		"a choice without a key":       "{type: approval, choices: [{label: L}]}",
		"two choices of one key":       "{type: approval, choices: [{key: x, label: L}, {key: x, label: M}]}",
		"a default that is no choice":  "{type: approval, default: y, choices: [{key: x, label: L}]}",
		"one for a pull request":       "{type: pr_merge, pr_number: 4}",
		"one for checks of a commit":   "{type: ci_pass}",
		"one that says not what it is": "{prompt: x}",
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, "\n  - {id: bad, gate: "+gate+"}\n")
			if plan, err := Check(p.catalog(), runner.Request{Pipeline: "p"}); err == nil {
				t.Errorf("it is planned: %v", plan)
			}
		})
	}
}

type recorded struct{ Step, State, Message string }

func openRecordToRead(p *project, run string) (list []recorded, err error) {
	db, err := statedb.Open(p.t.Context(), filepath.Join(p.dir, ".agents/state.db"))
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return list, db.Select(&list, `SELECT step_id AS step, state, message FROM event_log WHERE run_id = ? ORDER BY id`, run)
}
