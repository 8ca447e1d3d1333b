//go:build unix

package wave

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wavedeck/runner"
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
		"a tool that is not installed": {head: "requires: {tools: [sh, no-such-tool]}\n", steps: step, want: `requires "no-such-tool", not found`},
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
