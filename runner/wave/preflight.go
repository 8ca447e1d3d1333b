//go:build unix

package wave

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"wavedeck/runner"
	"wavedeck/store/manifest"
)

// preflight foresees what Wave refuses before the first step: an order of steps
// that cannot be, and tools that are not installed. Wave looks for those on the
// PATH that it gets from here, and not when it only plans.
func preflight(p manifest.Pipeline, r runner.Request) error {
	if !isGraph(p) {
		if err := runner.CheckOrder(p); err != nil {
			return err
		}
	}
	if r.DryRun {
		return nil
	}
	var missing []string
	for _, tool := range p.Tools {
		if strings.Contains(tool, "{{") || strings.TrimSpace(tool) == "" {
			continue // what it stands for is known to Wave alone
		}
		if _, err := exec.LookPath(tool); err != nil && len(missing) < maxMissing {
			missing = append(missing, fmt.Sprintf("%.80q", tool))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &runner.UnsupportedError{What: fmt.Sprintf("the pipeline requires %s, which the console does not find on its PATH", strings.Join(missing, ", "))}
}

// maxMissing bounds how many tools a refusal names.
const maxMissing = 5

// isGraph reports whether Wave walks the pipeline along its edges, where a circle
// is a way to go back.
func isGraph(p manifest.Pipeline) bool {
	return slices.ContainsFunc(p.Steps, func(s manifest.Step) bool { return len(s.Edges) > 0 || s.Kind == manifest.KindConditional })
}
