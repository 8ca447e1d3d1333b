package sample

import (
	"fmt"
	"time"

	"wavedeck/views"
)

func runs() []Case {
	failed := failedRun()
	return []Case{
		{"run-failed", "a failed run: what, where and why with no click", true, views.RunPage(failed)},
		{"run-running", "a run that goes on", true, views.RunPage(runningRun())},
		{"run-waiting", "a run that asks", true, views.RunPage(waitingRun())},
		{"run-cancelled", "a run that an operator stopped", true, views.RunPage(cancelledRun())},
		{"run-past", "a run as of an event", true, views.RunPage(pastRun())},
		{"run-bare", "a run of which nothing but its row is known", true, views.RunPage(bareRun())},
		{"run-many", "sixty steps, a thousand characters, many children", true, views.RunPage(manySteps())},
		{"run-hostile", "texts that try to be something else", true, views.RunPage(hostileRun())},
		{"run-head", "the fragment alone", false, views.RunHead(failed)},
		{"run-steps", "the fragment alone", false, views.RunSteps(failed)},
		{"run-outcomes", "the fragment alone", false, views.RunOutcomes(failed)},
		{"run-events", "the fragment alone", false, views.RunEvents(failed)},
		{"run-artifacts", "the fragment alone", false, views.RunArtifacts(failed)},
		{"run-family", "the fragment alone", false, views.RunFamily(failed)},
	}
}

func runView(r views.RunRow) views.RunView {
	p := views.Paths("")
	return views.RunView{
		Layout: Layout(r.Pipeline+" "+r.Title, "runs", "run="+r.ID), Run: r, RunID: r.ID, Defined: true,
		Refresh: views.RunRefresh{
			Head: p.RunPart(r.ID, "head"), Why: p.RunPart(r.ID, "why"), Steps: p.RunPart(r.ID, "steps"), Events: p.RunPart(r.ID, "events"),
			Outcomes: p.RunPart(r.ID, "outcomes"), Artifacts: p.RunPart(r.ID, "artifacts"), Family: p.RunPart(r.ID, "family"),
		},
	}
}

func failedRun() views.RunView {
	r := runRows()[5]
	v := runView(r)
	v.Completed, v.FirstID, v.LastID = ago(18*time.Minute-16*time.Second), 18170, 18206
	v.Input = "staging\nregion: eu-west-1\nretries: 3"
	v.Failure = &views.Failure{
		State: "failed", Step: "integration", Attempt: 3, Of: 3, Persona: "craftsman", Model: "claude-opus-4",
		Class: "contract json_schema failed", Line: "missing property 'suite_passed'",
		Text:     "at '': missing property 'suite_passed'\nresult.json against result.schema.json",
		EventURL: "#e18200", EventID: 18200, Blocked: []string{"deploy", "smoke"},
	}
	v.Steps = failedSteps()
	v.Events, v.Outcomes = events(), ledger()
	v.Artifacts = []views.ArtifactGroup{
		{Step: "provision", Rows: []views.ArtifactRow{{Name: "env", Path: ".agents/output/env.json", Type: "json", Size: 812, Created: ago(18 * time.Minute), Preview: "{\n  \"host\": \"staging-3\"\n}"}}},
		{Step: "integration", Rows: []views.ArtifactRow{
			{Name: "result", Path: ".agents/output/result.json", Type: "json", Size: 1_482_332, Created: ago(17 * time.Minute), Attempt: 1},
			{Name: "result", Path: ".agents/workspaces/flaky-integration-20261123-123934-9c1e/integration/.agents/output/result.json", Type: "json", Size: 0, Created: ago(17 * time.Minute), Attempt: 2},
		}},
	}
	v.Parent = &views.RunRef{ID: "release-20261123-123900-1111", Pipeline: "release", State: "failed", Word: "failed"}
	v.ParentAt = "verify"
	v.Cost = &views.Cost{Text: "≥ $1.20 est.", Own: "≈ $0.089 est."}
	v.Fork = &views.RunRef{ID: "flaky-integration-20261122-090000-2222", Pipeline: "flaky-integration", State: "succeeded"}
	v.ChildRows = parent().ChildRows
	v.Run.Children = views.Children{All: 3, Ended: 3, Failed: 1}
	v.Run.Subtree = new(int64(24_400))
	v.Started = []views.StartFact{{Name: "From step", Text: "integration"}, {Name: "Model", Text: "claude-opus-4"}}
	return v
}

