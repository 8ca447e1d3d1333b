package present

import (
	"strings"

	"wavedeck/views"
)

// Fields of a request to run something, in forms and in JSON alike.
const (
	FieldModel     = "model"
	FieldAdapter   = "adapter"
	FieldFromStep  = "from_step"
	FieldSteps     = "steps"
	FieldExclude   = "exclude"
	FieldTimeout   = "timeout" // minutes
	FieldOnFailure = "on_failure"
	FieldDryRun    = "dry_run"
	FieldApprove   = "auto_approve"
)

// FieldOriginal is the run that a start resumes.
const FieldOriginal = "original"

// StartFacts says in words how a run was started.
func StartFacts(params map[string]string) []views.StartFact {
	var facts []views.StartFact
	for _, f := range []struct{ field, name string }{
		{FieldDryRun, "Dry run"}, {FieldFromStep, "From step"}, {FieldSteps, "Only steps"}, {FieldExclude, "Without steps"},
		{FieldModel, "Model"}, {FieldAdapter, "Adapter"}, {FieldTimeout, "Timeout"}, {FieldOnFailure, "On failure"}, {FieldApprove, "Approval gates"},
		{FieldOriginal, "Resumed from"},
	} {
		text, given := params[f.field]
		switch {
		case !given:
			continue
		case f.field == FieldDryRun:
			text = "yes, nothing was executed"
		case f.field == FieldApprove:
			text = "passed automatically"
		case f.field == FieldTimeout:
			text += " min per step"
		default:
			text = strings.ReplaceAll(text, ",", ", ")
		}
		facts = append(facts, Bounded(views.StartFact{Name: f.name, Text: text}))
	}
	return facts
}
