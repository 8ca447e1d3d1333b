//go:build unix

package wave

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wavedeck/runner"
	"wavedeck/store/manifest"
)

func TestThePlanForeseesWhatWaveRefuses(t *testing.T) {
	step := "  - {id: a, type: command, script: 'true'}\n"
	for name, test := range map[string]struct {
		head, steps string
		ask         runner.Request
		want        string // a part of the error; empty: none
	}{
		"steps that depend on each other": {
			steps: "  - {id: a, dependencies: [b], type: command, script: 'true'}\n  - {id: b, dependencies: [a], type: command, script: 'true'}\n",
			want:  "dependency cycle",
		},
		"the same where edges lead back": {
			steps: "  - {id: a, dependencies: [b], type: command, script: 'true'}\n  - {id: b, dependencies: [a], type: command, script: 'true', edges: [{target: a}]}\n",
		},
		"a step that depends on none": {
			steps: "  - {id: a, dependencies: [zz], type: command, script: 'true'}\n", want: `depends on "zz": there is no such step`,
		},
		"a tool that is not installed": {head: "requires: {tools: [sh, no-such-tool]}\n", steps: step, want: `requires "no-such-tool", which the console does not find`},
		"the same for a plan alone":    {head: "requires: {tools: [no-such-tool]}\n", steps: step, ask: runner.Request{DryRun: true}},
		"tools that are there":         {head: "requires: {tools: [sh, '{{ forge.cli_tool }}']}\n", steps: step},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "")
			w.write(".agents/pipelines/fix.yaml", "kind: WavePipeline\nmetadata: {name: fix}\n"+test.head+"steps:\n"+test.steps)
			test.ask.Pipeline = "fix"
			_, err := w.Plan(t.Context(), test.ask)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("it says %v", err)
			}
		})
	}
}

func TestThePlanNeedsAProgramThatCanBeExecuted(t *testing.T) {
	w := newWorld(t, "")
	for name, binary := range map[string]string{"none": filepath.Join(w.root, "none"), "a file that is no program": filepath.Join(w.root, "wave.yaml")} {
		w.binary = binary
		if _, err := os.Stat(binary); err == nil && name == "none" {
			t.Fatal("there is one")
		}
		if _, err := w.Plan(t.Context(), runner.Request{Pipeline: "fix"}); !errors.Is(err, runner.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestThePlanWarnsOfGatesInside(t *testing.T) {
	w := newWorld(t, "")
	pipeline := func(name, steps string) {
		w.write(".agents/pipelines/"+name+".yaml", "kind: WavePipeline\nmetadata: {name: "+name+"}\nsteps:\n"+steps)
	}
	const gate = "  - {id: ask, gate: {type: approval, prompt: Ship}}\n"
	pipeline("asks", gate)
	pipeline("around", "  - {id: x, pipeline: asks}\n")
	pipeline("itself", "  - {id: x, pipeline: itself}\n  - {id: y, pipeline: none}\n")
	pipeline("timer", "  - {id: wait, gate: {type: timer, timeout: 1s}}\n")
	for name, test := range map[string]struct{ steps, gate string }{
		"in a pipeline":                   {"  - {id: a, pipeline: asks}\n", `the gate "ask" of "asks"`},
		"two pipelines deep":              {"  - {id: a, pipeline: around}\n", `the gate "ask" of "asks"`},
		"in an arm of a branch":           {"  - {id: a, branch: {on: x, cases: {y: skip, z: asks}}}\n", `the gate "ask" of "asks"`},
		"in a loop":                       {"  - id: a\n    loop:\n      max_iterations: 2\n      until: x\n      steps:\n        - {id: ask, gate: {type: approval, prompt: Ship}}\n", `the gate "ask"`},
		"once per item":                   {"  - {id: a, pipeline: asks, iterate: {over: x, mode: serial}}\n", `the gate "ask" of "asks"`},
		"none that a person answers":      {"  - {id: a, pipeline: timer}\n", ""},
		"none in a circle or in no file":  {"  - {id: a, pipeline: itself}\n", ""},
		"none where a command does it":    {"  - {id: a, type: command, script: 'true'}\n", ""},
		"one that is a step, and no more": {gate, "waits for an approval"},
	} {
		t.Run(name, func(t *testing.T) {
			pipeline("fix", test.steps)
			another := strings.Contains(test.gate, " of ")
			for _, approve := range []bool{false, true} {
				steps, err := w.Plan(t.Context(), runner.Request{Pipeline: "fix", AutoApprove: approve})
				if err != nil || len(steps) != 1 {
					t.Fatal(steps, err)
				}
				warned := test.gate != "" && (!approve || another)
				if got := steps[0].Warn; warned != (got != "") || warned && !strings.Contains(got, test.gate) {
					t.Errorf("approved automatically %t: it warns %q", approve, got)
				}
			}
			if gated := runner.Gated(mustPipeline(t, w)); gated != (test.gate != "" && !another) {
				t.Errorf("gated: %t", gated)
			}
		})
	}
}

func mustPipeline(t *testing.T, w *world) manifest.Pipeline {
	t.Helper()
	p, known := w.catalog().Pipeline("fix")
	if !known {
		t.Fatal("there is no pipeline")
	}
	return p
}
