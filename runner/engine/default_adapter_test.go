//go:build unix

package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wavedeck/runner"
)

// stock is a project as `wave init` makes it: no persona names an adapter.
const stock = "metadata: {name: shop}\nadapters:\n%ADAPTERS%personas:\n  writer: {adapter: \"\"}\n"

func TestAPersonaThatNamesNoAdapterGetsTheDefault(t *testing.T) {
	const (
		claude = "  claude: {binary: claude, mode: headless, default_model: sonnet, default_permissions: {allowed_tools: [Read], deny: [Bash]}}\n"
		codex  = "  codex: {binary: codex}\n"
		aider  = "  aider: {binary: aider}\n"
	)
	for name, test := range map[string]struct {
		adapters  string
		installed []string
		uses      string // the adapter that is used
		refused   string // or a part of the refusal
	}{
		"the only one":                           {claude, []string{"claude"}, "claude", ""},
		"claude before others that are there":    {aider + claude + codex, []string{"aider", "claude", "codex"}, "claude", ""},
		"one that is installed before one not":   {claude + codex, []string{"codex"}, "codex", ""},
		"one that the engine can talk to":        {aider + codex, []string{"aider", "codex"}, "codex", ""},
		"none is installed: the refusal says so": {claude, nil, "", `its adapter "claude" is not installed`},
		"none is defined: the refusal says so":   {"  {}\n", nil, "", `its persona "writer" names no adapter`},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, "  - {id: a, persona: writer, exec: {type: prompt, source: hello}}\n",
				"wave.yaml", strings.Replace(stock, "%ADAPTERS%", test.adapters, 1))
			bin := filepath.Join(p.dir, "bin")
			for _, program := range test.installed {
				p.write("bin/"+program, "#!/bin/sh\ncat > /dev/null\necho "+program+" \"$@\" > "+p.dir+"/used\necho '{\"result\": \"done\"}'\n")
			}
			t.Setenv("PATH", bin+string(os.PathListSeparator)+"/usr/bin"+string(os.PathListSeparator)+"/bin")
			if _, err := Check(p.catalog(), runner.Request{Pipeline: "p"}); test.refused != "" {
				if err == nil || !strings.Contains(err.Error(), test.refused) {
					t.Errorf("refused with %v", err)
				}
				return
			} else if err != nil {
				t.Fatal(err)
			}
			if res := p.run(runner.Request{}); res.Outcome != Completed {
				t.Fatalf("%+v", res)
			}
			if used := p.read("used"); !strings.HasPrefix(used, test.uses+" ") {
				t.Errorf("used %q", used)
			} else if test.uses == "claude" && !strings.Contains(used, "--allowedTools=Read --disallowedTools=Bash") {
				t.Errorf("without the adapter's permissions: %q", used)
			}
		})
	}
}
