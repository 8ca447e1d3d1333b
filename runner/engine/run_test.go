//go:build unix

package engine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wavedeck/runner"
	"wavedeck/store/control"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

func TestAPipelineOfCommandsRuns(t *testing.T) {
	p := newProject(t, `
  - id: first
    type: command
    script: |
      printf '{"who":"%s"}' "{{ input }}" > .agents/output/who.json
      echo told {{ input }}
      echo careful >&2
    output_artifacts:
      - {name: who, path: .agents/output/who.json, type: json}
      - {name: said, source: stdout, type: text}
    handover: {contract: {type: json_schema, source: .agents/output/who.json, schema_path: who.schema.json, must_pass: true}}
  - id: left
    type: command
    dependencies: [first]
    script: touch ../here-left; while ! test -e ../here-right; do sleep 0.01; done; cat .agents/artifacts/first/who.json
  - id: right
    type: command
    dependencies: [first]
    memory: {inject_artifacts: [{step: first, artifact: said, as: words}]}
    script: touch ../here-right; while ! test -e ../here-left; do sleep 0.01; done; cat .agents/artifacts/words; cat .agents/output/who.json > .agents/output/copy.json
    output_artifacts: [{name: copy, path: .agents/output/copy.json, type: json, required: true}]
  - id: last
    type: command
    dependencies: [left, right]
    script: test -s .agents/output/copy.json
`, "who.schema.json", `{"type":"object","required":["who"]}`)
	res := p.run(runner.Request{Input: "Ada"})
	if res.Outcome != Completed {
		t.Fatalf("%+v", res)
	}
	d := p.readBack(res.Run)
	if got := states(d); got != "first=succeeded left=succeeded right=succeeded last=succeeded" {
		t.Error(got)
	}
	t.Run("the run is told as Wave's are", func(t *testing.T) {
		run := d.Run
		if run.State != wave.Succeeded || run.Input != "Ada" || !run.HasDuration || run.CoarseSecond || run.StepsAll != 4 || run.StepsDone != 4 || run.PID != os.Getpid() {
			t.Errorf("%+v", run)
		}
	})
	t.Run("steps have durations in milliseconds, and an attempt", func(t *testing.T) {
		s := step(t, d, "right")
		if !s.HasDuration || s.CoarseSecond || len(s.Attempts) != 1 || s.Attempts[0].State != wave.Succeeded {
			t.Errorf("%+v", s)
		}
		if !strings.Contains(s.Attempts[0].OutputTail, "told Ada") {
			t.Errorf("tail %q", s.Attempts[0].OutputTail)
		}
	})
	t.Run("artifacts are where Wave puts them", func(t *testing.T) {
		var got []string
		for _, a := range d.Artifacts {
			got = append(got, strings.TrimPrefix(a.Path, ".agents/workspaces/"+res.Run+"/"))
		}
		want := "first/.agents/artifacts/first/who.json first/.agents/artifacts/first/said right/.agents/artifacts/right/copy.json"
		if strings.Join(got, " ") != want {
			t.Errorf("%v", got)
		}
		if text := p.read(d.Artifacts[1].Path); text != "told Ada\n" {
			t.Errorf("stdout artifact %q", text)
		}
	})
	t.Run("the contract is told as passed", func(t *testing.T) {
		if c := step(t, d, "first").Contract; c == nil || c.Result != "passed" {
			t.Errorf("%+v", c)
		}
	})
}

