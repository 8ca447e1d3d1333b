package sample

import (
	"strings"
	"time"

	"wavedeck/views"
	"wavedeck/views/ansi"
)

// account is a text whose first line says most.
func account(text string) views.Account {
	line, _, _ := strings.Cut(text, "\n")
	return views.Account{Line: line, Text: text}
}

func tail(lines ...string) []ansi.Line {
	out := make([]ansi.Line, len(lines))
	var state ansi.State
	for i, line := range lines {
		out[i], state = ansi.Parse(line, state)
	}
	return out
}

func ledger() views.OutcomesView {
	const workspaces = ".agents/workspaces/flaky-integration-20261123-123934-9c1e/"
	return views.OutcomesView{
		AllURL: "/api/runs/x",
		Outcomes: []views.OutcomeRow{
			{Kind: "pull request", Label: "Retry the suite on a lost connection", Value: "https://git.example.org/acme/widgets/pull/418", Out: "https://git.example.org/acme/widgets/pull/418", Host: "git.example.org", Description: "opened as a draft", Step: "docs", At: ago(17 * time.Minute)},
			{Kind: "link", Label: "https://git.example.org/report", Value: "https://elsewhere.example.com/report", Out: "https://elsewhere.example.com/report", Host: "elsewhere.example.com", Step: "docs", At: ago(17 * time.Minute)},
			{Kind: "deployment", Label: "staging", Value: "javascript:alert(1)", Step: "provision", At: ago(18 * time.Minute)},
			{Kind: "file", Label: "env", Value: ".agents/output/env.json", In: "/runs/x/artifacts/provision/env", Step: "provision", At: ago(18 * time.Minute)},
			{Kind: "branch", Label: "fix/lost-connection", Value: "fix/lost-connection", Step: "docs"},
		},
		Decisions: []views.DecisionRow{
			{Step: "integration", Category: "model routing", Decision: "selected model claude-opus-4 for step integration", Rationale: account("per-persona model configuration"), Context: "{\n  \"adapter\": \"claude\",\n  \"model\": \"claude-opus-4\"\n}", At: ago(18 * time.Minute)},
			{Step: "integration", Category: "contract", Decision: "contract validation failed (hard) for step integration", Rationale: views.Account{Line: "at '': missing property 'suite_passed'", Text: "on_failure is 'fail', failing the step:\nat '': missing property 'suite_passed'"}, At: ago(17 * time.Minute)},
			{Category: "retry", Decision: "retrying"},
		},
		DecisionsMore: 12,
		Checkpoints: []views.CheckpointRow{
			{Number: 1, Step: "provision", Workspace: workspaces + "provision", Commit: "4f2a910c77d1e0b6a3d9c8e7f6a5b4c3d2e1f0a9", At: ago(18 * time.Minute)},
			{Number: 3, Step: "docs", Workspace: workspaces + "docs"},
		},
	}
}
