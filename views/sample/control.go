package sample

import "wavedeck/views"

// controls are the pages that start and stop runs.
func controls() []Case {
	first := startForm()
	wrong := startForm()
	wrong.Errors = map[string]string{"input": "It is required.", "timeout": "It is not a number of minutes from 1 to 40320."}
	wrong.Text, wrong.Timeout, wrong.Open = "", "soon", true
	wrong.Only, wrong.Except, wrong.DryRun = []string{"plan"}, []string{"publish"}, true
	wrong.Plan = views.PlanView{Refresh: wrong.Preview, Engine: "local", Problem: `step "publish": a sub-pipeline is more than this engine does; the engine wave does it`}
	refused := startForm()
	refused.Problem, refused.Next = "5 runs are active, and no more than 5 may be", "Nothing was started. Wait for one to end, or stop one."
	refused.Input.Choices, refused.Text = []string{"staging", "production"}, "production"
	retry := startForm()
	retry.Heading, retry.Verb, retry.Redacted = "Retry fix-issue", "Retry", true
	retry.Original = &views.RunRef{ID: "fix-issue-20261123-115002-aa01", Pipeline: "fix-issue", State: "failed", Word: "failed"}
	hostile := startForm()
	t := Hostile()[0].Title
	hostile.Heading, hostile.Pipeline, hostile.Description, hostile.Text, hostile.Model, hostile.Steps = t, t, t, t+"</textarea>", t, []string{t, "\"x"}
	hostile.Input = views.InputView{Source: t, Type: t, Description: t, Example: t}
	hostile.Problem, hostile.Errors = t, map[string]string{"input": t}
	hostile.Plan = views.PlanView{Steps: []views.PlanRow{{ID: t, Kind: t, Does: t, Why: t}}}
	starts := views.StartsView{Chrome: Chrome("Start a run", "runs", ""), Rows: pipelineRows()[:2], Not: pipelineRows()[2:3]}
	return []Case{
		{"starts", "where a pipeline is chosen", true, views.StartsPage(starts)},
		{"start", "the form of a start", true, views.StartPage(first)},
		{"start-wrong", "what cannot be taken, at its field", true, views.StartPage(wrong)},
		{"start-refused", "a limit that is reached", true, views.StartPage(refused)},
		{"start-retry", "the form of a retry", true, views.StartPage(retry)},
		{"start-hostile", "texts that try to be something else", true, views.StartPage(hostile)},
	}
}

func startForm() views.StartView {
	return views.StartView{
		Chrome: Chrome("Start fix-issue", "pipelines", ""), Heading: "Start fix-issue", Pipeline: "fix-issue",
		Description: "Read an issue, change the code, open a pull request.",
		Action:      "/pipelines/fix-issue/start", Preview: "/pipelines/fix-issue/start/preview", Key: "20261123-125734-0123456789abcdef", Verb: "Start",
		Input: pipeline().Input, Text: "acme/widgets 42\nand nothing else", OnFailure: "halt",
		Steps: []string{"fetch", "plan", "implement", "publish"}, Adapters: []string{"claude", "codex"},
		Plan: views.PlanView{
			Refresh: "/pipelines/fix-issue/start/preview", Engine: "wave",
			Steps: []views.PlanRow{
				{ID: "fetch", Kind: "command", Does: "reuses", Why: "completed by fix-issue-20261123-115002-aa01"},
				{ID: "plan", Kind: "prompt", Does: "runs"},
				{ID: "implement", Kind: "prompt", Does: "runs"},
				{ID: "publish", Kind: "pipeline", Does: "skipped", Why: "excluded"},
			},
		},
	}
}