func TestHowRunsEnd(t *testing.T) {
	for _, test := range []struct {
		name    string
		steps   string
		request runner.Request
		outcome Outcome
		states  string
		says    string
	}{
		{
			name: "a failing command fails the run and stops the others", outcome: Failed,
			steps: `
  - {id: a, type: command, script: "echo broken >&2; exit 3"}
  - {id: b, type: command, dependencies: [a], script: "true"}
`,
			states: "a=failed b=skipped", says: `step "a" failed: exit status 3`,
		},
		{
			name: "with on-failure skip the rest goes on", outcome: Failed, request: runner.Request{OnFailure: runner.Skip},
			steps: `
  - {id: a, type: command, script: "exit 1"}
  - {id: b, type: command, dependencies: [a], script: "true"}
  - {id: c, type: command, dependencies: [b], script: "true"}
  - {id: d, type: command, script: "sleep 0.2"}
  - {id: e, type: command, dependencies: [d], script: "true"}
`,
			states: "a=failed b=skipped c=skipped d=succeeded e=succeeded", says: `step "a" failed`,
		},
		{
			name: "an optional step may fail", outcome: Completed,
			steps: `
  - {id: a, type: command, optional: true, script: "exit 1"}
  - {id: b, type: command, dependencies: [a], script: "true"}
  - {id: c, type: command, script: "true"}
`,
			states: "a=failed b=skipped c=succeeded",
		},
		{
			name: "a step is tried again", outcome: Completed,
			steps: `
  - id: a
    type: command
    retry: {policy: aggressive, max_attempts: 3, base_delay: 1ms}
    script: "echo x >> tries; test $(wc -l < tries) -ge 3"
`,
			states: "a=succeeded",
		},
		{
			name: "a step is not tried for ever", outcome: Failed,
			steps: `
  - {id: a, type: command, retry: {policy: standard, base_delay: 1ms, backoff: fixed}, script: "echo x >> tries; test $(wc -l < tries) -gt 3"}
`,
			states: "a=failed", says: "exit status 1",
		},
		{
			name: "a contract fails the step", outcome: Failed,
			steps: `
  - id: a
    type: command
    script: "echo '{}' > .agents/output/x.json"
    handover: {contract: {type: json_schema, source: .agents/output/x.json, schema: '{"required":["y"]}', must_pass: true, on_failure: fail}}
`,
			states: "a=failed", says: "missing property 'y'",
		},
		{
			name: "a contract rejects", outcome: Rejected,
			steps: `
  - id: a
    type: command
    script: "true"
    handover: {contract: {type: non_empty_file, source: .agents/output/x, on_failure: rejected}}
`,
			states: "a=rejected",
		},
		{
			name: "a contract that need not pass only tells", outcome: Completed,
			steps: `
  - id: a
    type: command
    script: ": > .agents/output/x"
    handover: {contracts: [{type: non_empty_file, source: .agents/output/x}, {type: format, source: .agents/output/x, on_failure: warn}]}
`,
			states: "a=succeeded",
		},
		{
			name: "a test suite decides", outcome: Failed,
			steps: `
  - id: a
    type: command
    script: "echo 1 > x"
    handover: {contracts: [{type: test_suite, command: "test -s x", must_pass: true}, {type: test_suite, command: "grep 2 x", must_pass: true}]}
`,
			states: "a=failed", says: "test_suite",
		},
		{
			name: "a step that takes too long is ended", outcome: Failed, request: runner.Request{Timeout: time.Minute},
			steps: `
  - {id: a, type: command, script: "sleep 60 & sleep 60"}
`,
			states: "a=failed", says: "timed out after 200ms",
		},
		{
			name: "what a step leaves in the background ends with it", outcome: Completed,
			steps: `
  - {id: a, type: command, script: "sleep 60 & echo done"}
`,
			states: "a=succeeded",
		},
		{
			name: "a missing artifact that is required fails the step", outcome: Failed,
			steps: `
  - {id: a, type: command, script: "true", output_artifacts: [{name: x, path: x, required: true}]}
`,
			states: "a=failed", says: `artifact "x"`,
		},
		{
			name: "an artifact that is a FIFO is not waited for", outcome: Completed,
			steps: `
  - {id: a, type: command, script: "mkfifo x", output_artifacts: [{name: x, path: x}]}
`,
			states: "a=succeeded",
		},
		{
			name: "a link out of the workspace is no artifact", outcome: Failed,
			steps: `
  - {id: a, type: command, script: "ln -s /etc/passwd x", output_artifacts: [{name: x, path: x, required: true}]}
`,
			states: "a=failed", says: "escapes",
		},
		{
			name: "only the steps asked for run", outcome: Completed, request: runner.Request{Steps: []string{"a", "b"}, Exclude: []string{"b"}},
			steps: `
  - {id: a, type: command, script: "true"}
  - {id: b, type: command, script: "exit 1"}
  - {id: c, type: command, script: "exit 1"}
`,
			states: "a=succeeded b=skipped c=skipped",
		},
		{
			name: "a dry run executes nothing", outcome: Completed, request: runner.Request{DryRun: true},
			steps: `
  - {id: a, type: command, script: "exit 1"}
`,
			states: "a=skipped",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProject(t, test.steps)
			res := p.run(test.request, func(o *Options) { o.minute = 200 * time.Millisecond })
			if res.Outcome != test.outcome || !strings.Contains(res.Message, test.says) {
				t.Errorf("%s: %s", res.Outcome, res.Message)
			}
			d := p.readBack(res.Run)
			if got := states(d); got != test.states {
				t.Errorf("steps %s", got)
			}
			want := map[Outcome]wave.State{Completed: wave.Succeeded, Failed: wave.Failed, Rejected: wave.Rejected}[test.outcome]
			if d.Run.State != want || !strings.Contains(d.Run.Error, test.says) || d.Run.DryRun != test.request.DryRun {
				t.Errorf("told as %s: %q, a dry run: %t", d.Run.State, d.Run.Error, d.Run.DryRun)
			}
		})
	}
}

