package sample

import (
	"time"

	"wavedeck/views"
)

// controls are the pages that start and stop runs.
func controls() []Case {
	first := startForm()
	wrong := startForm()
	wrong.Errors = map[string]string{"input": "It is required.", "timeout": "It is not a number of minutes from 1 to 40320."}
	wrong.Text, wrong.Timeout, wrong.Open = "", "soon", true
	wrong.Only, wrong.Except, wrong.DryRun = []string{"plan"}, []string{"publish"}, true
	const not = `step "publish": a sub-pipeline is not supported by this engine; use --engine wave`
	wrong.Plan = views.PlanView{Refresh: wrong.Preview, Verb: "Start", Engine: "local", Problem: not, Not: not}
	refused := startForm()
	refused.Problem, refused.Next = "5 runs are active, and no more than 5 may be", "Nothing was started. Wait for one to end, or stop one."
	refused.Input.Choices, refused.Text = []string{"staging", "production"}, "production"
	retry := startForm()
	retry.Heading, retry.Verb, retry.Plan.Verb, retry.Redacted = "Retry fix-issue", "Retry", "Retry", true
	retry.Original = &views.RunRef{ID: "fix-issue-20261123-115002-aa01", Pipeline: "fix-issue", State: "failed", Word: "failed"}
	kept := retry
	kept.Text, kept.Redacted, kept.Open = "", false, true
	kept.KeptInput, kept.KeptTags = &views.Kept{Size: "1.2 MB", Beginning: "Everything that was said about it <b>so far</b>"}, 40
	hostile := startForm()
	t := Hostile()[0].Title
	hostile.Heading, hostile.Pipeline, hostile.Description, hostile.Text, hostile.Model, hostile.Steps = t, t, t, t+"</textarea>", t, []string{t, "\"x"}
	hostile.Input = views.InputView{Source: t, Type: t, Description: t, Example: t}
	hostile.Problem, hostile.Errors = t, map[string]string{"input": t}
	hostile.Plan = views.PlanView{Refresh: hostile.Preview, Verb: t, Not: t, Problem: t, Steps: []views.PlanRow{{ID: t, Kind: t, Does: t, Why: t}}}
	stop := views.StopView{Layout: Layout("Stop fix-issue", "runs", ""), Run: row("fix-issue-20261123-115002-aa01", "fix-issue", "acme/widgets 42", "running", 3*time.Minute), Action: "/runs/fix-issue-20261123-115002-aa01/cancel", Open: 3}
	force, lost := stop, stop
	force.Asked, force.Late, force.Open = ago(40*time.Second), true, 0
	lost.Lost, lost.Run.State, lost.Run.Word, lost.Open = true, "lost", "lost", 0
	bulk := views.BulkView{
		Layout: Layout("Rehearsal", "runs", ""), Do: "cancel", All: 1000, More: true, Action: "/bulk", Back: "/runs", Touched: runRows()[:2],
		Not:   []views.Untouched{{Why: "already ended", Rows: past()[:3]}, {Why: "is already stopping", Rows: past()[3:4]}},
		Error: "It is about 2 runs, not “3”.",
	}
	nothing := views.BulkView{Layout: bulk.Layout, Do: "retry", All: 3, Back: "/runs", Not: bulk.Not[:1]}
	progress := views.BulkProgress{
		Layout: Layout("Progress", "runs", ""), Do: "retry", Waiting: 80, Done: 19, Refused: 1, Created: ago(time.Minute),
		Note: "waits for a free slot: 5 runs are active, and no more than 5 may be", Refresh: "/bulk/ABC?from=0", Stop: "/bulk/ABC/stop", Later: "/bulk/ABC?from=3",
		Rows: []views.BulkRow{
			{Run: "fix-issue-20261123-115002-aa01", State: "done", Result: "started again", NewRun: "fix-issue-20261123-125734-01234567"},
			{Run: "fix-issue-20261123-115002-aa02", State: "refused", Result: "has not ended"},
			{Run: "fix-issue-20261123-115002-aa03", State: "waiting"},
		},
	}
	over := progress
	over.Refresh, over.Stop, over.Note, over.Ended, over.Stopped = "", "", "", ago(time.Second), true
	starts := views.StartsView{Layout: Layout("Start a run", "runs", ""), Rows: pipelineRows()[:2], Not: pipelineRows()[2:3]}
	return []Case{
		{"starts", "where a pipeline is chosen", true, views.StartsPage(starts)},
		{"start", "the form of a start", true, views.StartPage(first)},
		{"start-wrong", "what cannot be taken, at its field", true, views.StartPage(wrong)},
		{"start-refused", "a limit that is reached", true, views.StartPage(refused)},
		{"start-retry", "the form of a retry", true, views.StartPage(retry)},
		{"start-kept", "the form of a retry whose input and tags are too long for it", true, views.StartPage(kept)},
		{"stop", "whether to stop a run", true, views.StopPage(stop)},
		{"stop-force", "a run that was asked and has not ended", true, views.StopPage(force)},
		{"stop-lost", "a run that nothing carries out any more", true, views.StopPage(lost)},
		{"resume", "at which step to take a run up", true, views.ResumePage(resumeForm())},
		{"resume-hostile", "texts that try to be something else", true, views.ResumePage(hostileResume())},
		{"bulk", "what an action on many runs would touch", true, views.BulkPage(bulk)},
		{"bulk-nothing", "an action that would touch nothing", true, views.BulkPage(nothing)},
		{"bulk-progress", "how far it has come", true, views.BulkProgressPage(progress)},
		{"bulk-over", "it was given up", false, views.BulkState(over)},
		{"start-hostile", "texts that try to be something else", true, views.StartPage(hostile)},
	}
}

