package manifest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStepKinds(t *testing.T) {
	tests := []struct {
		name string
		step string
		want Kind
	}{
		{"a persona with a prompt", "persona: nav, exec: {type: prompt, source: x}", KindPrompt},
		{"a slash command is given to a persona", "persona: nav, exec: {type: slash_command, command: review}", KindPrompt},
		{"a command by its type", "type: command, script: ls", KindCommand},
		{"a command by its exec", "exec: {type: command, source: ls}", KindCommand},
		{"a script without persona", "script: ls", KindCommand},
		{"a pipeline of its own", "pipeline: other, input: x", KindPipeline},
		{"an iteration over a pipeline", "pipeline: other, iterate: {over: '[1]', mode: serial}", KindIterate},
		{"a gate", "gate: {type: timer, timeout: 5s}", KindGate},
		{"a branch", "branch: {on: x, cases: {a: p, b: skip}}", KindBranch},
		{"a loop around a pipeline", "pipeline: other, loop: {max_iterations: 2, steps: [{id: in, pipeline: p}]}", KindLoop},
		{"an aggregate", "aggregate: {from: x, into: y, strategy: concat}", KindAggregate},
		{"a matrix", "persona: nav, strategy: {type: matrix, items_source: x}", KindMatrix},
		{"a conditional", "type: conditional, edges: [{target: a}]", KindConditional},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := loadOne(t, "steps:\n  - {id: a, "+tt.step+"}\n")
			if len(p.Problems) > 0 {
				t.Errorf("problems: %v", texts(p.Problems))
			}
			if len(p.Steps) != 1 || p.Steps[0].Kind != tt.want {
				t.Errorf("got %+v, want kind %s", p.Steps, tt.want)
			}
		})
	}
}

