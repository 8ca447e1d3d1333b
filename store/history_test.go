package store

import (
	"strings"
	"testing"
	"time"

	"wavedeck/store/diagnose"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// openHistory opens a copy of the history whose ends are known.
func openHistory(t testing.TB) *testReader {
	t.Helper()
	root := storetest.History(t)
	return openTest(t, storetest.StatePath(root), storetest.HistoryNow, Options{Definition: definitions(t, root)})
}

func historyDetail(t testing.TB, d *testReader, id string) wave.RunDetail {
	t.Helper()
	detail, err := d.Detail(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return detail
}

func TestRunsEndAsTheyReallyEnded(t *testing.T) {
	d := openHistory(t)
	at, _, err := d.Rows.MomentOf(t.Context(), 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	at.Time = storetest.HistoryNow
	for _, end := range storetest.Ends(t) {
		t.Run(end.Run, func(t *testing.T) {
			run := historyDetail(t, d, end.Run).Run
			if string(run.State) != end.State || !strings.Contains(run.Reason, end.Reason) {
				t.Errorf("%s is %s (%q), really %s (%q)", end.Command, run.State, run.Reason, end.State, end.Reason)
			}
			listed, err := d.RunsByID(t.Context(), []string{end.Run})
			if err != nil || len(listed) != 1 || listed[0].State != run.State || listed[0].Reason != run.Reason {
				t.Errorf("listed as %+v (%v)", listed, err)
			}
			indexed, err := d.Entries(t.Context(), []string{end.Run})
			if err != nil || len(indexed) != 1 || indexed[0].State != run.State {
				t.Fatalf("indexed as %+v (%v)", indexed, err)
			}
			if e := indexed[0]; !run.CompletedAt.IsZero() && e.Completed != run.CompletedAt.Unix() || run.Tokens != nil && e.Tokens != *run.Tokens {
				t.Errorf("indexed with end %d and %d tokens, shown with %d and %d", e.Completed, e.Tokens, run.CompletedAt.Unix(), *run.Tokens)
			}
			past, err := d.pastOfRuns(t.Context(), d, []string{end.Run}, at)
			if err != nil || past[end.Run] == nil {
				t.Fatalf("as of the last event: %v", err)
			}
			if then := past[end.Run].run; then.State != run.State {
				t.Errorf("as of the last event %s (%q), now %s", then.State, then.Reason, run.State)
			} else if wave.OrZero(then.Tokens) != wave.OrZero(run.Tokens) {
				t.Errorf("as of the last event %d tokens, now %d", wave.OrZero(then.Tokens), wave.OrZero(run.Tokens))
			}
		})
	}
}

func TestContractsThatFailedNeverPass(t *testing.T) {
	d := openHistory(t)
	for run, want := range map[string]string{
		"t-conwarn-20261130-231327-583d":  "failed_warned",
		"t-conskip-20261130-231330-9953":  "failed_skipped",
		"t-conrej-20261130-231331-40b5":   "failed",
		"t-consoft-20261130-231332-2e5b":  "failed",
		"t-conretry-20261130-232311-a014": "passed",
	} {
		b := stepOfDetail(t, historyDetail(t, d, run), "b")
		if b.Contract == nil || b.Contract.Result != want {
			t.Errorf("%s: contract %+v, want %s", run, b.Contract, want)
		}
		if last := b.Checks[len(b.Checks)-1]; last.Result != want || len(b.Checks) != len(b.Attempts) {
			t.Errorf("%s: %d checks, the last %s, want one for each of %d attempts", run, len(b.Checks), last.Result, len(b.Attempts))
		}
	}
}

func stepOfDetail(t testing.TB, d wave.RunDetail, id string) wave.Step {
	t.Helper()
	for _, s := range d.Steps {
		if s.ID == id {
			return s
		}
	}
	t.Fatalf("%s has no step %s", d.Run.ID, id)
	return wave.Step{}
}

func TestStepsAreWhatBecameOfThem(t *testing.T) {
	d := openHistory(t)
	for _, tt := range []struct {
		name, run, step string
		state           wave.State
		error, note     string // parts
		visits          int
	}{
		{"an aborted gate failed", "t-gate-20261130-231424-579b", "ask", wave.Failed, `gate "ask" aborted`, "", 0},
		{"an approved gate succeeded", "t-gate-20261130-231420-dfc8", "ask", wave.Succeeded, "", "", 0},
		{"the step that failed of two at once failed", "t-parfail-20261130-231512-d986", "l", wave.Failed, "exit status 5", "", 0},
		{"the other one was stopped", "t-parfail-20261130-231512-d986", "r", wave.Cancelled, "signal: killed", "stopped when the run failed", 0},
		{"a failed fan-out names what failed, not what was stopped", "t-iterbad-20261130-231352-b58f", "each", wave.Failed, `step "x" failed: exit status 1`, "", 0},
		{"a graph counts visits of a step", "t-graph-20261130-231427-61b2", "impl", wave.Succeeded, "", "", 3},
		{"a graph counts visits of a step that failed twice", "t-graph-20261130-231427-61b2", "test", wave.Succeeded, "", "", 3},
		{"a graph counts one visit", "t-graph-20261130-231427-61b2", "fin", wave.Succeeded, "", "", 1},
		{"a graph counts visits to its limit", "t-graphmax-20261130-231428-593a", "test", wave.Failed, "exit status 1", "", 3},
		{"a loop counts its turns", "t-loop-20261130-231359-ca58", "again", wave.Succeeded, "", "max iterations", 3},
		{"a loop counts turns of what it holds", "t-looppipe-20261130-231359-1619", "l1", wave.Succeeded, "", "", 2},
		{"a fan-out is no loop", "t-aggr-20261130-231403-9751", "each", wave.Succeeded, "", "", 0},
		{"the workers of a matrix are no visits", "t-matrix-20261130-231428-8fe0", "exec", wave.Failed, "file conflicts detected", "", 0},
		{"a resumption does not run what was done before", "t-inject-20261130-232812-9e56", "make", wave.Skipped, "", "done in the run that it resumes", 0},
		{"the row of a batch has no steps of its own", "t-loop-20261130-232819-ba87", "again", wave.Unknown, "", "runs in each child run", 0},
		{"a step resumed in place was not visited again", "t-inject-20261130-232323-6547", "use", wave.Succeeded, "", "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := stepOfDetail(t, historyDetail(t, d, tt.run), tt.step)
			if s.State != tt.state || !strings.Contains(s.Error, tt.error) || !strings.Contains(s.Note, tt.note) || s.Visits != tt.visits {
				t.Errorf("%s is %s, error %q, note %q, %d visits; really %s, %q, %q, %d", tt.step, s.State, s.Error, s.Note, s.Visits, tt.state, tt.error, tt.note, tt.visits)
			}
			if tt.state == wave.Cancelled && s.Headline != s.Note {
				t.Errorf("headline %q of a step that was stopped, want %q", s.Headline, tt.note)
			}
			if tt.visits > 1 && tt.step != "again" && len(s.Attempts) != tt.visits {
				t.Errorf("%d attempts in %d visits", len(s.Attempts), tt.visits)
			}
		})
	}
}

func TestFailedFanOutNamesItsCulprit(t *testing.T) {
	detail := historyDetail(t, openHistory(t), "t-iterbad-20261130-231352-b58f")
	each := stepOfDetail(t, detail, "each")
	if each.Culprit == nil || each.Culprit.ID != "t-child-20261130-231352-f517" || each.Culprit.Iterate.Index != 1 {
		t.Errorf("the culprit is %+v, really item 2", each.Culprit)
	}
	for _, child := range detail.Children {
		want := wave.Cancelled
		if child.ID == each.Culprit.ID {
			want = wave.Failed
		}
		if child.State != want {
			t.Errorf("%s is %s (%q), really %s", child.ID, child.State, child.Reason, want)
		}
	}
	if got := detail.Run.Children; got.Failed != 1 || each.Children.Failed != 1 {
		t.Errorf("%+v of the run and %+v of the step, really 1 failed", got, each.Children)
	}
}

func TestRunsOfAHistoryCurrentlyAtTheStepThatFailed(t *testing.T) {
	d := openHistory(t)
	runs, err := d.RunsByID(t.Context(), []string{"t-parfail-20261130-231512-d986", "t-gate-20261130-231424-579b"})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"l", "ask"} {
		if got := runs[i].Current; len(got) != 1 || got[0] != want {
			t.Errorf("%s is at %q, want %q", runs[i].ID, got, want)
		}
	}
}

func TestOptionalStepsOfAHistoryCountAsFailed(t *testing.T) {
	d := openHistory(t)
	for run, want := range map[string]int{"t-optional-20261130-232314-dc11": 1, "t-retryok-20261130-232300-e2e1": 0, "t-conwarn-20261130-231327-583d": 0, "t-graph-20261130-231427-61b2": 0} {
		if got := historyDetail(t, d, run).Run; got.StepsFailed != want || got.StepsDone != got.StepsAll {
			t.Errorf("%s: %d of %d steps, %d failed; want %d", run, got.StepsDone, got.StepsAll, got.StepsFailed, want)
		}
	}
}

func TestRejectedRunOfAHistoryHasItsOwnError(t *testing.T) {
	run := historyDetail(t, openHistory(t), "t-conrej-20261130-231331-40b5").Run
	if run.State != wave.Rejected || strings.Contains(run.Error, wave.ReasonGone) || !strings.Contains(run.Error, "design rejection") {
		t.Errorf("%s with %q, want what the contract said", run.State, run.Error)
	}
}

func TestForkOfAHistoryWaitsToBeResumed(t *testing.T) {
	o := mustOutlook(t, openHistory(t), "t-ok-20261130-232816-5ba7")
	if o.Stall.Verdict != diagnose.InQueue || !strings.Contains(o.Stall.Why, "resumed") || o.Signals.Slots.Taken != 0 {
		t.Errorf("%s: %s, %d slots taken; a fork waits, and slots are never fewer than none", o.Stall.Verdict, o.Stall.Why, o.Signals.Slots.Taken)
	}
}

func TestTokensAreWhatWasReallyUsed(t *testing.T) {
	d := openHistory(t)
	for run, want := range map[string]struct{ own, beneath int64 }{
		"t-retryok-20261130-232300-e2e1":  {1800, 0}, // two attempts failed
		"t-optional-20261130-232314-dc11": {1000, 0}, // the only agent failed
		"t-conretry-20261130-232311-a014": {2000, 0},
		"t-conrej-20261130-231331-40b5":   {1000, 0}, // the reaper left 0
		"t-inject-20261130-232323-6547":   {22, 0},   // resumed in place
		"t-nest-20261130-231339-8aec":     {12, 33},  // a grandchild used 33
		"t-iterpar-20261130-231343-3d0e":  {0, 99},   // three children
	} {
		r := historyDetail(t, d, run).Run
		if r.Tokens == nil || *r.Tokens != want.own {
			t.Errorf("%s used %v itself, really %d", run, wave.OrZero(r.Tokens), want.own)
		}
		if isParent := r.Children.All > 0; isParent != (r.Subtree != nil) || isParent && *r.Subtree != want.own+want.beneath {
			t.Errorf("%s with %d children used %v in all, really %d", run, r.Children.All, wave.OrZero(r.Subtree), want.own+want.beneath)
		}
	}
}

func TestRunsTakeAsLongAsTheyReallyTook(t *testing.T) {
	d := openHistory(t)
	for run, want := range map[string]time.Duration{
		"t-conrej-20261130-231331-40b5": time.Second,     // reaped after 1m44s
		"t-ok-20261130-232253-72da":     5 * time.Second, // rewound five minutes later
		"t-loop-20261130-232819-ba87":   time.Second,     // two items
		"t-branch-20261130-232819-ab6c": 0,
	} {
		r := historyDetail(t, d, run).Run
		if !r.HasDuration || r.Duration.Truncate(time.Second) != want {
			t.Errorf("%s took %s (known: %t), really %s", run, r.Duration, r.HasDuration, want)
		}
	}
}

func TestBatchShowsItsItems(t *testing.T) {
	detail := historyDetail(t, openHistory(t), "t-loop-20261130-232819-ba87")
	if len(detail.Children) != 2 || detail.Run.Children != (wave.ChildCounts{All: 2, Ended: 2}) {
		t.Errorf("%d children, counted %+v, really 2 that ended", len(detail.Children), detail.Run.Children)
	}
	if !strings.Contains(detail.Run.Reason, "2 of 2 child runs succeeded") {
		t.Errorf("reason %q", detail.Run.Reason)
	}
}

func TestWorkersOfAMatrixWorkAtOnce(t *testing.T) {
	s := stepOfDetail(t, historyDetail(t, openHistory(t), "t-matrix-20261130-231428-8fe0"), "exec")
	if s.Duration != 2*time.Second || len(s.Attempts) != 1 || s.Attempts[0].State != wave.Failed || s.Attempts[0].Duration != 2*time.Second || wave.OrZero(s.Tokens) != 132 {
		t.Errorf("three workers took %v in %d attempts with %d tokens, really 2s in one with 132", s.Duration, len(s.Attempts), wave.OrZero(s.Tokens))
	}
}
