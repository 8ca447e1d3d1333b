package store

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

func decision(run, step string, extra statedb.Row) statedb.Row {
	row := statedb.Row{"run_id": run, "step_id": step, "timestamp": 1795394390, "category": "retry", "decision": "again"}
	maps.Copy(row, extra)
	return row
}

func TestSampleLedgers(t *testing.T) {
	d := openSample(t)
	var outcomes, decisions, checkpoints int
	for id := range sampleRuns {
		got := mustDetail(t, d, id)
		for _, n := range [][2]int{
			{got.Outcomes.All, len(got.Outcomes.Rows)}, {got.Decisions.All, len(got.Decisions.Rows)}, {got.Checkpoints.All, len(got.Checkpoints.Rows)},
		} {
			if n[0] != n[1] {
				t.Errorf("%s: %d rows of %d", id, n[1], n[0])
			}
		}
		outcomes += got.Outcomes.All
		decisions += got.Decisions.All
		checkpoints += got.Checkpoints.All
	}
	if outcomes != 12 || decisions != 26 || checkpoints != 17 {
		t.Errorf("%d outcomes, %d decisions, %d checkpoints in all, want 12, 26, 17", outcomes, decisions, checkpoints)
	}
	fix := mustDetail(t, d, "fix-issue-20261123-003950-9775")
	want := wave.Outcome{
		StepID: "assess", Type: "file", Label: "assessment", Description: "json", At: time.Unix(1795394395, 0),
		Value: "/srv/acme-widgets/.agents/workspaces/fix-issue-20261123-003950-9775/assess",
	}
	if diff := cmp.Diff(want, fix.Outcomes.Rows[0]); diff != "" {
		t.Errorf("first outcome (-want +got)\n%s", diff)
	}
	last := wave.Checkpoint{
		StepID: "review", Index: 3, Workspace: ".agents/workspaces/fix-issue-20261123-003950-9775/review", At: time.Unix(1795394410, 0),
	}
	if diff := cmp.Diff(last, fix.Checkpoints.Rows[3]); diff != "" {
		t.Errorf("last checkpoint (-want +got)\n%s", diff)
	}
	flaky := mustDetail(t, d, "flaky-integration-20261123-003950-6a1d").Decisions.Rows
	var categories []string
	for _, one := range flaky {
		categories = append(categories, one.Category)
	}
	order := "model_routing contract retry model_routing contract retry model_routing contract retry"
	if got := strings.Join(categories, " "); got != order {
		t.Errorf("decisions %s, want %s", got, order)
	}
	if !strings.HasSuffix(flaky[1].Rationale, `"required": true}`) || !strings.Contains(flaky[2].Context, `"max_attempts":3`) {
		t.Errorf("the texts are cut: %+v", flaky[1:3])
	}
}

func TestLedgersOfEverySchema(t *testing.T) {
	for version := statedb.Oldest; version <= statedb.Latest; version++ {
		t.Run(fmt.Sprint("schema ", version), func(t *testing.T) {
			b := storetest.NewVersion(t, version)
			run := b.Run(storetest.Run{})
			b.Outcome(run, storetest.Outcome{Type: "pr", Label: "fix", Description: "why"})
			b.Insert("decision_log", decision(run, "a", nil))
			b.Insert("checkpoint", statedb.Row{"run_id": run, "step_id": "a", "step_index": 2, "created_at": 5})
			got := mustDetail(t, openBuilt(t, b), run)
			for _, table := range []struct {
				name       string
				since, all int
			}{{"outcomes", 21, got.Outcomes.All}, {"decisions", 17, got.Decisions.All}, {"checkpoints", 15, got.Checkpoints.All}} {
				if has := table.all == 1; has != (version >= table.since) {
					t.Errorf("%d %s", table.all, table.name)
				}
			}
			if version >= 21 {
				if described := got.Outcomes.Rows[0].Description == "why"; described != (version >= 25) {
					t.Errorf("outcome %+v", got.Outcomes.Rows[0])
				}
			}
		})
	}
	t.Run("a database of another writer that lacks the columns", func(t *testing.T) {
		b := storetest.New(t)
		run := b.Run(storetest.Run{})
		for _, table := range []string{"pipeline_outcome", "decision_log", "checkpoint"} {
			b.Exec("DROP TABLE " + table)
			b.Exec("CREATE TABLE " + table + " (id INTEGER PRIMARY KEY, run_id TEXT)")
			b.Exec("INSERT INTO "+table+" (run_id) VALUES (?)", run)
		}
		got := mustDetail(t, openBuilt(t, b), run)
		if diff := cmp.Diff(wave.Newest[wave.Outcome]{Rows: []wave.Outcome{{}}, All: 1}, got.Outcomes); diff != "" {
			t.Errorf("outcomes (-want +got)\n%s", diff)
		}
		if len(got.Decisions.Rows) != 1 || len(got.Checkpoints.Rows) != 1 {
			t.Errorf("decisions %+v, checkpoints %+v", got.Decisions, got.Checkpoints)
		}
	})
}

