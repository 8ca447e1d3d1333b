package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"wavedeck/store"
	"wavedeck/store/manifest"
)

type doctorCommand struct {
	projectFlags
	JSON bool `name:"json" help:"Print JSON."`
}

// errUnwell says that doctor found something missing or broken, and has told it.
var errUnwell = errors.New("something is missing or broken")

// Run prints the findings. The error is errUnwell when not all is well.
func (c *doctorCommand) Run(ctx context.Context, io stdio) error {
	place, err := manifest.Locate(manifest.Options{Dir: c.Project, DB: c.DB, Manifest: c.Manifest})
	if err != nil {
		return err
	}
	found, err := examine(ctx, manifest.Load(place))
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(io.out)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(found)
	} else {
		err = found.print(io.out)
	}
	if err != nil {
		return fmt.Errorf("print findings: %w", err)
	}
	if !found.Well {
		return errUnwell
	}
	return nil
}

// findings are what doctor found of a project.
type findings struct {
	Project   string            `json:"project"`
	StateDir  string            `json:"state_dir"`
	Database  databaseFinding   `json:"database"`
	Manifest  manifestFinding   `json:"manifest"`
	Pipelines []pipelineFinding `json:"pipelines"`
	Problems  []string          `json:"problems"` // with file and line where there is one
	Well      bool              `json:"well"`
}

type databaseFinding struct {
	Path        string         `json:"path"`
	Phase       string         `json:"phase"`
	ReadMode    string         `json:"read_mode,omitempty"`
	JournalMode string         `json:"journal_mode,omitempty"`
	Schema      schemaFinding  `json:"schema"`
	Bytes       int64          `json:"bytes"`
	LogBytes    int64          `json:"log_bytes"` // of the write-ahead log
	Rows        []tableFinding `json:"rows"`
	LastEvent   *eventFinding  `json:"last_event,omitempty"`
}

// schemaFinding is the version that is noted, and those that the tables look like.
type schemaFinding struct {
	Noted  int `json:"noted,omitempty"`
	Oldest int `json:"tables_from,omitempty"`
	Newest int `json:"tables_to,omitempty"`

	Missing []string `json:"missing,omitempty"` // tables and columns that the noted version promises
}

type tableFinding struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
}

type eventFinding struct {
	ID  int64     `json:"id"`
	Run string    `json:"run_id"`
	At  time.Time `json:"at"`
}

type manifestFinding struct {
	Path     string   `json:"path"`
	Loaded   bool     `json:"loaded"`
	Name     string   `json:"name,omitempty"`
	Adapters []string `json:"adapters"`
	Personas []string `json:"personas"`
}

type pipelineFinding struct {
	Name   string `json:"name"`
	File   string `json:"file"`
	Steps  int    `json:"steps"`
	Broken bool   `json:"broken,omitempty"`
}

// examine looks at everything once.
func examine(ctx context.Context, catalog *manifest.Catalog) (findings, error) {
	place := catalog.Project
	f := findings{
		Project: place.Root, StateDir: place.StateDir,
		Manifest:  examineManifest(catalog),
		Pipelines: []pipelineFinding{}, Problems: []string{},
	}
	state, err := store.Inspect(ctx, place.DB)
	if err != nil {
		return f, err
	}
	f.Database = examineDatabase(state)
	for _, p := range catalog.Pipelines {
		f.Pipelines = append(f.Pipelines, pipelineFinding{Name: p.Name, File: p.File, Steps: len(p.Steps), Broken: p.Broken})
	}
	if problem := state.Problem; problem != "" {
		for _, missing := range place.Missing {
			if missing.What == manifest.MissingDatabase {
				problem += "; looked at " + strings.Join(missing.Looked, " and ")
			}
		}
		f.Problems = append(f.Problems, problem)
	}
	for _, p := range catalog.Problems {
		f.Problems = append(f.Problems, p.String())
	}
	f.Well = len(f.Problems) == 0
	return f, nil
}

func examineDatabase(in store.Inspection) databaseFinding {
	d := databaseFinding{
		Path: in.Path, Phase: string(in.Phase), ReadMode: in.ReadMode, JournalMode: in.JournalMode,
		Schema: schemaFinding{Noted: in.Noted, Oldest: in.Oldest, Newest: in.Newest, Missing: in.Missing},
		Bytes:  in.Bytes, LogBytes: in.LogBytes, Rows: []tableFinding{},
	}
	for _, t := range in.Tables {
		d.Rows = append(d.Rows, tableFinding{Table: t.Name, Rows: t.Rows})
	}
	if e := in.LastEvent; e.ID > 0 {
		d.LastEvent = &eventFinding{ID: e.ID, Run: e.RunID, At: e.At}
	}
	return d
}

func examineManifest(catalog *manifest.Catalog) manifestFinding {
	m := manifestFinding{
		Path: catalog.Project.Manifest, Loaded: catalog.Manifest.Loaded, Name: catalog.Manifest.Name,
		Adapters: []string{}, Personas: []string{},
	}
	for _, a := range catalog.Manifest.Adapters {
		m.Adapters = append(m.Adapters, a.Name)
	}
	for _, p := range catalog.Manifest.Personas {
		m.Personas = append(m.Personas, p.Name)
	}
	return m
}

// within is a path as it is known in the project.
func (f findings) within(path string) string {
	rel, err := filepath.Rel(f.Project, path)
	if err != nil || !filepath.IsLocal(rel) {
		return path
	}
	return rel
}
