package handlers_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"wavedeck/runner"
	"wavedeck/store/criteria"
)

func TestAStartThatWouldBeRefusedIsDisabledWithItsReason(t *testing.T) {
	s, e := openStage(t, now)
	const why = "the engine is not there"
	button := func(t *testing.T, r reply) (disabled bool, title, described string) {
		t.Helper()
		b := r.doc().Find("#plan button.go")
		if b.Length() != 1 || b.AttrOr("form", "") != "start" {
			t.Fatalf("status %d, %d buttons: %s", r.status, b.Length(), clip(r.body))
		}
		_, disabled = b.Attr("disabled")
		return disabled, b.AttrOr("title", ""), r.doc().Find("#" + b.AttrOr("aria-describedby", "none")).Text()
	}
	for _, at := range []string{"/pipelines/flaky-integration/start", "/runs/" + failedRun + "/retry", "/runs/" + failedRun + "/resume"} {
		t.Run("the form at "+at, func(t *testing.T) {
			if disabled, _, _ := button(t, s.as(t).get(at)); disabled {
				t.Error("what would be started cannot be")
			}
			e.cannot = map[string]error{"flaky-integration": &runner.UnsupportedError{What: why}}
			defer func() { e.cannot = nil }()
			for _, r := range []reply{s.as(t).get(at), s.as(t).form(at+"/preview", url.Values{}, "HX-Request-Type", "partial")} {
				if disabled, title, described := button(t, r); !disabled || title != why || !strings.Contains(described, "Cannot start: "+why) {
					t.Errorf("disabled %t, %q, %q", disabled, title, described)
				}
			}
		})
	}
	t.Run("what is typed mends it: then it is not", func(t *testing.T) {
		if disabled, _, _ := button(t, s.as(t).get("/pipelines/flaky-integration/start?timeout=never")); disabled {
			t.Error("a field that is wrong disables the button")
		}
	})
	t.Run("in the list of pipelines", func(t *testing.T) {
		e.cannot = map[string]error{"flaky-integration": &runner.UnsupportedError{What: why}}
		defer func() { e.cannot = nil }()
		doc := s.as(t).get("/start").doc()
		if doc.Find("#start-flaky-integration").Length() != 0 || doc.Find("#start-fix-issue").Length() != 1 {
			t.Error("it offers to start what would be refused, or not the rest")
		}
		if got := doc.Find("section[aria-labelledby=not-title]").Text(); !strings.Contains(got, "flaky-integration "+why) {
			t.Errorf("it says %q", got)
		}
	})
	t.Run("on the page of a pipeline", func(t *testing.T) {
		e.cannot = map[string]error{"flaky-integration": &runner.UnsupportedError{What: why}}
		defer func() { e.cannot = nil }()
		for pipeline, want := range map[string]string{"flaky-integration": "Cannot start: " + why, "fix-issue": ""} {
			doc := s.as(t).get("/pipelines/" + pipeline).doc()
			link := doc.Find("a#start-run") // which leads to a form that can be changed
			if got := doc.Find("#start-not").Text(); link.Length() != 1 || got != want || (want != "") != (link.AttrOr("aria-describedby", "") == "start-not") {
				t.Errorf("%s: %d links, and it says %q", pipeline, link.Length(), got)
			}
		}
	})
}

func TestWhatWillGoWrongIsSaidToProgramsToo(t *testing.T) {
	s, _ := openStage(t, now)
	const warning = `Step “approve” waits for an answer, which nobody can give here`
	page, err := s.store.Runs(t.Context(), criteria.RunFilter{Pipelines: []string{"ship-gate"}, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	ended := ""
	for _, run := range page.Runs {
		if !run.State.Active() {
			ended = run.ID
		}
	}
	if ended == "" {
		t.Fatal("no run of ship-gate has ended")
	}
	t.Run("when they start a run", func(t *testing.T) {
		for at, body := range map[string]string{
			"/api/pipelines/ship-gate/start":  `{"input":"x"}`,
			"/api/runs/" + ended + "/retry":   `{}`,
			"/api/runs/" + ended + "/resume":  `{"from_step":"prepare"}`,
			"/api/pipelines/fix-issue/start":  `{"input":"x"}`,
			"/api/pipelines/ship-gate/start?": `{"input":"x","auto_approve":true}`,
		} {
			var got struct{ Warnings []string }
			r := s.as(t).json(at, body)
			if err := json.Unmarshal([]byte(r.body), &got); err != nil || r.status != http.StatusCreated {
				t.Fatalf("%s: status %d, %v: %s", at, r.status, err, clip(r.body))
			}
			warned := len(got.Warnings) == 1 && strings.HasPrefix(got.Warnings[0], warning)
			if none := strings.Contains(at, "fix-issue") || strings.Contains(body, "auto_approve"); none != (len(got.Warnings) == 0) || !none && !warned {
				t.Errorf("%s: %q", at, got.Warnings)
			}
		}
	})
	t.Run("in the rehearsal of many", func(t *testing.T) {
		asked := url.Values{"do": {"retry"}, "run": {ended}}
		if got := s.as(t).form("/runs/bulk", asked).text("#start .notice.warn"); !strings.Contains(got, "1 run: "+warning) {
			t.Errorf("a reader is told %q", got)
		}
		var got struct {
			Runs     []string
			Warnings []struct {
				Reason string
				Runs   []string
			}
		}
		r := s.as(t).form("/runs/bulk", asked, "Accept", "application/json")
		if err := json.Unmarshal([]byte(r.body), &got); err != nil || len(got.Warnings) != 1 || !strings.HasPrefix(got.Warnings[0].Reason, warning) || got.Warnings[0].Runs[0] != ended {
			t.Errorf("%v: %s", err, clip(r.body))
		}
	})
	t.Run("and a resume offers to approve automatically", func(t *testing.T) {
		for query, checked := range map[string]int{"": 0, "?auto_approve=true": 1} {
			r := s.as(t).get("/runs/" + ended + "/resume" + query)
			if box := r.doc().Find("#start input[type=checkbox][name=auto_approve]"); box.Length() != 1 || box.Filter("[checked]").Length() != checked {
				t.Errorf("%q: %d boxes", query, box.Length())
			}
		}
		if s.as(t).get("/runs/"+failedRun+"/resume").doc().Find("input[name=auto_approve]").Length() != 0 {
			t.Error("it offers that where there is no gate")
		}
	})
}

func TestTheRunSaysWhatItRepeats(t *testing.T) {
	s, _ := openStage(t, now)
	for do, field := range map[string]string{"retry": "retry_of", "resume": "resumed_from"} {
		r := s.as(t).json("/api/runs/"+failedRun+"/"+do, `{}`)
		if r.status != http.StatusCreated {
			t.Fatalf("status %d: %s", r.status, r.body)
		}
		var got struct{ Run map[string]any }
		if err := json.Unmarshal([]byte(s.as(t).get("/api/runs/"+r.answer().RunID).body), &got); err != nil {
			t.Fatal(err)
		}
		for _, f := range []string{"retry_of", "resumed_from"} {
			if want := map[bool]any{true: failedRun, false: nil}[f == field]; got.Run[f] != want {
				t.Errorf("of a %s, %s is %v", do, f, got.Run[f])
			}
		}
	}
}