func failedSteps() []views.StepRow {
	attempt := func(n int, state, class, text string, d time.Duration) views.AttemptRow {
		return views.AttemptRow{Number: n, State: state, Word: state, Class: class, Error: account(text), Started: ago(18*time.Minute - time.Duration(n)*5*time.Second), Duration: views.Duration{D: d, Known: true}, Tokens: new(int64(3400))}
	}
	transient := attempt(2, "failed", "transient", "exit status 1: connection reset by peer", 4700*time.Millisecond)
	transient.Tail, transient.TailOf = tail("ok   suite/read 0.4s", "\x1b[31mFAIL\x1b[0m suite/write 1.2s"), 240
	return []views.StepRow{
		{ID: "provision", State: "succeeded", Word: "succeeded", Kind: "command", Started: ago(18 * time.Minute), Duration: took(0), Anchor: "step-provision"},
		{
			ID: "integration", State: "failed", Word: "failed", Kind: "prompt", Persona: "craftsman", Model: "claude-opus-4", Adapter: "claude",
			Error: account("at '': missing property 'suite_passed'\nresult.json against result.schema.json"), Started: ago(18 * time.Minute),
			Duration: views.Duration{D: 15840 * time.Millisecond, Known: true}, Tokens: new(int64(10240)), Max: 3, Contract: "failed", ContText: account("json_schema: result.schema.json"), Evidence: account("result.json has 3 keys"),
			Attempts: []views.AttemptRow{
				attempt(1, "failed", "contract failure", "at '': missing property 'suite_passed'", 4812*time.Millisecond),
				transient,
				attempt(3, "failed", "contract failure", "at '': missing property 'suite_passed'\nresult.json against result.schema.json", 4400*time.Millisecond),
			},
		},
		{ID: "docs", State: "succeeded", Word: "succeeded", Kind: "command", Visits: 3, Started: ago(18 * time.Minute), Duration: views.Duration{D: 850 * time.Millisecond, Known: true}},
		{
			ID: "each", State: "failed", Word: "failed", Kind: "iterate", Children: views.Children{All: 3, Ended: 3, Failed: 1},
			Culprit: &views.Culprit{RunRef: views.RunRef{ID: "verify-20261123-124001-3333", Pipeline: "verify", State: "failed", Word: "failed"}, Item: "2 of 3"},
		},
		{ID: "deploy", State: "pending", Word: "not run", Kind: "command", Note: "blocked by integration"},
		{ID: "smoke", State: "skipped", Word: "skipped", Kind: "gate", Note: "blocked by deploy"},
	}
}

func events() views.EventsView {
	v := views.EventsView{Total: 37, Older: "/runs/x?before=18190#events", Latest: true}
	add := func(step, state, tone, message string) {
		n := int64(len(v.Rows))
		v.Rows = append(v.Rows, views.EventRow{ID: 18190 + n, At: ago(18*time.Minute - time.Duration(n)*time.Second), Step: step, State: state, Tone: tone, Message: message})
	}
	add("", "started", "running", `input="staging" steps=5`)
	add("provision", "running", "running", "")
	add("provision", "completed", "succeeded", "")
	add("integration", "running", "running", "")
	v.Rows[3].Persona, v.Rows[3].Model = "craftsman", "claude-opus-4"
	add("integration", "stream_activity", "", "Read internal/suite/suite_test.go")
	add("integration", "step_progress", "", "")
	v.Rows[5].Tokens = 3400
	add("integration", "contract_failed", "failed", "at '': missing property 'suite_passed'")
	add("integration", "retrying", "waiting", "attempt 2/3")
	add("integration", "a_state_that_nobody_knows", "", "it is shown as it is")
	add("integration", "warning", "waiting", "a message that goes on for longer than a line can hold, because tools like to say everything they know at once, with paths like /home/me/acme/.agents/workspaces/flaky-integration-20261123-123934-9c1e/integration/output/result.json in it")
	add("integration", "failed", "failed", "step \"integration\" failed: contract\nresult.json against result.schema.json")
	v.Rows[10].Duration = views.Duration{D: 15840 * time.Millisecond, Known: true}
	return v
}

func runningRun() views.RunView {
	v := runView(runRows()[0])
	v.Heartbeat, v.PID, v.FirstID, v.LastID = ago(4*time.Second), 41233, 18220, 18233
	percent := 62
	for i, s := range []string{"checkout", "lint", "build", "unit-tests", "package", "announce"} {
		state := v.Run.Segments[i]
		step := views.StepRow{ID: s, State: state, Word: state, Kind: "command"}
		switch state {
		case "succeeded":
			step.Started, step.Duration = ago(time.Duration(12-3*i)*time.Second), took(3*time.Second)
		case "running":
			step.Started, step.Duration, step.Progress, step.Action = ago(3*time.Second), ticking(3*time.Second), &percent, "go test ./internal/..."
			step.Attempts = []views.AttemptRow{{Number: 1, State: "running", Word: "running", Started: ago(3 * time.Second), Duration: ticking(3 * time.Second)}}
		}
		v.Steps = append(v.Steps, step)
	}
	v.Events = views.EventsView{Total: 2, Latest: true, Rows: []views.EventRow{
		{ID: 18232, At: ago(3 * time.Second), Step: "unit-tests", State: "running", Tone: "running"},
		{ID: 18233, At: ago(time.Second), Step: "unit-tests", State: "stream_activity", Message: "go test ./internal/..."},
	}}
	return v
}

