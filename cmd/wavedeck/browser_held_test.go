package main

import (
	"fmt"
	"testing"
	"time"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
	"wavedeck/store/tape"
)

// newRun is the row of a run at work.
func newRun(id string, started time.Time) statedb.Row {
	return statedb.Row{
		"run_id": id, "pipeline_name": "build", "status": "running", "input": "held", "started_at": started.Unix(),
		"last_heartbeat": started.Unix(), "tags_json": "[]", "branch_name": "", "forked_from_run_id": "",
	}
}

// places are where the rows of a list stand, by id.
const places = `Object.fromEntries([...document.querySelectorAll('tr.run')].map(tr => [tr.id, tr.getBoundingClientRect().top]))`

func heldListDoesNotJump(t *testing.T, browser *browsertest.Browser) {
	root, database := emptyProject(t)
	began := time.Now().Add(-time.Minute)
	var before recording
	for i := range 3 {
		before.add(0, tape.Insert, "pipeline_run", newRun(fmt.Sprintf("old-%d", i+1), began.Add(time.Duration(i)*time.Second)))
	}
	play(t, database, before, 0, time.Time{}).end(t)
	p := start(t, "--project", root, "--port", "0")

	for _, hold := range []struct {
		name    string
		take    func(*browsertest.Tab)
		release func(*browsertest.Tab)
	}{
		{"a row has the focus", func(tab *browsertest.Tab) {
			tab.Run(`document.querySelector('tr.run a').focus()`)
		}, nil},
		{"the pointer is over it", func(tab *browsertest.Tab) {
			tab.Point("tr.run")
			tab.Until(`document.querySelector('#runs table').matches(':hover')`)
		}, nil},
	} {
		t.Run(hold.name, func(t *testing.T) {
			tab := browser.Tab(t)
			tab.Open(p.url + "runs")
			tab.Until(live)
			tab.Run(stays)
			hold.take(tab)
			at := browsertest.Eval[map[string]float64](tab, places)
			last := browsertest.Eval[string](tab, `[...document.querySelectorAll('tr.run.running')].at(-1).id.slice(4)`)

			var during recording
			now := time.Now()
			for i := range 2 {
				during.add(0, tape.Insert, "pipeline_run", newRun(fmt.Sprintf("new-%d-%s", i, last), now))
			}
			during.add(0, tape.Update, "pipeline_run", statedb.Row{"run_id": last, "status": "completed", "completed_at": now.Unix()})
			play(t, database, during, 0, time.Time{}).end(t)

			tab.Until(`document.querySelector('#held')?.textContent === '2 new runs'`)
			tab.Until(`document.getElementById('run-` + last + `').classList.contains('succeeded')`)
			for id, top := range browsertest.Eval[map[string]float64](tab, places) {
				if was, ok := at[id]; !ok || was != top {
					t.Errorf("%s was at %v (%v), now at %v", id, was, ok, top)
				}
			}
			tab.Click("#held")
			tab.Until(fmt.Sprintf(`!document.querySelector('#held') && document.querySelectorAll('tr.run').length === %d`, len(at)+2))
			if browsertest.Eval[bool](tab, reloaded) {
				t.Error("the page was loaded anew")
			}
		})
	}
}

// watchShifts adds up how much of the window shifted without the reader's doing:
// in shift at all, in fell where anything moved up or down, which moved lists. A
// number that gains a digit in its cell shifts and does not fall; how many of them
// a page draws depends on the machine's speed, so tests look at fell.
const watchShifts = `
window.shift = 0, window.fell = 0, window.moved = []
new PerformanceObserver(list => {
	for (const e of list.getEntries()) if (!e.hadRecentInput) {
		shift += e.value
		const before = moved.length
		for (const s of e.sources) if (s.previousRect.y !== s.currentRect.y && (s.node?.nodeType !== 3 || s.node.data.trim())) // a blank is not seen
			moved.push((s.node?.id || s.node?.className || s.node?.parentElement?.outerHTML || s.node?.nodeName) + ' from ' + s.previousRect.y + ' to ' + s.currentRect.y)
		if (moved.length > before) fell += e.value
	}
}).observe({type: 'layout-shift', buffered: true})`

func listDoesNotShift(t *testing.T, browser *browsertest.Browser) {
	root, database := emptyProject(t)
	begin := begun()
	first, rest := recording(storetest.TapeText(t)).split(120)
	play(t, database, first, 0, begin).end(t)
	p := start(t, "--project", root, "--port", "0")
	tab := browser.Tab(t)
	tab.Open(p.url + "runs")
	tab.Until(live)
	tab.Point("tr.run")
	tab.Until(`document.querySelector('#runs table').matches(':hover')`)
	tab.Run(watchShifts)
	alone := browser.Tab(t) // nobody touches this one: its new rows push others down, which glide
	alone.Open(p.url + "runs")
	alone.Until(live)
	alone.Run(watchShifts)
	before := browsertest.Eval[int](alone, `document.querySelectorAll('#runs > table > tbody > tr.run').length`)
	play(t, database, rest, 10, begin).end(t)
	tab.Until(`document.querySelector('#held')`)
	tab.Until(`document.querySelectorAll('#runs tr.run.running').length === 0`)
	if moved := browsertest.Eval[[]string](tab, `moved`); len(moved) > 0 {
		t.Errorf("these moved: %q", moved)
	}
	t.Logf("layout shift %.6f", browsertest.Eval[float64](tab, `shift`))
	alone.Until(`document.querySelectorAll('#runs > table > tbody > tr.run.running').length === 1`) // the last run of the tape does not end
	if came := browsertest.Eval[int](alone, `document.querySelectorAll('#runs > table > tbody > tr.run').length`) - before; came < 2 {
		t.Errorf("%d new rows in the list that nobody touches", came)
	}
	if shift := browsertest.Eval[float64](alone, `fell`); shift >= 0.001 {
		t.Errorf("%.5f of the window moved up or down where nobody touched it: %q", shift, browsertest.Eval[[]string](alone, `moved`))
	}
}
