//go:build unix

package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"wavedeck/runner"
	"wavedeck/store/manifest"
)

// persona is who does a step, and with what.
type persona struct {
	manifest.Persona
	adapter manifest.Adapter
	binary  string // found
	model   string // as configured
	prompt  string // the system prompt
}

// findPersona finds all that a prompt step needs, or says what is missing.
func findPersona(catalog *manifest.Catalog, s manifest.Step, r runner.Request) (persona, error) {
	found, ok := catalog.Persona(s.Persona)
	if !ok {
		return persona{}, fmt.Errorf("its persona %q is not in the manifest", s.Persona)
	}
	p := persona{Persona: found}
	name := cmp.Or(r.Adapter, s.Adapter, found.Adapter, defaultAdapter(catalog))
	if name == "" {
		return p, fmt.Errorf("its persona %q names no adapter, and the manifest defines none", s.Persona)
	}
	if p.adapter, ok = catalog.Adapter(name); !ok {
		return p, fmt.Errorf("its adapter %q is not in the manifest", name)
	}
	binary := cmp.Or(p.adapter.Binary, name)
	if !speaks(binary) {
		return p, fmt.Errorf("this engine does not know how to talk to %q: it knows claude and codex; the engine %s may", binary, other)
	}
	var err error
	if p.binary, err = findProgram(catalog, binary); err != nil {
		return p, fmt.Errorf("its adapter %q is not installed: %w", name, err)
	}
	p.model = cmp.Or(r.Model, s.Model, found.Model, p.adapter.DefaultModel)
	if found.SystemPromptFile != "" {
		prompt, err := catalog.Prompt(found.SystemPromptFile)
		if err != nil {
			return p, err
		}
		if prompt.Truncated {
			return p, fmt.Errorf("the system prompt %s is too long", prompt.File)
		}
		p.prompt = prompt.Text
	}
	if s.Exec.SourcePath != "" {
		if prompt, err := catalog.Prompt(s.Exec.SourcePath); err != nil || prompt.Truncated {
			return p, errors.Join(fmt.Errorf("its prompt %s cannot be read whole", s.Exec.SourcePath), err)
		}
	}
	return p, nil
}

// findProgram finds an adapter's program: on PATH, or in the project where its name
// has a folder, which is where Wave is started. The path is absolute.
func findProgram(catalog *manifest.Catalog, binary string) (string, error) {
	if filepath.Base(binary) != binary {
		file := binary
		if !filepath.IsAbs(file) {
			file = filepath.Join(catalog.Project.Root, file)
		}
		if _, err := exec.LookPath(file); err != nil {
			return "", fmt.Errorf("%q is no program in the project", binary)
		}
		return file, nil
	}
	found, err := exec.LookPath(binary)
	if err != nil {
		return "", fmt.Errorf("no program %q on PATH", binary)
	}
	return filepath.Abs(found)
}

// speaks reports whether this engine knows how to talk to a program.
func speaks(binary string) bool {
	return slices.Contains([]string{"claude", "codex"}, filepath.Base(binary))
}

// defaultAdapter is the adapter of personas that name none, as in every project
// that wave init makes: the first that can be used here, and else the first at
// all, so that an error names it. Claude comes before the others, which come by
// name: the manifest gives them no order. It is empty when there are none.
func defaultAdapter(catalog *manifest.Catalog) string {
	adapters := slices.Clone(catalog.Manifest.Adapters) // by name
	if i := slices.IndexFunc(adapters, func(a manifest.Adapter) bool { return a.Name == "claude" }); i > 0 {
		claude := adapters[i]
		adapters = slices.Insert(slices.Delete(adapters, i, i+1), 0, claude)
	}
	for _, a := range adapters {
		binary := cmp.Or(a.Binary, a.Name)
		if _, err := findProgram(catalog, binary); err == nil && speaks(binary) {
			return a.Name
		}
	}
	if len(adapters) == 0 {
		return ""
	}
	return adapters[0].Name
}

// resolved is the model that an adapter is asked for: Wave's tiers in the
// adapter's own names, where it has such, and else its default.
func (p persona) resolved() string {
	tiers := map[string]string{"cheapest": "haiku", "fastest": "haiku", "balanced": "sonnet", "strongest": "opus"}
	tier, isTier := tiers[p.model]
	switch {
	case !isTier:
		return p.model
	case filepath.Base(p.binary) == "claude":
		return tier
	default:
		return p.adapter.DefaultModel
	}
}

