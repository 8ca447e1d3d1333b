//go:build unix

package engine

import (
	"strings"
	"testing"

	"wavedeck/runner"
	"wavedeck/store/wave"
)

const reworked = `
  - {id: first, type: command, script: "echo 1 > .agents/output/n", output_artifacts: [{name: n, path: .agents/output/n}]}
  - id: convert
    type: command
    dependencies: [first]
    script: echo half > .agents/output/list.txt; echo cannot read page 2 >&2; exit 3
    output_artifacts: [{name: list, path: .agents/output/list.txt, type: text}]
    retry: {max_attempts: 2, base_delay: 1ms, on_failure: rework, rework_step: by-hand}
  - id: by-hand
    rework_only: true
    type: command
    script: %SCRIPT%
    output_artifacts: [{name: list, path: .agents/output/list.txt, type: text}]
  - id: publish
    type: command
    dependencies: [convert]
    memory: {inject_artifacts: [{step: convert, artifact: list, as: list.txt}]}
    script: cat .agents/artifacts/list.txt
    output_artifacts: [{name: published, source: stdout, type: text}]
`

func TestAStepThatFailedIsReworked(t *testing.T) {
	t.Run("its outputs are those of the rework step, and the run goes on", func(t *testing.T) {
		p := newProject(t, strings.Replace(reworked, "%SCRIPT%", "echo whole > .agents/output/list.txt", 1))
		res := p.run(runner.Request{})
		if res.Outcome != Completed {
			t.Fatalf("%+v", res)
		}
		d := p.readBack(res.Run)
		if got := states(d); got != "first=succeeded convert=succeeded by-hand=succeeded publish=succeeded" {
			t.Error(got)
		}
		if got := step(t, d, "convert"); got.Note != "reworked by by-hand" {
			t.Errorf("how it was reworked is not recorded: %+v", got)
		}
		if text := p.read(".agents/workspaces/" + res.Run + "/publish/.agents/artifacts/publish/published"); text != "whole\n" {
			t.Errorf("the next step was given %q", text)
		}
	})
	t.Run("a rework that fails too fails the run", func(t *testing.T) {
		p := newProject(t, strings.Replace(reworked, "%SCRIPT%", "echo no hands >&2; exit 4", 1))
		res := p.run(runner.Request{})
		if res.Outcome != Failed || !strings.Contains(res.Message, `step "convert" failed: `) {
			t.Fatalf("%+v", res)
		}
		if got := states(p.readBack(res.Run)); got != "first=succeeded convert=failed by-hand=failed publish=skipped" {
			t.Error(got)
		}
	})
	t.Run("a step that went well is not reworked", func(t *testing.T) {
		p := newProject(t, strings.Replace(strings.Replace(reworked, "exit 3", "exit 0", 1), "%SCRIPT%", "exit 5", 1))
		res := p.run(runner.Request{})
		if d := p.readBack(res.Run); res.Outcome != Completed || step(t, d, "by-hand").State == wave.Failed {
			t.Errorf("%+v %s", res, states(d))
		}
	})
	t.Run("what the rework step needs is looked at before the start", func(t *testing.T) {
		p := newProject(t, strings.Replace(reworked, "%SCRIPT%", `"echo $(({{ input }}))"`, 1))
		if _, err := Check(p.catalog(), runner.Request{Pipeline: "p"}); err == nil || !strings.Contains(err.Error(), "by-hand") {
			t.Errorf("refused with %v", err)
		}
		p = newProject(t, strings.Replace(strings.Replace(reworked, "rework_step: by-hand", "rework_step: by-foot", 1), "%SCRIPT%", "true", 1))
		if _, err := Check(p.catalog(), runner.Request{Pipeline: "p"}); err == nil || !strings.Contains(err.Error(), "by-foot") {
			t.Errorf("refused with %v", err)
		}
	})
}

func TestAnAdapterWithAFolderIsFoundInTheProject(t *testing.T) {
	p := newProject(t, "  - {id: a, persona: writer, exec: {type: prompt, source: hello}}\n",
		"wave.yaml", "metadata: {name: shop}\nadapters:\n  claude: {binary: bin/claude}\npersonas:\n  writer: {adapter: claude}\n")
	if _, err := Check(p.catalog(), runner.Request{Pipeline: "p"}); err == nil || !strings.Contains(err.Error(), "bin/claude") {
		t.Errorf("a program that does not exist: %v", err)
	}
	p.write("bin/claude", "#!/bin/sh\ncat > /dev/null\necho '{\"result\": \"done\"}'\n")
	if res := p.run(runner.Request{}); res.Outcome != Completed {
		t.Errorf("%+v", res)
	}
}
