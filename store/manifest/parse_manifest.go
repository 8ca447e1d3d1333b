package manifest

import (
	"slices"
	"strings"
)

// parseManifest reads wave.yaml. Keys it does not know are left alone: Wave has many.
func parseManifest(file string, data []byte, search *lineSearch) (Manifest, []Problem) {
	root, problem := parseYAML(file, data, search)
	if problem != nil {
		return Manifest{}, []Problem{*problem}
	}
	r := newReader(file)
	top := r.mapping(root, "")
	metadata := top.mapping("metadata")
	runtime := top.mapping("runtime")
	m := Manifest{
		Loaded:      top.present,
		Name:        metadata.text("name"),
		Description: metadata.text("description"),
		Forge:       metadata.text("forge"),
		Adapters:    readAdapters(top.mapping("adapters")),
		Runtime: Runtime{
			WorkspaceRoot:         runtime.text("workspace_root"),
			MaxConcurrentWorkers:  runtime.integer("max_concurrent_workers"),
			DefaultTimeoutMinutes: runtime.integer("default_timeout_minutes"),
			GateApprovalHours:     runtime.mapping("timeouts").integer("gate_approval_hours"),
		},
	}
	m.Personas = readPersonas(top.mapping("personas"), m.Adapters)
	return m, r.problems
}

func readAdapters(all fields) []Adapter {
	var adapters []Adapter
	for _, name := range all.keys {
		f := all.r.mapping(all.values[name], "adapter "+quote(name))
		adapters = append(adapters, Adapter{
			Name:               name,
			Line:               all.lines[name],
			Binary:             f.text("binary"),
			DefaultModel:       f.text("default_model"),
			Mode:               f.text("mode"),
			OutputFormat:       f.text("output_format"),
			DefaultPermissions: readPermissions(f.mapping("default_permissions")),
		})
	}
	slices.SortFunc(adapters, func(a, b Adapter) int { return strings.Compare(a.Name, b.Name) })
	return adapters
}

func readPersonas(all fields, adapters []Adapter) []Persona {
	var personas []Persona
	for _, name := range all.keys {
		f := all.r.mapping(all.values[name], "persona "+quote(name))
		p := Persona{
			Name:             name,
			Line:             all.lines[name],
			Adapter:          f.text("adapter"),
			Description:      f.text("description"),
			SystemPromptFile: f.text("system_prompt_file"),
			Temperature:      f.number("temperature"),
			Model:            f.text("model"),
			Permissions:      readPermissions(f.mapping("permissions")),
		}
		p.TokenScopes, _ = f.texts("token_scopes")
		i, known := slices.BinarySearchFunc(adapters, p.Adapter, func(a Adapter, name string) int {
			return strings.Compare(a.Name, name)
		})
		switch {
		case known:
			p.AdapterModel = adapters[i].DefaultModel
			p.AdapterPermissions = adapters[i].DefaultPermissions
		case p.Adapter != "" && !isTemplate(p.Adapter):
			all.r.problemf(f.lines["adapter"], "%s: adapter %s is not in the manifest", f.path, quote(p.Adapter))
		}
		personas = append(personas, p)
	}
	slices.SortFunc(personas, func(a, b Persona) int { return strings.Compare(a.Name, b.Name) })
	return personas
}

func readPermissions(f fields) Permissions {
	allowed, _ := f.texts("allowed_tools")
	deny, _ := f.texts("deny")
	return Permissions{AllowedTools: allowed, Deny: deny}
}

// isTemplate tells text that Wave fills in when a run starts, so that nothing
// can be said of it before.
func isTemplate(text string) bool {
	return strings.Contains(text, "{{")
}
