package manifest

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"unicode"
)

// Catalog is what the project's files said at one moment. It never changes after
// it was loaded, so any number of readers may share it; none may write to it.
type Catalog struct {
	Project   Project
	Manifest  Manifest
	Pipelines []Pipeline // by name, then by file

	// Problems are all problems there are, those of the pipelines included.
	Problems []Problem
	// Hash changes with the content, and not with a restart.
	Hash string
	// Generation counts the contents a Source has seen, from 1. It is 0 for a
	// catalog that no Source loaded.
	Generation uint64

	prompts print // of the prompt files, whose text is not part of the catalog
}

// Problem is something wrong in a file.
type Problem struct {
	File string // relative to the project's root where it lies within, with slashes
	Line int    // from 1; 0 when no line is to blame
	Text string // in one line; what it quotes of the file is escaped
}

// String is file:line: text, fit to be printed to a terminal whatever the file's name is.
func (p Problem) String() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", printable(p.File), p.Text)
	}
	return fmt.Sprintf("%s:%d: %s", printable(p.File), p.Line, p.Text)
}

// printable quotes text only when it holds what a terminal would act on.
func printable(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}

// Manifest is wave.yaml. When the file is missing or does not parse, Loaded is
// false and nothing else is known.
type Manifest struct {
	Loaded      bool
	Name        string
	Description string
	Forge       string    // where its repository is hosted, when it is not the remote that says so
	Adapters    []Adapter // by name
	Personas    []Persona // by name
	Runtime     Runtime
}

// Adapter is a program that Wave runs a persona with.
type Adapter struct {
	Name               string
	Line               int
	Binary             string
	DefaultModel       string
	Mode               string
	OutputFormat       string
	DefaultPermissions Permissions
}

// Persona is a role that a step is given to.
type Persona struct {
	Name             string
	Line             int
	Adapter          string
	Description      string
	SystemPromptFile string   // as written: relative to the project's root
	Temperature      *float64 // nil when the manifest gives none
	Model            string   // its own; empty when it takes its adapter's
	AdapterModel     string   // its adapter's default_model
	Permissions      Permissions
	TokenScopes      []string `json:",omitempty"` // what the token of a forge has to allow it
	// AdapterPermissions are the adapter's default_permissions, kept apart from its own.
	AdapterPermissions Permissions
}

// EffectiveModel is the persona's own model, else its adapter's default. It is
// empty when neither is given.
func (p Persona) EffectiveModel() string {
	if p.Model != "" {
		return p.Model
	}
	return p.AdapterModel
}

// Permissions are tool patterns such as "Bash(git push *)".
type Permissions struct {
	AllowedTools []string
	Deny         []string
}

// Runtime holds Wave's limits. Zero is not given.
type Runtime struct {
	WorkspaceRoot         string
	MaxConcurrentWorkers  int
	DefaultTimeoutMinutes int
	GateApprovalHours     int // how long a gate waits for an approval whose definition does not say
}

// Pipeline finds a pipeline by name. Of two with the same name it is the one
// whose file sorts first.
func (c *Catalog) Pipeline(name string) (Pipeline, bool) {
	i := sort.Search(len(c.Pipelines), func(i int) bool { return c.Pipelines[i].Name >= name })
	if i < len(c.Pipelines) && c.Pipelines[i].Name == name {
		return c.Pipelines[i], true
	}
	return Pipeline{}, false
}

// Filed finds a pipeline as Wave does, by the name of its file.
func (c *Catalog) Filed(name string) (Pipeline, bool) {
	for _, p := range c.Pipelines {
		if p.FileName() == name {
			return p, true
		}
	}
	return Pipeline{}, false
}

// Persona finds a persona by name.
func (c *Catalog) Persona(name string) (Persona, bool) {
	personas := c.Manifest.Personas
	i := sort.Search(len(personas), func(i int) bool { return personas[i].Name >= name })
	if i < len(personas) && personas[i].Name == name {
		return personas[i], true
	}
	return Persona{}, false
}

// Adapter finds an adapter by name.
func (c *Catalog) Adapter(name string) (Adapter, bool) {
	adapters := c.Manifest.Adapters
	i := sort.Search(len(adapters), func(i int) bool { return adapters[i].Name >= name })
	if i < len(adapters) && adapters[i].Name == name {
		return adapters[i], true
	}
	return Adapter{}, false
}
