package handlers

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"wavedeck/store"
	"wavedeck/store/manifest"
	"wavedeck/views"
	"wavedeck/views/address"
)

func (s *Server) listPipelines(w http.ResponseWriter, r *http.Request) error {
	return s.serveCached(w, r, typeHTML, func(ctx context.Context, b *bytes.Buffer) error {
		catalog := s.manifest.Current()
		view := views.PipelinesView{
			Chrome:  s.chrome(r, "pipelines", "Pipelines", "list=1"),
			Refresh: s.paths.Pipelines(), Where: []string{catalog.Project.Pipelines},
			Missing: isMissing(catalog, manifest.MissingPipelines),
		}
		for _, p := range catalog.Pipelines {
			row, err := s.pipelineRow(ctx, p)
			if err != nil {
				return err
			}
			view.Rows = append(view.Rows, row)
		}
		if isFragment(r) {
			return views.PipelinesTable(view).Render(ctx, b)
		}
		return views.PipelinesPage(view).Render(ctx, b)
	})
}

// startURL is where a pipeline is started, empty when it cannot be.
func (s *Server) startURL(p manifest.Pipeline) string {
	if !s.canRun() || !startable(p) {
		return ""
	}
	return s.paths.Start(p.Name, nil)
}

func isMissing(catalog *manifest.Catalog, what string) bool {
	for _, m := range catalog.Project.Missing {
		if m.What == what {
			return true
		}
	}
	return false
}

func (s *Server) pipelineRow(ctx context.Context, p manifest.Pipeline) (views.PipelineRow, error) {
	row := views.PipelineRow{
		Name: p.Name, Description: opening(p.Description), Category: p.Category, File: p.File,
		Steps: len(p.Steps), Problems: problemRows(p.Problems), StartURL: s.startURL(p),
	}
	row = bounded(row)
	history, err := s.history(ctx, p.Name)
	if err != nil {
		return row, err
	}
	row.Stats = statsOf(history)
	if len(history.Recent) > 0 {
		last := runRow(history.Recent[0])
		row.Last = &last
	}
	return row, nil
}

// history is a pipeline's record, empty while there is no database.
func (s *Server) history(ctx context.Context, pipeline string) (store.PipelineHistory, error) {
	history, err := s.store.PipelineHistory(ctx, pipeline)
	if errors.Is(err, store.ErrUnavailable) {
		return store.PipelineHistory{}, nil
	}
	if err != nil {
		return history, fmt.Errorf("history of pipeline %s: %w", pipeline, err)
	}
	return history, nil
}

func statsOf(h store.PipelineHistory) views.Stats {
	return views.Stats{N: h.Succeeded + h.Failed, Succeeded: h.Succeeded, Median: h.Median, P90: h.P90, Timed: h.Timed}
}

func problemRows(problems []manifest.Problem) []views.Problem {
	var rows []views.Problem
	for _, p := range problems {
		rows = append(rows, views.Problem{File: clip(p.File, textShown), Line: p.Line, Text: clip(p.Text, textShown)})
	}
	return rows
}

// pipelineRecord is a pipeline's definition and its record, of which one may be
// missing but not both.
func (s *Server) pipelineRecord(ctx context.Context, name string) (manifest.Pipeline, store.PipelineHistory, error) {
	p, defined := s.manifest.Current().Pipeline(name)
	if !defined {
		p = manifest.Pipeline{Name: name}
	}
	history, err := s.history(ctx, name)
	if err == nil && !defined && len(history.Recent) == 0 {
		err = noSuch("pipeline", name, s.paths.Pipelines())
	}
	return p, history, err
}

// hasPipeline reports whether there is a pipeline of that name, as it stands in a path.
func (s *Server) hasPipeline(r *http.Request, name string) bool {
	name, err := address.ParseSegment(name)
	if err != nil {
		return false
	}
	_, _, err = s.pipelineRecord(r.Context(), name)
	return err == nil
}

// showPipeline is one pipeline: its definition, its record, or both. A pipeline
// that is not defined any more is known by its runs.
func (s *Server) showPipeline(w http.ResponseWriter, r *http.Request) error {
	name, err := pathVar(r, "pipeline")
	if err != nil {
		return err
	}
	if f := formOf(r); f != formHTML {
		return s.serveDocument(w, r, f, func(ctx context.Context) (document, error) {
			return s.pipelineDocument(ctx, name)
		})
	}
	return s.serveCached(w, r, typeHTML, func(ctx context.Context, b *bytes.Buffer) error {
		view, err := s.pipelineView(ctx, r, name)
		if err != nil {
			return err
		}
		if isFragment(r) {
			return views.PipelineRuns(view).Render(ctx, b)
		}
		return views.PipelinePage(view).Render(ctx, b)
	})
}

