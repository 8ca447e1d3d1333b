package present

import (
	"encoding/json"
	"strings"
	"time"

	"wavedeck/store/wave"
)

// outcomeSummary, decisionSummary and checkpointSummary are the JSON forms.
type outcomeSummary struct {
	StepID      string     `json:"step_id,omitempty"`
	Type        string     `json:"type"`
	Label       string     `json:"label,omitempty"`
	Value       string     `json:"value"`
	Description string     `json:"description,omitempty"`
	CreatedAt   *time.Time `json:"created_at"`
}

type decisionSummary struct {
	StepID    string     `json:"step_id,omitempty"`
	Timestamp *time.Time `json:"timestamp"`
	Category  string     `json:"category"`
	Decision  string     `json:"decision"`
	Rationale string     `json:"rationale,omitempty"`
	Context   any        `json:"context,omitempty"` // JSON where it is, else the text
}

type checkpointSummary struct {
	StepID    string     `json:"step_id"`
	StepIndex int        `json:"step_index"`
	Workspace string     `json:"workspace_path,omitempty"`
	Commit    string     `json:"workspace_commit_sha,omitempty"`
	CreatedAt *time.Time `json:"created_at"`
}

// AddOutcomes adds what a run left, decided and saved to its JSON.
func (body *RunDetailResponse) AddOutcomes(d wave.RunDetail) {
	for _, o := range d.Outcomes.Rows {
		body.Outcomes = append(body.Outcomes, outcomeSummary{
			StepID: Redact(o.StepID), Type: Redact(o.Type), Label: Redact(o.Label), Value: Redact(o.Value),
			Description: Redact(o.Description), CreatedAt: OptionalTime(o.At),
		})
	}
	for _, one := range d.Decisions.Rows {
		body.Decisions = append(body.Decisions, decisionSummary{
			StepID: Redact(one.StepID), Timestamp: OptionalTime(one.At), Category: Redact(one.Category), Decision: Redact(one.Decision),
			Rationale: Redact(one.Rationale), Context: contextValue(one.Context),
		})
	}
	for _, p := range d.Checkpoints.Rows {
		body.Checkpoints = append(body.Checkpoints, checkpointSummary{
			StepID: Redact(p.StepID), StepIndex: p.Index, Workspace: Redact(p.Workspace), Commit: Redact(p.Commit), CreatedAt: OptionalTime(p.At),
		})
	}
	body.OutcomesTotal, body.DecisionsTotal, body.CheckpointsTotal = d.Outcomes.All, d.Decisions.All, d.Checkpoints.All
}

func contextValue(recorded string) any {
	text := Redact(recorded)
	switch {
	case strings.TrimSpace(text) == "", strings.TrimSpace(text) == "{}":
		return nil
	case json.Valid([]byte(text)):
		return json.RawMessage(strings.ToValidUTF8(text, "\uFFFD"))
	default:
		return text
	}
}
