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

// TestThePlanForeseesWhichStepsWaveCanLeaveOut: Wave waits for ever for a step that was
// left out, takes only one of the two lists, and neither where it goes along edges.
func TestThePlanForeseesWhichStepsWaveCanLeaveOut(t *testing.T) {
	const edges = "  - {id: d, type: command, script: 'true', edges: [{target: a}]}\n"
	for name, test := range map[string]struct {
		more        string // steps
		ask         runner.Request
		field, want string // of the error; empty: none
	}{
		"the last ones":                         {ask: runner.Request{Exclude: []string{"b", "c"}}},
		"one that another waits for":            {ask: runner.Request{Exclude: []string{"a"}}, field: "exclude", want: `leaves out "a", which the step "b" waits for`},
		"the first ones only":                   {ask: runner.Request{Steps: []string{"a", "b"}}},
		"one without what it waits for":         {ask: runner.Request{Steps: []string{"c"}}, field: "steps", want: `leaves out "b", which the step "c" waits for`},
		"both":                                  {ask: runner.Request{Steps: []string{"a", "b"}, Exclude: []string{"b"}}, field: "exclude", want: "cannot be combined with steps"},
		"all":                                   {ask: runner.Request{Exclude: []string{"a", "b", "c"}}, field: "exclude", want: "leaves no step to run"},
		"some where it goes along edges":        {more: edges, ask: runner.Request{Exclude: []string{"c"}}, field: "exclude", want: "would run every step"},
		"only some where it goes along edges":   {more: edges, ask: runner.Request{Steps: []string{"a"}}, field: "steps", want: "would run every step"},
		"one that is for a rework alone":        {more: "  - {id: r, rework_only: true, dependencies: [b], type: command, script: 'true'}\n", ask: runner.Request{Steps: []string{"a", "r"}}},
		"one that another waits for, in a plan": {ask: runner.Request{DryRun: true, Exclude: []string{"a"}}, field: "exclude", want: "waits for"},
		"nothing where it goes along edges":     {more: edges},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "")
			w.write(".agents/pipelines/fix.yaml", "kind: WavePipeline\nmetadata: {name: fix}\nsteps:\n"+
				"  - {id: a, type: command, script: 'true'}\n  - {id: b, dependencies: [a], type: command, script: 'true'}\n"+
				"  - {id: c, dependencies: [b], type: command, script: 'true'}\n"+test.more)
			test.ask.Pipeline = "fix"
			_, err := w.Plan(t.Context(), test.ask)
			input, ok := errors.AsType[*runner.InputError](err)
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (!ok || input.Field != test.field || !strings.Contains(input.Text, test.want)):
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
	w.write(".agents/pipelines/file.yaml", "kind: WavePipeline\nmetadata: {name: inside}\nsteps:\n"+gate)
	w.write(".agents/pipelines/harmless.yaml", "kind: WavePipeline\nmetadata: {name: file}\nsteps:\n  - {id: a, type: command, script: 'true'}\n")
	pipeline("timer", "  - {id: wait, gate: {type: timer, timeout: 1s}}\n")
	for name, test := range map[string]struct{ steps, gate string }{
		"in a pipeline":                   {"  - {id: a, pipeline: asks}\n", `the gate "ask" of "asks"`},
		"two pipelines deep":              {"  - {id: a, pipeline: around}\n", `the gate "ask" of "asks"`},
		"in a pipeline by its file":       {"  - {id: a, pipeline: file}\n", `the gate "ask" of "file"`},
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

// TestWaveReadsWhatTheConsoleReads: Wave finds a pipeline by the name of its file, its
// manifest by its own name, and its database in its own folder.
func TestWaveReadsWhatTheConsoleReads(t *testing.T) {
	const steps = "steps:\n  - {id: a, type: command, script: 'true'}\n"
	for name, test := range map[string]struct {
		files map[string]string // names of pipelines, by their files
		want  string
	}{
		"of the same name":     {map[string]string{"ask.yaml": "ask"}, "ask"},
		"of another name":      {map[string]string{"file.yaml": "ask"}, "file"},
		"swapped with another": {map[string]string{"ask.yaml": "other", "other.yaml": "ask"}, "other"},
		"with two of the name": {map[string]string{"ask.yaml": "ask", "a.yaml": "ask"}, "a"},
		"with another ending":  {map[string]string{"ask.yml": "ask"}, "ask.yml"},
	} {
		t.Run("a file "+name, func(t *testing.T) {
			w := newWorld(t, "{ printf '%s ' \"$@\"; echo; echo .; } > args; exec sleep 60")
			for file, called := range test.files {
				w.write(".agents/pipelines/"+file, "kind: WavePipeline\nmetadata: {name: "+called+"}\n"+steps)
			}
			run, err := w.Start(t.Context(), runner.Request{Pipeline: "ask"})
			if err != nil {
				t.Fatal(err)
			}
			w.end(run)
			if args := w.wrote("args"); !strings.HasPrefix(args, "run --pipeline "+test.want+" ") || strings.Contains(args, "--manifest") {
				t.Errorf("it is started with %s", args)
			}
			if r := w.recorded(run); r.Pipeline != "ask" || !strings.HasPrefix(run, "ask-") {
				t.Errorf("%s is of %q", run, r.Pipeline)
			}
		})
	}
	t.Run("a manifest elsewhere", func(t *testing.T) {
		w := newWorld(t, "{ printf '%s\\n' \"$@\"; echo .; } > args; exec sleep 60")
		w.write("deploy.yaml", "metadata: {name: test}\n")
		w.place.Manifest = filepath.Join(w.root, "deploy.yaml")
		run, err := w.Start(t.Context(), runner.Request{Pipeline: "fix"})
		if err != nil {
			t.Fatal(err)
		}
		w.end(run)
		if args := w.wrote("args"); !strings.Contains(args, "--manifest\n"+w.place.Manifest) {
			t.Errorf("it is started with %s", args)
		}
	})
	t.Run("a database elsewhere is refused before anything is recorded", func(t *testing.T) {
		w := newWorld(t, "echo x > started")
		w.place.DB = filepath.Join(w.root, "elsewhere", "state.db")
		for range 2 {
			_, planned := w.Plan(t.Context(), runner.Request{Pipeline: "fix"})
			_, started := w.Start(t.Context(), runner.Request{Pipeline: "fix"})
			for _, err := range []error{planned, started} {
				if unsupported, ok := errors.AsType[*runner.UnsupportedError](err); !ok || unsupported.Engine != "local" || !strings.Contains(err.Error(), ".agents/state.db") {
					t.Errorf("it says %v", err)
				}
			}
			if err := runner.EnsureDatabase(t.Context(), w.place.DB); err != nil { // and where there is one
				t.Fatal(err)
			}
		}
		link := filepath.Join(w.root, "link")
		if err := errors.Join(os.MkdirAll(filepath.Join(w.root, ".agents"), 0o755), os.Symlink(filepath.Join(w.root, ".agents"), link)); err != nil {
			t.Fatal(err)
		}
		w.place.DB = filepath.Join(link, "state.db")
		if _, err := w.Plan(t.Context(), runner.Request{Pipeline: "fix"}); err != nil {
			t.Errorf("by another path: %v", err)
		}
	})
}
