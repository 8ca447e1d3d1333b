package handlers

import (
	"bytes"
	"context"
	"net/http"
	"sort"

	"wavedeck/store/manifest"
	"wavedeck/views"
)

func (s *Server) listPersonas(w http.ResponseWriter, r *http.Request) error {
	return s.serveCached(w, r, typeHTML, func(ctx context.Context, b *bytes.Buffer) error {
		catalog := s.manifest.Current()
		view := views.PersonasView{
			Chrome:  s.chrome(r, "personas", "Personas", "list=1"),
			Refresh: s.paths.Personas(), Where: []string{catalog.Project.Manifest},
			Missing: isMissing(catalog, manifest.MissingManifest), Problems: manifestProblems(catalog),
		}
		users := usersOf(catalog)
		for _, p := range catalog.Manifest.Personas {
			view.Rows = append(view.Rows, personaRow(p, users[p.Name]))
		}
		if isFragment(r) {
			return views.PersonasTable(view).Render(ctx, b)
		}
		return views.PersonasPage(view).Render(ctx, b)
	})
}

// manifestProblems are the problems of wave.yaml itself; a pipeline's stand with it.
func manifestProblems(catalog *manifest.Catalog) []views.Problem {
	ofPipelines := map[manifest.Problem]bool{}
	for _, p := range catalog.Pipelines {
		for _, problem := range p.Problems {
			ofPipelines[problem] = true
		}
	}
	var own []manifest.Problem
	for _, problem := range catalog.Problems {
		if !ofPipelines[problem] {
			own = append(own, problem)
		}
	}
	return problemRows(own)
}

// usersOf names the pipelines whose steps are given to each persona.
func usersOf(catalog *manifest.Catalog) map[string][]string {
	used := map[string]map[string]bool{}
	for _, p := range catalog.Pipelines {
		for _, step := range p.Steps {
			if step.Persona == "" {
				continue
			}
			if used[step.Persona] == nil {
				used[step.Persona] = map[string]bool{}
			}
			used[step.Persona][p.Name] = true
		}
	}
	users := map[string][]string{}
	for persona, pipelines := range used {
		for name := range pipelines {
			users[persona] = append(users[persona], name)
		}
		sort.Strings(users[persona])
	}
	return users
}

func personaRow(p manifest.Persona, usedBy []string) views.PersonaRow {
	return bounded(views.PersonaRow{
		Name: p.Name, Adapter: opening(p.Adapter), Description: opening(p.Description), Model: opening(p.Model), DefaultModel: opening(p.AdapterModel),
		Temperature: p.Temperature, PromptFile: p.SystemPromptFile,
		Allowed: p.Permissions.AllowedTools, Denied: p.Permissions.Deny,
		InheritAllowed: p.AdapterPermissions.AllowedTools, InheritDenied: p.AdapterPermissions.Deny,
		UsedBy: usedBy,
	})
}

func (s *Server) showPersona(w http.ResponseWriter, r *http.Request) error {
	name, err := pathVar(r, "persona")
	if err != nil {
		return err
	}
	return s.serveCached(w, r, typeHTML, func(ctx context.Context, b *bytes.Buffer) error {
		catalog := s.manifest.Current()
		p, ok := catalog.Persona(name)
		if !ok {
			return noSuch("persona", name, s.paths.Personas())
		}
		view := views.PersonaView{
			Chrome:     s.chrome(r, "personas", name, "list=1"),
			PersonaRow: personaRow(p, usersOf(catalog)[name]),
		}
		view.Description = most(shown(p.Description), textsWhole)
		view.Prompt, view.PromptNote = promptOf(catalog, p)
		if a, ok := catalog.Adapter(p.Adapter); ok {
			view.Adapters = bounded([]views.AdapterRow{{
				Name: a.Name, Binary: opening(a.Binary), DefaultModel: opening(a.DefaultModel), Mode: a.Mode, OutputFormat: a.OutputFormat,
			}})
		}
		return views.PersonaPage(view).Render(ctx, b)
	})
}

// promptOf is the text of a persona's prompt file, and what there is to say about it.
func promptOf(catalog *manifest.Catalog, p manifest.Persona) (text, note string) {
	if p.SystemPromptFile == "" {
		return "", "The manifest names no prompt file."
	}
	prompt, err := catalog.Prompt(p.SystemPromptFile)
	if err != nil {
		return "", "The prompt file cannot be shown: " + clip(err.Error(), textShown)
	}
	if prompt.Truncated {
		note = "Only the beginning is shown."
	}
	return shown(prompt.Text), note
}
