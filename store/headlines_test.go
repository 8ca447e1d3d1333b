package store

import (
	"strings"
	"testing"
	"time"

	"wavedeck/store/diagnose"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// runOf is the run whose id begins and ends so.
func runOf(t testing.TB, d *testReader, begins, ends string) wave.Run {
	t.Helper()
	var id string
	if err := d.GetContext(t.Context(), &id, `SELECT run_id FROM pipeline_run WHERE run_id LIKE ? || '-%-' || ?`, begins, ends); err != nil {
		t.Fatal(err)
	}
	run, err := d.run(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestEveryFailedRunOfARealWaveHasTheHeadlineThatAReaderWouldPick(t *testing.T) {
	d := openHistory(t)
	for _, c := range []struct{ pipeline, ends, want, cause string }{
		{"t-cmdfail", "e99e", "oh no: disk is full", ""},
		{"t-confail", "6199", "at '': missing property 'ok'", ""},
		{"t-conrej", "40b5", "at '': missing property 'ok'", ""},
		{"t-consoft", "2e5b", "at '': missing property 'ok'", ""},
		{"t-contest", "cb4d", "FAIL: 1: Syntax error: Unterminated quoted string", ""},
		{"t-nest", "c0f2", `step "x" failed: exit status 1`, "t-child-20261130-231342-76b3 x"},
		{"t-mid", "f90c", `step "x" failed: exit status 1`, "t-child-20261130-231342-76b3 x"},
		{"t-child", "76b3", `step "x" failed: exit status 1`, ""},
		{"t-iterbad", "b58f", `step "x" failed: exit status 1`, "t-child-20261130-231352-f517 x"},
		{"t-gatesimple", "2dc1", "gate timed out after 8s", ""},
		{"t-gate", "cc2b", "gate prompt failed: gate requires interactive terminal (stdin is not a TTY); use --auto-approve for non-interactive mode", ""},
		{"t-gate", "579b", `gate "ask" aborted with choice "Abort"`, ""},
		{"t-graphmax", "593a", `circuit breaker triggered for step "test": same error repeated 3 times: exit status 1`, ""},
		{"t-matrix", "8fe0", "file conflicts detected: [.agents/artifacts/plan/tasks.json (workers: [0 1 2]) .agents/output/tasks.json (workers: [0 1 2])]", ""},
		{"t-pretool", "7894", "missing required tools: no-such-tool-xyz", ""},
		{"t-preskill", "5942", "missing required skills: nope", ""},
		{"t-cycle", "8263", `invalid pipeline DAG: cycle detected: step "b" depends on "a", creating a circular dependency`, ""},
		{"t-rate", "a2cc", "adapter rate limited: rate limit exceeded: you have hit your limit", ""},
		{"t-parfail", "d986", `step "l" failed: exit status 5`, ""},
		{"t-perfail", "aee6", "adapter rate limited: rate limit exceeded, simulated failure", ""},
		{"t-inject", "9e56", `failed to start codex: exec: "codex": executable file not found in $PATH`, ""},
		{"t-timeout", "2273", "timeout: context deadline exceeded", ""},
	} {
		t.Run(c.pipeline+" "+c.ends, func(t *testing.T) {
			run := runOf(t, d, c.pipeline, c.ends)
			if run.Headline != c.want {
				t.Errorf("headline %q, want %q", run.Headline, c.want)
			}
			cause := ""
			if run.Cause != nil {
				cause = run.Cause.Run + " " + run.Cause.Step
			}
			if cause != c.cause {
				t.Errorf("caused by %q, want %q", cause, c.cause)
			}
			detail := mustDetail(t, d, run.ID)
			if detail.Run.Headline != run.Headline {
				t.Errorf("its page says %q", detail.Run.Headline)
			}
			if at := diagnose.Culprit(detail.Run, detail.Steps); at >= 0 && detail.Steps[at].Headline != run.Headline {
				t.Errorf("its step %s says %q", detail.Steps[at].ID, detail.Steps[at].Headline)
			}
		})
	}
}

func TestNoRunThatSucceededHasAHeadline(t *testing.T) {
	d := openHistory(t)
	var ids []string
	if err := d.SelectContext(t.Context(), &ids, `SELECT run_id FROM pipeline_run`); err != nil {
		t.Fatal(err)
	}
	runs, err := d.RunsByID(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range runs {
		switch run.State {
		case wave.Failed, wave.Rejected, wave.Lost:
			if run.Headline == "" && run.Error+run.Reason != "" {
				t.Errorf("%s %s has none", run.ID, run.State)
			}
		case wave.Succeeded, wave.Empty, wave.Running, wave.Pending, wave.Unknown:
			if run.Headline != "" || run.Cause != nil {
				t.Errorf("%s %s has %q", run.ID, run.State, run.Headline)
			}
		}
	}
}

func TestAHeadlineIsThatOfTheChildThatFailedItsParent(t *testing.T) {
	b := storetest.New(t)
	failed := func(r storetest.Run, text string) string {
		r.Status, r.Error = "failed", text
		return b.Run(r)
	}
	const stopped = `step "y" failed: adapter execution failed: general_error: context canceled`

	top := failed(storetest.Run{ID: "top"}, `step "each" failed: sub-pipeline "item" failed: step "x" failed: exit status 1`)
	for i := range 300 { // everything that was stopped comes first
		failed(storetest.Run{ID: "item-" + strings.Repeat("i", i+1), Parent: top, ParentStep: "each", Kind: "iterate_child"}, stopped)
	}
	bad := failed(storetest.Run{ID: "item-bad", Parent: top, ParentStep: "each", Kind: "iterate_child"}, `step "x" failed: exit status 1`)
	b.Event(bad, storetest.Event{Step: "x", State: "failed", Message: "command failed: exit status 1\nstderr: reading\npanic: no stock of 4711\n\ngoroutine 1 [running]:"})
	failed(storetest.Run{ID: "optional", Parent: top, ParentStep: "try", Kind: "sub_pipeline_child"}, `step "z" failed: panic: not the cause`)

	own := failed(storetest.Run{ID: "own"}, `step "b" failed: the plan is empty`)
	failed(storetest.Run{ID: "before", Parent: own, ParentStep: "a", Kind: "sub_pipeline_child"}, `step "z" failed: panic: not the cause`)

	round := failed(storetest.Run{ID: "round", Parent: "round"}, `step "a" failed: exit status 9`)

	deep := failed(storetest.Run{ID: "deep-0"}, `step "s" failed: exit status 1`)
	for i := range 20 {
		deep = failed(storetest.Run{ID: "deep-" + strings.Repeat("i", i+1), Parent: deep, ParentStep: "s"}, `step "s" failed: exit status 1`)
	}

	batch := b.Run(storetest.Run{ID: "batch", Status: "pending"})
	failed(storetest.Run{ID: "of-batch", Parent: batch}, `step "a" failed: panic: out of stock`)

	d := openTest(t, b.Path, storetest.Base.Add(12*time.Hour), Options{Shown: func(text string) string { return strings.ReplaceAll(text, "4711", "[hidden]") }})
	for _, c := range []struct{ name, run, want, cause string }{
		{"the item of a fan-out that failed, not one that was stopped for it", top, "panic: no stock of [hidden]", "item-bad"},
		{"its own, where the child was of a step that it got past", own, "the plan is empty", ""},
		{"its own, where it names itself as its parent", round, `step "a" failed: exit status 9`, ""},
		{"that of the run of a batch, which itself records nothing", batch, "panic: out of stock", "of-batch"},
		{"that of the deepest that is looked at", "deep-0", `step "s" failed: exit status 1`, "deep-iiiiiiii"},
	} {
		t.Run(c.name, func(t *testing.T) {
			run, err := d.run(t.Context(), c.run)
			if err != nil {
				t.Fatal(err)
			}
			cause := ""
			if run.Cause != nil {
				cause = run.Cause.Run
			}
			if run.Headline != c.want || cause != c.cause {
				t.Errorf("%q by %q, want %q by %q", run.Headline, cause, c.want, c.cause)
			}
		})
	}
}
