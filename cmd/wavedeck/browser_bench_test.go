package main

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/statedb"
	"wavedeck/store/tape"
)

// watchPaint keeps, by id, when each event's row was put into the page and when
// the frame with it was done, in unix milliseconds.
const watchPaint = `
const now = () => performance.timeOrigin + performance.now()
window.swapped = {}, window.painted = {}
new MutationObserver(() => {
	const fresh = [...document.querySelectorAll('#events tr[id]')].map(tr => tr.id.slice(1)).filter(id => !(id in swapped))
	for (const id of fresh) swapped[id] = now()
	if (fresh.length) requestAnimationFrame(() => {
		const channel = new MessageChannel()
		channel.port1.onmessage = () => { for (const id of fresh) painted[id] = now() }
		channel.port2.postMessage('')
	})
}).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ['id']})`

// BenchmarkCommitToPixels measures how long an event takes from the commit of
// another process to the frame that shows it, on a run's page.
func BenchmarkCommitToPixels(b *testing.B) {
	browser := browsertest.Start(b)
	for _, rhythm := range []struct {
		name string
		gap  func(int) time.Duration
	}{
		{"one at a time", func(i int) time.Duration { return 400*time.Millisecond + time.Duration(i*37%100)*time.Millisecond }},
		{"20 a second", func(int) time.Duration { return 50 * time.Millisecond }},
	} {
		b.Run(rhythm.name, func(b *testing.B) {
			const run = "build-1"
			root, database := emptyProject(b)
			now := time.Now()
			var first, rest recording
			first.add(0, tape.Insert, "pipeline_run", newRun(run, now))
			at := time.Duration(0)
			for i := range max(b.N, 60) {
				at += rhythm.gap(i)
				rest.add(at, tape.Insert, "event_log", statedb.Row{
					"id": i + 1, "run_id": run, "timestamp": now.Unix(), "step_id": "build", "state": "running", "message": "line " + strconv.Itoa(i),
				})
			}
			play(b, database, first, 0, time.Time{}).end(b)
			p := start(b, "--project", root, "--port", "0")
			tab := browser.Tab(b)
			tab.Open(p.url + "runs/" + run)
			tab.Until(live)
			tab.Run(watchPaint)

			commits := play(b, database, rest, 1, time.Time{}).end(b)
			tab.Until(`Object.keys(painted).length === ` + strconv.Itoa(len(commits)))
			b.ReportMetric(0, "ns/op") // the waits between the commits say nothing
			for what, seen := range map[string]map[string]float64{
				"swap":   browsertest.Eval[map[string]float64](tab, `swapped`),
				"pixels": browsertest.Eval[map[string]float64](tab, `painted`),
			} {
				var took []float64
				for _, c := range commits {
					took = append(took, seen[strconv.FormatInt(c.ID, 10)]-float64(c.At)/1e6)
				}
				slices.Sort(took)
				b.ReportMetric(took[len(took)/2], "ms-to-"+what+"-p50")
				b.ReportMetric(took[len(took)*95/100], "ms-to-"+what+"-p95")
			}
		})
	}
}
