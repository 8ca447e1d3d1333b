package manifest

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// widgets copies the example project, as Wave lays it out.
func widgets(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	for from, to := range map[string]string{"wave.yaml": "wave.yaml", "pipelines": ".agents/pipelines", "personas": ".agents/personas"} {
		source, target := filepath.Join("testdata/widgets", from), filepath.Join(root, to)
		if isDir(source) {
			makeDir(t, target)
			if err := os.CopyFS(target, os.DirFS(source)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		data, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, target, string(data))
	}
	writeFile(t, filepath.Join(root, ".agents/state.db"), "")
	return root
}

func TestLoadOfAWholeProject(t *testing.T) {
	c := load(t, widgets(t))
	got, err := json.MarshalIndent(map[string]any{"manifest": c.Manifest, "pipelines": c.Pipelines}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	const golden = "testdata/widgets.golden.json"
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("catalog (-want +got):\n%s", diff)
	}
	if len(c.Problems) != 0 {
		t.Errorf("problems: %v", texts(c.Problems))
	}
	t.Run("loaded twice it has the same hash", func(t *testing.T) {
		if again := Load(c.Project); again.Hash != c.Hash || again.Hash == "" {
			t.Errorf("got %s, want %s", again.Hash, c.Hash)
		}
	})
	t.Run("names are found", func(t *testing.T) {
		if p, ok := c.Pipeline("ship-gate"); !ok || len(p.Steps) != 3 || p.Steps[1].Gate == nil {
			t.Errorf("pipeline: got %v %+v", ok, p)
		}
		if p, ok := c.Persona("reviewer"); !ok || p.EffectiveModel() != "o3" || p.Model != "" {
			t.Errorf("persona: got %v %+v", ok, p)
		}
		if p, ok := c.Persona("navigator"); !ok || p.EffectiveModel() != "cheapest" || p.AdapterModel != "sonnet" {
			t.Errorf("persona: got %v %+v", ok, p)
		}
		if p, ok := c.Persona("summarizer"); !ok || p.Temperature == nil || *p.Temperature != 0 {
			t.Errorf("a temperature of 0 is given: got %v %+v", ok, p)
		}
		if a, ok := c.Adapter("codex"); !ok || a.Binary != "codex" {
			t.Errorf("adapter: got %v %+v", ok, a)
		}
	})
	t.Run("names that are not there are not found", func(t *testing.T) {
		for _, name := range []string{"", "aaa", "zzz", "ship"} {
			_, pipeline := c.Pipeline(name)
			_, persona := c.Persona(name)
			_, adapter := c.Adapter(name)
			if pipeline || persona || adapter {
				t.Errorf("%q was found", name)
			}
		}
	})
}

func TestProblemsOfAProject(t *testing.T) {
	const good = "metadata: {name: good}\nsteps:\n  - {id: a, persona: nav}\n"
	const manifest = "metadata: {name: x}\nadapters: {a: {binary: a}}\npersonas: {nav: {adapter: a}}\n"
	tests := []struct {
		name      string
		files     map[string]string
		pipelines []string
		problems  []string
	}{
		{
			name:      "a file that does not parse is listed and the others still show",
			files:     map[string]string{"wave.yaml": manifest, ".agents/pipelines/bad.yaml": "metadata:\n  name: x\n\tsteps: []\n", ".agents/pipelines/good.yaml": good},
			pipelines: []string{"bad", "good"},
			problems:  []string{".agents/pipelines/bad.yaml:3: does not parse: found a tab character that violates indentation"},
		},
		{
			name:      "two pipelines of one name are both told",
			files:     map[string]string{"wave.yaml": manifest, ".agents/pipelines/a.yaml": good, ".agents/pipelines/b.yaml": good},
			pipelines: []string{"good", "good"},
			problems: []string{
				`.agents/pipelines/a.yaml: has the same name "good" as .agents/pipelines/b.yaml`,
				`.agents/pipelines/b.yaml: has the same name "good" as .agents/pipelines/a.yaml`,
			},
		},
		{
			name:      "without a manifest there are pipelines, and no word on personas",
			files:     map[string]string{".agents/pipelines/good.yaml": good},
			pipelines: []string{"good"},
			problems:  []string{"wave.yaml: is missing: no personas and adapters are known"},
		},
		{
			name:      "with a broken manifest there are pipelines, and no word on personas",
			files:     map[string]string{"wave.yaml": "metadata: {\n", ".agents/pipelines/good.yaml": good},
			pipelines: []string{"good"},
			problems:  []string{"wave.yaml:1: does not parse: did not find expected node content"},
		},
		{
			name:      "a persona that the manifest does not have is told with its line",
			files:     map[string]string{"wave.yaml": manifest, ".agents/pipelines/p.yaml": "steps:\n  - id: a\n    persona: ghost\n  - id: b\n    persona: \"{{ forge.type }}-analyst\"\n"},
			pipelines: []string{"p"},
			problems:  []string{`.agents/pipelines/p.yaml:3: step "a": persona "ghost" is not in the manifest`},
		},
		{
			name:     "without a pipelines directory the manifest is there",
			files:    map[string]string{"wave.yaml": manifest},
			problems: []string{".agents/pipelines: is missing: no pipelines are known"},
		},
		{
			name:     "a file in the place of the pipelines directory",
			files:    map[string]string{"wave.yaml": manifest, ".agents/pipelines": "x"},
			problems: []string{".agents/pipelines: is not a directory"},
		},
		{
			name:  "an empty pipelines directory is no problem",
			files: map[string]string{"wave.yaml": manifest, ".agents/pipelines/": ""},
		},
		{
			name:      "a directory named like a pipeline",
			files:     map[string]string{"wave.yaml": manifest, ".agents/pipelines/d.yaml/": "", ".agents/pipelines/note.txt": "x"},
			pipelines: []string{"d"},
			problems:  []string{".agents/pipelines/d.yaml: is a directory, not a file"},
		},
		{
			name:      "a file that is too large",
			files:     map[string]string{"wave.yaml": manifest, ".agents/pipelines/big.yaml": "a: " + strings.Repeat("x", maxYAML)},
			pipelines: []string{"big"},
			problems:  []string{".agents/pipelines/big.yaml: is 1048579 bytes or more, at most 1048576 are read"},
		},
		{
			name:      "an empty file",
			files:     map[string]string{"wave.yaml": "", ".agents/pipelines/e.yaml": "# nothing\n"},
			pipelines: []string{"e"},
			problems:  []string{"wave.yaml: is empty", ".agents/pipelines/e.yaml: is empty"},
		},
		{
			name:      "a file that is a list",
			files:     map[string]string{"wave.yaml": "[a]", ".agents/pipelines/e.yaml": "- a"},
			pipelines: []string{"e"},
			problems:  []string{"wave.yaml:1: the file is a list, want a mapping", ".agents/pipelines/e.yaml:1: the file is a list, want a mapping"},
		},
		{
			name: "wrong types in the manifest leave the rest in place",
			files: map[string]string{
				"wave.yaml":          "metadata: x\npersonas:\n  nav:\n    adapter: nope\n    temperature: warm\n    permissions:\n      deny: all\nruntime:\n  max_concurrent_workers: many\n",
				".agents/pipelines/": "",
			},
			problems: []string{
				`wave.yaml:1: metadata is "x", want a mapping`,
				`wave.yaml:9: runtime.max_concurrent_workers is "many", want a whole number`,
				`wave.yaml:5: persona "nav": temperature is "warm", want a number`,
				`wave.yaml:7: persona "nav": permissions.deny is "all", want a list`,
				`wave.yaml:4: persona "nav": adapter "nope" is not in the manifest`,
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := load(t, writeProject(t, tt.files))
			var names []string
			for _, p := range c.Pipelines {
				names = append(names, p.Name)
			}
			if diff := cmp.Diff(tt.pipelines, names); diff != "" {
				t.Errorf("pipelines (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.problems, texts(c.Problems)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadIsBounded(t *testing.T) {
	t.Run("no more pipelines are read than the limit", func(t *testing.T) {
		files := map[string]string{}
		root := writeProject(t, files)
		for i := range maxPipelines + 1 {
			writeFile(t, filepath.Join(root, ".agents/pipelines", strings.Repeat("p", 1+i%7)+string(rune('a'+i%26))+strconv.Itoa(i)+".yaml"), "steps: [{id: a}]")
		}
		c := load(t, root)
		if len(c.Pipelines) != maxPipelines {
			t.Errorf("got %d pipelines, want %d", len(c.Pipelines), maxPipelines)
		}
		want := ".agents/pipelines: has 2001 pipelines: only the first 2000 are read"
		if got := texts(c.Problems); len(got) != 2 || got[1] != want {
			t.Errorf("got %v, want the last to be %s", got, want)
		}
	})
	t.Run("pipelines after the bytes read together are listed unread", func(t *testing.T) {
		root := t.TempDir()
		text := "metadata: {name: " + strings.Repeat("n", maxYAML-100) + "}\nsteps: [{id: a}]\n"
		for i := range maxTotal/maxYAML + 3 {
			writeFile(t, filepath.Join(root, ".agents/pipelines", strconv.Itoa(100+i)+".yaml"), text)
		}
		broken := 0
		for _, p := range load(t, root).Pipelines {
			if p.Broken {
				broken++
			}
		}
		if broken == 0 || broken > 3 {
			t.Errorf("got %d broken pipelines, want 1 to 3", broken)
		}
	})
	t.Run("a thousand problems are told and the others counted", func(t *testing.T) {
		root := t.TempDir()
		for i := range maxAllProblems + 50 {
			writeFile(t, filepath.Join(root, ".agents/pipelines", strconv.Itoa(i)+".yaml"), "{")
		}
		problems := load(t, root).Problems
		last := problems[len(problems)-1]
		if len(problems) != maxAllProblems+1 || last.Text != "there are 51 more problems" {
			t.Errorf("got %d problems, the last %s", len(problems), last)
		}
	})
}
