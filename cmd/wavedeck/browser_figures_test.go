package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"wavedeck/cmd/internal/browsertest"
	"wavedeck/store/storetest"
)

// figures are what the browser wrote down of a page.
type figures struct {
	shift float64            // of the layout, without input
	long  []float64          // milliseconds of each task that took more than 50
	moved map[string]float64 // what shifted, by its part of the shift
	wide  map[string]shifted // the widest shift of each
}

// shifted is one shift: its share, and the elements with where they were and are.
type shifted struct {
	score float64
	how   string
}

// traced are the categories in which Chromium writes these down.
func traced() []string {
	return []string{"loading", "devtools.timeline", "disabled-by-default-devtools.timeline", "disabled-by-default-layout_shift.debug"}
}

// measured reads the figures out of a trace.
func measured(events []browsertest.TraceEvent) figures {
	f := figures{moved: map[string]float64{}, wide: map[string]shifted{}}
	page := map[[2]int]bool{} // the threads on which pages live
	for _, e := range events {
		if e.Name == "Layout" || e.Name == "UpdateLayoutTree" {
			page[[2]int{e.PID, e.TID}] = true
		}
	}
	for _, e := range events {
		switch {
		case e.Name == "RunTask" && e.Took > 50_000 && page[[2]int{e.PID, e.TID}]:
			f.long = append(f.long, e.Took/1000)
		case e.Name == "LayoutShift":
			var args struct {
				Data struct {
					Score float64 `json:"weighted_score_delta"`
					Input bool    `json:"had_recent_input"`
					Nodes []struct {
						Name string `json:"debug_name"`
						Old  []int  `json:"old_rect"` // x, y, width, height
						New  []int  `json:"new_rect"`
					} `json:"impacted_nodes"`
				} `json:"data"`
			}
			if json.Unmarshal(e.Args, &args) != nil || args.Data.Input {
				continue
			}
			f.shift += args.Data.Score
			if len(args.Data.Nodes) > 0 {
				first := args.Data.Nodes[0].Name
				f.moved[first] += args.Data.Score
				if args.Data.Score > f.wide[first].score {
					how := ""
					for _, n := range args.Data.Nodes {
						how += fmt.Sprintf("\n\t%s %v -> %v", n.Name, n.Old, n.New)
					}
					f.wide[first] = shifted{args.Data.Score, how}
				}
			}
		}
	}
	return f
}

// tell writes down what shifted most.
func (f figures) tell(b *testing.B) {
	b.Helper()
	names := slices.SortedFunc(maps.Keys(f.moved), func(x, y string) int { return cmp.Compare(f.moved[y], f.moved[x]) })
	for _, name := range names[:min(6, len(names))] {
		b.Logf("%.5f %s, at most %.5f%s", f.moved[name], name, f.wide[name].score, f.wide[name].how)
	}
}

// watchPaints keeps when the largest content was painted; the first the browser keeps itself.
const watchPaints = `window.largest = 0
new PerformanceObserver(list => { for (const e of list.getEntries()) largest = e.startTime }).observe({type: 'largest-contentful-paint', buffered: true})`

// BenchmarkPageFigures measures pages as they are opened with nothing cached, on
// a history of 2,000 runs and a run of 5,000 events.
func BenchmarkPageFigures(b *testing.B) {
	browser := browsertest.Start(b)
	root := storetest.Project(b)
	db := storetest.At(b, storetest.StatePath(root))
	db.Clock = time.Now().Add(-time.Hour)
	db.Fill(2000, 1)
	long := db.LongRun(5000, 20)
	p := start(b, "--project", root, "--port", "0")
	for _, page := range []struct{ name, path string }{
		{"list", "runs?limit=100"}, {"run", "runs/" + everyFailed}, {"log", "runs/" + long + "/log"}, {"graph", "runs/" + everyFailed + "/graph"},
	} {
		for _, width := range []int64{1440, 375} {
			b.Run(fmt.Sprintf("%s/%d", page.name, width), func(b *testing.B) {
				tab := browser.Tab(b)
				tab.Do(chromedp.EmulateViewport(width, 900))
				tab.Before(watchPaints)
				var firsts, largests, longest, shifts []float64
				for range max(b.N, 5) {
					browsertest.Call(tab, network.ClearBrowserCache, cdp.Empty{})
					f := measured(tab.Trace(func() {
						tab.Open(p.url + page.path)
						tab.Until(live + ` && largest && performance.getEntriesByName('first-contentful-paint').length`)
					}, traced()...))
					f.tell(b)
					shifts, longest = append(shifts, f.shift), append(longest, slices.Max(append(f.long, 0)))
					firsts = append(firsts, browsertest.Eval[float64](tab, `performance.getEntriesByName('first-contentful-paint')[0].startTime`))
					largests = append(largests, browsertest.Eval[float64](tab, `largest`))
					tab.Open("about:blank")
				}
				b.ReportMetric(0, "ns/op") // with the waits between
				for unit, values := range map[string][]float64{"ms-first-paint": firsts, "ms-largest-paint": largests, "ms-longest-task": longest, "shift": shifts} {
					slices.Sort(values)
					b.ReportMetric(values[len(values)/2], unit)
				}
			})
		}
	}
}

