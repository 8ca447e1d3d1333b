package handlers_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/storetest"
)

// soak adds a run of the sample's pipeline slow-soak that works at the step
// called soak since the given time and was silent since then.
func soak(b *storetest.Builder, silent time.Duration, r storetest.Run) string {
	r.Pipeline, r.Status, r.Start = "slow-soak", "running", opened.Add(-silent)
	run := b.Run(r)
	b.Event(run, storetest.Event{State: "started", Message: `input="60" steps=3`})
	b.Event(run, storetest.Event{Step: "soak"})
	b.Step(run, storetest.Step{ID: "soak", State: "running"})
	return run
}

// soaked adds past runs of slow-soak whose step soak is silent for at most a minute.
func soaked(b *storetest.Builder, n int) {
	for i := range n {
		start := opened.Add(-time.Duration(n-i) * time.Hour)
		run := b.Run(storetest.Run{Pipeline: "slow-soak", Start: start, End: start.Add(2 * time.Minute)})
		for k, state := range []string{"running", "stream_activity", "completed"} {
			b.Event(run, storetest.Event{Step: "soak", State: state, At: start.Add(time.Duration(k) * time.Minute)})
		}
	}
}

func TestWhyIsItNotMoving(t *testing.T) {
	s := openSample(t)
	b := storetest.At(t, storetest.StatePath(s.root))
	soaked(b, 5)
	beats := storetest.Run{Heartbeat: opened.Add(-5 * time.Second)}
	stuck, moving := soak(b, 3*time.Minute, beats), soak(b, 10*time.Second, beats)
	s.ready()
	s.until("the runs are noticed", func() bool { return strings.Contains(s.get("/runs").body, moving) })

	page := s.get("/runs/" + stuck)
	if got := page.text("#why h2"); got != "not moving" {
		t.Errorf("the panel says %q", got)
	}
	if got := page.text("#why dd:first-of-type"); got != "3m 00s ago · the longest silence of soak in 5 past runs was 1m 00s; unusual beyond 2m 00s" {
		t.Errorf("the evidence is %q", got)
	}
	if href := page.doc().Find("#why a.btn").AttrOr("href", ""); href != "/runs/"+stuck+"/log" {
		t.Errorf("the action leads to %q", href)
	}
	if got := s.fragment("/runs/" + stuck + "/parts/why").text("#why-part #why h2"); got != "not moving" {
		t.Errorf("the fragment says %q", got)
	}
	for _, tab := range []string{"/timeline", "/graph", "/log", "/artifacts"} {
		if n := s.get("/runs/" + stuck + tab).doc().Find("#why").Length(); n != 1 {
			t.Errorf("%s has %d panels", tab, n)
		}
	}
	if got := s.get("/runs/" + moving).text("details#why summary"); got != "moving It wrote something within the last minute." {
		t.Errorf("a run that moves says %q", got)
	}
	if n := s.get("/runs/" + sampleRun).doc().Find("#why").Length(); n != 0 {
		t.Error("a run that has ended is told not to move")
	}

	list := s.get("/runs")
	if got := list.text("#run-" + stuck + ` .c-run .st:has(use[href$="#stuck"])`); got != "not moving" {
		t.Errorf("its mark in the list is %q", got)
	}
	if n := list.doc().Find("#run-" + moving + " .c-run .st").Length(); n != 0 {
		t.Error("a run that moves is marked")
	}

	var one struct {
		Run struct {
			Stall struct {
				Verdict, Why, Action, Href string
				Evidence                   []struct{ Signal, Value, At, Note string }
			}
		}
	}
	if err := json.Unmarshal([]byte(s.get("/api/runs/"+stuck).body), &one); err != nil {
		t.Fatal(err)
	}
	stall := one.Run.Stall
	if stall.Verdict != "not moving" || stall.Action != "log" || stall.Href != "/runs/"+stuck+"/log" || len(stall.Evidence) != 3 {
		t.Errorf("the JSON says %+v", stall)
	}
	if at := stall.Evidence[0].At; at != opened.Add(-3*time.Minute).Format(time.RFC3339) {
		t.Errorf("its last event was at %s", at)
	}
	if body := s.get("/api/runs/" + sampleRun).body; strings.Contains(body, `"stall"`) {
		t.Error("the JSON of a run that has ended has a verdict")
	}
	if body := s.get("/api/runs").body; !strings.Contains(body, `"verdict":"moving"`) {
		t.Error("the JSON of the list has no verdicts")
	}
}

func TestRunsOfTheSampleAreNotMarked(t *testing.T) {
	s := openSample(t).ready()
	if marks := s.get("/runs?limit=100").doc().Find(".c-run .st"); marks.Length() != 0 {
		t.Errorf("marked: %s", marks.Text())
	}
}

// course adds runs of a pipeline that nobody defines, each of the given length.
func course(b *storetest.Builder, took ...time.Duration) {
	for i, d := range took {
		start := opened.Add(-time.Duration(len(took)-i) * 24 * time.Hour)
		b.Run(storetest.Run{Pipeline: "course", Start: start, End: start.Add(d)})
	}
}