func TestAttemptsAreRecordedLikeWaves(t *testing.T) {
	p := newProject(t, `
  - {id: a, type: command, retry: {policy: standard, base_delay: 1ms}, script: "echo try; exit 1"}
`)
	res := p.run(runner.Request{})
	s := step(t, p.readBack(res.Run), "a")
	if len(s.Attempts) != 3 {
		t.Fatalf("%+v", s.Attempts)
	}
	for i, a := range s.Attempts {
		if a.Number != i+1 || a.State != wave.Failed || !a.HasDuration || a.CoarseSecond || a.Error == "" || a.FailureClass != "deterministic" || a.OutputTail != "try\n" {
			t.Errorf("%+v", a)
		}
	}
	if s.Retries != 3 {
		t.Errorf("retries %d", s.Retries)
	}
}

func TestWhatTheEngineDoesNotDoIsRefusedBeforeAnythingRuns(t *testing.T) {
	const ok = "\n  - {id: ok, type: command, script: touch ../../ran}\n"
	for name, test := range map[string]struct{ steps, engine string }{
		"a gate for a pull request":           {"  - {id: bad, gate: {type: pr_merge}}", "wave"},
		"an iteration":                        {"  - {id: bad, pipeline: p, iterate: {over: '[1]'}}", "wave"},
		"a sub-pipeline":                      {"  - {id: bad, pipeline: p}", "wave"},
		"a branch":                            {"  - {id: bad, branch: {on: x, cases: {a: skip}}}", "wave"},
		"a loop":                              {"  - {id: bad, loop: {max_iterations: 2, steps: [{id: x, type: command, script: 'true'}]}}", "wave"},
		"an aggregation":                      {"  - {id: bad, aggregate: {from: x, into: y}}", "wave"},
		"a matrix":                            {"  - {id: bad, persona: writer, strategy: {type: matrix, items_source: x}}", "wave"},
		"a conditional step":                  {"  - {id: bad, type: conditional, edges: [{target: ok}]}", "wave"},
		"edges":                               {"  - {id: bad, type: command, script: 'true', edges: [{target: ok}]}", "wave"},
		"a thread":                            {"  - {id: bad, persona: writer, thread: t, exec: {type: prompt, source: x}}", "wave"},
		"a rework by a step that runs anyway": {"  - {id: bad, type: command, script: 'true', retry: {on_failure: rework, rework_step: ok}}", ""},
		"a review":                            {"  - {id: bad, type: command, script: 'true', handover: {contract: {type: agent_review}}}", "wave"},
		"another step's output":               {"  - {id: bad, type: command, script: 'echo {{ steps.ok.outputs.x }}'}", "wave"},
		"an unknown persona":                  {"  - {id: bad, persona: nobody, exec: {type: prompt, source: x}}", ""},
		"an adapter that is absent":           {"  - {id: bad, persona: writer, exec: {type: prompt, source: x}}", ""},
		"an input that is code":               {"  - {id: bad, type: command, script: 'eval {{ input }}'}", ""},
		"a format with a schema":              {"  - {id: bad, type: command, script: 'true', handover: {contract: {type: format, schema_path: github-pr-draft.schema.json}}}", "wave"},
		"an unknown policy":                   {"  - {id: bad, type: command, script: 'true', retry: {policy: heroic}}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PATH", "/usr/bin:/bin")
			p := newProject(t, ok+test.steps+"\n")
			_, err := Run(t.Context(), Options{Catalog: p.catalog(), Request: runner.Request{Pipeline: "p"}})
			var refused *runner.UnsupportedError
			if !errors.As(err, &refused) || refused.Step != "bad" || refused.Engine != test.engine || !strings.Contains(err.Error(), test.engine) {
				t.Errorf("%v", err)
			}
			if _, err := os.Stat(filepath.Join(p.dir, ".agents/workspaces")); err == nil {
				t.Error("something ran")
			}
		})
	}
}

