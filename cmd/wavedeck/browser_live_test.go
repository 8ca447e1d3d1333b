package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
	"wavedeck/store/tape"
)

// watchStates keeps the states that each run was seen in, in order.
const watchStates = `
window.states = {}
const look = () => {
	for (const tr of document.querySelectorAll('tr.run')) {
		const seen = states[tr.id.replace(/^(run|kid)-/, '')] ??= []
		const state = tr.classList[1]
		if (seen.at(-1) !== state) seen.push(state)
	}
}
look()
new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ['class']})`

func listFollows(t *testing.T, browser *browsertest.Browser) {
	const speed = 5
	root, database := emptyProject(t)
	p := start(t, "--project", root, "--port", "0")
	tab := browser.Tab(t)
	tab.Open(p.url + "runs")
	tab.Until(live)
	tab.Until(`document.querySelector('#runs').textContent.includes('No runs yet')`)
	tab.Run(stays)
	tab.Run(watchStates)

	playing := play(t, database, storetest.TapeText(t), speed, begun())
	tab.Until(`document.querySelectorAll('tr.run.running').length > 0`)
	playing.end(t)

	fresh := browser.Tab(t)
	tab.Until(`document.querySelectorAll('#runs tr.run').length === 13`)
	tab.Until(`document.querySelectorAll('#runs tr.run.succeeded').length === 10`)
	eventually(t, "the list says what the server renders afresh", func() bool {
		fresh.Open(p.url + "runs")
		return browsertest.Eval[string](fresh, normal("#runs")) == browsertest.Eval[string](tab, normal("#runs"))
	})
	if browsertest.Eval[bool](tab, reloaded) {
		t.Error("the page was loaded anew")
	}
	states := browsertest.Eval[map[string][]string](tab, `states`)
	for run, last := range map[string]string{
		"release-check-20261123-003812-6e22":     "succeeded",
		"fix-issue-20261123-003814-e2da":         "succeeded",
		"flaky-integration-20261123-003815-da6a": "failed",
		"slow-soak-20261123-003820-39d9":         "cancelled",
		"slow-soak-20261123-003844-d20f":         "running",
		"audit-part-20261123-003821-7571":        "succeeded",
	} {
		seen := states[run]
		if len(seen) == 0 || seen[len(seen)-1] != last {
			t.Errorf("%s was seen as %v, want %s at last", run, seen, last)
		}
		if last == "failed" { // it is over in 60 ms
			continue
		}
		if len(seen) > 0 && seen[0] != "running" && seen[0] != "pending" && seen[0] != "waiting" {
			t.Errorf("%s was never seen at work: %v", run, seen)
		}
	}
}

func runPageFollows(t *testing.T, browser *browsertest.Browser) {
	const speed, run = 4, "fix-issue-20261123-003814-e2da"
	root, database := emptyProject(t)
	whole := recording(storetest.TapeText(t)).of(t, func(id string) bool { return id == run })
	first, rest := whole.split(1) // the row of the run, pending
	begin := begun()
	play(t, database, first, 0, begin).end(t)

	p := start(t, "--project", root, "--port", "0")
	tab := browser.Tab(t)
	tab.Open(p.url + "runs/" + run)
	tab.Until(live)
	tab.Run(stays)
	tab.Run(watchShifts)
	tab.Run(watchEvents)
	tab.Run(`window.done = []
new MutationObserver(() => {
	const n = document.querySelectorAll('tr.step.succeeded').length
	if (done.at(-1) !== n) done.push(n)
}).observe(document.body, {subtree: true, childList: true, attributes: true})`)
	play(t, database, rest, speed, begin).end(t)

	tab.Until(`document.querySelector('#head .meta li.succeeded b')?.textContent === 'succeeded'`)
	tab.Until(`document.querySelectorAll('tr.step.succeeded').length === 4`)
	eventually(t, "every event is in the page", func() bool {
		return len(seenEvents(tab)) >= len(eventIDs(t, database, run))
	})
	sameEvents(t, "the page", seenEvents(tab), database, run)
	if twice := browsertest.Eval[int](tab, `twice`); twice > 0 {
		t.Errorf("%d times an event stood in the page twice", twice)
	}
	if shift := browsertest.Eval[float64](tab, `fell`); shift >= 0.001 {
		t.Errorf("%.4f of the window moved up or down while the run went on and when it ended: %q", shift, browsertest.Eval[[]string](tab, `moved`))
	}
	if advanced := browsertest.Eval[[]int](tab, `done`); len(advanced) < 4 {
		t.Errorf("the numbers of steps that were seen done are %v, want them to grow one by one", advanced)
	}
	asRenderedAfresh(t, browser, tab, p.url+"runs/"+run)
	if browsertest.Eval[bool](tab, reloaded) {
		t.Error("the page was loaded anew")
	}
}