// arguments has an adapter work without a terminal and read its prompt from
// standard input.
func (p persona) arguments() []string {
	model := p.resolved()
	if filepath.Base(p.binary) == "codex" {
		args := []string{"exec", "--skip-git-repo-check"}
		if model != "" {
			args = append(args, "--model="+model)
		}
		return append(args, "-")
	}
	args := []string{"--print", "--output-format=json"}
	if model != "" {
		args = append(args, "--model="+model)
	}
	if p.prompt != "" {
		args = append(args, "--append-system-prompt="+p.prompt)
	}
	tools := p.Permissions
	if len(tools.AllowedTools) == 0 {
		tools.AllowedTools = p.adapter.DefaultPermissions.AllowedTools
	}
	if len(tools.AllowedTools) > 0 {
		args = append(args, "--allowedTools="+strings.Join(tools.AllowedTools, ","))
	}
	if deny := slices.Concat(p.adapter.DefaultPermissions.Deny, p.Permissions.Deny); len(deny) > 0 {
		args = append(args, "--disallowedTools="+strings.Join(deny, ","))
	}
	return args
}

// performPrompt gives the step to its persona.
func (s *stepRun) performPrompt(ctx context.Context) (performed, error) {
	p, err := findPersona(s.opt.Catalog, s.step, s.opt.Request)
	if err != nil {
		return performed{}, &failure{class: "deterministic", final: true, err: err}
	}
	source := s.step.Exec.Source
	if s.step.Exec.SourcePath != "" {
		prompt, err := s.opt.Catalog.Prompt(s.step.Exec.SourcePath)
		if err != nil {
			return performed{}, err
		}
		source = prompt.Text
	}
	text := s.context + s.values.fill(source)
	claude := filepath.Base(p.binary) == "claude"
	if !claude && p.prompt != "" {
		text = p.prompt + "\n\n" + text
	}
	file := filepath.Join(s.workspace, ".agents", "prompt.md")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return performed{}, err
	}
	s.event(event{
		step: s.step.ID, state: "running", persona: p.Name, message: fmt.Sprintf("Starting %s persona in %s", p.Name, s.relative(s.workspace)),
		model: p.resolved(), adapter: p.adapter.Name, configured: p.model,
	})
	capture := filepath.Join(s.workspace, ".agents", "stdout")
	end, err := s.exec(ctx, job{
		path: p.binary, args: p.arguments(), env: s.values.environ(), stdin: file, capture: capture, quiet: claude,
	})
	done := performed{stdout: capture, tail: end.tail}
	if err != nil {
		if tail := strings.TrimSpace(end.tail); tail != "" && ctx.Err() == nil {
			err = fmt.Errorf("%w\n%s", err, tail)
		}
		var f *failure
		if errors.As(err, &f) && f.class == "deterministic" && !f.final {
			err = &failure{class: "transient", err: err}
		}
		return done, err
	}
	if claude {
		if done.tokens, err = takeAnswer(capture); err != nil {
			return done, &failure{class: "transient", err: err}
		}
	}
	s.event(event{step: s.step.ID, state: "step_progress", persona: p.Name, tokens: done.tokens})
	return done, nil
}

// maxAnswer bounds what an adapter's report may be, in bytes.
const maxAnswer = 32 << 20

// takeAnswer puts the answer of a report in place of the report, and returns
// the tokens that it took.
func takeAnswer(file string) (int64, error) {
	in, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, maxAnswer))
	if err != nil {
		return 0, err
	}
	var report struct {
		Result  *string `json:"result"`
		IsError bool    `json:"is_error"`
		Usage   struct {
			Input  int64 `json:"input_tokens"`
			Output int64 `json:"output_tokens"`
		} `json:"usage"`
	}
	if err := json.Unmarshal(text, &report); err != nil || report.Result == nil {
		return 0, fmt.Errorf("the adapter printed no report: %s", firstLine(string(text[:min(len(text), 400)])))
	}
	tokens := report.Usage.Input + report.Usage.Output
	if report.IsError {
		return tokens, fmt.Errorf("the adapter reports: %s", *report.Result)
	}
	return tokens, os.WriteFile(file, []byte(*report.Result), 0o644)
}
