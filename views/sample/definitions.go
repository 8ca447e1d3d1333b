package sample

import (
	"fmt"
	"time"

	"wavedeck/views"
)

func definitions() []Case {
	list := views.PipelinesView{Layout: Layout("Pipelines", "pipelines", "list=1"), Rows: pipelineRows(), Refresh: "/pipelines"}
	missing := views.PipelinesView{Layout: Layout("Pipelines", "pipelines", ""), Missing: true, Where: []string{"/home/me/acme/.agents/pipelines", "/home/me/acme/.wave/pipelines"}}
	gone := views.PipelineView{Layout: Layout("old-flow", "pipelines", ""), PipelineRow: views.PipelineRow{Name: "old-flow"}, Recent: past()[3:5]}
	people := views.PersonasView{Layout: Layout("Personas", "personas", ""), Rows: personaRows()}
	nobody := views.PersonasView{Layout: Layout("Personas", "personas", ""), Missing: true, Where: []string{"/home/me/acme/wave.yaml"}}
	return []Case{
		{"pipelines", "the list, one file with an error", true, views.PipelinesPage(list)},
		{"pipelines-missing", "no folder", true, views.PipelinesPage(missing)},
		{"pipeline", "one pipeline", true, views.PipelinePage(pipeline())},
		{"pipeline-trends", "the fragment alone", false, views.PipelineTrends(trendsView())},
		{"pipeline-gone", "a pipeline of which only runs are left", true, views.PipelinePage(gone)},
		{"pipeline-hostile", "texts that try to be something else", true, views.PipelinePage(hostilePipeline())},
		{"personas", "the list", true, views.PersonasPage(people)},
		{"personas-missing", "no manifest", true, views.PersonasPage(nobody)},
		{"persona", "one persona", true, views.PersonaPage(persona())},
	}
}

func pipelineRows() []views.PipelineRow {
	rows := runRows()
	return []views.PipelineRow{
		{Name: "fix-issue", Description: "Read an issue, change the code, open a pull request.", Category: "delivery", File: ".agents/pipelines/fix-issue.yaml", Steps: 4, Last: &rows[7], Stats: views.Stats{N: 37, Succeeded: 34, Median: 131 * time.Second, P90: 402 * time.Second, Timed: 37}},
		{Name: "flaky-integration", Description: "Bring staging up and run the whole suite against it.", Category: "quality", File: ".agents/pipelines/flaky-integration.yaml", Steps: 5, Last: &rows[5], Stats: views.Stats{N: 3, Succeeded: 1, Median: 16 * time.Second, P90: 20 * time.Second, Timed: 3}},
		{Name: "broken", File: ".agents/pipelines/broken.yaml", Problems: []views.Problem{{File: ".agents/pipelines/broken.yaml", Line: 12, Text: "did not find expected key"}}},
		{Name: "release-check", Description: "Everything that must hold before a version is cut.", Category: "release", File: ".agents/pipelines/release-check.yaml", Steps: 6, Last: &rows[0], Stats: views.Stats{N: 120, Succeeded: 120, Median: 3 * time.Second, P90: 3 * time.Second, Timed: 118}},
		{Name: "unused", Description: "Never run.", File: ".agents/pipelines/unused.yaml", Steps: 2},
	}
}

func pipeline() views.PipelineView {
	return views.PipelineView{
		Layout: Layout("fix-issue", "pipelines", "list=1"), PipelineRow: pipelineRows()[0], Defined: true,
		Input: views.InputView{Source: "cli", Type: "string", Description: "Repository and number of the issue.", Example: "acme/widgets 42", Required: true},
		Defs: []views.StepDefRow{
			{ID: "fetch", Kind: "command", Detail: "gh issue view $INPUT --json title,body > issue.json", Artifacts: []string{"issue"}},
			{ID: "plan", Kind: "prompt", Persona: "navigator", Detail: "Read the issue and say which files must change, and why.", Dependencies: []string{"fetch"}, Artifacts: []string{"plan"}, Contract: "json_schema plan.schema.json"},
			{ID: "implement", Kind: "prompt", Persona: "craftsman", Detail: "Make the change.", Dependencies: []string{"plan"}, Contract: "test_suite go test ./...", Retry: "3 attempts", Timeout: "30m"},
			{ID: "publish", Kind: "pipeline", Detail: "open-pr", Dependencies: []string{"implement", "plan"}, Optional: true},
		},
		Trends: trendsView(), Recent: past()[3:8], RunsURL: "/runs?pipeline=fix-issue", Refresh: "/pipelines/fix-issue",
	}
}

