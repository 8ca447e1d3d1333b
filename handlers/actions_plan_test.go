package handlers_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"wavedeck/runner"
	"wavedeck/store/criteria"
)

// endedOf are ended top-level runs of the sample, by pipeline.
func (s *site) endedOf(pipeline string) (ids []string) {
	s.t.Helper()
	page, err := s.store.Runs(s.t.Context(), criteria.RunFilter{Pipelines: []string{pipeline}, Limit: criteria.MaxLimit})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, run := range page.Runs {
		if !run.State.Active() && !run.Inner() {
			ids = append(ids, run.ID)
		}
	}
	if len(ids) < 2 {
		s.t.Fatalf("%d runs of %s", len(ids), pipeline)
	}
	return ids[:2]
}

func TestTheRehearsalAsksTheEngine(t *testing.T) {
	s, e := openStage(t, now)
	e.cannot = map[string]error{"flaky-integration": &runner.UnsupportedError{Step: "test", What: "a gate", Engine: "wave"}}
	can, cannot := s.endedOf("fix-issue"), s.endedOf("flaky-integration")
	const why = `step "test": a gate is not supported by this engine; use --engine wave`
	asked := url.Values{"do": {"retry"}, "run": slices.Concat(can, cannot)}
	t.Run("for a reader", func(t *testing.T) {
		r := s.as(t).form("/runs/bulk", asked)
		if got := r.text("#verdict"); got != "2 runs will be retried, 2 cannot: 2 – "+why+"." {
			t.Errorf("status %d, it says %q", r.status, got)
		}
		if got := r.values("#start")["run"]; !slices.Equal(got, can) {
			t.Errorf("it would retry %v", got)
		}
	})
	t.Run("for a program", func(t *testing.T) {
		for _, r := range []reply{
			s.as(t).form("/runs/bulk", asked, "Accept", "application/json"),
			s.as(t).get("/bulk?"+asked.Encode(), "Accept", "application/json"),
		} {
			var got struct {
				Runs   []string
				Cannot []struct {
					Reason string
					Runs   []string
				}
			}
			if err := json.Unmarshal([]byte(r.body), &got); err != nil {
				t.Fatal(err, clip(r.body))
			}
			if !slices.Equal(got.Runs, can) || len(got.Cannot) != 1 || got.Cannot[0].Reason != why || !slices.Equal(got.Cannot[0].Runs, cannot) {
				t.Errorf("%+v", got)
			}
		}
	})
	t.Run("from the command line", func(t *testing.T) {
		r := s.as(t).get("/cmd?" + url.Values{"q": {"retry-all pipeline:flaky-integration"}}.Encode())
		at := r.header.Get("Location")
		if r.status != http.StatusSeeOther {
			t.Fatalf("status %d: %s", r.status, clip(r.body))
		}
		if got := s.as(t).get(at).text("#verdict"); !strings.HasPrefix(got, "0 runs will be retried, ") || !strings.Contains(got, why) {
			t.Errorf("%s says %q", at, got)
		}
	})
	t.Run("and nothing was started", func(t *testing.T) {
		if n := len(e.requests()); n != 0 {
			t.Errorf("%d runs", n)
		}
	})
}

func TestAButtonWhoseActionWouldBeRefusedSaysWhy(t *testing.T) {
	open, _ := openStage(t, now)
	if n := open.get("/runs/" + failedRun).doc().Find("#acts form#act-again").Length(); n != 1 {
		t.Errorf("%d forms to retry a run that can be", n)
	}
	s, e := openStage(t, now)
	e.cannot = map[string]error{"flaky-integration": &runner.UnsupportedError{What: "a gate"}}
	doc := s.get("/runs/" + failedRun).doc()
	if doc.Find("#acts form#act-again").Length() != 0 {
		t.Error("a retry that would be refused can be sent")
	}
	button := doc.Find("#acts button[disabled][aria-disabled=true]")
	if button.AttrOr("title", "") != "a gate" || doc.Find("#"+button.AttrOr("aria-describedby", "none")).Text() != "Cannot retry: a gate" {
		t.Errorf("the button: %s", button.Text())
	}
}

func TestAStartSaysThatNobodyCanAnswerAGate(t *testing.T) {
	s, e := openStage(t, now)
	const start = "/pipelines/ship-gate/start"
	t.Run("before the click, and offers to approve automatically", func(t *testing.T) {
		page := s.as(t).get(start)
		if got := page.text("#plan .notice.warn"); !strings.Contains(got, "nobody can give here") {
			t.Errorf("it says %q", got)
		}
		if page.doc().Find("details[open] input[name=auto_approve]").Length() != 1 {
			t.Error("it does not offer to approve automatically")
		}
		page = s.as(t).get(start + "?auto_approve=true")
		if page.doc().Find("#plan .notice.warn").Length() != 0 || !strings.Contains(page.text("#plan"), "approved automatically") {
			t.Errorf("approved automatically: %s", page.text("#plan"))
		}
	})
	t.Run("but no pipeline without a gate does", func(t *testing.T) {
		page := s.as(t).get("/pipelines/fix-issue/start")
		if page.doc().Find("#plan .notice.warn, input[name=auto_approve]").Length() != 0 {
			t.Error("it warns")
		}
	})
	t.Run("and the choice reaches the engine", func(t *testing.T) {
		if r := s.as(t).json("/api"+start, `{"input":"x","auto_approve":true}`); r.status != http.StatusCreated {
			t.Fatalf("status %d: %s", r.status, r.body)
		}
		if asked := e.requests(); len(asked) != 1 || !asked[0].AutoApprove {
			t.Errorf("%+v", asked)
		}
		if r := s.as(t).json("/api"+start, `{"auto_approve":"maybe"}`); r.status != http.StatusBadRequest || !strings.Contains(r.body, "auto_approve") {
			t.Errorf("status %d: %s", r.status, r.body)
		}
	})
}
