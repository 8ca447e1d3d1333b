package handlers

import (
	"bytes"
	"context"
	"net/http"

	"wavedeck/store"
	"wavedeck/store/manifest"
)

type pipelineSummary struct {
	Name        string           `json:"name"`
	Description string           `json:"description,omitempty"`
	Category    string           `json:"category,omitempty"`
	File        string           `json:"file,omitempty"`
	StepCount   int              `json:"step_count"`
	Problems    []problemSummary `json:"problems,omitempty"`
	Record      *recordSummary   `json:"record,omitempty"`
}

type problemSummary struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	Text string `json:"text"`
}

// recordSummary is what became of the latest runs of a pipeline that ended, and
// how long those took that succeeded.
type recordSummary struct {
	Succeeded int   `json:"succeeded"`
	Failed    int   `json:"failed"`
	Cancelled int   `json:"cancelled"`
	MedianMs  int64 `json:"median_ms,omitempty"`
	P90Ms     int64 `json:"p90_ms,omitempty"`
	Timed     int   `json:"timed"`
}

type pipelineDetail struct {
	pipelineSummary
	Input  inputSummary  `json:"input"`
	Steps  []stepSummary `json:"steps"`
	Recent []runSummary  `json:"recent_runs"`
	Trends trendsSummary `json:"trends"`
}

type inputSummary struct {
	Source      string   `json:"source,omitempty"`
	Type        string   `json:"type,omitempty"`
	Description string   `json:"description,omitempty"`
	Example     string   `json:"example,omitempty"`
	Default     string   `json:"default,omitempty"`
	Required    bool     `json:"required"`
	Enum        []string `json:"enum,omitempty"`
}

type stepSummary struct {
	ID           string   `json:"id"`
	Kind         string   `json:"kind"`
	Persona      string   `json:"persona,omitempty"`
	Dependencies []string `json:"dependencies,omitempty"`
	Optional     bool     `json:"optional,omitempty"`
}

type personaSummary struct {
	Name             string   `json:"name"`
	Adapter          string   `json:"adapter,omitempty"`
	Description      string   `json:"description,omitempty"`
	Model            string   `json:"model,omitempty"`
	Temperature      *float64 `json:"temperature,omitempty"`
	SystemPromptFile string   `json:"system_prompt_file,omitempty"`
	AllowedTools     []string `json:"allowed_tools,omitempty"`
	Deny             []string `json:"deny,omitempty"`
}

func (s *Server) apiPipelines(w http.ResponseWriter, r *http.Request) error {
	return s.serveCached(w, r, typeJSON, func(ctx context.Context, b *bytes.Buffer) error {
		body := struct {
			Pipelines []pipelineSummary `json:"pipelines"`
		}{Pipelines: []pipelineSummary{}}
		for _, p := range s.manifest.Current().Pipelines {
			history, err := s.history(ctx, p.Name)
			if err != nil {
				return err
			}
			body.Pipelines = append(body.Pipelines, bounded(pipelineSummaryOf(p, history)))
		}
		return encodeJSON(b, body)
	})
}

func pipelineSummaryOf(p manifest.Pipeline, h store.PipelineHistory) pipelineSummary {
	sum := pipelineSummary{
		Name: p.Name, Description: shown(p.Description), Category: p.Category, File: p.File, StepCount: len(p.Steps),
	}
	for _, problem := range p.Problems {
		sum.Problems = append(sum.Problems, problemSummary{File: problem.File, Line: problem.Line, Text: shown(problem.Text)})
	}
	if h.Succeeded+h.Failed+h.Cancelled > 0 {
		sum.Record = &recordSummary{
			Succeeded: h.Succeeded, Failed: h.Failed, Cancelled: h.Cancelled, Timed: h.Timed,
			MedianMs: h.Median.Milliseconds(), P90Ms: h.P90.Milliseconds(),
		}
	}
	return sum
}

// pipelineDocument is one pipeline for programs.
func (s *Server) pipelineDocument(ctx context.Context, name string) (pipelineDetail, error) {
	p, history, err := s.pipelineRecord(ctx, name)
	if err != nil {
		return pipelineDetail{}, err
	}
	body := pipelineDetail{
		pipelineSummary: boundedTo(pipelineSummaryOf(p, history), 4*accountShown), Steps: []stepSummary{},
		Input: boundedTo(inputSummary{
			Source: shown(p.Input.Source), Type: shown(p.Input.Type), Description: shown(p.Input.Description), Example: shown(p.Input.Example),
			Default: shown(p.Input.Default), Required: p.Input.Required, Enum: shownAll(p.Input.Enum),
		}, 4*accountShown),
	}
	for _, step := range p.Steps {
		body.Steps = append(body.Steps, bounded(stepSummary{
			ID: step.ID, Kind: string(step.Kind), Persona: step.Persona, Dependencies: step.Dependencies, Optional: step.Optional,
		}))
	}
	t, err := s.trendsFrom(ctx, history)
	if err != nil {
		return body, err
	}
	body.Trends = t.summary()
	body.Recent = make([]runSummary, len(history.Recent))
	for i, run := range history.Recent {
		body.Recent[i] = summaryInList(run)
	}
	return body, s.addCostSummaries(ctx, pointers(body.Recent)...)
}

func (s *Server) apiPersonas(w http.ResponseWriter, r *http.Request) error {
	return s.serveCached(w, r, typeJSON, func(_ context.Context, b *bytes.Buffer) error {
		body := struct {
			Personas []personaSummary `json:"personas"`
		}{Personas: []personaSummary{}}
		for _, p := range s.manifest.Current().Manifest.Personas {
			body.Personas = append(body.Personas, bounded(personaSummary{
				Name: p.Name, Adapter: opening(p.Adapter), Description: opening(p.Description), Model: opening(p.EffectiveModel()), Temperature: p.Temperature,
				SystemPromptFile: p.SystemPromptFile, AllowedTools: p.Permissions.AllowedTools, Deny: p.Permissions.Deny,
			}))
		}
		return encodeJSON(b, body)
	})
}
