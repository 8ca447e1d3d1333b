package storetest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
)

func number(t *testing.T, db *sqlx.DB, query string, args ...any) (n int64) {
	t.Helper()
	if err := db.GetContext(t.Context(), &n, query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func TestFill(t *testing.T) {
	const n = 8_000
	b := storetest.New(t)
	b.Fill(n, 1)
	for what, want := range map[string]struct {
		query    string
		min, max int64
	}{
		"runs":                 {`SELECT count(*) FROM pipeline_run`, n, n},
		"completed":            {`SELECT count(*) FROM pipeline_run WHERE status = 'completed'`, n * 79 / 100, n * 81 / 100},
		"failed or stopped":    {`SELECT count(*) FROM pipeline_run WHERE status = 'failed'`, n * 11 / 100, n * 13 / 100},
		"stopped":              {`SELECT count(*) FROM cancellation`, n * 25 / 1000, n * 35 / 1000},
		"cancelled":            {`SELECT count(*) FROM pipeline_run WHERE cancelled_at IS NOT NULL`, 1, 20},
		"lost":                 {`SELECT count(*) FROM pipeline_run WHERE status = 'running' AND last_heartbeat < 1772366400`, 1, 30},
		"running, all newest":  {`SELECT count(*) FROM (SELECT status FROM pipeline_run ORDER BY rowid DESC LIMIT 5) WHERE status = 'running'`, 5, 5},
		"children":             {`SELECT count(*) FROM pipeline_run WHERE parent_run_id <> ''`, n / 10, n / 5},
		"children of nobody":   {`SELECT count(*) FROM pipeline_run WHERE parent_run_id NOT IN (SELECT run_id FROM pipeline_run)`, 0, 0},
		"the common pipeline":  {`SELECT count(*) FROM pipeline_run WHERE pipeline_name = '` + storetest.CommonPipeline + `'`, n * 11 / 100, n * 15 / 100},
		"the rare pipeline":    {`SELECT count(*) FROM pipeline_run WHERE pipeline_name = '` + storetest.RarePipeline + `'`, 1, 40},
		"pipelines":            {`SELECT count(DISTINCT pipeline_name) FROM pipeline_run`, 61, 61},
		"the common tag":       {`SELECT count(*) FROM pipeline_run, json_each(tags_json) WHERE value = '` + storetest.CommonTag + `'`, n * 7 / 100, n * 9 / 100},
		"the rare tag":         {`SELECT count(*) FROM pipeline_run, json_each(tags_json) WHERE value = '` + storetest.RareTag + `'`, 1, 60},
		"needles":              {`SELECT count(*) FROM pipeline_run WHERE input LIKE '%` + storetest.Needle + `%'`, 1, 1},
		"most in a second":     {`SELECT max(c) FROM (SELECT count(*) AS c FROM pipeline_run GROUP BY started_at)`, 60, 100},
		"the newest":           {`SELECT max(started_at) FROM pipeline_run`, storetest.Base.Unix(), storetest.Base.Unix()},
		"ends before starts":   {`SELECT count(*) FROM pipeline_run WHERE completed_at < started_at`, 0, 0},
		"ends after the end":   {`SELECT count(*) FROM pipeline_run WHERE completed_at > 1772366400`, 0, 0},
		"out of order":         {`SELECT count(*) FROM pipeline_run a JOIN pipeline_run b ON b.rowid = a.rowid + 1 WHERE b.started_at < a.started_at`, 0, 0},
		"runs with events":     {`SELECT count(DISTINCT run_id) FROM event_log`, n * 96 / 100, n * 97 / 100},
		"events":               {`SELECT count(*) FROM event_log`, 2 * n, 3 * n},
		"events after the end": {`SELECT count(*) FROM event_log WHERE timestamp > 1772366400`, 0, 0},
	} {
		if got := number(t, b.DB, want.query); got < want.min || got > want.max {
			t.Errorf("%s: %d, want %d to %d", what, got, want.min, want.max)
		}
	}
}

func TestFillIsTheSameForTheSameSeed(t *testing.T) {
	fingerprint := func(seed uint64) (rows []string) {
		b := storetest.New(t)
		b.Fill(300, seed)
		const all = `SELECT run_id || status || started_at || coalesce(completed_at, '-') || input || tags_json FROM pipeline_run
UNION ALL SELECT id || run_id || state || timestamp || message FROM event_log`
		if err := b.DB.SelectContext(t.Context(), &rows, all); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	first := fingerprint(1)
	if d := cmp.Diff(first, fingerprint(1)); d != "" {
		t.Errorf("with one seed (-first +second):\n%s", d)
	}
	if cmp.Equal(first, fingerprint(2)) {
		t.Error("two seeds give one history")
	}
}

func TestFillKeepsSchemaAndRows(t *testing.T) {
	b := storetest.New(t)
	const objects = `SELECT count(*) FROM sqlite_schema`
	before := number(t, b.DB, objects)
	mine := b.Run(storetest.Run{})
	b.Fill(100, 1)
	b.Fill(100, 2)
	if after := number(t, b.DB, objects); after != before {
		t.Errorf("%d tables and indexes became %d", before, after)
	}
	if n := number(t, b.DB, `SELECT count(*) FROM pipeline_run`); n != 201 {
		t.Errorf("%d runs, want 201", n)
	}
	if n := number(t, b.DB, `SELECT count(*) FROM pipeline_run WHERE run_id = ?`, mine); n != 1 {
		t.Error("the run that was there is gone")
	}
	if err := storetest.Fill(t.Context(), b.DB, 100, 2); err == nil {
		t.Error("a history was added twice")
	}
	if after := number(t, b.DB, objects); after != before {
		t.Errorf("after an error %d tables and indexes are left of %d", after, before)
	}
}

func TestHistoriesKeepForeignKeys(t *testing.T) {
	db, err := statedb.Create(t.Context(), filepath.Join(t.TempDir(), "state.db"), statedb.Latest)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := storetest.Fill(t.Context(), db, 300, 1); err != nil {
		t.Error(err)
	}
	if err := storetest.LongRun(t.Context(), db, "long", 700, 60); err != nil {
		t.Error(err)
	}
	if n := number(t, db, `SELECT count(*) FROM pragma_foreign_key_check`); n > 0 {
		t.Errorf("%d rows refer to none", n)
	}
}

func TestLongRun(t *testing.T) {
	for _, size := range []struct{ events, steps int }{{2_000, 60}, {13, 1}, {10*11 + 3, 11}, {10*11 + 12, 11}} {
		b := storetest.New(t)
		run := b.LongRun(size.events, size.steps)
		for query, want := range map[string]int{
			`SELECT count(*) FROM event_log WHERE run_id = ?`:                                           size.events,
			`SELECT count(DISTINCT step_id) FROM event_log WHERE run_id = ? AND step_id <> ''`:          size.steps,
			`SELECT count(*) FROM step_state WHERE pipeline_id = ? AND state = 'completed'`:             size.steps,
			`SELECT count(*) FROM artifact WHERE run_id = ?`:                                            size.steps,
			`SELECT count(*) FROM performance_metric WHERE run_id = ? AND success`:                      size.steps,
			`SELECT count(*) FROM step_attempt WHERE run_id = ? AND state = 'succeeded'`:                size.steps,
			`SELECT count(*) FROM step_attempt WHERE run_id = ? AND failure_class = 'contract_failure'`: size.steps / 10,
			`SELECT count(*) FROM event_log WHERE run_id = ? AND state = 'retrying'`:                    size.steps / 10,
			`SELECT count(*) FROM event_log WHERE run_id = ? AND state = 'completed' AND step_id <> ''`: size.steps,
			`SELECT count(*) FROM (SELECT timestamp < lag(timestamp) OVER (ORDER BY id) AS back FROM event_log
WHERE run_id = ?) WHERE back`: 0,
			`SELECT total_tokens - (SELECT sum(tokens_used) FROM performance_metric m WHERE m.run_id = r.run_id)
FROM pipeline_run r WHERE run_id = ?`: 0,
		} {
			if got := number(t, b.DB, query, run); got != int64(want) {
				t.Errorf("%d events, %d steps: %s: %d, want %d", size.events, size.steps, query, got, want)
			}
		}
	}
	b := storetest.New(t)
	if err := storetest.LongRun(t.Context(), b.DB, "r", 100, 60); err == nil {
		t.Error("100 events were enough for 60 steps")
	}
}

func TestBigIsMadeOnce(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	const events = 700
	path := storetest.BigWith(t, 200, events)
	made, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := os.Stat(storetest.BigWith(t, 200, events))
	if err != nil || !os.SameFile(made, again) || !again.ModTime().Equal(made.ModTime()) {
		t.Errorf("the second time another file: %v, %v", again, err)
	}
	if other := storetest.BigWith(t, 100, events); other == path {
		t.Error("100 runs are in the file of 200")
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "making-*")); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
	db, err := statedb.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if n := number(t, db, `SELECT count(*) FROM pipeline_run`); n != 201 {
		t.Errorf("%d runs, want 200 and the long one", n)
	}
	if n := number(t, db, `SELECT count(*) FROM event_log WHERE run_id = ?`, storetest.BigLongRun); n != events {
		t.Errorf("the long run has %d events", n)
	}
	var mode string
	if err := db.GetContext(t.Context(), &mode, `PRAGMA journal_mode`); err != nil || mode != "wal" {
		t.Errorf("journal mode %q, %v", mode, err)
	}
}

func BenchmarkFill(b *testing.B) {
	const n = 10_000
	for b.Loop() {
		storetest.New(b).Fill(n, 1)
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "runs/s")
}