// BenchmarkShift measures how much of what is seen moves without input while
// runs go on: what is read must stay where it is.
func BenchmarkShift(b *testing.B) {
	browser := browsertest.Start(b)
	const run = "fix-issue-20261123-003814-e2da"
	tape := recording(storetest.TapeText(b))
	for _, watched := range []struct {
		name, path string
		point      string // what the mouse rests on
		times      int    // how often the 50 seconds of the tape are played
		speed      float64
	}{
		{"an hour of the list that is read", "runs", "tr.run", 72, 60},
		{"an hour of the list that nobody touches", "runs", "", 72, 60},
		{"what needs attention", "attention", "", 12, 60},
		{"the pipelines", "pipelines", "", 12, 60},
		{"a pipeline", "pipelines/fix-issue", "", 12, 60},
		{"the personas", "personas", "", 12, 60},
		{"a run", "runs/" + run, "", 1, 5},
		{"its timeline", "runs/" + run + "/timeline", "", 1, 5},
		{"its graph", "runs/" + run + "/graph", "", 1, 5},
		{"its log", "runs/" + run + "/log", "", 1, 5},
	} {
		for _, width := range []int64{1440, 375} {
			b.Run(fmt.Sprintf("%s/%d", watched.name, width), func(b *testing.B) {
				root, database := emptyProject(b)
				begin := begun()
				first, rest := tape.split(44) // its run has begun
				play(b, database, first, 0, begin).end(b)
				p := start(b, "--project", root, "--port", "0")
				tab := browser.Tab(b)
				tab.Do(chromedp.EmulateViewport(width, 900))
				tab.Open(p.url + watched.path)
				tab.Until(live)
				if watched.point != "" {
					tab.Point(watched.point)
				}
				f := measured(tab.Trace(func() {
					play(b, database, rest, watched.speed, begin).end(b)
					for n := 1; n < watched.times; n++ {
						play(b, database, again(b, tape, n), watched.speed, begun()).end(b)
					}
				}, traced()...))
				b.ReportMetric(0, "ns/op") // it is the tape's
				b.ReportMetric(f.shift, "shift")
				b.ReportMetric(float64(len(f.long)), "long-tasks")
				b.ReportMetric(slices.Max(append(f.long, 0)), "ms-longest-task")
				f.tell(b)
			})
		}
	}
}

// again is a tape with other runs: the same changes, of the nth time.
func again(b *testing.B, tape recording, n int) (other recording) {
	b.Helper()
	for line := range bytes.Lines(tape) {
		var e struct {
			At    int64          `json:"at_ms"`
			Op    string         `json:"op"`
			Table string         `json:"table"`
			Row   map[string]any `json:"row"`
		}
		numbers := json.NewDecoder(bytes.NewReader(line))
		numbers.UseNumber()
		if err := numbers.Decode(&e); err != nil {
			b.Fatal(err)
		}
		delete(e.Row, "id") // the database gives another
		changed, err := json.Marshal(map[string]any{"at_ms": e.At, "op": e.Op, "table": e.Table, "row": e.Row})
		if err != nil {
			b.Fatal(err)
		}
		other = append(append(other, bytes.ReplaceAll(changed, []byte("-20261123-"), fmt.Appendf(nil, "-2026x%03d-", n))...), '\n')
	}
	return other
}
