package runner

import (
	"fmt"
	"slices"

	"wavedeck/store/manifest"
)

// CheckOrder refuses a pipeline whose steps have no order to run in: two of one
// id, one that depends on none there is, or some that depend on each other.
func CheckOrder(p manifest.Pipeline) error {
	refuse := func(format string, args ...any) error {
		return &InputError{Field: "pipeline", Text: fmt.Sprintf("%.80q ", p.Name) + fmt.Sprintf(format, args...)}
	}
	ids := map[string]bool{}
	for _, s := range p.Steps {
		if ids[s.ID] {
			return refuse("has two steps with the id %.80q", s.ID)
		}
		ids[s.ID] = true
	}
	done := map[string]bool{}
	for grew := true; grew; {
		grew = false
		for _, s := range p.Steps {
			if !done[s.ID] && !slices.ContainsFunc(s.Dependencies, func(d string) bool { return !done[d] }) {
				done[s.ID], grew = true, true
			}
		}
	}
	for _, s := range p.Steps {
		for _, need := range s.Dependencies {
			if !ids[need] {
				return refuse("has the step %.80q, which depends on %.80q: there is no such step", s.ID, need)
			}
		}
	}
	for _, s := range p.Steps {
		if !done[s.ID] {
			return refuse("has a dependency cycle: the step %.80q depends on itself, or on a step that does", s.ID)
		}
	}
	return nil
}
