//go:build unix

package wave

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"wavedeck/runner"
	"wavedeck/store/manifest"
)

// hasForge foresees that Wave refuses a pipeline that works with a forge, such as
// GitHub, in a project without one.
func hasForge(ctx context.Context, catalog *manifest.Catalog, p manifest.Pipeline) error {
	need := needsForge(catalog, p)
	if need == "" {
		return nil
	}
	why := noForge(ctx, catalog)
	if why == "" {
		return nil
	}
	return &runner.UnsupportedError{What: "the pipeline needs a forge (" + need + "), and " + why}
}

// needsForge is what Wave takes for a sign that a pipeline needs a forge; empty: nothing.
func needsForge(catalog *manifest.Catalog, p manifest.Pipeline) string {
	for _, prefix := range []string{"gh-", "gl-", "bb-", "gt-"} {
		if strings.HasPrefix(p.Name, prefix) {
			return fmt.Sprintf("its name begins with %q", prefix)
		}
	}
	for _, s := range p.Steps {
		if tool := forgeTool(catalog, s); tool != "" {
			return fmt.Sprintf("the step %.80q may use %s", s.ID, tool)
		}
		for _, template := range []string{"{{ forge.cli_tool }}", "{{ forge.pr_command }}"} {
			if strings.Contains(s.Exec.Source, template) {
				return fmt.Sprintf("the step %.80q uses %s", s.ID, template)
			}
		}
	}
	return ""
}

// forgeTool is the program of a forge that a step with a persona may use.
func forgeTool(catalog *manifest.Catalog, s manifest.Step) string {
	persona, known := catalog.Persona(s.Persona)
	if !known {
		return ""
	}
	adapter, _ := catalog.Adapter(cmp.Or(s.Adapter, persona.Adapter))
	for _, allowed := range slices.Concat(s.Permissions.AllowedTools, persona.Permissions.AllowedTools, adapter.DefaultPermissions.AllowedTools) {
		for _, tool := range []string{"gh", "glab", "tea", "bb"} {
			if strings.Contains(allowed, "Bash("+tool+" ") || strings.Contains(allowed, "Bash("+tool+")") || allowed == "Bash("+tool+"*)" {
				return tool
			}
		}
	}
	return ""
}

// remotesWithin is how long git may take to list the remotes of a project.
const remotesWithin = 2 * time.Second

// noForge is why Wave finds that a project has no forge; empty: it may have one, also
// when git does not answer in time.
func noForge(ctx context.Context, catalog *manifest.Catalog) string {
	switch forge := strings.ToLower(catalog.Manifest.Forge); forge {
	case "local", "none":
		return fmt.Sprintf("metadata.forge in wave.yaml is %q", forge)
	}
	ctx, cancel := context.WithTimeout(ctx, remotesWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", "-c", "core.fsmonitor=false", "remote", "-v")
	cmd.Dir, cmd.WaitDelay = catalog.Project.Root, time.Second
	out, err := cmd.Output()
	if ctx.Err() == nil && (err != nil || !strings.Contains(string(out), "(fetch)")) {
		return "the project has none: add a git remote"
	}
	return ""
}
