package views

import (
	"time"

	"github.com/a-h/templ"
)

// PipelineRow is one line of the pipeline list.
type PipelineRow struct {
	Name, Description, Category, File string
	Steps                             int
	Problems                          []Problem
	Last                              *RunRow
	Stats                             Stats
	StartURL                          string // empty: it cannot be started from here
	Refused                           string // why the engine would not start it
}

// Problem is what is wrong with a file, and where.
type Problem struct {
	File string
	Line int // 0: the whole file
	Text string
}

// Stats is a pipeline's record over its last N ended runs.
type Stats struct {
	N         int // 0: it has no ended run
	Succeeded int
	Median    time.Duration
	P90       time.Duration
	Timed     int // how many of N had a duration
}

// PipelinesView is the pipeline list.
type PipelinesView struct {
	Layout
	Rows     []PipelineRow
	Problems []Problem
	Where    []string // where pipelines were looked for
	Missing  bool
	Refresh  string
}

// PipelineView is one pipeline.
type PipelineView struct {
	Layout
	PipelineRow
	Defined bool // false: only its runs are known
	Input   InputView
	Defs    []StepDefRow
	Graph   templ.Component // nil: nothing to draw
	Trends  TrendsView
	Recent  []RunRow
	RunsURL string
	Refresh string
}

// InputView is what a pipeline asks for.
type InputView struct {
	Source, Type, Description, Example, Default string
	Required                                    bool
	Choices                                     []string
}

// StepDefRow is one step of a definition.
type StepDefRow struct {
	ID, Kind, Persona, Detail string // Detail: script, prompt or referenced pipeline, shortened
	Dependencies              []string
	Artifacts                 []string
	Contract                  string
	Retry                     string
	Optional                  bool
	Timeout                   string
}

// PersonaRow is one persona.
type PersonaRow struct {
	Name, Adapter, Description, Model, DefaultModel string
	Temperature                                     *float64
	PromptFile                                      string
	Allowed, Denied                                 []string
	InheritAllowed, InheritDenied                   []string // from the adapter
	UsedBy                                          []string // pipelines
	Problems                                        []Problem
}

// PersonasView is the persona list.
type PersonasView struct {
	Layout
	Rows     []PersonaRow
	Problems []Problem
	Where    []string
	Missing  bool
	Refresh  string
}

// PersonaView is one persona.
type PersonaView struct {
	Layout
	PersonaRow
	Prompt     string
	PromptNote string // why the prompt is not shown, or that it is cut
	Adapters   []AdapterRow
}

// AdapterRow is the program behind a persona.
type AdapterRow struct{ Name, Binary, DefaultModel, Mode, OutputFormat string }
