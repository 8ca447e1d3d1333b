package demo

import (
	"fmt"
	"time"
)

// A pass of the live recording begins each period. Passes overlap, so that
// there is always a run at work.
const (
	period = 75 * time.Second
	lead   = 20 * time.Second // how far the first pass has come at the epoch
)

// failEvery is how many passes lie between two that fail alike: what needs a
// human must stay readable however long the demo is open.
const failEvery = 16

// addPass plans the runs of one pass, from 0.
func (r *recording) addPass(n int) {
	begin := time.Duration(n)*period - lead
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	at := func(s float64) time.Duration { return begin + seconds(s) }

	build := plan{pipeline: "build-shop", input: "main", at: at(0), branch: "main", steps: map[string]fate{
		"checkout": {took: seconds(2)}, "lint": {took: seconds(5)}, "unit-tests": {took: seconds(12)},
		"bundle": {took: seconds(9)}, "pack": {took: seconds(4)},
	}}
	bug := plan{
		pipeline: "fix-bug", input: bugs()[n%len(bugs())], at: at(4), branch: fmt.Sprintf("fix/%d", 450+n), tags: []string{"bug"},
		steps: map[string]fate{
			"triage": {took: seconds(9)}, "plan": {took: seconds(8)}, "repair": {took: seconds(15)},
			"unit-tests": {took: seconds(6)}, "review": {took: seconds(8), failed: 1},
		},
	}
	if n%failEvery == 1 {
		bug.steps["unit-tests"] = fate{result: fails, took: seconds(6), message: testFailure}
	}
	deploy := plan{
		pipeline: "deploy-shop", input: fmt.Sprintf("v%d.%d", r.epoch.Year(), 55+n), at: at(16), reserved: seconds(9),
		tags: []string{"release"}, steps: map[string]fate{
			"stage": {took: seconds(4)}, "smoke": {took: seconds(5)}, "approve": {took: seconds(22)},
			"roll-out": {took: seconds(5)}, "announce": {took: seconds(7)},
		},
	}
	prices := plan{pipeline: "price-watch", input: "all", at: at(26), tags: []string{"live"}}
	list := plan{
		pipeline: "import-catalogue", input: "suppliers/baumann.pdf", at: at(38),
		steps: map[string]fate{
			"fetch": {took: seconds(3)}, "convert": {took: seconds(7), failed: 3, result: isReworked},
			"convert-by-table": {took: seconds(9)}, "publish": {took: seconds(3)},
		},
	}
	if n%failEvery == 0 {
		list.steps["convert"] = fate{took: seconds(7), failed: 3, result: breaks}
	}
	load := plan{
		pipeline: "load-test", input: "50 customers", at: at(48), end: stopped, endAt: seconds(19),
		steps: map[string]fate{"warm-up": {took: seconds(4)}, "rush": {took: time.Hour}},
	}
	for _, p := range []plan{build, bug, deploy, prices, list, load} {
		r.add(p)
	}
}