func TestLedgersAreBounded(t *testing.T) {
	t.Run("the newest rows are kept, and all are counted", func(t *testing.T) {
		b := storetest.New(t)
		run, other := b.Run(storetest.Run{}), b.Run(storetest.Run{})
		const maxNewest, all = 500, 507
		b.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			INSERT INTO decision_log (run_id, category, decision, timestamp) SELECT ?, 'retry', i, i FROM n`, all, run)
		b.Insert("decision_log", decision(other, "a", nil))
		got := mustDetail(t, openBuilt(t, b), run).Decisions
		if got.All != all || len(got.Rows) != maxNewest || got.Rows[0].Decision != "8" || got.Rows[maxNewest-1].Decision != strconv.Itoa(all) {
			t.Errorf("%d of %d, from %q", len(got.Rows), got.All, got.Rows[0].Decision)
		}
	})
	t.Run("a long text is cut, and says so", func(t *testing.T) {
		b := storetest.New(t)
		run := b.Run(storetest.Run{})
		const maxNewestText = 16384
		whole, long := strings.Repeat("ä", maxNewestText), strings.Repeat("ä", maxNewestText+1)
		b.Insert("decision_log", decision(run, "a", statedb.Row{"rationale": whole, "context_json": long + long}))
		got := mustDetail(t, openBuilt(t, b), run).Decisions.Rows[0]
		if got.Rationale != whole {
			t.Errorf("a text that fits has %d characters", utf8.RuneCountInString(got.Rationale))
		}
		if got.Context != whole+"…" {
			t.Errorf("a text that does not has %d characters", utf8.RuneCountInString(got.Context))
		}
	})
	t.Run("what is no text is read all the same", func(t *testing.T) {
		b := storetest.New(t)
		run := b.Run(storetest.Run{})
		b.Insert("decision_log", decision(run, "a", statedb.Row{"timestamp": "soon", "decision": 4, "context_json": []byte{0xff, 0x00, 'x'}}))
		b.Outcome(run, storetest.Outcome{Extra: statedb.Row{"created_at": int64(1) << 62, "value": []byte("\xff")}})
		b.Insert("checkpoint", statedb.Row{"run_id": run, "step_id": "a", "step_index": "first", "workspace_commit_sha": nil, "created_at": -1})
		got := mustDetail(t, openBuilt(t, b), run)
		if got.Decisions.Rows[0].Decision != "4" || !got.Decisions.Rows[0].At.IsZero() || len(got.Outcomes.Rows) != 1 || got.Checkpoints.Rows[0].Index != 0 {
			t.Errorf("got %+v %+v %+v", got.Decisions, got.Outcomes, got.Checkpoints)
		}
	})
}

func TestContractEvidence(t *testing.T) {
	b := storetest.New(t)
	run := b.Run(storetest.Run{})
	b.Event(run, storetest.Event{Step: "a"})
	b.Event(run, storetest.Event{Step: "a", State: "contract_soft_failure", Message: "two findings"})
	b.Event(run, storetest.Event{Step: "a", State: "contract_evidence", Message: "report.json has 2 findings"})
	s := mustDetail(t, openBuilt(t, b), run).Steps[0]
	if s.Contract == nil || s.Contract.Result != "failed_continued" || s.Evidence == nil || s.Evidence.Text != "report.json has 2 findings" || len(s.Checks) != 1 {
		t.Errorf("contract %+v, evidence %+v, checks %+v", s.Contract, s.Evidence, s.Checks)
	}
}
