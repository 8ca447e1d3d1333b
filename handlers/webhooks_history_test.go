package handlers_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wavedeck/handlers"
	"wavedeck/store/storetest"
)

// told is what a webhook says of a run.
type told struct {
	ID, State, Reason string
	Tokens            int64  `json:"total_tokens"`
	Subtree           int64  `json:"subtree_tokens"`
	DurationMs        int64  `json:"duration_ms"`
	CausedBy          string `json:"caused_by_run_id"`
}

// TestHooksTellTheTrueEnds lets the runs of a real Wave happen while a webhook is
// set, and compares what it says of each with what really happened and with what
// the run's page says.
func TestHooksTellTheTrueEnds(t *testing.T) {
	root := storetest.History(t)
	state := storetest.StatePath(root)
	full := filepath.Join(t.TempDir(), "full.db")
	data, err := os.ReadFile(state)
	if err == nil {
		err = os.WriteFile(full, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	b := storetest.At(t, state)
	var tables []string
	if err := b.DB.Select(&tables, `SELECT m.name FROM sqlite_schema m WHERE m.type = 'table' AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) WHERE name IN ('run_id', 'pipeline_id'))`); err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		b.Exec(`DELETE FROM ` + table)
	}
	to := receiver(t)
	change, clock := hooking(t, t.TempDir())
	clock.at = storetest.HistoryNow.Add(-2 * time.Hour)
	s := openSite(t, root, change, func(c *handlers.Config) { c.Budgets.Asker = time.Minute })
	s.ready()
	s.submit("/views", "name", "all", "query", "")
	ends := []string{"failed", "rejected", "lost", "cancelled", "succeeded", "empty"}
	if r := s.send("/api/views/1/hook", encode(t, map[string]any{"url": to.URL, "on": ends}), "Content-Type", "application/json"); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	clock.move(2 * time.Hour)
	b.Exec(`ATTACH ? AS full`, full)
	tx := b.DB.MustBegin()
	for _, table := range tables {
		tx.MustExec(`INSERT INTO ` + table + ` SELECT * FROM full.` + table) //nolint:unqueryvet // the columns are those of the same table
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	want := slices.DeleteFunc(storetest.Ends(t), func(e storetest.End) bool { return e.State == "pending" })
	messages := map[string]told{}
	s.until("the ends are told", func() bool {
		for _, m := range to.all() {
			var body struct{ Data struct{ Run told } }
			if err := json.Unmarshal([]byte(m.body), &body); err != nil {
				t.Fatal(err)
			}
			messages[body.Data.Run.ID] = body.Data.Run
		}
		return !slices.ContainsFunc(want, func(e storetest.End) bool { return messages[e.Run].ID == "" })
	})
	for _, end := range want {
		m := messages[end.Run]
		run := s.get("/api/runs/" + end.Run).object()["run"].(object)
		line, _ := run["headline"].(string)
		if line == "" {
			line, _ = run["reason"].(string)
		}
		subtree, _ := run["subtree_tokens"].(float64)
		took, _ := run["duration_ms"].(float64)
		cause, _ := run["caused_by_run_id"].(string)
		if m.State != end.State || m.Reason != line || end.Reason != "" && !strings.Contains(m.Reason, end.Reason) && end.State != "rejected" ||
			m.Tokens != int64(run["total_tokens"].(float64)) || m.Subtree != int64(subtree) || m.DurationMs != int64(took) || m.CausedBy != cause {
			t.Errorf("%s is told as %+v, really %s, %q, %v tokens, %v incl. children, %v ms, caused by %q", end.Run, m, end.State, line, run["total_tokens"], subtree, took, cause)
		}
	}
	if m := messages["t-retryok-20261130-232300-e2e1"]; m.Tokens != 1800 {
		t.Errorf("three attempts used %d tokens, really 1800", m.Tokens)
	}
}