// trendsView has every state, a gap, and one run far above the others.
func trendsView() views.TrendsView {
	v := views.TrendsView{Layout: Layout("fix-issue", "pipelines", ""), Pipeline: "fix-issue", Refresh: "/pipelines/fix-issue/trends"}
	states := []string{"succeeded", "succeeded", "failed", "succeeded", "empty", "succeeded", "rejected", "succeeded", "cancelled", "succeeded", "lost", "running"}
	for i, state := range states {
		p := views.TrendPoint{ID: fmt.Sprintf("fix-issue-%02d", i), State: state, Word: state, Started: ago(time.Duration(len(states)-i) * time.Hour)}
		if state != "lost" && state != "running" {
			p.Duration, p.Tokens = took(time.Duration(100+i*i)*time.Second), new(int64(8000+1000*(i%4)))
		}
		v.Points = append(v.Points, p)
	}
	v.Points[1].Duration = took(5 * time.Hour)
	v.Cost = "≥ $3.10 est."
	for i := range v.Points {
		if amount := 0.1 * float64(i%5); v.Points[i].Tokens != nil {
			v.Points[i].Cost, v.Points[i].CostText = &amount, "≈ $0.10 est."
		}
	}
	v.Steps = []views.SpreadRow{
		{Step: "implement", Runs: 11, Attempts: 14, Timed: 14, P50: 61 * time.Second, P90: 240 * time.Second, Counted: 14, Tokens50: 6100, Tokens90: 12_000},
		{Step: "fetch", Runs: 12, Attempts: 12, Timed: 12, P50: time.Second, P90: 2 * time.Second, Coarse: true},
		{Step: "publish", Runs: 2, Attempts: 2},
	}
	v.Failures = []views.FailureRow{
		{Line: "dial tcp 10.0.0.7:5432: connection refused", Key: "dial tcp <n>:<n>: connection refused", Count: 7, First: ago(70 * time.Hour), Last: ago(time.Hour), NewestURL: "/runs/fix-issue-02", ListURL: "/runs?state=failed"},
		{Count: 1, First: ago(2 * time.Hour), Last: ago(2 * time.Hour), NewestURL: "/runs/fix-issue-10", ListURL: "/runs?state=lost"},
	}
	return v
}

func hostilePipeline() views.PipelineView {
	t := Hostile()[0].Title
	q := Hostile()[1].Title
	return views.PipelineView{
		Layout: Layout(t, "pipelines", ""), Defined: true, RunsURL: "javascript:alert(1)",
		PipelineRow: views.PipelineRow{Name: q, Description: t, Category: t, File: t, Problems: []views.Problem{{File: t, Line: 1, Text: t}}},
		Input:       views.InputView{Source: t, Type: t, Description: t, Example: t, Default: t, Choices: []string{t, q}},
		Defs:        []views.StepDefRow{{ID: t, Kind: t, Persona: t, Detail: t, Dependencies: []string{q, t}, Artifacts: []string{t}, Contract: t, Retry: t, Timeout: t}},
		Recent:      Hostile(),
		Trends: views.TrendsView{
			Pipeline: t, Points: []views.TrendPoint{{ID: t, State: t, Word: t, Duration: took(time.Second), Tokens: new(int64(1))}},
			Steps: []views.SpreadRow{{Step: t, Runs: 1, Attempts: 1}}, Failures: []views.FailureRow{{Line: t, Key: q, Count: 1, NewestURL: "javascript:alert(1)", ListURL: "javascript:alert(1)"}},
		},
	}
}

func personaRows() []views.PersonaRow {
	cool, warm := 0.1, 0.7
	return []views.PersonaRow{
		{Name: "craftsman", Adapter: "claude", Description: "Writes code and its tests.", Model: "claude-opus-4", Temperature: &warm, PromptFile: ".agents/personas/craftsman.md", Allowed: []string{"Read", "Write", "Edit", "Bash(go test*)"}, Denied: []string{"Bash(git push*)", "Bash(rm *)"}, InheritDenied: []string{"WebFetch"}, UsedBy: []string{"fix-issue", "flaky-integration"}},
		{Name: "navigator", Adapter: "claude", Description: "Reads much, writes nothing.", DefaultModel: "claude-sonnet-4", Temperature: &cool, PromptFile: ".agents/personas/navigator.md", Allowed: []string{"Read", "Grep"}, Denied: []string{"Write"}, UsedBy: []string{"fix-issue"}},
		{Name: "stray", Adapter: "nowhere", Problems: []views.Problem{{File: "wave.yaml", Line: 41, Text: "adapter nowhere is not defined"}}},
	}
}

func persona() views.PersonaView {
	return views.PersonaView{
		Layout: Layout("craftsman", "personas", ""), PersonaRow: personaRows()[0],
		Prompt:   "# Craftsman\n\nYou change code in small steps and leave each one tested.\n\n- Read before you write.\n- Say what you did not do.\n",
		Adapters: []views.AdapterRow{{Name: "claude", Binary: "claude", DefaultModel: "claude-sonnet-4", Mode: "headless", OutputFormat: "json"}},
	}
}
