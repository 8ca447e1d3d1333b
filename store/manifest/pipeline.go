package manifest

import (
	"path"
	"strings"
)

// Pipeline is one file of the pipelines directory. Broken is set when the file
// could not be read or does not parse: then only Name, File and Problems are known.
type Pipeline struct {
	Name        string // metadata.name, else the file's name without extension
	File        string
	Description string
	Category    string
	Disabled    bool
	Release     bool
	Input       Input
	Tools       []string // programs that Wave requires to be installed; may hold templates
	Skills      []Skill  // what it requires besides, by name
	Steps       []Step   // in file order
	Problems    []Problem
	Broken      bool
}

// FileName is what Wave calls a pipeline by, whatever name stands in the file: the name
// of the file, without the extension if that is .yaml.
func (p Pipeline) FileName() string { return strings.TrimSuffix(path.Base(p.File), ".yaml") }

// Skill is one that Wave looks for before it starts a run.
type Skill struct {
	Name     string
	Check    string // the command that succeeds where it is installed
	Install  string // the command that installs it
	Optional bool   // the run starts without it
}

// Input is what a run of the pipeline asks for.
type Input struct {
	Source      string
	Type        string // input.type, else the schema's
	Example     string
	Default     string
	Required    bool
	Description string
	Enum        []string
}

// Step is one step. Fields that its kind does not use are empty.
type Step struct {
	ID              string
	Line            int
	Kind            Kind
	Type            string // the type key, as written
	Persona         string
	Adapter         string      // overrides the persona's
	Permissions     Permissions `json:",omitzero"` // besides the persona's
	Model           string      // overrides the persona's
	Dependencies    []string
	Exec            Exec
	Script          string
	Pipeline        string // the pipeline that is run for this step
	Input           string // the input given to that pipeline
	Iterate         *Iterate
	Branch          *Branch
	Gate            *Gate
	Loop            *Loop
	Aggregate       *Aggregate
	Matrix          *Matrix
	Edges           []Edge
	MaxVisits       int
	Retry           Retry
	Contracts       []Contract
	OutputArtifacts []OutputArtifact
	InjectArtifacts []InjectArtifact
	Workspace       Workspace `json:",omitzero"`
	Optional        bool
	ReworkOnly      bool // runs only when another step's rework names it
	TimeoutMinutes  int
	Concurrency     int
	Thread          string
}

// Workspace is where the step works.
type Workspace struct {
	Type   string // worktree: in one of the project's repository; empty: in a folder of its own
	Branch string
	Ref    string // the step whose workspace it shares
}

// Kind says what a step does.
type Kind string

// A step is of the first kind in this order that its keys make it.
const (
	KindGate        Kind = "gate"
	KindIterate     Kind = "iterate"
	KindBranch      Kind = "branch"
	KindLoop        Kind = "loop"
	KindAggregate   Kind = "aggregate"
	KindPipeline    Kind = "pipeline"
	KindMatrix      Kind = "matrix"
	KindConditional Kind = "conditional"
	KindCommand     Kind = "command"
	KindPrompt      Kind = "prompt"
)

// Exec is what the persona is asked to do.
type Exec struct {
	Type       string // prompt, command or slash_command
	Source     string
	SourcePath string
	Command    string
	Args       string
}

// Iterate runs the step's pipeline once per item.
type Iterate struct {
	Over          string // a template that gives a JSON array
	Mode          string
	MaxConcurrent int
}

// Branch picks a pipeline by a value.
type Branch struct {
	On    string
	Cases []BranchCase // in file order
}

// BranchCase is one arm; the pipeline "skip" does nothing.
type BranchCase struct {
	Value    string
	Pipeline string
}

// Gate waits for something outside the pipeline.
type Gate struct {
	Type     string // approval, pr_merge, ci_pass or timer
	Prompt   string
	Message  string
	Timeout  string // a duration, as written
	Auto     bool
	Freeform bool
	Default  string // the key of a choice
	Choices  []GateChoice
}

// GateChoice is an answer to a gate. Target is a step, or "_fail" to end the run.
type GateChoice struct {
	Label  string
	Key    string
	Target string
}

// Loop repeats its own steps until a condition holds.
type Loop struct {
	MaxIterations int
	Until         string
	Steps         []Step
}

// Aggregate collects the outputs of earlier steps in one file.
type Aggregate struct {
	From     string
	Into     string
	Strategy string
}

// Matrix fans the step out over the items of a file.
type Matrix struct {
	Type           string
	ItemsSource    string
	MaxConcurrency int
	ChildPipeline  string
}

// Edge leads to another step when its condition holds.
type Edge struct {
	Target    string
	Condition string
}

// Retry says what happens after a failed attempt. MaxAttempts 0 is not given:
// then the policy decides.
type Retry struct {
	Policy      string
	MaxAttempts int
	Backoff     string
	BaseDelay   string
	MaxDelay    string
	OnFailure   string
	ReworkStep  string
}

// Contract is a check of the step's output.
type Contract struct {
	Type       string
	Source     string
	Schema     string
	SchemaPath string
	Command    string
	MustPass   bool
	OnFailure  string
	MaxRetries int
	ReworkStep string
	Persona    string // who reviews, for an agent_review
	Model      string
}

// OutputArtifact is a file, or the standard output, that the step leaves behind.
type OutputArtifact struct {
	Name     string
	Path     string
	Source   string
	Type     string
	Required bool
}

// InjectArtifact is an artifact that the step is given, from an earlier step or
// from another pipeline.
type InjectArtifact struct {
	Step     string
	Pipeline string
	Artifact string
	As       string
	Type     string
	Optional bool
}
