package sample

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"wavedeck/views"
)

func runLists() []Case {
	list := runsView(runRows())
	held := list
	held.Held = 2
	none := runsView(nil)
	narrow := runsView(nil)
	narrow.Filter = filter("failed")
	narrow.Filter.Narrow, narrow.Filter.Text = true, `"rate limit" dur>10m`
	narrow.Filter.Words = []string{"state: failed", `"rate limit"`, "dur>10m", "since: 24h"}
	narrow.SearchURL = "/search?q=%22rate+limit%22+dur%3E10m"
	narrow.Filter.Terms = []views.Option{
		{Label: `"rate limit"`, On: true, Count: -1, Remove: "/runs?q=dur%3E10m&state=failed"},
		{Label: "dur>10m", On: true, Count: -1, Remove: "/runs?q=%22rate+limit%22&state=failed"},
	}
	wrong := runsView(nil)
	wrong.Filter.Narrow, wrong.Filter.Text = true, "login statsu:failed -tag:nightly"
	wrong.Filter.Wrong = &views.WrongWord{
		Before: "login ", Word: "statsu", After: ":failed -tag:nightly", Position: 7, Problem: "is not a key",
		Hint: "Did you mean “status”? It should be one of status, pipeline, tag; a word with a colon in it stands in quotes.",
	}
	missing := runsView(nil)
	missing.Known = false
	missing.Filter.States = nil
	missing.Source = "no state database"
	missing.Live.Offline, missing.Live.LastEvent = "No database yet", 0
	missing.Banners = []views.Banner{{ID: "db", Level: "warn", Title: "No state database", Detail: []string{"Looked for .agents/state.db and .wave/state.db in /home/me/acme-widgets"}}}
	narrow.SaveQuery = "q=%22rate+limit%22+dur%3E10m&since=24h&state=failed"
	narrow.Views = []views.Option{{Label: "on call", Value: "1", Count: -1, Href: "/runs?state=failed"}, {Label: "slow ones", Value: "2", Count: -1, Href: "/runs?" + narrow.SaveQuery, On: true}}
	narrow.Forms = []views.Form{
		{Label: "JSON", Type: "application/json", Href: "/api/runs?" + narrow.SaveQuery}, {Label: "text", Type: "text/plain", Href: "/runs.txt?" + narrow.SaveQuery},
		{Label: "CSV", Type: "text/csv", Href: "/runs.csv?" + narrow.SaveQuery},
	}
	older := runsView(nil)
	older.First, older.OlderURL, older.NewerURL = false, "", "/runs"
	hostile := runsView(Hostile())
	return []Case{
		{"runs", "a day's runs in every state, children folded", true, views.RunsPage(list)},
		{"runs-held", "two runs wait while the list is being read", true, views.RunsPage(held)},
		{"runs-none", "a project that has not run yet", true, views.RunsPage(none)},
		{"runs-narrow", "a filter that nothing passes", true, views.RunsPage(narrow)},
		{"runs-wrong", "a filter with a wrong word", true, views.RunsPage(wrong)},
		{"runs-missing", "no database", true, views.RunsPage(missing)},
		{"runs-older", "beyond the last page", true, views.RunsPage(older)},
		{"runs-hostile", "texts that try to be something else", true, views.RunsPage(hostile)},
		{"runs-table", "the fragment alone", false, views.RunsTable(list)},
	}
}

func runsView(rows []views.RunRow) views.RunsView {
	v := views.RunsView{
		Layout: Layout("Runs", "runs", "list=1"), Filter: filter(""), Rows: rows,
		Refresh: "/runs", First: true, Known: true,
	}
	for i := range v.Rows {
		v.Rows[i].Pick = true
	}
	v.Chosen = url.Values{"state": {"failed"}}
	v.BulkMost = 1000
	if len(rows) > 0 {
		v.OlderURL = "/runs?cursor=abc"
	}
	return v
}

func filter(on string) views.Filter {
	f := views.Filter{
		Pipelines: []views.Option{{Label: "fix-issue", Value: "fix-issue", Count: 120}, {Label: "nightly-audit", Value: "nightly-audit", Count: 64}},
		Tags:      []views.Option{{Label: "release", Value: "release", Count: 12}},
		Times:     []views.Option{{Label: "last hour", Value: "1h", Count: -1}, {Label: "last 24 h", Value: "24h", Count: -1}, {Label: "last 7 days", Value: "168h", Count: -1}},
		Clear:     "/runs", Complete: "/complete?for=filter", Hidden: url.Values{"state": nil},
	}
	f.States = append(f.States, views.Option{Label: "all", Count: 412, Href: "/runs", On: on == ""})
	for i, s := range views.States() {
		f.States = append(f.States, views.Option{Label: s, Value: s, State: s, Count: 37 >> i, Href: "/runs?state=" + s, Remove: "/runs", On: s == on})
	}
	if on != "" {
		f.Hidden.Set("state", on)
	}
	return f
}