// asRenderedAfresh waits until each part of a run's page that was followed says
// what the server renders: once the run has ended they stand in another order.
func asRenderedAfresh(t *testing.T, browser *browsertest.Browser, tab *browsertest.Tab, url string) {
	t.Helper()
	fresh := browser.Tab(t)
	for _, part := range []string{"#head", "#why-part", "nav.parts", "#steps", "#outcomes", "#events", "#artifacts", "#family"} {
		eventually(t, part+" says what the server renders afresh", func() bool {
			followed := browsertest.Eval[string](tab, normal(part))
			fresh.Open(url)
			return browsertest.Eval[string](fresh, normal(part)) == followed
		})
	}
}

// threeAttempts is a run whose step fails three times, a second each.
func threeAttempts(run string) (r recording) {
	now := time.Now().Unix()
	r.add(0, tape.Insert, "pipeline_run", statedb.Row{
		"run_id": run, "pipeline_name": "flaky-integration", "status": "running", "input": "staging", "started_at": now,
		"last_heartbeat": now, "tags_json": "[]", "branch_name": "", "forked_from_run_id": "",
	})
	event := func(at time.Duration, state, message string) {
		r.add(at, tape.Insert, "event_log", statedb.Row{
			"run_id": run, "timestamp": now, "step_id": "provision", "state": state, "persona": "navigator", "message": message,
		})
	}
	for n := range 3 {
		at := time.Duration(n+1) * time.Second
		event(at, "running", "attempt "+string(rune('1'+n)))
		if n == 0 {
			r.add(at, tape.Insert, "step_state", statedb.Row{
				"step_id": "provision", "pipeline_id": run, "state": "running", "started_at": now})
		}
		attempt := statedb.Row{"run_id": run, "step_id": "provision", "attempt": n + 1, "state": "running", "started_at": now}
		r.add(at, tape.Insert, "step_attempt", attempt)
		event(at+800*time.Millisecond, "failed", "exit status 2")
		r.add(at+800*time.Millisecond, tape.Insert, "step_attempt", statedb.Row{
			"run_id": run, "step_id": "provision", "attempt": n + 1, "state": "failed", "started_at": now, "completed_at": now,
			"duration_ms": 800, "error_message": "provision: no capacity left in zone " + string(rune('a'+n)), "failure_class": "transient",
		})
	}
	const end = 4 * time.Second
	r.add(end, tape.Update, "step_state", statedb.Row{
		"step_id": "provision", "pipeline_id": run, "state": "failed", "completed_at": now, "error_message": "provision: no capacity left in zone c"})
	r.add(end, tape.Update, "pipeline_run", statedb.Row{
		"run_id": run, "status": "failed", "completed_at": now, "current_step": `step "provision" failed: no capacity left in zone c`})
	event(end, "failed", "pipeline failed")
	return r
}

func runPageShowsFailure(t *testing.T, browser *browsertest.Browser) {
	const run = "flaky-integration-20261123-101500-0a0a"
	root, database := emptyProject(t)
	first, rest := threeAttempts(run).split(1)
	play(t, database, first, 0, time.Time{}).end(t)

	p := start(t, "--project", root, "--port", "0")
	tab := browser.Tab(t)
	tab.Open(p.url + "runs/" + run)
	tab.Until(live)
	tab.Run(stays)
	tab.Run(watchEvents)
	tab.Run(`window.tried = new Set()
new MutationObserver(() => {
	const n = document.querySelector('#step-provision .c-try')?.textContent.trim()
	if (n) tried.add(n.split('/')[0].trim())
}).observe(document.body, {subtree: true, childList: true, characterData: true})`)
	// Each attempt begins only once the page shows the one before, however busy the machine is.
	for i, lines := range []int{3, 4, 4} {
		var begins recording
		begins, rest = rest.split(lines)
		play(t, database, begins, 0, time.Time{}).end(t)
		tab.Until(fmt.Sprintf(`document.querySelector('#step-provision.running .c-try')?.textContent.trim().split('/')[0].trim() === '%d'`, i+1))
	}
	play(t, database, rest, 0, time.Time{}).end(t)

	tab.Until(`document.querySelector('#failure h2')?.textContent.trim() === 'provision'`)
	tab.Until(`document.querySelector('#failure mark')?.textContent.includes('no capacity left in zone c')`)
	tab.Until(`document.querySelectorAll('#step-provision + tr.kids .attempts li').length === 3`)
	if tried := browsertest.Eval[string](tab, `[...tried].join(' ')`); tried != "1 2 3" {
		t.Errorf("the attempts were counted as %q", tried)
	}
	said := browsertest.Eval[string](tab, `document.querySelector('#step-provision + tr.kids .attempts').textContent`)
	for _, zone := range []string{"zone a", "zone b"} {
		if !strings.Contains(said, zone) {
			t.Errorf("the attempts do not say what went wrong in %s: %s", zone, said)
		}
	}
	eventually(t, "every event is in the page", func() bool {
		return len(seenEvents(tab)) >= len(eventIDs(t, database, run))
	})
	sameEvents(t, "the page", seenEvents(tab), database, run)
	if browsertest.Eval[bool](tab, reloaded) {
		t.Error("the page was loaded anew")
	}
}
