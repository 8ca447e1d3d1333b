package handlers_test

import (
	"fmt"
	"strings"
	"testing"

	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
)

func TestAttemptsOfTheSample(t *testing.T) {
	page := openSample(t).ready().get("/runs/" + sampleRun)
	step := page.doc().Find("#more-integration")
	if says := strings.TrimSpace(step.Find("summary").First().Text()); says != "3 attempts · at '': missing property 'suite_passed'" {
		t.Errorf("it says %q", says)
	}
	attempts := step.Find("ol.attempts > li")
	if attempts.Length() != 3 {
		t.Fatalf("%d attempts, want 3", attempts.Length())
	}
	for i, want := range []string{
		"attempt 1 of 3 failed contract failure 1 h ago 5.0s 7.1k tokens", "attempt 2 of 3 failed contract failure 1 h ago 5.0s 6.9k tokens",
		"attempt 3 of 3 failed contract failure 1 h ago 5.0s 7.8k tokens",
	} {
		attempt := attempts.Eq(i)
		if got := strings.Join(strings.Fields(attempt.Find(".attempt").Text()), " "); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		fold := attempt.Find("details.account")
		if fold.Find("summary").Text() != "at '': missing property 'suite_passed'" || fold.Find("mark").Text() != "at '': missing property 'suite_passed'" ||
			!strings.HasSuffix(fold.Find("pre").Text(), `"required": true}`) {
			t.Errorf("attempt %d says %q", i+1, fold.Text())
		}
	}
	contract := step.Find("[id^=contract-]")
	if got := strings.Join(strings.Fields(contract.Find("summary").Text()), " "); got != "Contract failed: at '': missing property 'suite_passed'" {
		t.Errorf("the contract says %q", got)
	}
	if step.Find("[id^=error-]").Length() != 0 {
		t.Error("the step repeats the error of its last attempt")
	}
	if got := page.text("#failure header .dim"); got != "attempt 3 of 3 · craftsman · claude-opus-4" {
		t.Errorf("the failure says %q", got)
	}
}

func TestEveryFailureClassIsAWord(t *testing.T) {
	classes := map[string]string{
		"transient": "transient", "deterministic": "deterministic", "budget_exhausted": "budget exhausted",
		"contract_failure": "contract failure", "test_failure": "test failure", "canceled": "cancelled", "a_new_one": "a new one",
	}
	root := emptyProject(t)
	b := newState(t, root)
	for class := range classes {
		run := b.Run(storetest.Run{ID: class, Status: "failed"})
		b.Step(run, storetest.Step{State: "failed", Error: "boom"})
		b.Attempt(run, storetest.Attempt{State: "failed", Error: "boom", FailureClass: class, DurationMs: 1500, Extra: statedb.Row{"tokens_used": 1200}})
	}
	s := openSite(t, root).ready()
	for class, word := range classes {
		t.Run(class, func(t *testing.T) {
			attempt := s.as(t).get("/runs/" + class).doc().Find("ol.attempts > li")
			got := strings.Join(strings.Fields(attempt.Find(".attempt").Text()), " ")
			if !strings.HasPrefix(got, "attempt 1 ") || !strings.Contains(got, " "+word+" ") || !strings.HasSuffix(got, "1.5s 1.2k tokens") {
				t.Errorf("it says %q", got)
			}
			if says := strings.TrimSpace(attempt.Find(".account").Text()); says != "boom" {
				t.Errorf("its error is %q", says)
			}
		})
	}
}