// runRows has a run in each derived state, a parent with children, a child alone,
// long texts, many steps and days that are past.
func runRows() []views.RunRow {
	running := row("release-check-20261123-125722-0a1b", "release-check", "v1.4.1", "running", 12*time.Second)
	running.Duration, running.Done, running.All = ticking(12*time.Second), 3, 6
	running.Current = []string{"unit-tests"}
	running.Segments = strings.Fields("succeeded succeeded succeeded running pending pending")
	running.Branch = "release"

	stopping := row("slow-soak-20261123-125630-77aa", "slow-soak", "62", "running", 64*time.Second)
	stopping.Word, stopping.Reason = "stopping", "an operator asked for it 3 s ago"
	stopping.Duration, stopping.Done, stopping.All, stopping.Current = ticking(64*time.Second), 1, 3, []string{"soak"}
	stopping.Segments = strings.Fields("succeeded running pending")

	waiting := row("ship-gate-20261123-125332-9c1e", "ship-gate", "v1.4.1", "waiting", 4*time.Minute+2*time.Second)
	waiting.Duration, waiting.Done, waiting.All, waiting.Current = ticking(4*time.Minute+2*time.Second), 1, 3, []string{"approve"}
	waiting.Segments, waiting.Tags = strings.Fields("succeeded waiting pending"), []string{"release", "a-tag-that-is-so-long-that-it-was-cut-off…"}
	waiting.MoreTags = 7

	queued := row("fix-issue-20261123-125600-00ff", "fix-issue", "acme/widgets 44", "queued", 5*time.Minute)
	pending := row("plan-task-20261123-125500-00fe", "plan-task", "Write the migration guide", "pending", 6*time.Minute)

	failed := row("flaky-integration-20261123-123934-9c1e", "flaky-integration", "staging", "failed", 18*time.Minute)
	failed.Reason, failed.Duration, failed.Tokens = "integration: missing property suite_passed", took(16*time.Second), new(int64(10240))
	failed.Done, failed.All, failed.Segments = 2, 5, strings.Fields("succeeded failed skipped skipped succeeded")

	cancelled := row("slow-soak-20261123-123634-1234", "slow-soak", "60", "cancelled", 21*time.Minute)
	cancelled.Reason, cancelled.Duration = "soak: stopped by an operator", took(10*time.Second)
	cancelled.Done, cancelled.All, cancelled.Segments = 1, 3, strings.Fields("succeeded cancelled pending")

	done := row("fix-issue-20261123-123534-abcd", "fix-issue", "acme/widgets 43", "succeeded", 22*time.Minute)
	done.Duration, done.Tokens, done.Branch = took(20*time.Second), new(int64(24900)), "fix/43"
	done.Done, done.All, done.Segments = 4, 4, strings.Fields("succeeded succeeded succeeded succeeded")

	lost := row("slow-soak-20261123-123334-5555", "slow-soak", "61", "lost", 24*time.Minute)
	lost.Reason = "no sign of life for 14 min, process gone"
	lost.Done, lost.All, lost.Segments = 1, 3, strings.Fields("succeeded lost pending")

	empty := row("triage-20261123-123000-6666", "triage", "inbox", "empty", 27*time.Minute)
	empty.Duration, empty.Done, empty.All, empty.Segments = took(0), 2, 2, strings.Fields("succeeded empty")

	rejected := row("review-20261123-122000-7777", "ops-pr-review", "PR #107", "rejected", 37*time.Minute)
	rejected.Reason, rejected.Duration, rejected.Tokens = "review: design contract said no", took(400*time.Second), new(int64(40700))
	rejected.Done, rejected.All, rejected.Segments = 2, 4, strings.Fields("succeeded succeeded rejected skipped")

	skipped := row("docs-20261123-121000-8888", "docs", "nothing to do", "skipped", 47*time.Minute)
	unknown := row("compose-20261123-090000-9999", "compose", "", "unknown", 4*time.Hour)
	unknown.Reason = "recorded as pending for ever; its children tell"

	rows := []views.RunRow{running, stopping, waiting, queued, pending, failed, cancelled, done, parent(), lost, empty, rejected, skipped, unknown}
	return append(rows, past()...)
}

