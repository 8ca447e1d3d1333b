package manifest

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxSteps bounds the steps of one pipeline, those in loops included.
const maxSteps = 1000

// reference is a name in a step that has to be that of something else.
type reference struct {
	step int // index among its siblings
	what string
	name string
	line int
}

// parsedPipeline is a pipeline with the names that only the manifest can judge.
type parsedPipeline struct {
	Pipeline
	personas []reference
	adapters []reference
}

// pipelineParser reads the steps of one file, loops and all.
type pipelineParser struct {
	r        *reader
	steps    int
	personas []reference
	adapters []reference
}

// parsePipeline reads one pipeline file. name is what it is called when the file
// does not say.
func parsePipeline(file, name string, data []byte, search *lineSearch) parsedPipeline {
	root, problem := parseYAML(file, data, search)
	if problem != nil {
		return brokenPipeline(file, name, *problem)
	}
	p := pipelineParser{r: newReader(file)}
	top := p.r.mapping(root, "")
	if !top.present {
		return brokenPipeline(file, name, p.r.problems...)
	}
	metadata := top.mapping("metadata")
	parsed := parsedPipeline{Pipeline: Pipeline{
		Name:        metadata.text("name"),
		File:        file,
		Description: metadata.text("description"),
		Category:    metadata.text("category"),
		Disabled:    metadata.boolean("disabled"),
		Release:     metadata.boolean("release"),
		Input:       readInput(top.mapping("input")),
	}}
	if parsed.Name == "" {
		parsed.Name = name
	}
	requires := top.mapping("requires")
	parsed.Tools, _ = requires.texts("tools")
	parsed.Skills = readSkills(requires.mapping("skills"))
	parsed.Steps = p.readSteps(top, nil)
	if len(parsed.Steps) == 0 && len(p.r.problems) == 0 {
		p.r.problemf(top.line, "has no steps")
	}
	parsed.Problems = p.r.problems
	parsed.personas, parsed.adapters = p.personas, p.adapters
	return parsed
}

func readSkills(all fields) []Skill {
	var skills []Skill
	for _, name := range all.keys {
		f := all.mapping(name)
		skills = append(skills, Skill{Name: name, Check: f.text("check"), Install: f.text("install"), Optional: f.boolean("optional")})
	}
	slices.SortFunc(skills, func(a, b Skill) int { return strings.Compare(a.Name, b.Name) })
	return skills
}

func brokenPipeline(file, name string, problems ...Problem) parsedPipeline {
	return parsedPipeline{Pipeline: Pipeline{Name: name, File: file, Problems: problems, Broken: true}}
}

func readInput(f fields) Input {
	schema := f.mapping("schema")
	enum, _ := schema.texts("enum")
	in := Input{
		Source:      f.text("source"),
		Type:        f.text("type"),
		Example:     f.text("example"),
		Default:     f.text("default"),
		Required:    f.boolean("required"),
		Description: schema.text("description"),
		Enum:        enum,
	}
	if in.Type == "" {
		in.Type = schema.text("type")
	}
	return in
}

// readSteps reads a list of steps and checks the names in it. outer holds the
// ids of the steps around a loop, which the steps within may name too.
func (p *pipelineParser) readSteps(parent fields, outer map[string]bool) []Step {
	var steps []Step
	scope := scope{r: p.r, outer: outer, ids: map[string]bool{}}
	var loops []fields // the loop of each step, read when all siblings are known
	for i, node := range parent.list("steps") {
		if p.steps++; p.steps > maxSteps {
			if p.steps == maxSteps+1 {
				p.r.problemf(node.Line, "has more than %d steps: the rest is left out", maxSteps)
			}
			break
		}
		f := p.stepFields(node, i)
		if !f.present {
			continue
		}
		steps = append(steps, p.readStep(f, len(steps), &scope))
		loops = append(loops, f.mapping("loop"))
	}
	scope.check(steps)
	for i, loop := range loops {
		if loop.present {
			steps[i].Loop = p.readLoop(loop, scope.visible())
		}
	}
	for i := range steps {
		steps[i].Kind = kindOf(steps[i])
	}
	return steps
}