func cancelledRun() views.RunView {
	v := runView(runRows()[6])
	v.Recorded, v.Error, v.Completed = "failed", "step \"soak\" failed: context canceled", ago(21*time.Minute-10*time.Second)
	v.Steps = []views.StepRow{
		{ID: "prepare", State: "succeeded", Word: "succeeded", Kind: "command", Duration: took(time.Second), Started: ago(21 * time.Minute)},
		{ID: "soak", State: "cancelled", Word: "cancelled", Kind: "command", Duration: took(9 * time.Second), Started: ago(21 * time.Minute), Error: account("context canceled")},
		{ID: "report", State: "pending", Word: "not run", Kind: "command"},
	}
	return v
}

func pastRun() views.RunView {
	v := failedRun()
	v.Failure, v.Refresh, v.Live = nil, views.RunRefresh{}, views.Live{LastEvent: 18192}
	v.Run.State, v.Run.Word, v.Run.Reason = "running", "running", ""
	v.ExportURL = "/runs/x/export?at=event%3A18192"
	v.Past = &views.AsOfView{
		Event: 18192, Time: ago(17 * time.Minute), OfRun: true, First: 18170, Last: 18206, Action: "/runs/x", NowURL: "/runs/x",
		PreviousURL: "/runs/x?at=event:18191", NextURL: "/runs/x?at=event:18193", Link: "/runs/x?at=event:18192",
	}
	return v
}

func bareRun() views.RunView {
	v := runView(row("compose-20261123-090000-9999", "", "", "unknown", 4*time.Hour))
	v.Run.Started, v.Defined = time.Time{}, false
	v.Title = v.RunID
	return v
}

func manySteps() views.RunView {
	v := runView(past()[1])
	for i := range 60 {
		s := views.StepRow{ID: fmt.Sprintf("shard-%02d", i+1), State: "pending", Word: "pending", Kind: "prompt", Persona: "navigator", Model: "claude-sonnet-4-5-20260929", Adapter: "claude"}
		if i < 20 {
			s.State, s.Word, s.Duration, s.Started, s.Tokens = "succeeded", "succeeded", took(time.Duration(i*97)*time.Second), ago(18*time.Hour), new(int64(i)*13_377)
		} else if i < 22 {
			s.State, s.Word, s.Duration, s.Started = "running", "running", ticking(40*time.Minute), ago(40*time.Minute)
			s.Children = views.Children{All: 12, Ended: 7, Failed: 2}
		}
		v.Steps = append(v.Steps, s)
	}
	v.ChildRows, v.MoreChildren, v.ChildrenURL = parent().ChildRows, 11, "/runs?parent=x"
	return v
}

func hostileRun() views.RunView {
	h := Hostile()
	r := h[0]
	text := r.Title
	v := runView(r)
	v.Input, v.Error, v.Recorded, v.Kind, v.ParentAt = text+"\n"+h[4].Title, text, text, text, text
	v.Failure = &views.Failure{State: text, Step: text, Attempt: 1, Persona: text, Model: text, Class: text, Line: text, Text: h[1].Title + text + h[3].Title, EventURL: "javascript:alert(1)", EventID: 1, Blocked: []string{text}}
	for i, hr := range h {
		t := hr.Title
		v.Steps = append(v.Steps, views.StepRow{ID: t, State: t, Word: t, Kind: t, Persona: t, Model: t, Adapter: t, Note: t, Error: account(t), Action: t, Contract: t, ContText: account(t), Evidence: account(t + "\n" + t), Visits: i, Culprit: &views.Culprit{RunRef: views.RunRef{ID: t, Pipeline: t, State: t, Word: t}, Item: t}, Attempts: []views.AttemptRow{{Number: i, State: t, Word: t, Class: t, Error: account(t + "\n" + t), Tail: tail(t)}}})
		v.Events.Rows = append(v.Events.Rows, views.EventRow{ID: int64(i + 1), Step: t, State: t, Tone: t, Persona: t, Message: t, Model: t})
		v.Outcomes.Outcomes = append(v.Outcomes.Outcomes, views.OutcomeRow{Kind: t, Label: t, Value: t + t, Description: t, Step: t, Out: t, Host: t})
		v.Outcomes.Decisions = append(v.Outcomes.Decisions, views.DecisionRow{Step: t, Category: t, Decision: t, Rationale: account(t + "\n" + t), Context: t})
		v.Outcomes.Checkpoints = append(v.Outcomes.Checkpoints, views.CheckpointRow{Number: i, Step: t, Workspace: t, Commit: t})
		v.Artifacts = append(v.Artifacts, views.ArtifactGroup{Step: t, Rows: []views.ArtifactRow{{Name: t, Path: t, Type: t, Preview: t}}})
	}
	v.Gates = []views.Gate{hostileGate(text, text)}
	v.ChildRows = h
	v.Parent = &views.RunRef{ID: text, Pipeline: text, State: text, Word: text}
	v.Fork = v.Parent
	v.Banners = []views.Banner{{ID: text, Level: text, Title: text, Detail: []string{text}}}
	v.Project, v.Source = text, text
	return v
}