func TestWhenWillItBeDone(t *testing.T) {
	s := openSample(t)
	b := storetest.At(t, storetest.StatePath(s.root))
	m := time.Minute
	course(b, 10*m, 11*m, 12*m, 13*m, 14*m, 15*m, 16*m, 17*m, 18*m)
	begin := func(ago time.Duration) string {
		run := b.Run(storetest.Run{Pipeline: "course", Status: "running", Start: opened.Add(-ago), Heartbeat: opened})
		b.Event(run, storetest.Event{Step: "x", At: opened})
		return run
	}
	early, late := begin(4*m), begin(30*m)
	b.Run(storetest.Run{Pipeline: "other", Status: "running", Start: opened.Add(-m), Heartbeat: opened})
	s.ready()
	s.until("the runs are noticed", func() bool { return strings.Contains(s.get("/runs").body, late) })

	list := s.get("/runs")
	if got := list.text("#run-" + early + " .eta"); got != "· 10–14 min left" {
		t.Errorf("the list says %q", got)
	}
	if got := list.text("#run-" + late + " .c-run .st"); got != "late" {
		t.Errorf("the list marks the late run %q", got)
	}
	if n := list.doc().Find(".eta").Length(); n != 1 {
		t.Errorf("%d rows say what is left, want 1: one run is later than all, one has no past", n)
	}
	page := s.get("/runs/" + early)
	for selector, want := range map[string]string{
		"#eta b": "10–14 min left", "#eta time:first-of-type": "02:10:00", "#eta time:last-of-type": "02:14:00",
		"#eta li:last-child": "p50 to p90 of 9 past runs",
	} {
		if got := page.text(selector); got != want {
			t.Errorf("%s says %q, want %q", selector, got, want)
		}
	}
	if got := s.get("/runs/" + late).text("#eta .st"); got != "late" {
		t.Errorf("the page of the late run says %q", got)
	}
	type answer struct {
		Run struct{ ETA map[string]any }
	}
	for id, want := range map[string]map[string]any{
		early: {"earliest": "2026-11-23T02:00:00Z", "p50": "2026-11-23T02:10:00Z", "p90": "2026-11-23T02:14:00Z", "n": 9.0, "late": false},
		late:  {"n": 0.0, "late": true},
	} {
		var got answer
		if err := json.Unmarshal([]byte(s.get("/api/runs/"+id).body), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Run.ETA); diff != "" {
			t.Errorf("JSON of %s (-want +got)\n%s", id, diff)
		}
	}
}

// activityOf adds the same action again and again, a second apart.
func activityOf(b *storetest.Builder, run string, n int) {
	for i := range n {
		b.Event(run, storetest.Event{Step: "soak", State: "stream_activity", Message: "Bash make", At: opened.Add(time.Duration(i-n) * time.Second)})
	}
}

func TestRunaway(t *testing.T) {
	s := openSample(t)
	b := storetest.At(t, storetest.StatePath(s.root))
	run := soak(b, 5*time.Minute, storetest.Run{Heartbeat: opened})
	const secret = "curl -H 'Authorization: Bearer sk-ant-REDACTED'"
	for i := range 14 {
		b.Event(run, storetest.Event{Step: "soak", State: "stream_activity", Message: "Bash " + secret, At: opened.Add(time.Duration(i-14) * time.Second)})
	}
	s.ready()
	s.until("the run is noticed", func() bool { return strings.Contains(s.get("/runs").body, run) })

	if got := s.get("/runs").text("#run-" + run + ` .c-run .st:has(use[href$="#runaway"])`); got != "repeating itself" {
		t.Errorf("the list marks it %q", got)
	}
	page := s.get("/runs/" + run)
	if got := page.text("#runaway header > span"); got != "soak does the same thing for the 14th time in a row." {
		t.Errorf("the panel says %q", got)
	}
	if got := page.text("#runaway dd:first-of-type"); !strings.Contains(got, "14 times in the last 14") || strings.Contains(got, "sk-ant-REDACTED") {
		t.Errorf("the evidence is %q", got)
	}
	waterfall := s.get("/runs/" + run + "/timeline")
	if got := waterfall.text("#waterfall .tl-label:has(use[href$='#runaway']) .tl-name"); got != "soak" {
		t.Errorf("the timeline marks %q", got)
	}
	if n := s.get("/runs/" + lostRun + "/timeline").doc().Find("use[href$='#runaway']").Length(); n != 0 {
		t.Error("the timeline of a run that does nothing is marked")
	}
	var got struct {
		Run struct{ Runaway map[string]any }
	}
	body := s.get("/api/runs/" + run).body
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if r := got.Run.Runaway; r["kind"] != "loop" || r["step_id"] != "soak" || r["times"] != 14.0 || r["since"] != opened.Add(-14*time.Second).Format(time.RFC3339) {
		t.Errorf("the JSON says %v", r)
	}
	if actions := fmt.Sprint(got.Run.Runaway["actions"]); strings.Contains(actions, "sk-ant-REDACTED") {
		t.Errorf("the JSON has the secret: %s", actions)
	}
}
