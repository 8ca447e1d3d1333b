package main

import (
	"fmt"
	"testing"
	"time"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/storetest"
)

// TestBrowserLog is what readers do with a long log.
func TestBrowserLog(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	t.Run("a failed run of 50,000 events opens at its failure and scrolls both ways", func(t *testing.T) { logScrolls(t, browser) })
	t.Run("a reader at the end follows, and one who scrolled up is told", func(t *testing.T) { logFollows(t, browser) })
}

// lineTops is where a line stands in the window.
func lineTop(tab *browsertest.Tab, no int64) float64 {
	return browsertest.Eval[float64](tab, fmt.Sprintf(`document.querySelector('#L%d').getBoundingClientRect().top`, no))
}

const (
	mountedLines = `[...document.querySelectorAll('#lines .block')].reduce((n, b) => n + +b.dataset.lines, 0)`
	// inOrder holds when every line stands once, after those before it.
	inOrder = `[...document.querySelectorAll('#lines .l')].every((l, i, all) => !i || +l.id.slice(1) > +all[i - 1].id.slice(1))`
)

func logScrolls(t *testing.T, browser *browsertest.Browser) {
	root, database := emptyProject(t)
	state := storetest.At(t, database)
	run := state.LongRun(50_000, 60)
	var failed int64
	if err := state.DB.Get(&failed, `SELECT max(id) - 20000 FROM event_log WHERE run_id = ?`, run); err != nil {
		t.Fatal(err)
	}
	state.Exec(`UPDATE event_log SET state = 'failed', message = 'stderr: boom' WHERE id = ?`, failed)
	state.Exec(`UPDATE event_log SET state = 'stream_activity' WHERE id <> ? AND run_id = ? AND state = 'contract_failed'`, failed, run)
	state.Exec(`UPDATE pipeline_run SET status = 'failed', current_step = 'step "step-36" failed: boom' WHERE run_id = ?`, run)
	state.Exec(`UPDATE pipeline_state SET status = 'failed' WHERE pipeline_id = ?`, run)

	p := start(t, "--project", root, "--port", "0")
	tab := browser.Tab(t)
	tab.Open(p.url + "runs/" + run + "/log")
	line := fmt.Sprintf("document.querySelector('#L%d')", failed)
	tab.Until(line + `?.classList.contains('bad')`)
	tab.Until(fmt.Sprintf(`(r => r.top > 0 && r.bottom < innerHeight)(%s.getBoundingClientRect())`, line))
	tab.Until(live)

	for _, way := range []struct{ name, id, by, edge string }{
		{"up", "earlier", "-", "first"}, {"down", "later", "", "last"},
	} {
		for i := range 26 {
			edge := browsertest.Eval[string](tab, `[...document.querySelectorAll('#lines .block')].at(`+map[string]string{"first": "0", "last": "-1"}[way.edge]+`).dataset.`+way.edge)
			tab.Run(`dispatchEvent(new Event('wheel')); document.querySelector('#` + way.id + `').scrollIntoView()`)
			tab.Until(`[...document.querySelectorAll('#lines .block')].at(` + map[string]string{"first": "0", "last": "-1"}[way.edge] + `).dataset.` + way.edge + ` !== '` + edge + `'`)
			if n := browsertest.Eval[int](tab, mountedLines); n > 10_000 {
				t.Fatalf("%d lines are mounted after %d blocks %s", n, i+1, way.name)
			}
		}
		tab.Until(`document.querySelectorAll('#lines .block').length === 20`)
		if !browsertest.Eval[bool](tab, inOrder) {
			t.Errorf("lines are not in order after scrolling %s", way.name)
		}
		tab.Until(`document.querySelectorAll('#earlier').length === 1 && document.querySelectorAll('#later').length === 1`)
	}

	// What is read stays where it is while a block comes above it.
	tab.Open(p.url + fmt.Sprintf("runs/%s/log?L=%d#L%d", run, failed, failed))
	tab.Until(line + `?.classList.contains('mk')`)
	tab.Until(live)
	first := browsertest.Eval[string](tab, `document.querySelector('#lines .block').dataset.first`)
	top := lineTop(tab, failed)
	tab.Run(`dispatchEvent(new Event('wheel')); htmx.trigger(document.querySelector('#earlier'), 'again', {}, false)`)
	tab.Until(`document.querySelector('#lines .block').dataset.first !== '` + first + `'`)
	if now := lineTop(tab, failed); now < top-2 || now > top+2 {
		t.Errorf("the line moved from %v to %v when earlier lines came", top, now)
	}
}

func logFollows(t *testing.T, browser *browsertest.Browser) {
	root, database := emptyProject(t)
	state := storetest.At(t, database)
	now := time.Now()
	run := state.Run(storetest.Run{Status: "running", Start: now, Heartbeat: now.Add(time.Hour)})
	add := func(n int) (last int64) {
		for i := range n {
			last = state.Event(run, storetest.Event{Step: "build", State: "stream_activity", Message: fmt.Sprintf("Edit file%d.go", i), At: now})
		}
		return last
	}
	state.Event(run, storetest.Event{Step: "build", State: "running", At: now})
	add(120)

	p := start(t, "--project", root, "--port", "0")
	tab := browser.Tab(t)
	tab.Open(p.url + "runs/" + run + "/log")
	tab.Until(live)
	tab.Run(stays)
	const bottom = `scrollY + innerHeight >= document.documentElement.scrollHeight - 24`
	tab.Until(bottom)
	last := add(30)
	tab.Until(fmt.Sprintf(`(l => l && l.getBoundingClientRect().bottom <= innerHeight)(document.querySelector('#L%d'))`, last))
	tab.Until(bottom)

	tab.Run(`dispatchEvent(new Event('wheel')); scrollBy(0, -900)`)
	tab.Until(`scrollY > 0 && !(` + bottom + `)`)
	reading := browsertest.Eval[float64](tab, `scrollY`)
	last = add(128)
	tab.Until(`!document.querySelector('#lognew').hidden && document.querySelector('#lognew').textContent.trim() === '↓ 128 new'`)
	if y := browsertest.Eval[float64](tab, `scrollY`); y != reading {
		t.Errorf("what was read moved from %v to %v", reading, y)
	}
	tab.Run(`document.querySelector('#lognew').click()`)
	tab.Until(fmt.Sprintf(`(l => l && l.getBoundingClientRect().bottom <= innerHeight)(document.querySelector('#L%d'))`, last))
	tab.Until(`document.querySelector('#lognew').hidden`)
	state.Exec(`UPDATE pipeline_run SET status = 'completed', completed_at = ? WHERE run_id = ?`, now.Unix()+1, run)
	last = state.Event(run, storetest.Event{State: "completed", At: now})
	tab.Until(`document.querySelector('#logend').textContent.includes('has ended: succeeded')`)
	tab.Until(fmt.Sprintf(`!!document.querySelector('#L%d')`, last))
	if !browsertest.Eval[bool](tab, inOrder) {
		t.Error("lines are not in order")
	}
	if browsertest.Eval[bool](tab, reloaded) {
		t.Error("the page was loaded anew")
	}
}