func resumeForm() views.ResumeView {
	return views.ResumeView{
		Layout: Layout("Resume fix-issue", "runs", ""), Run: row("fix-issue-20261123-115002-aa01", "fix-issue", "acme/widgets 42", "failed", time.Hour),
		Action: "/runs/fix-issue-20261123-115002-aa01/resume", Preview: "/runs/fix-issue-20261123-115002-aa01/resume/preview", Key: "20261123-125734-0123456789abcdef",
		Problem: `step "publish" needs "implement", which fix-issue-20261123-115002-aa01 did not complete: resume there`, Next: "Nothing was started.",
		Steps: []views.ResumeStep{
			{ID: "fetch", Kind: "command", State: "succeeded", Word: "succeeded"},
			{ID: "plan", Kind: "prompt", State: "succeeded", Word: "succeeded"},
			{ID: "implement", Kind: "prompt", State: "failed", Word: "failed", On: true},
			{ID: "publish", Kind: "pipeline", State: "skipped", Word: "skipped", Not: "needs “implement”, which did not complete: resume there"},
		},
		Plan: startForm().Plan,
	}
}

func hostileResume() views.ResumeView {
	v, t := resumeForm(), Hostile()[0].Title
	v.Run, v.Problem, v.Next = Hostile()[0], t, t
	v.Steps = []views.ResumeStep{{ID: t, Kind: t, State: t, Word: t, Not: t}, {ID: "\"x", State: "failed"}}
	return v
}

func startForm() views.StartView {
	return views.StartView{
		Layout: Layout("Start fix-issue", "pipelines", ""), Heading: "Start fix-issue", Pipeline: "fix-issue",
		Description: "Read an issue, change the code, open a pull request.",
		Action:      "/pipelines/fix-issue/start", Preview: "/pipelines/fix-issue/start/preview", Key: "20261123-125734-0123456789abcdef", Verb: "Start",
		Input: pipeline().Input, Text: "acme/widgets 42\nand nothing else", OnFailure: "halt",
		Steps: []string{"fetch", "plan", "implement", "publish"}, Adapters: []string{"claude", "codex"},
		Plan: views.PlanView{
			Verb:    "Start",
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