func parent() views.RunRow {
	p := row("nightly-audit-20261123-123334-4444", "nightly-audit", "all areas", "failed", 24*time.Minute)
	p.Duration, p.Tokens, p.Branch = took(15*time.Second), new(int64(31000)), "audit/nightly"
	p.Done, p.All, p.Segments = 1, 2, strings.Fields("succeeded failed")
	p.Children = views.Children{All: 14, Ended: 14, Failed: 1}
	for i, area := range []string{"licences", "secrets", "dead-code"} {
		kid := row(fmt.Sprintf("audit-part-20261123-12333%d-aaa%d", i, i), "audit-part", area, "succeeded", 24*time.Minute)
		kid.Iterate, kid.Duration, kid.Tokens = fmt.Sprintf("%d of 14", i+1), took(5*time.Second), new(int64(7100))
		kid.Done, kid.All, kid.Segments = 2, 2, strings.Fields("succeeded succeeded")
		if i == 2 {
			kid.State, kid.Word, kid.Reason, kid.Done = "failed", "failed", "review: context deadline exceeded", 1
			kid.Segments[1] = "failed"
		}
		p.ChildRows = append(p.ChildRows, kid)
	}
	p.MoreChildren = 11
	return p
}

func past() []views.RunRow {
	var rows []views.RunRow
	long := row("plan-task-20261122-200000-long", "plan-task", "Add rate limiting to the public API, with a budget for each key, a burst that is forgiven, and headers that tell a client how long to wait", "failed", 17*time.Hour)
	long.Reason, long.Duration = "skill validation failed: gh is not on PATH", took(400*time.Millisecond)
	wide := row("migrate-everything-20261122-190000-wide", "migrate-everything-in-one-very-long-pipeline-name", "60 steps", "running", 18*time.Hour)
	wide.Duration, wide.Done, wide.All = ticking(18*time.Hour), 20, 60
	wide.Segments = append(strings.Fields(strings.Repeat("succeeded ", 20)), "running", "running", "pending", "pending")
	wide.Current = []string{"shard-21", "shard-22"}
	alone := row("audit-part-20261122-183000-solo", "audit-part", "dead-code", "succeeded", 19*time.Hour)
	alone.Of = &views.RunRef{ID: "nightly-audit-20261122-183000-0000", Pipeline: "nightly-audit", State: "succeeded"}
	alone.Iterate, alone.Duration, alone.Tokens, alone.Done, alone.All = "3 of 4", took(63*time.Minute), new(int64(88100)), 4, 4
	rows = append(rows, long, wide, alone)
	for i := range 8 {
		r := row(fmt.Sprintf("fix-issue-2026112%d-1%02d000-b%03d", i%2, i, i), "fix-issue", fmt.Sprintf("acme/widgets %d", 40-i), "succeeded", time.Duration(26+7*i)*time.Hour)
		r.Duration, r.Tokens, r.Branch = took(time.Duration(131+i)*time.Second), new(int64(12400+i*997)), fmt.Sprintf("fix/%d", 40-i)
		r.Done, r.All, r.Segments = 4, 4, strings.Fields("succeeded succeeded succeeded succeeded")
		rows = append(rows, r)
	}
	return rows
}

// Hostile is rows whose texts try to be markup, script, addresses or layout.
func Hostile() []views.RunRow {
	texts := []string{
		`<script>alert(1)</script><img src=x onerror=alert(1)>`,
		`" onmouseover="alert(1)" x="`,
		`javascript:alert(1)`,
		`日本語の入力と、とても長い題名`,
		"\u202eesrever \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
		strings.Repeat("long", 120),
		"</td></tr></table><h1>out</h1>",
	}
	var rows []views.RunRow
	for i, text := range texts {
		r := row(text+" id", text, text, text, time.Duration(i)*time.Minute)
		r.Reason, r.Branch, r.Tags, r.Current, r.Segments = text, text, []string{text}, []string{text}, []string{text}
		r.Of = &views.RunRef{ID: text, Pipeline: text, State: text, Word: text}
		r.Iterate, r.Cursor = text, text
		rows = append(rows, r)
	}
	return rows
}
