//go:build unix

package wave

import (
	"strings"
	"testing"

	"wavedeck/runner"
)

// TestAResumeWarnsOfScriptsThatGetNoInput: real Wave runs `echo {{ input }}` as it
// stands when a run is resumed, and fills it in when one begins.
func TestAResumeWarnsOfScriptsThatGetNoInput(t *testing.T) {
	p := newPast(t, map[string]string{"fix": `
  - {id: a, type: command, script: 'echo {{ input }}'}
  - {id: b, type: command, script: 'echo {{ input }}'}
  - {id: c, type: command, script: 'echo {{input}}'}
  - {id: d, type: command, script: 'echo input'}
  - {id: e, persona: coder, exec: {type: prompt, source: 'do {{ input }}'}}
`})
	p.run(original, "fix")
	left, err := p.control.Leftovers(t.Context(), original)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		request runner.Request
		warned  string
	}{
		"a start":  {runner.Request{Pipeline: "fix", Input: "x"}, ""},
		"a resume": {runner.Request{Pipeline: "fix", Input: "x", FromStep: "b", Original: original, Completed: []string{"a"}, Left: left}, "b c"},
	} {
		t.Run(name, func(t *testing.T) {
			steps, err := p.Plan(t.Context(), test.request)
			if err != nil {
				t.Fatal(err)
			}
			var warned []string
			for _, step := range steps {
				if strings.Contains(step.Warn, "gets no input") {
					warned = append(warned, step.ID)
				}
			}
			if got := strings.Join(warned, " "); got != test.warned {
				t.Errorf("warned of %q, not %q", got, test.warned)
			}
		})
	}
}
