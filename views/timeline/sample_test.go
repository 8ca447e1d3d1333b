package timeline_test

import (
	"strconv"
	"time"

	"wavedeck/views/timeline"
)

// t0 is when the runs of the tests began.
var t0 = time.Date(2026, 11, 23, 0, 39, 50, 0, time.UTC)

func at(seconds float64) time.Time {
	return t0.Add(time.Duration(seconds * float64(time.Second)))
}

func span(from, to float64) timeline.Span {
	s := timeline.Span{From: at(from), Kind: timeline.Work, Attempt: 1}
	if to >= 0 {
		s.To = at(to)
	}
	return s
}

func coarse(from, to float64) timeline.Span {
	s := span(from, to)
	s.Approximate = true
	return s
}

func kind(k timeline.Kind, attempt int, from, to float64) timeline.Span {
	s := span(from, to)
	s.Kind, s.Attempt = k, attempt
	return s
}

func lane(id, state, took string, spans ...timeline.Span) timeline.Lane {
	return timeline.Lane{ID: id, State: state, Duration: took, Href: "#step-" + id, Attempts: spans}
}

func after(l timeline.Lane, ids ...string) timeline.Lane {
	l.Depends = ids
	return l
}

func by(l timeline.Lane, persona string, used int64) timeline.Lane {
	l.Detail = persona
	if used >= 0 {
		l.Tokens = new(used)
	}
	return l
}

func blocked(id, by string, on ...string) timeline.Lane {
	return timeline.Lane{ID: id, State: "pending", Href: "#step-" + id, Blocked: by, Depends: on}
}

// release has steps side by side whose times are whole seconds.
func release() timeline.Run {
	return timeline.Run{Start: t0, End: at(3), Now: at(90000), Lanes: []timeline.Lane{
		by(lane("checkout", "succeeded", "<1s", coarse(0, 0)), "command", -1),
		by(after(lane("lint", "succeeded", "<1s", coarse(0, 0)), "checkout"), "command", -1),
		by(after(lane("unit-tests", "succeeded", "2s", coarse(0, 2)), "checkout"), "command", -1),
		by(after(lane("build", "succeeded", "2s", coarse(0, 2)), "checkout"), "command", -1),
		by(after(lane("package", "succeeded", "<1s", coarse(2, 2)), "lint", "unit-tests", "build"), "command", -1),
		by(after(lane("report", "succeeded", "1s", coarse(2, 3)), "package"), "command", -1),
	}}
}

// flaky has a step of three attempts, and two that were never run.
func flaky() timeline.Run {
	integration := lane(
		"integration", "failed", "16s",
		kind(timeline.Work, 1, 0.1, 5), kind(timeline.Contract, 1, 5, 5.05), kind(timeline.Backoff, 2, 5.05, 5.5),
		kind(timeline.Work, 2, 5.5, 10.5), kind(timeline.Contract, 2, 10.5, 10.6), kind(timeline.Backoff, 3, 10.6, 11),
		kind(timeline.Work, 3, 11, 16), kind(timeline.Contract, 3, 16, 16.1),
	)
	for i, used := range []int64{7068, 6851, 7762} {
		integration.Attempts[3*i].Tokens = new(used)
	}
	return timeline.Run{Start: t0, End: at(16.1), Now: at(1080), Lanes: []timeline.Lane{
		by(lane("provision", "succeeded", "<1s", span(0, 0.1)), "command", -1),
		by(after(integration, "provision"), "craftsman", 21681),
		by(after(lane("docs", "succeeded", "<1s", span(0.1, 0.3)), "provision"), "command", -1),
		blocked("deploy", "integration", "integration"),
		blocked("smoke", "deploy", "deploy"),
	}}
}

// nightly has a step that started four child runs, two at a time; state is
// what became of the third.
func nightly(state string) timeline.Run {
	areas := by(lane("areas", "succeeded", "10s", span(0, 10)), "audit-part", -1)
	for i, area := range []string{"licences", "secrets", "dependencies", "dead-code"} {
		from := float64(i / 2 * 5)
		child := lane(area, "succeeded", "5.0s", kind(timeline.Queued, 0, 0, from), span(from, from+5))
		child.Tokens, child.Attempts[1].Tokens = new(int64(2489*(i+1))), new(int64(2489*(i+1)))
		child.Children = []timeline.Lane{
			by(lane("scan", "succeeded", "4.8s", span(from, from+4.8)), "auditor", int64(2489*(i+1))),
			by(after(lane("report", "succeeded", "200 ms", span(from+4.8, from+5)), "scan"), "command", -1),
		}
		child.Tokens, child.Attempts[1].Tokens = nil, nil
		if area == "dependencies" {
			child.State, child.Children[1].State = state, state
		}
		areas.Children = append(areas.Children, child)
	}
	return timeline.Run{Start: t0, End: at(15.2), Now: at(3600), Lanes: []timeline.Lane{
		areas,
		by(after(lane("publish", "succeeded", "5.0s", span(10, 15)), "areas"), "summarizer", 6247),
	}}
}

