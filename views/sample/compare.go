package sample

import (
	"context"
	"time"

	"wavedeck/views"
	"wavedeck/views/markup"
)

func compares() []Case {
	return []Case{
		{"compare", "a failed run and the last green one", true, views.ComparePage(compared())},
		{"compare-body", "the fragment alone", false, views.CompareBody(compared())},
		{"compare-none", "no run to compare with", true, views.ComparePage(compareNone())},
		{"compare-form", "no run chosen yet", true, views.ComparePage(views.CompareView{Layout: Layout("Compare", "runs", "")})},
		{"compare-hostile", "texts that try to be something else", true, views.ComparePage(hostileCompare())},
	}
}

func textSide(text string) views.CompareSide { return views.CompareSide{Text: text} }

func stateSide(state string) views.CompareSide { return views.CompareSide{Text: state, State: state} }

func tookSide(d time.Duration) views.CompareSide {
	return views.CompareSide{Duration: &views.Duration{D: d, Known: true}}
}

func tokenSide(n int64) views.CompareSide { return views.CompareSide{Count: &n} }

func percent(p float64, by int64, isTime bool) views.Delta {
	return views.Delta{Known: true, By: by, Percent: &p, Time: isTime}
}

func textDiff(diff string) views.CompareText {
	return views.CompareText{Diff: markup.Show(context.Background(), markup.Body{Data: []byte(diff)}, markup.Diff).View(), Removed: 1, Added: 1}
}

func compared() views.CompareView {
	left, right := runRows()[5], runRows()[7]
	right.Pipeline = left.Pipeline
	facts := func(l, r string, same bool) []views.CompareFact {
		return []views.CompareFact{
			{Name: "Persona", Left: textSide("craftsman"), Right: textSide("craftsman")},
			{Name: "Model", Left: textSide("claude-opus-4"), Right: textSide("claude-opus-4")},
			{Name: "Contract", Left: textSide(l), Right: textSide(r), Differs: !same},
			{Name: "Took", Left: tookSide(15840 * time.Millisecond), Right: tookSide(14100 * time.Millisecond), Delta: percent(12.3, 1740, true)},
			{Name: "Tokens", Left: tokenSide(10240), Right: tokenSide(12800), Delta: percent(-20, -2560, false)},
		}
	}
	return views.CompareView{
		Layout: Layout("Compare", "runs", "run=a&run=b"), Left: &left, Right: &right, LeftName: left.ID, RightName: right.ID,
		Why: "the newest run of “flaky-integration” that succeeded and started before it", SwapURL: "/compare?left=b&right=a", Refresh: "/compare?left=a&right=b",
		First:       &views.FirstDifference{Step: "integration", Attempt: 2, Fact: "State", Left: "failed", Right: "succeeded"},
		FirstOutput: &views.OutputRef{Step: "integration", Name: "result", Anchor: views.OutputAnchor("integration", "result", 0)},
		Facts: []views.CompareFact{
			{Name: "State", Left: stateSide("failed"), Right: stateSide("succeeded"), Differs: true},
			{Name: "Took", Left: views.CompareSide{Duration: &views.Duration{D: 16 * time.Second, Known: true, Coarse: true}}, Right: tookSide(14100 * time.Millisecond), Delta: views.Delta{Known: true, By: 1900, Coarse: true, Time: true}},
			{Name: "Error", Left: views.CompareSide{Text: "missing property 'suite_passed'", Title: "missing property 'suite_passed'\nand more"}},
		},
		InputDiffers: true, Input: textDiff("@@ -1 +1 @@\n-staging\n+production\n"),
		Steps: []views.CompareStep{
			{ID: "provision", State: "succeeded", RightState: "succeeded", LeftHref: "/runs/a#step-provision", RightHref: "/runs/b#step-provision", Facts: facts("passed", "passed", true)},
			{
				ID: "integration", State: "failed", RightState: "succeeded", Differs: true, First: true, Differing: []string{"contract", "state"}, Facts: facts("failed", "passed", false),
				Attempts: []views.CompareAttempt{
					{Number: 1, Facts: []views.CompareFact{{Name: "State", Left: stateSide("failed"), Right: stateSide("failed")}}},
					{Number: 2, Facts: []views.CompareFact{{Name: "State", Left: stateSide("failed"), Right: stateSide("succeeded"), Differs: true, First: true}}},
					{Number: 3, Only: "left", Facts: []views.CompareFact{{Name: "State", Left: stateSide("failed")}}},
				},
				Outputs: []views.CompareOutput{
					{Name: "result", Anchor: views.OutputAnchor("integration", "result", 0), Verdict: "differs", First: true, Delta: percent(1, 8, false), Left: &views.OutputSide{Href: "/a", Size: 812}, Right: &views.OutputSide{Href: "/b", Size: 804}, Text: textDiff("@@ -2,3 +2,3 @@\n   \"host\": \"staging-3\",\n-  \"passed\": false\n+  \"passed\": true\n }\n")},
					{Name: "trace", Anchor: "out-trace", Verdict: "missing_left", Left: &views.OutputSide{Href: "/a", Size: -1, Refused: "the recorded file was cleaned up, or never written"}, Right: &views.OutputSide{Href: "/b", Size: 4_100_000}},
				},
			},
			{ID: "deploy", Only: "right", State: "succeeded", Differs: true, RightHref: "/runs/b#step-deploy"},
		},
		OutputsMore: 4,
	}
}

func compareNone() views.CompareView {
	left := runRows()[5]
	return views.CompareView{
		Layout: Layout("Compare", "runs", ""), Left: &left, LeftName: left.ID,
		None: "No run of “flaky-integration” that started before this one has succeeded.",
	}
}

func hostileCompare() views.CompareView {
	t := Hostile()[0].Title
	v := compared()
	v.Left, v.Right = &Hostile()[0], &Hostile()[1]
	v.LeftName, v.RightName, v.Why, v.SwapURL = t, t, t, "javascript:alert(1)"
	v.Other = views.OtherPipeline{Left: t, Right: t + t, OnlyLeft: []string{t}, OnlyRight: []string{t}}
	v.First = &views.FirstDifference{Step: t, Fact: t, Left: t, Right: t}
	v.FirstOutput = &views.OutputRef{Step: t, Name: t, Anchor: views.OutputAnchor(t, t, 0)}
	side := views.CompareSide{Text: t, Title: t}
	v.Facts = []views.CompareFact{{Name: t, Left: side, Right: views.CompareSide{Text: t, State: t}, Differs: true}}
	v.Input = textDiff("@@ -1 +1 @@\n-" + t + "\n+" + t + "\n")
	v.Steps = []views.CompareStep{{
		ID: t, Only: t, State: t, Differing: []string{t}, LeftHref: "javascript:alert(1)", Facts: v.Facts,
		Attempts: []views.CompareAttempt{{Number: 1, Only: t, Facts: v.Facts}},
		Outputs:  []views.CompareOutput{{Name: t, Anchor: views.OutputAnchor(t, t, 0), Verdict: t, Note: t, Left: &views.OutputSide{Href: "javascript:alert(1)", Size: -1, Refused: t}, Text: textDiff("@@ -1 +1 @@\n-" + t + "\n")}},
	}}
	return v
}