func TestARefusalOfAReservedRunIsRecorded(t *testing.T) {
	p := newProject(t, "  - {id: bad, gate: {type: pr_merge}}\n")
	res, err := Run(t.Context(), Options{Catalog: p.catalog(), Request: runner.Request{Pipeline: "p", ID: "p-1"}})
	if err == nil || res.Outcome != Failed {
		t.Fatalf("%+v, %v", res, err)
	}
	if run := p.readBack("p-1").Run; run.State != wave.Failed || !strings.Contains(run.Error, "a gate") {
		t.Errorf("%s: %q", run.State, run.Error)
	}
}

func TestInputsOfNoUseAreRefused(t *testing.T) {
	p := newProject(t, "  - {id: a, type: command, script: 'true'}\n")
	for name, test := range map[string]struct {
		request runner.Request
		field   string
	}{
		"a NUL character":       {runner.Request{Input: "a\x00b"}, "input"},
		"what is not UTF-8":     {runner.Request{Input: "\xff"}, "input"},
		"too long a text":       {runner.Request{Input: strings.Repeat("x", 121<<10)}, "input"},
		"a step there is not":   {runner.Request{Steps: []string{"a", "zzz"}}, "steps"},
		"a first step that is":  {runner.Request{FromStep: "zzz"}, "from_step"},
		"an id with a slash":    {runner.Request{ID: "../x"}, "id"},
		"an unknown on-failure": {runner.Request{OnFailure: "cry"}, "on_failure"},
		"part of a minute":      {runner.Request{Timeout: time.Second}, "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			test.request.Pipeline = "p"
			_, err := Check(p.catalog(), test.request)
			var input *runner.InputError
			if !errors.As(err, &input) || input.Field != test.field {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("a pipeline there is not", func(t *testing.T) {
		if _, err := Check(p.catalog(), runner.Request{Pipeline: "q"}); !errors.Is(err, runner.ErrUnknownPipeline) {
			t.Error(err)
		}
	})
}

// TestAResumedRunOpensFilesOnly: where an artifact lies is what a row says, and that
// may be anything.
func TestAResumedRunOpensFilesOnly(t *testing.T) {
	const steps = `
  - {id: a, type: command, script: "echo one > .agents/output/x", output_artifacts: [{name: x, path: .agents/output/x}]}
  - {id: b, type: command, dependencies: [a], script: "test -e ../../../../mended"}
`
	for name, place := range map[string]func(*project) string{
		"a FIFO, which nobody writes": func(p *project) string {
			if err := syscall.Mkfifo(filepath.Join(p.dir, "pipe"), 0o644); err != nil {
				t.Fatal(err)
			}
			return "pipe"
		},
		"the state database": func(*project) string { return ".agents/state.db" },
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, steps)
			first := p.run(runner.Request{})
			p.write("mended", "")
			storetest.At(t, storetest.StatePath(p.dir)).Exec("UPDATE artifact SET path = ?", place(p))
			resumed := make(chan error, 1)
			go func() {
				_, err := Run(t.Context(), Options{Catalog: p.catalog(), Request: runner.Request{Pipeline: "p", FromStep: "b", Original: first.Run}})
				resumed <- err
			}()
			select {
			case err := <-resumed:
				var conflict *runner.ConflictError
				if !errors.As(err, &conflict) || !strings.Contains(err.Error(), `the output "x" of step "a" is a`) {
					t.Errorf("%v", err)
				}
			case <-time.After(time.Minute):
				t.Fatal("it waits")
			}
		})
	}
}