func TestTheEndOfAnAttemptsOutput(t *testing.T) {
	var output []string
	for i := range 100 {
		output = append(output, fmt.Sprintf("line %d", i+1))
	}
	root := emptyProject(t)
	b := newState(t, root)
	run := b.Run(storetest.Run{ID: "r", Status: "failed"})
	tail := strings.Join(output, "\n") + "\n\x1b[31mFAIL\x1b[0m <b>suite</b>\n"
	b.Attempt(run, storetest.Attempt{State: "failed", Error: "exit status 1", Extra: statedb.Row{"stdout_tail": tail}})
	b.Attempt(run, storetest.Attempt{N: 2, Extra: statedb.Row{"stdout_tail": "fine\n"}})
	attempts := openSite(t, root).ready().get("/runs/r").doc().Find("ol.attempts > li")
	long, short := attempts.Eq(0), attempts.Eq(1)
	lines := strings.Split(long.Find("pre.tail").Text(), "\n")
	if len(lines) != 40 || lines[39] != "FAIL <b>suite</b>" || lines[38] != "line 100" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
	if long.Find("pre.tail span[class]").Length() != 1 {
		t.Error("the colour is lost")
	}
	if says := long.Find("p.dim").Text(); says != "End of its output, 40 of 101 lines:" {
		t.Errorf("it says %q", says)
	}
	if says := short.Find("p.dim").Text(); says != "End of its output:" || short.Find("pre.tail").Text() != "fine" {
		t.Errorf("the short one says %q: %q", says, short.Find("pre.tail").Text())
	}
}

func TestContractResultsAreWords(t *testing.T) {
	for event, want := range map[string]string{
		"contract_soft_failure": "failed, continued", "contract_warning": "failed, warned", "contract_failed": "failed",
		"contract_passed": "passed", "contract_skip": "failed, skipped", "validating": "validating",
	} {
		t.Run(event, func(t *testing.T) {
			root := emptyProject(t)
			b := newState(t, root)
			run := b.Run(storetest.Run{ID: "r"})
			b.Event(run, storetest.Event{Step: "a"})
			b.Event(run, storetest.Event{Step: "a", State: event, Message: "two links lead nowhere\n- at '/links/0': no such page"})
			b.Event(run, storetest.Event{Step: "a", State: "contract_evidence", Message: "links.json has 2 entries"})
			b.Event(run, storetest.Event{Step: "a", State: "completed"})
			page := openSite(t, root).ready().get("/runs/r")
			if got := page.text("#step-a .c-contract"); got != want {
				t.Errorf("the column says %q, want %q", got, want)
			}
			if got := page.text("#contract-a summary"); got != "Contract "+want+": at '/links/0': no such page" {
				t.Errorf("the fold says %q", got)
			}
			if got := page.text("#contract-a mark"); got != "at '/links/0': no such page" {
				t.Errorf("marked is %q", got)
			}
			if got := page.text("#more-a p.account"); got != "Contract evidence: links.json has 2 entries" {
				t.Errorf("the evidence says %q", got)
			}
		})
	}
}

// TestAttemptsOfAnotherVisitAreNotMiscounted: a step that is visited again counts
// from 1, so more attempts than are allowed for one visit is no contradiction.
func TestAttemptsOfAnotherVisitAreNotMiscounted(t *testing.T) {
	root := emptyProject(t)
	b := newState(t, root)
	run := b.Run(storetest.Run{ID: "r"})
	b.Event(run, storetest.Event{Step: "a"})
	b.Event(run, storetest.Event{Step: "a", State: "retrying", Message: "attempt 2/2"})
	b.Event(run, storetest.Event{Step: "a", State: "completed"})
	for _, n := range []int{1, 2, 1} {
		b.Attempt(run, storetest.Attempt{Step: "a", N: n, State: map[bool]string{true: "failed", false: "succeeded"}[n == 1]})
	}
	page := openSite(t, root).ready().get("/runs/r")
	if got := page.text("#step-a .c-try"); got != "3" {
		t.Errorf("the column says %q", got)
	}
	var got []string
	for _, b := range page.doc().Find("ol.attempts .attempt > b").EachIter() {
		got = append(got, b.Text())
	}
	if strings.Join(got, ", ") != "attempt 1 of 2, attempt 2 of 2, attempt 1 of 2" {
		t.Errorf("attempts %q", got)
	}
}
