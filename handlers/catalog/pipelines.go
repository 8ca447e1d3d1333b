package catalog

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/store/diagnose"
	"wavedeck/store/manifest"
	"wavedeck/views"
	"wavedeck/views/address"
)

func (h *Handler) listPipelines(w http.ResponseWriter, r *http.Request) error {
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		catalog := h.Manifest.Current()
		view := views.PipelinesView{
			Layout:  h.Layout(r, "pipelines", "Pipelines", "list=1"),
			Refresh: h.Paths.Pipelines(), Where: []string{catalog.Project.Pipelines},
			Missing: isMissing(catalog, manifest.MissingPipelines),
		}
		for _, p := range catalog.Pipelines {
			row, err := h.pipelineRow(ctx, p)
			if err != nil {
				return err
			}
			view.Rows = append(view.Rows, row)
		}
		if web.IsFragment(r) {
			return views.PipelinesTable(view).Render(ctx, b)
		}
		return views.PipelinesPage(view).Render(ctx, b)
	})
}

// startURL is where a pipeline is started, empty when it cannot be.
func (h *Handler) startURL(p manifest.Pipeline) string {
	if !h.CanRun() || !runview.Startable(p) {
		return ""
	}
	return h.Paths.Start(p.Name, nil)
}

func isMissing(catalog *manifest.Catalog, what string) bool {
	for _, m := range catalog.Project.Missing {
		if m.What == what {
			return true
		}
	}
	return false
}

func (h *Handler) pipelineRow(ctx context.Context, p manifest.Pipeline) (views.PipelineRow, error) {
	row := views.PipelineRow{
		Name: p.Name, Description: present.Opening(p.Description), Category: p.Category, File: p.File,
		Steps: len(p.Steps), Problems: runview.ProblemRows(p.Problems), StartURL: h.startURL(p),
	}
	row = present.Bounded(row)
	history, err := h.History(ctx, p.Name)
	if err != nil {
		return row, err
	}
	row.Stats = runview.StatsOf(history)
	if len(history.Recent) > 0 {
		last := present.RunRow(history.Recent[0])
		row.Last = &last
	}
	return row, nil
}

// pipelineRecord is a pipeline's definition and its record, of which one may be
// missing but not both.
func (h *Handler) pipelineRecord(ctx context.Context, name string) (manifest.Pipeline, diagnose.PipelineHistory, error) {
	p, defined := h.Manifest.Current().Pipeline(name)
	if !defined {
		p = manifest.Pipeline{Name: name}
	}
	history, err := h.History(ctx, name)
	if err == nil && !defined && len(history.Recent) == 0 {
		err = runview.NoSuch("pipeline", name, h.Paths.Pipelines())
	}
	return p, history, err
}

// hasPipeline reports whether there is a pipeline of that name, as it stands in a path.
func (h *Handler) hasPipeline(r *http.Request, name string) bool {
	name, err := address.ParseSegment(name)
	if err != nil {
		return false
	}
	_, _, err = h.pipelineRecord(r.Context(), name)
	return err == nil
}

// showPipeline is one pipeline: its definition, its record, or both. A pipeline
// that is not defined any more is known by its runs.
func (h *Handler) showPipeline(w http.ResponseWriter, r *http.Request) error {
	name, err := web.PathVar(r, "pipeline")
	if err != nil {
		return err
	}
	if f := web.FormatOf(r); f != web.FormatHTML {
		return h.ServeDocument(w, r, f, func(r *http.Request) (web.Document, error) {
			ctx := r.Context()
			return h.pipelineDocument(ctx, name)
		})
	}
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		view, err := h.pipelineView(ctx, r, name)
		if err != nil {
			return err
		}
		if web.IsFragment(r) {
			return views.PipelineRuns(view).Render(ctx, b)
		}
		return views.PipelinePage(view).Render(ctx, b)
	})
}

func (h *Handler) pipelineView(ctx context.Context, r *http.Request, name string) (views.PipelineView, error) {
	p, history, err := h.pipelineRecord(ctx, name)
	if err != nil {
		return views.PipelineView{}, err
	}
	_, defined := h.Manifest.Current().Pipeline(name)
	view := views.PipelineView{
		Layout: h.Layout(r, "pipelines", name, "list=1"), Defined: defined,
		PipelineRow: views.PipelineRow{
			Name: p.Name, Description: present.Whole(present.Redact(p.Description), 4*present.AccountShown), Category: present.Clip(p.Category, present.TextShown), File: p.File,
			Steps: len(p.Steps), Problems: runview.ProblemRows(p.Problems), Stats: runview.StatsOf(history),
		},
		Input:   runview.InputView(p.Input),
		RunsURL: h.Paths.Runs(url.Values{"pipeline": {name}}), Refresh: h.Paths.Pipeline(name),
	}
	if view.StartURL = h.startURL(p); view.StartURL != "" {
		view.Refused = h.refusal(ctx, p)
	}
	view.Forms = h.FormatLinks(h.Paths.Pipeline(name), web.PageFormats, nil)
	h.Shareable(r, &view.Layout, runview.SharedThing{Pipeline: name})
	for _, step := range p.Steps {
		view.Defs = append(view.Defs, stepDefRow(step))
	}
	if len(p.Steps) > 0 {
		view.Graph = h.PipelinePicture(p)
	}
	t, err := h.trendsFrom(ctx, history)
	if err != nil {
		return view, err
	}
	view.Trends = h.trendsView(view.Layout, name, t)
	if view.Recent, err = h.RunRows(ctx, history.Recent, false); err != nil {
		return view, err
	}
	if len(view.Recent) > 0 {
		view.Last = &view.Recent[0]
	}
	return view, nil
}

func stepDefRow(step manifest.Step) views.StepDefRow {
	row := views.StepDefRow{
		ID: step.ID, Kind: string(step.Kind), Persona: step.Persona, Detail: present.Opening(stepDetailText(step)),
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
	return present.Bounded(row)
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