func TestAResumedRunUsesWhatTheOriginalLeft(t *testing.T) {
	const steps = `
  - {id: a, type: command, script: "echo from {{ input }} > .agents/output/x; echo ran >> ../../../../a-ran", output_artifacts: [{name: x, path: .agents/output/x}]}
  - {id: b, type: command, dependencies: [a], script: "test -e ../../../../mended && cat .agents/output/x", output_artifacts: [{name: y, source: stdout}]}
  - {id: c, type: command, dependencies: [b], script: "true"}
`
	p := newProject(t, steps)
	first := p.run(runner.Request{Input: "one"})
	if first.Outcome != Failed {
		t.Fatalf("%+v", first)
	}
	p.write("mended", "")
	resumed := p.run(runner.Request{Input: "one", FromStep: "b", Original: first.Run})
	if resumed.Outcome != Completed {
		t.Fatalf("%+v", resumed)
	}
	if got := p.read("a-ran"); got != "ran\n" {
		t.Errorf("a ran %q", got)
	}
	d := p.readBack(resumed.Run)
	if text := p.read(d.Artifacts[0].Path); text != "from one\n" {
		t.Errorf("b read %q", text)
	}
	if d.Run.Parent != first.Run || d.Run.ParentStep != "b" || d.Run.Kind != "resume" || d.Run.State != wave.Succeeded {
		t.Errorf("%+v", d.Run)
	}
	t.Run("also when that was resumed itself, and a newer run left other things", func(t *testing.T) {
		if err := os.Remove(filepath.Join(p.dir, "mended")); err != nil {
			t.Fatal(err)
		}
		second := p.run(runner.Request{Input: "one", FromStep: "b", Original: first.Run})
		p.run(runner.Request{Input: "another"})
		p.write("mended", "")
		third := p.run(runner.Request{Input: "one", FromStep: "b", Original: second.Run})
		if second.Outcome != Failed || third.Outcome != Completed {
			t.Fatalf("%+v, %+v", second, third)
		}
		if text := p.read(p.readBack(third.Run).Artifacts[0].Path); text != "from one\n" {
			t.Errorf("b read %q", text)
		}
	})
	t.Run("a first step without a run to take outputs from is refused", func(t *testing.T) {
		_, err := Check(p.catalog(), runner.Request{Pipeline: "p", FromStep: "b"})
		var input *runner.InputError
		if !errors.As(err, &input) || input.Field != "from_step" {
			t.Error(err)
		}
	})
	t.Run("what was cleaned up is said before anything starts", func(t *testing.T) {
		gone := p.run(runner.Request{Input: "gone", Exclude: []string{"c"}})
		if err := os.RemoveAll(filepath.Join(p.dir, ".agents/workspaces", gone.Run)); err != nil {
			t.Fatal(err)
		}
		_, err := Run(t.Context(), Options{Catalog: p.catalog(), Request: runner.Request{Pipeline: "p", FromStep: "b", Original: gone.Run}})
		var conflict *runner.ConflictError
		if !errors.As(err, &conflict) || !strings.Contains(err.Error(), "cleaned up") {
			t.Error(err)
		}
	})
	t.Run("a step whose need was not completed cannot be the first", func(t *testing.T) {
		_, err := Check(p.catalog(), runner.Request{Pipeline: "p", FromStep: "c", Original: first.Run, Completed: []string{"a"}})
		var conflict *runner.ConflictError
		if !errors.As(err, &conflict) || conflict.Step != "c" {
			t.Error(err)
		}
	})
}

func TestARunIsBegunOnce(t *testing.T) {
	p := newProject(t, "  - {id: a, type: command, script: 'true'}\n")
	p.run(runner.Request{ID: "p-1"})
	if _, err := Run(t.Context(), Options{Catalog: p.catalog(), Request: runner.Request{Pipeline: "p", ID: "p-1"}}); !errors.Is(err, control.ErrTaken) {
		t.Error(err)
	}
}
