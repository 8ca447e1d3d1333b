package main

import (
	"bytes"
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

// figures are what the browser measured of a page.
type figures struct {
	first, largest float64            // milliseconds to the first and to the largest content that was painted
	shift          float64            // of the layout, without input
	long           []float64          // milliseconds of each task of the page that took more than 50
	moved          map[string]float64 // what shifted, by the largest part of the shift
}

// traced are the categories in which Chromium writes these down.
func traced() []string {
	return []string{"loading", "blink.user_timing", "disabled-by-default-devtools.timeline", "disabled-by-default-layout_shift.debug"}
}

// measured reads the figures out of a trace.
func measured(b *testing.B, events []browsertest.TraceEvent) (f figures) {
	b.Helper()
	begun, main := map[string]float64{}, [2]int{} // by navigation
	for _, e := range events {
		var args struct {
			Data struct {
				Navigation   string  `json:"navigationId"`
				Score        float64 `json:"weighted_score_delta"`
				RecentInput  bool    `json:"had_recent_input"`
				ImpactedNode []struct {
					Name string `json:"debug_name"`
				} `json:"impacted_nodes"`
			} `json:"data"`
		}
		_ = json.Unmarshal(e.Args, &args) // other events have other arguments
		switch e.Name {
		case "navigationStart":
			begun[args.Data.Navigation] = e.At
		case "firstContentfulPaint":
			f.first, main = (e.At-begun[args.Data.Navigation])/1000, [2]int{e.PID, e.TID}
		case "largestContentfulPaint::Candidate":
			f.largest = (e.At - begun[args.Data.Navigation]) / 1000
		case "LayoutShift":
			if args.Data.RecentInput {
				continue
			}
			f.shift += args.Data.Score
			if f.moved == nil {
				f.moved = map[string]float64{}
			}
			for _, n := range args.Data.ImpactedNode[:min(1, len(args.Data.ImpactedNode))] {
				f.moved[n.Name] += args.Data.Score
			}
		}
	}
	for _, e := range events {
		if e.Name == "RunTask" && e.Took > 50_000 && (main[0] == 0 || main == [2]int{e.PID, e.TID}) {
			f.long = append(f.long, e.Took/1000)
		}
	}
	return f
}

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
				var firsts, largests, longest, shifts []float64
				for range max(b.N, 5) {
					tab.Open("about:blank")
					browsertest.Call(tab, network.ClearBrowserCache, cdp.Empty{})
					f := measured(b, tab.Trace(func() {
						tab.Open(p.url + page.path)
						tab.Until(live)
					}, traced()...))
					firsts, largests, shifts = append(firsts, f.first), append(largests, f.largest), append(shifts, f.shift)
					longest = append(longest, slices.Max(append(f.long, 0)))
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
				f := measured(b, tab.Trace(func() {
					play(b, database, rest, watched.speed, begin).end(b)
					for n := 1; n < watched.times; n++ {
						play(b, database, again(b, tape, n), watched.speed, begun()).end(b)
					}
				}, traced()...))
				b.ReportMetric(0, "ns/op") // it is the tape's
				b.ReportMetric(f.shift, "shift")
				b.ReportMetric(float64(len(f.long)), "long-tasks")
				b.ReportMetric(slices.Max(append(f.long, 0)), "ms-longest-task")
				for _, name := range slices.SortedFunc(maps.Keys(f.moved), func(x, y string) int { return int(1e6 * (f.moved[y] - f.moved[x])) }) {
					b.Logf("%.5f %s", f.moved[name], name)
				}
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