// stepFields reads a step; what is told of it names its id, where it has one.
func (p *pipelineParser) stepFields(node *yaml.Node, i int) fields {
	path := fmt.Sprintf("step %d", i+1)
	step := node
	if step.Kind == yaml.AliasNode {
		step = step.Alias
	}
	for k := 0; step.Kind == yaml.MappingNode && k+1 < len(step.Content); k += 2 {
		if id := step.Content[k+1]; step.Content[k].Value == "id" && id.Kind == yaml.ScalarNode && id.Value != "" {
			path = "step " + quote(id.Value)
			break
		}
	}
	return p.r.mapping(node, path)
}

func (p *pipelineParser) readLoop(f fields, visible map[string]bool) *Loop {
	return &Loop{
		MaxIterations: f.integer("max_iterations"),
		Until:         f.text("until"),
		Steps:         p.readSteps(f, visible),
	}
}

func (p *pipelineParser) readStep(f fields, index int, scope *scope) Step {
	exec := f.mapping("exec")
	s := Step{
		ID:          f.text("id"),
		Line:        f.line,
		Type:        f.text("type"),
		Persona:     f.text("persona"),
		Adapter:     f.text("adapter"),
		Permissions: readPermissions(f.mapping("permissions")),
		Model:       f.text("model"),
		Script:      f.text("script"),
		Pipeline:    f.text("pipeline"),
		Input:       f.text("input"),
		Exec: Exec{
			Type:       exec.text("type"),
			Source:     exec.text("source"),
			SourcePath: exec.text("source_path"),
			Command:    exec.text("command"),
			Args:       exec.text("args"),
		},
		MaxVisits:       f.integer("max_visits"),
		Iterate:         readIterate(f.mapping("iterate")),
		Branch:          readBranch(f.mapping("branch")),
		Gate:            readGate(f.mapping("gate"), index, scope),
		Aggregate:       readAggregate(f.mapping("aggregate")),
		Matrix:          readMatrix(f.mapping("strategy")),
		Edges:           readEdges(f, index, scope),
		Retry:           readRetry(f.mapping("retry"), index, scope),
		OutputArtifacts: readOutputs(f),
		Workspace:       readWorkspace(f.mapping("workspace")),
		InjectArtifacts: readInjections(f.mapping("memory")),
		Optional:        f.boolean("optional"),
		ReworkOnly:      f.boolean("rework_only"),
		TimeoutMinutes:  f.integer("timeout_minutes"),
		Concurrency:     f.integer("concurrency"),
		Thread:          f.text("thread"),
	}
	dependencies, lines := f.texts("dependencies")
	s.Dependencies = dependencies
	for i, name := range dependencies {
		scope.refer(index, "depends on", name, lines[i])
	}
	s.Contracts = p.readContracts(f.mapping("handover"), index, scope)
	p.personas = appendReference(p.personas, f, "persona", s.Persona)
	p.adapters = appendReference(p.adapters, f, "adapter", s.Adapter)
	scope.add(f, s.ID, index)
	return s
}

// appendReference notes a name for the manifest to judge, with the step that
// gives it as what.
func appendReference(refs []reference, f fields, key, name string) []reference {
	if name == "" || isTemplate(name) {
		return refs
	}
	return append(refs, reference{what: f.at(key), name: name, line: f.lines[key]})
}

func kindOf(s Step) Kind {
	switch {
	case s.Gate != nil:
		return KindGate
	case s.Iterate != nil:
		return KindIterate
	case s.Branch != nil:
		return KindBranch
	case s.Loop != nil:
		return KindLoop
	case s.Aggregate != nil:
		return KindAggregate
	case s.Pipeline != "":
		return KindPipeline
	case s.Matrix != nil:
		return KindMatrix
	case s.Type == "conditional":
		return KindConditional
	case s.Type == "command", s.Exec.Type == "command", s.Script != "" && s.Persona == "":
		return KindCommand
	}
	return KindPrompt
}
