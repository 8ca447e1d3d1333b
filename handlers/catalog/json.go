package catalog

import (
	"bytes"
	"context"
	"net/http"

	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/store/diagnose"
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
	Input  inputSummary         `json:"input"`
	Steps  []stepSummary        `json:"steps"`
	Recent []present.RunSummary `json:"recent_runs"`
	Trends trendsSummary        `json:"trends"`
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

func (h *Handler) apiPipelines(w http.ResponseWriter, r *http.Request) error {
	return h.ServeCached(w, r, web.TypeJSON, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		body := struct {
			Pipelines []pipelineSummary `json:"pipelines"`
		}{Pipelines: []pipelineSummary{}}
		for _, p := range h.Manifest.Current().Pipelines {
			history, err := h.History(ctx, p.Name)
			if err != nil {
				return err
			}
			body.Pipelines = append(body.Pipelines, present.Bounded(pipelineSummaryOf(p, history)))
		}
		return web.EncodeJSON(b, body)
	})
}

func pipelineSummaryOf(p manifest.Pipeline, h diagnose.PipelineHistory) pipelineSummary {
	sum := pipelineSummary{
		Name: p.Name, Description: present.Redact(p.Description), Category: p.Category, File: p.File, StepCount: len(p.Steps),
	}
	for _, problem := range p.Problems {
		sum.Problems = append(sum.Problems, problemSummary{File: problem.File, Line: problem.Line, Text: present.Redact(problem.Text)})
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
func (h *Handler) pipelineDocument(ctx context.Context, name string) (pipelineDetail, error) {
	p, history, err := h.pipelineRecord(ctx, name)
	if err != nil {
		return pipelineDetail{}, err
	}
	body := pipelineDetail{
		pipelineSummary: present.BoundedTo(pipelineSummaryOf(p, history), 4*present.AccountShown), Steps: []stepSummary{},
		Input: present.BoundedTo(inputSummary{
			Source: present.Redact(p.Input.Source), Type: present.Redact(p.Input.Type), Description: present.Redact(p.Input.Description), Example: present.Redact(p.Input.Example),
			Default: present.Redact(p.Input.Default), Required: p.Input.Required, Enum: present.RedactAll(p.Input.Enum),
		}, 4*present.AccountShown),
	}
	for _, step := range p.Steps {
		body.Steps = append(body.Steps, present.Bounded(stepSummary{
			ID: step.ID, Kind: string(step.Kind), Persona: present.Opening(step.Persona), Dependencies: step.Dependencies, Optional: step.Optional,
		}))
	}
	t, err := h.trendsFrom(ctx, history)
	if err != nil {
		return body, err
	}
	body.Trends = t.summary()
	body.Recent = make([]present.RunSummary, len(history.Recent))
	for i, run := range history.Recent {
		body.Recent[i] = present.SummaryInList(run)
	}
	return body, h.AddCostSummaries(ctx, present.Pointers(body.Recent)...)
}

func (h *Handler) apiPersonas(w http.ResponseWriter, r *http.Request) error {
	return h.ServeCached(w, r, web.TypeJSON, func(_ *http.Request, b *bytes.Buffer) error {
		body := struct {
			Personas []personaSummary `json:"personas"`
		}{Personas: []personaSummary{}}
		for _, p := range h.Manifest.Current().Manifest.Personas {
			body.Personas = append(body.Personas, present.Bounded(personaSummary{
				Name: p.Name, Adapter: present.Opening(p.Adapter), Description: present.Opening(p.Description), Model: present.Opening(p.EffectiveModel()), Temperature: p.Temperature,
				SystemPromptFile: p.SystemPromptFile, AllowedTools: p.Permissions.AllowedTools, Deny: p.Permissions.Deny,
			}))
		}
		return web.EncodeJSON(b, body)
	})
}
