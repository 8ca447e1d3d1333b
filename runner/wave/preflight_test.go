//go:build unix

package wave

import (
	"cmp"
	"errors"
	"os"
	"os/exec"
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
		"a tool where edges lead back": {
			head: "requires: {tools: [no-such-tool], skills: {x: {}}}\n", steps: "  - {id: a, type: command, script: 'true', edges: [{target: a}]}\n",
		},
		"a skill that cannot be found installed": {head: "requires: {skills: {lint: {install: 'true'}}}\n", steps: step, want: `requires the skill "lint", which has no "check"`},
		"the same when it may be left out":       {head: "requires: {skills: {lint: {optional: true}}}\n", steps: step},
		"the same for nothing but a plan":        {head: "requires: {skills: {lint: {}}}\n", steps: step, ask: runner.Request{DryRun: true}},
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

// TestThePlanSaysWhichSkillsItCannotForesee: whether one is installed is known to a
// command of the pipeline, which only a start executes.
func TestThePlanSaysWhichSkillsItCannotForesee(t *testing.T) {
	w := newWorld(t, "")
	w.write(".agents/pipelines/fix.yaml", "kind: WavePipeline\nmetadata: {name: fix}\nrequires:\n  skills:\n    zeta: {check: 'touch executed'}\n    lint: {check: 'touch executed', install: 'touch executed'}\n    free: {check: 'false', optional: true}\n"+
		"steps:\n  - {id: r, rework_only: true, type: command, script: 'true'}\n  - {id: a, type: command, script: 'true'}\n  - {id: b, type: command, script: 'true'}\n")
	for name, test := range map[string]struct {
		ask  runner.Request
		says bool
	}{
		"a start": {says: true}, "a plan": {ask: runner.Request{DryRun: true}},
	} {
		test.ask.Pipeline = "fix"
		steps, err := w.Plan(t.Context(), test.ask)
		if err != nil || len(steps) != 3 {
			t.Fatal(name, steps, err)
		}
		want := ""
		if test.says {
			want = `before it, Wave checks whether the skills "lint" and "zeta" are installed, and installs "lint" if not: the result is unknown here`
		}
		if steps[1].Why != want || steps[1].Warn != "" || strings.Contains(steps[0].Why+steps[2].Why, "skill") {
			t.Errorf("%s: it says %+v", name, steps)
		}
	}
	if _, err := os.Stat(filepath.Join(w.root, "executed")); err == nil {
		t.Error("a command of the pipeline was executed")
	}
}

// TestThePlanSaysThatTokensAreChecked: what a token allows is known to the forge.
func TestThePlanSaysThatTokensAreChecked(t *testing.T) {
	w := newWorld(t, "")
	w.write("wave.yaml", "metadata: {name: test}\nadapters: {claude: {binary: c}}\npersonas: {plain: {adapter: claude}, scoped: {adapter: claude, token_scopes: ['issues:write']}}\n")
	for persona, want := range map[string]string{
		"plain": "", "scoped": "before it, Wave checks whether the token of the forge has the token_scopes of the personas: the result is unknown here",
	} {
		w.write(".agents/pipelines/fix.yaml", "kind: WavePipeline\nmetadata: {name: fix}\nsteps:\n  - {id: a, persona: "+persona+", exec: {type: prompt, source: x}}\n")
		steps, err := w.Plan(t.Context(), runner.Request{Pipeline: "fix"})
		if err != nil || len(steps) != 1 || steps[0].Why != want {
			t.Errorf("%s: %+v, %v", persona, steps, err)
		}
	}
}

// TestThePlanForeseesThatAForgeIsNeeded: where no remote names one, Wave refuses what
// needs it.
func TestThePlanForeseesThatAForgeIsNeeded(t *testing.T) {
	const personas = "adapters: {claude: {binary: c, default_permissions: {allowed_tools: [Read]}}, hub: {binary: c, default_permissions: {allowed_tools: ['Bash(glab mr *)']}}}\n" +
		"personas: {plain: {adapter: claude}, pusher: {adapter: claude, permissions: {allowed_tools: ['Bash(gh *)']}}, lab: {adapter: hub}}\n"
	step := func(keys string) string { return "  - {id: a, " + keys + "}\n" }
	for name, test := range map[string]struct {
		name, steps string
		ask         runner.Request
		want        string // empty: nothing is refused, with a remote or without
	}{
		"a tool of the persona":             {steps: step("persona: pusher, exec: {type: prompt, source: x}"), want: `the step "a" may use gh`},
		"a tool of its adapter":             {steps: step("persona: lab, exec: {type: prompt, source: x}"), want: `the step "a" may use glab`},
		"a tool of the step's own adapter":  {steps: step("persona: plain, adapter: hub, exec: {type: prompt, source: x}"), want: `the step "a" may use glab`},
		"a tool of the step":                {steps: step("persona: plain, permissions: {allowed_tools: ['Bash(tea pr)', 'Bash(bb)']}, exec: {type: prompt, source: x}"), want: `the step "a" may use tea`},
		"a tool whose name begins alike":    {steps: step("persona: plain, permissions: {allowed_tools: ['Bash(ghc *)']}, exec: {type: prompt, source: x}")},
		"a template":                        {steps: step("persona: plain, exec: {type: prompt, source: 'run {{ forge.cli_tool }}'}"), want: `the step "a" uses {{ forge.cli_tool }}`},
		"the name":                          {name: "gh-fix", steps: step("type: command, script: 'true'"), want: `its name begins with "gh-"`},
		"the name, where edges lead back":   {name: "gt-fix", steps: step("type: command, script: 'true', edges: [{target: a}]"), want: `its name begins with "gt-"`},
		"a name that only looks like it":    {name: "ghost", steps: step("type: command, script: 'true'")},
		"nothing":                           {steps: step("persona: plain, exec: {type: prompt, source: x}")},
		"a tool of the persona, for a plan": {steps: step("persona: pusher, exec: {type: prompt, source: x}"), ask: runner.Request{DryRun: true}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "")
			called := cmp.Or(test.name, "fix")
			define := func(forge string) {
				w.write("wave.yaml", "metadata: {name: test, forge: '"+forge+"'}\n"+personas)
				w.write(".agents/pipelines/"+called+".yaml", "kind: WavePipeline\nmetadata: {name: "+called+"}\nsteps:\n"+test.steps)
			}
			refused := func(where, want string) {
				t.Helper()
				test.ask.Pipeline = called
				_, err := w.Plan(t.Context(), test.ask)
				if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
					t.Errorf("%s: it says %v", where, err)
				}
			}
			define("")
			refused("in no repository", test.want)
			git := func(args ...string) {
				if out, err := exec.Command("git", append([]string{"-C", w.root}, args...)...).CombinedOutput(); err != nil {
					t.Fatal(err, string(out))
				}
			}
			git("init", "-q")
			refused("in one without a remote", test.want)
			git("remote", "add", "other", "https://github.com/a/b.git")
			refused("with a remote", "")
			define("none")
			refused("with a remote, and the manifest says that there is no forge", test.want)
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
		w.move(func(o *manifest.Options) { o.Manifest = filepath.Join(w.root, "deploy.yaml") })
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
		w.move(func(o *manifest.Options) { o.DB = filepath.Join(w.root, "elsewhere", "state.db") })
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
		w.move(func(o *manifest.Options) { o.DB = filepath.Join(link, "state.db") })
		if _, err := w.Plan(t.Context(), runner.Request{Pipeline: "fix"}); err != nil {
			t.Errorf("by another path: %v", err)
		}
	})
}