// overnight failed in the evening and was resumed in the morning.
func overnight() timeline.Run {
	const morning = 8*3600 + 12*60 + 95
	build := lane(
		"implement", "succeeded", "6m 10s",
		kind(timeline.Work, 1, 42, 95), kind(timeline.Work, 2, morning, morning+317),
	)
	build.Attempts[0].State = "failed"
	return timeline.Run{Start: t0, End: at(morning + 420), Now: at(2 * morning), Lanes: []timeline.Lane{
		by(lane("plan", "succeeded", "42s", span(0, 42)), "planner", 18200),
		by(after(build, "plan"), "craftsman", 96400),
		by(after(lane("review", "succeeded", "1m 20s", span(morning+317, morning+397)), "implement"), "reviewer", 12900),
		by(after(lane("publish", "succeeded", "23s", span(morning+397, morning+420)), "review"), "command", -1),
	}}
}

// live runs: a step works, a gate waits, others are queued and to come.
func live() timeline.Run {
	plan := by(lane("plan", "succeeded", "1m 02s", kind(timeline.Queued, 0, 0, 6), span(6, 60), kind(timeline.Contract, 1, 60, 68)), "planner", 9120)
	gate := lane("approve", "waiting", "1m 40s", kind(timeline.Wait, 0, 100, -1))
	gate.Detail = "gate"
	build := by(after(lane("implement", "running", "2m 12s", span(68, -1)), "plan"), "craftsman", 41300)
	build.Note = "Edit store/model.go"
	queued := lane("translate", "queued", "", kind(timeline.Queued, 0, 130, -1))
	skipped := timeline.Lane{ID: "hotfix", State: "skipped", Note: "skipped by branch", Href: "#step-hotfix"}
	return timeline.Run{Start: t0, Now: at(200), Lanes: []timeline.Lane{
		plan, build, after(gate, "plan"), after(queued, "plan"), skipped,
		after(timeline.Lane{ID: "test", State: "pending", Href: "#step-test"}, "implement"),
		after(timeline.Lane{ID: "deploy", State: "pending", Href: "#step-deploy", Blocked: "approve"}, "test", "approve"),
	}}
}

// hostile is what a database may hold that nobody guards.
func hostile() timeline.Run {
	backwards := lane("backwards", "succeeded", "-5s", span(8, 3))
	future := lane("future", "running", "", timeline.Span{From: at(2), To: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)})
	return timeline.Run{Start: t0, End: at(10), Now: at(20), Lanes: []timeline.Lane{
		after(backwards, "future"),
		after(future, "backwards"),
		lane("no times", "failed", "", timeline.Span{To: at(4), Kind: timeline.Work}),
		lane("before", "succeeded", "", timeline.Span{From: time.Unix(1, 0), To: at(1)}),
		{ID: `"><script>alert(1)</script>`, State: "on fire", Href: "javascript:alert(1)", Attempts: []timeline.Span{span(1, 4)}},
		{ID: "before", State: "succeeded", Tokens: new(int64(-1 << 63)), Attempts: []timeline.Span{{From: at(2), To: at(3), Kind: "no kind", Tokens: new(int64(1<<63 - 1)), Attempt: -4}}},
		{ID: "\u202egnp.exe a name that goes on for very long, as nobody stopped it from doing so", State: "failed", Attempts: []timeline.Span{span(0, 10)}},
	}}
}

// large has n lanes in three levels.
func large(n int) timeline.Run {
	r := timeline.Run{Start: t0, End: at(float64(n)), Now: at(float64(n))}
	made := 0
	step := func(prefix string) timeline.Lane {
		i := float64(made)
		made++
		l := by(lane(prefix+strconv.Itoa(made), "succeeded", "2.0s",
			kind(timeline.Queued, 0, i, i+.2), kind(timeline.Work, 1, i+.2, i+2), kind(timeline.Contract, 1, i+2, i+2.2)), "craftsman", 1200)
		l.Note = "implemented the change in store"
		return l
	}
	for made < n {
		top := step("step-")
		if len(r.Lanes) > 0 {
			top.Depends = []string{r.Lanes[len(r.Lanes)-1].ID}
		}
		for range 3 {
			child := step("child-")
			child.Children = append(child.Children, step("part-"), step("part-"))
			top.Children = append(top.Children, child)
		}
		r.Lanes = append(r.Lanes, top)
	}
	return r
}
