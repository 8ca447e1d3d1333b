package catalog

import (
	"bytes"
	"net/http"
	"sort"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/store/manifest"
	"wavedeck/views"
)

func (h *Handler) listPersonas(w http.ResponseWriter, r *http.Request) error {
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		catalog := h.Manifest.Current()
		view := views.PersonasView{
			Layout:  h.Layout(r, "personas", "Personas", "list=1"),
			Refresh: h.Paths.Personas(), Where: []string{catalog.Project.Manifest},
			Missing: isMissing(catalog, manifest.MissingManifest), Problems: manifestProblems(catalog),
		}
		users := usersOf(catalog)
		for _, p := range catalog.Manifest.Personas {
			view.Rows = append(view.Rows, personaRow(p, users[p.Name]))
		}
		if web.IsFragment(r) {
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
	return runview.ProblemRows(own)
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
	return present.Bounded(views.PersonaRow{
		Name: p.Name, Adapter: present.Opening(p.Adapter), Description: present.Opening(p.Description), Model: present.Opening(p.Model), DefaultModel: present.Opening(p.AdapterModel),
		Temperature: p.Temperature, PromptFile: p.SystemPromptFile,
		Allowed: p.Permissions.AllowedTools, Denied: p.Permissions.Deny,
		InheritAllowed: p.AdapterPermissions.AllowedTools, InheritDenied: p.AdapterPermissions.Deny,
		UsedBy: usedBy,
	})
}

func (h *Handler) showPersona(w http.ResponseWriter, r *http.Request) error {
	name, err := web.PathVar(r, "persona")
	if err != nil {
		return err
	}
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		catalog := h.Manifest.Current()
		p, ok := catalog.Persona(name)
		if !ok {
			return runview.NoSuch("persona", name, h.Paths.Personas())
		}
		view := views.PersonaView{
			Layout:     h.Layout(r, "personas", name, "list=1"),
			PersonaRow: personaRow(p, usersOf(catalog)[name]),
		}
		view.Description = present.Whole(present.Redact(p.Description), present.TextsWhole)
		view.Prompt, view.PromptNote = promptOf(catalog, p)
		if a, ok := catalog.Adapter(p.Adapter); ok {
			view.Adapters = present.Bounded([]views.AdapterRow{{
				Name: a.Name, Binary: present.Opening(a.Binary), DefaultModel: present.Opening(a.DefaultModel), Mode: a.Mode, OutputFormat: a.OutputFormat,
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
		return "", "The prompt file cannot be shown: " + present.Clip(err.Error(), present.TextShown)
	}
	if prompt.Truncated {
		note = "Only the beginning is shown."
	}
	return present.Redact(prompt.Text), note
}