func (s *Server) pipelineView(ctx context.Context, r *http.Request, name string) (views.PipelineView, error) {
	p, history, err := s.pipelineRecord(ctx, name)
	if err != nil {
		return views.PipelineView{}, err
	}
	_, defined := s.manifest.Current().Pipeline(name)
	view := views.PipelineView{
		Chrome: s.chrome(r, "pipelines", name, "list=1"), Defined: defined,
		PipelineRow: views.PipelineRow{
			Name: p.Name, Description: most(shown(p.Description), 4*accountShown), Category: clip(p.Category, textShown), File: p.File,
			Steps: len(p.Steps), Problems: problemRows(p.Problems), Stats: statsOf(history),
		},
		Input:   inputView(p.Input),
		RunsURL: s.paths.Runs(url.Values{"pipeline": {name}}), Refresh: s.paths.Pipeline(name),
	}
	view.StartURL = s.startURL(p)
	view.Forms = s.formLinks(s.paths.Pipeline(name), formsOfOne, nil)
	s.shareable(r, &view.Chrome, sharedThing{pipeline: name})
	for _, step := range p.Steps {
		view.Defs = append(view.Defs, stepDefRow(step))
	}
	if len(p.Steps) > 0 {
		view.Graph = s.pipelinePicture(p)
	}
	t, err := s.trendsFrom(ctx, history)
	if err != nil {
		return view, err
	}
	view.Trends = s.trendsView(view.Chrome, name, t)
	if view.Recent, err = s.runRows(ctx, history.Recent, false); err != nil {
		return view, err
	}
	if len(view.Recent) > 0 {
		view.Last = &view.Recent[0]
	}
	return view, nil
}

func inputView(in manifest.Input) views.InputView {
	return boundedTo(views.InputView{
		Source: shown(in.Source), Type: shown(in.Type), Description: shown(in.Description), Example: shown(in.Example),
		Default: shown(in.Default), Required: in.Required, Choices: shownAll(in.Enum),
	}, accountShown)
}

func noSuch(what, name, listed string) *httpError {
	return &httpError{
		status: http.StatusNotFound, text: "there is no " + what + " " + quoted(clip(name, 80)),
		next: "Those there are stand at " + listed + ".",
	}
}

func stepDefRow(step manifest.Step) views.StepDefRow {
	row := views.StepDefRow{
		ID: step.ID, Kind: string(step.Kind), Persona: step.Persona, Detail: opening(stepDetailText(step)),
		Dependencies: step.Dependencies, Optional: step.Optional,
	}
	for _, a := range step.OutputArtifacts {
		row.Artifacts = append(row.Artifacts, a.Name)
	}
	var contracts []string
	for _, c := range step.Contracts {
		contracts = append(contracts, strings.TrimSpace(c.Type+" "+cmp.Or(c.SchemaPath, c.Command)))
	}
	row.Contract = strings.Join(contracts, ", ")
	if step.Retry.MaxAttempts > 1 {
		row.Retry = fmt.Sprintf("up to %d attempts", step.Retry.MaxAttempts)
	} else {
		row.Retry = step.Retry.Policy
	}
	if step.TimeoutMinutes > 0 {
		row.Timeout = fmt.Sprintf("%d min", step.TimeoutMinutes)
	}
	return bounded(row)
}

// stepDetailText is what a step does, in its own words.
func stepDetailText(step manifest.Step) string {
	switch step.Kind {
	case manifest.KindGate:
		return cmp.Or(step.Gate.Prompt, step.Gate.Message, step.Gate.Type)
	case manifest.KindIterate:
		return strings.TrimSpace(step.Pipeline + " over " + step.Iterate.Over)
	case manifest.KindBranch:
		return "on " + step.Branch.On
	case manifest.KindLoop:
		return "until " + step.Loop.Until
	case manifest.KindAggregate:
		return strings.TrimSpace(step.Aggregate.From + " into " + step.Aggregate.Into)
	case manifest.KindPipeline, manifest.KindMatrix:
		return step.Pipeline
	case manifest.KindCommand:
		return step.Script
	default:
		return cmp.Or(step.Exec.Source, step.Exec.SourcePath, step.Exec.Command)
	}
}