func TestEveryFieldIsRead(t *testing.T) {
	got := loadOne(t, `
metadata: {name: all, description: d, category: c, release: true, disabled: true}
input:
  source: cli
  example: 60
  default: 1.0
  required: yes
  schema: {type: string, description: what, enum: [a, 2]}
steps:
  - id: first
    persona: nav
    adapter: a
    model: strongest
    optional: true
    timeout_minutes: 7
    concurrency: 3
    thread: t
    exec: {type: slash_command, source: s, source_path: p.md, command: c, args: x}
    memory: {inject_artifacts: [{pipeline: other, artifact: b, as: c, type: json, optional: true}]}
    output_artifacts: [{name: n, path: p, source: file, type: json, required: true}]
    retry: {policy: patient, max_attempts: 2, backoff: fixed, base_delay: 2s, on_failure: rework, rework_step: repair}
    handover:
      contract: {type: ignored}
      contracts:
        - {type: json_schema, source: s, schema: "{}", schema_path: p, must_pass: true, on_failure: warn, max_retries: 3}
        - {type: agent_review, persona: nav, model: cheapest, command: c, rework_step: repair}
  - id: repair
    rework_only: true
    pipeline: p
    input: i
    script: s
    max_visits: 4
    iterate: {over: o, mode: parallel, max_concurrent: 2}
    aggregate: {from: f, into: i, strategy: reduce}
    strategy: {type: matrix, items_source: i, max_concurrency: 2, child_pipeline: c}
    branch: {on: o, cases: {z: one, a: skip}}
    gate:
      type: approval
      prompt: p
      message: m
      timeout: 1h
      auto: true
      freeform: true
      default: y
      choices: [{label: Yes, key: y, target: first}, {label: No, key: n, target: _fail}]
    loop:
      max_iterations: 5
      until: u
      steps: [{id: inner, dependencies: [first], pipeline: q}]
    edges: [{target: first, condition: c}]
`)
	want := Pipeline{
		Name: "all", File: ".agents/pipelines/one.yaml", Description: "d", Category: "c", Release: true, Disabled: true,
		Input: Input{Source: "cli", Type: "string", Example: "60", Default: "1.0", Required: true, Description: "what", Enum: []string{"a", "2"}},
		Steps: []Step{
			{
				ID: "first", Line: 10, Kind: KindPrompt, Persona: "nav", Adapter: "a", Model: "strongest",
				Optional: true, TimeoutMinutes: 7, Concurrency: 3, Thread: "t",
				Exec:            Exec{Type: "slash_command", Source: "s", SourcePath: "p.md", Command: "c", Args: "x"},
				InjectArtifacts: []InjectArtifact{{Pipeline: "other", Artifact: "b", As: "c", Type: "json", Optional: true}},
				OutputArtifacts: []OutputArtifact{{Name: "n", Path: "p", Source: "file", Type: "json", Required: true}},
				Retry:           Retry{Policy: "patient", MaxAttempts: 2, Backoff: "fixed", BaseDelay: "2s", OnFailure: "rework", ReworkStep: "repair"},
				Contracts: []Contract{
					{Type: "json_schema", Source: "s", Schema: "{}", SchemaPath: "p", MustPass: true, OnFailure: "warn", MaxRetries: 3},
					{Type: "agent_review", Persona: "nav", Model: "cheapest", Command: "c", ReworkStep: "repair"},
				},
			},
			{
				ID: "repair", Line: 27, Kind: KindGate, ReworkOnly: true, Pipeline: "p", Input: "i", Script: "s", MaxVisits: 4,
				Iterate:   &Iterate{Over: "o", Mode: "parallel", MaxConcurrent: 2},
				Aggregate: &Aggregate{From: "f", Into: "i", Strategy: "reduce"},
				Matrix:    &Matrix{Type: "matrix", ItemsSource: "i", MaxConcurrency: 2, ChildPipeline: "c"},
				Branch:    &Branch{On: "o", Cases: []BranchCase{{"z", "one"}, {"a", "skip"}}},
				Gate: &Gate{
					Type: "approval", Prompt: "p", Message: "m", Timeout: "1h", Auto: true, Freeform: true, Default: "y",
					Choices: []GateChoice{{"Yes", "y", "first"}, {"No", "n", "_fail"}},
				},
				Loop: &Loop{
					MaxIterations: 5, Until: "u",
					Steps: []Step{{ID: "inner", Line: 49, Kind: KindPipeline, Dependencies: []string{"first"}, Pipeline: "q"}},
				},
				Edges: []Edge{{Target: "first", Condition: "c"}},
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pipeline (-want +got):\n%s", diff)
	}
}

func TestProblemsOfAPipeline(t *testing.T) {
	tests := []struct {
		name  string
		text  string
		steps int
		want  []string // without the file's name
	}{
		{
			"a dependency on a step that is not there",
			"steps:\n  - id: a\n  - id: b\n    dependencies: [a,\n      ghost]\n", 2,
			[]string{`5: step "b" depends on "ghost", which is not a step`},
		},
		{
			"two steps of one id",
			"steps:\n  - id: a\n  - id: a\n", 2,
			[]string{`3: there are two steps "a"`},
		},
		{
			"a step without an id",
			"steps:\n  - id: a\n  - persona: nav\n", 2,
			[]string{"3: step 2 has no id"},
		},
		{
			"steps that wait for each other",
			"steps:\n  - {id: a, dependencies: [c]}\n  - {id: b, dependencies: [a]}\n  - {id: c, dependencies: [b]}\n  - {id: d, dependencies: [a]}\n", 4,
			[]string{`3: steps wait for each other: "a" → "c" → "b" → "a"`},
		},
		{
			"a step that waits for itself",
			"steps:\n  - id: a\n    dependencies:\n      - a\n", 1,
			[]string{`4: steps wait for each other: "a" → "a"`},
		},
		{
			"a pipeline with edges may go back",
			"steps:\n  - {id: a, dependencies: [b]}\n  - {id: b, dependencies: [a], edges: [{target: a}]}\n", 2, nil,
		},
		{
			"an edge, a choice and a rework that lead nowhere",
			"steps:\n  - id: a\n    edges:\n      - target: x\n    retry:\n      rework_step: y\n  - id: g\n    gate:\n      choices:\n        - {label: L, key: k,\n           target: z}\n        - {label: F, key: f, target: _fail}\n", 2,
			[]string{
				`4: step "a" has an edge to "x", which is not a step`,
				`6: step "a" is reworked by "y", which is not a step`,
				`11: step "g" has a choice that leads to "z", which is not a step`,
			},
		},
		{
			"a default that is the key of no choice",
			"steps:\n  - id: g\n    gate:\n      choices: [{label: L, key: k}]\n      default: q\n", 1,
			[]string{`5: step "g": gate: default "q" is the key of no choice`},
		},
		{
			"steps in a loop see each other and what is around",
			"steps:\n  - id: a\n    loop:\n      steps:\n        - {id: in, dependencies: [a]}\n        - {id: in2, dependencies: [in, ghost]}\n  - {id: b, dependencies: [in]}\n", 2,
			[]string{
				`6: step "in2" depends on "ghost", which is not a step`,
				`7: step "b" depends on "in", which is not a step`,
			},
		},
		{
			"wrong types are told and the rest is there",
			"metadata: {name: {a: b}, release: maybe}\nsteps:\n  - just text\n  - id: a\n    dependencies: b\n    retry:\n      max_attempts: three\n      policy: patient\n    timeout_minutes: soon\n    handover:\n      contract: none\n", 1,
			[]string{
				"1: metadata.name is a mapping, want text",
				`1: metadata.release is "maybe", want true or false`,
				`3: step 1 is "just text", want a mapping`,
				`5: step "a": dependencies is "b", want a list`,
				`7: step "a": retry.max_attempts is "three", want a whole number`,
				`9: step "a": timeout_minutes is "soon", want a whole number`,
				`11: step "a": handover.contract is "none", want a mapping`,
			},
		},
		{
			"steps that are no list",
			"steps: {id: a}\n", 0,
			[]string{"1: steps is a mapping, want a list"},
		},
		{
			"no steps",
			"metadata: {name: x}\n", 0,
			[]string{"1: has no steps"},
		},
		{
			"a key that is there twice",
			"steps:\n  - id: a\n    persona: nav\n    persona: ghost\n", 1,
			[]string{`4: step "a" has the key "persona" twice`},
		},
		{
			"keys that Wave may know and we do not",
			"wlp: 2\nsteps:\n  - id: a\n    workspace: {mount: [{source: ./}]}\n    contexts: [x]\n    config: [1, 2]\n", 1, nil,
		},
		{
			"anchors and merged mappings are followed, own keys first",
			"x: &base {persona: nav, retry: &r {max_attempts: 2}}\nsteps:\n  - id: a\n    <<: *base\n  - id: b\n    <<: [*base]\n    retry: *r\n    persona: ghost\n", 2,
			[]string{`8: step "b": persona "ghost" is not in the manifest`},
		},
		{
			"an adapter that the manifest does not have, and a reviewer",
			"steps:\n  - id: a\n    adapter: none\n    handover:\n      contract:\n        type: agent_review\n        persona: ghost\n", 1,
			[]string{
				`3: step "a": adapter "none" is not in the manifest`,
				`7: step "a": handover.contract.persona "ghost" is not in the manifest`,
			},
		},
		{
			"names are shown escaped and cut",
			"steps:\n  - id: \"a\\e[31m\"\n    dependencies: [\"<b>" + strings.Repeat("x", 200) + "\"]\n", 1,
			[]string{`3: step "a\x1b[31m" depends on "<b>` + strings.Repeat("x", 77) + `…", which is not a step`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := loadOne(t, tt.text)
			if p.Broken || len(p.Steps) != tt.steps {
				t.Errorf("got broken %v and %d steps, want %d", p.Broken, len(p.Steps), tt.steps)
			}
			var want []string
			for _, text := range tt.want {
				want = append(want, ".agents/pipelines/one.yaml:"+text)
			}
			if diff := cmp.Diff(want, texts(p.Problems)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMergedKeysAreRead(t *testing.T) {
	p := loadOne(t, "x: &base {persona: nav, retry: {max_attempts: 2}}\nsteps:\n  - <<: *base\n    id: a\n  - *base\n")
	if len(p.Steps) != 2 || p.Steps[0].Persona != "nav" || p.Steps[0].Retry.MaxAttempts != 2 || p.Steps[1].Persona != "nav" {
		t.Errorf("got %+v", p.Steps)
	}
}

func TestLineOfASyntaxError(t *testing.T) {
	const before = "metadata: {name: x,\n  description: y}\nsteps:\n  - id: a\n    script: |\n      one\n\n      two\n"
	tests := []struct {
		name string
		text string
		line int
	}{
		{"in the first line", "metadata: [\n", 1},
		{"a step that is out of line", before + "   persona: nav\n  - id: b\n", 9},
		{"a colon in text", before + "    description: a: b\n  - id: b\n", 9},
		{"a quote that is never closed", before + "    x: \"open\n  - id: b\n    y: z\n", 9},
		{"a list that is never closed", before + "    x: [a, b\n  - id: b\n    y: z\n", 9},
		{"a tab far down", before + strings.Repeat("    # more\n", 300) + "\tx: y\n", 309},
		{"after blank lines", before + "\n\n   persona: nav\n", 11},
		{"without a newline at the end", before + "   persona: nav", 9},
		{"a byte that is not UTF-8", before + "    x: \xff\n", 9},
		{"a control character", before + "    x: a\x00b\n", 9},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := loadOne(t, tt.text)
			if !p.Broken || len(p.Problems) != 1 || p.Problems[0].Line != tt.line {
				t.Errorf("got broken %v, problems %v, want line %d", p.Broken, texts(p.Problems), tt.line)
			}
		})
	}
	t.Run("the search for it is bounded", func(t *testing.T) {
		search := newLineSearch()
		text := strings.Repeat("a:\n  - b\n", 20000) + "\tx\n" + strings.Repeat("# c\n", 20000)
		for range 2 {
			if _, problem := parseYAML("f", []byte(text), &search); problem == nil || problem.Line == 0 {
				t.Fatalf("got %v", problem)
			}
		}
		if search != 0 {
			t.Errorf("%d bytes are left", search)
		}
	})
}

func TestWhatAliasesMayCost(t *testing.T) {
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		bomb += fmt.Sprintf("a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i+1, i+1, i, i, i, i, i, i, i, i, i)
	}
	t.Run("a bomb in keys that are not read does nothing", func(t *testing.T) {
		p := loadOne(t, bomb+"steps: [{id: a}]\n")
		if len(p.Steps) != 1 || len(p.Problems) > 0 {
			t.Errorf("got %d steps, %v", len(p.Steps), texts(p.Problems))
		}
	})
	t.Run("a bomb in place of the steps is refused", func(t *testing.T) {
		p := loadOne(t, bomb+"steps: *a9\n")
		if len(p.Steps) != 0 || len(p.Problems) == 0 || len(p.Problems) > maxProblems {
			t.Errorf("got %d steps, %d problems", len(p.Steps), len(p.Problems))
		}
	})
	t.Run("steps that hold themselves end", func(t *testing.T) {
		p := loadOne(t, "steps: &s\n  - id: a\n    loop: {steps: *s}\n  - id: b\n    loop: {steps: *s}\n")
		if n := countSteps(p.Steps); n == 0 || n > maxSteps {
			t.Errorf("got %d steps, want 1 to %d", n, maxSteps)
		}
		if !strings.Contains(fmt.Sprint(texts(p.Problems)), "has more than 1000 steps") {
			t.Errorf("problems: %v", texts(p.Problems))
		}
	})
	t.Run("a long text named a thousand times is not read a thousand times", func(t *testing.T) {
		p := loadOne(t, "x: &x "+strings.Repeat("y", 900_000)+"\nsteps:\n"+strings.Repeat("  - {id: a, script: *x}\n", 900))
		size := 0
		for _, s := range p.Steps {
			size += len(s.Script)
		}
		if size == 0 || size > expansion {
			t.Errorf("got %d bytes of scripts, want at most %d", size, expansion)
		}
		if len(p.Problems) == 0 {
			t.Error("nothing is told")
		}
	})
	t.Run("mappings that merge themselves end", func(t *testing.T) {
		p := loadOne(t, "steps:\n  - &s\n    id: a\n    <<: [*s, *s]\n")
		if len(p.Steps) != 1 || p.Steps[0].ID != "a" {
			t.Errorf("got %+v", p.Steps)
		}
	})
	t.Run("deep nesting is refused or ignored", func(t *testing.T) {
		for _, text := range []string{
			strings.Repeat("[", 200_000), strings.Repeat("{a: ", 200_000), strings.Repeat("- ", 200_000),
			"steps: [{id: a}]\nx: " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
		} {
			if p := loadOne(t, text); p.Name != "one" {
				t.Errorf("got %q", p.Name)
			}
		}
	})
}

func countSteps(steps []Step) int {
	n := len(steps)
	for _, s := range steps {
		if s.Loop != nil {
			n += countSteps(s.Loop.Steps)
		}
	}
	return n
}
