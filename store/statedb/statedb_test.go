package statedb_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
)

func create(t *testing.T, version int) *sqlx.DB {
	t.Helper()
	db, err := statedb.Create(t.Context(), filepath.Join(t.TempDir(), "state.db"), version)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func sample(t *testing.T, version int) *sqlx.DB {
	t.Helper()
	db, err := statedb.Open(t.Context(), storetest.Schema(t, version))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestCreateEqualsWhatWaveMade(t *testing.T) {
	type object struct{ Type, Name, SQL string }
	type migration struct {
		Version               int
		Description, Checksum string
	}
	for _, version := range storetest.Schemas() {
		t.Run(fmt.Sprintf("schema %d", version), func(t *testing.T) {
			made, real := create(t, version), sample(t, version)
			const objects = `SELECT type, name, coalesce(sql, '') AS sql FROM sqlite_schema ORDER BY type, name`
			if d := cmp.Diff(rows[object](t, real, objects), rows[object](t, made, objects)); d != "" {
				t.Errorf("tables and indexes (-Wave +made):\n%s", d)
			}
			const applied = `SELECT version, description, checksum FROM schema_migrations ORDER BY version`
			if d := cmp.Diff(rows[migration](t, real, applied), rows[migration](t, made, applied)); d != "" {
				t.Errorf("migrations (-Wave +made):\n%s", d)
			}
		})
	}
}

func rows[T any](t *testing.T, db *sqlx.DB, query string) (all []T) {
	t.Helper()
	if err := db.SelectContext(t.Context(), &all, query); err != nil {
		t.Fatal(err)
	}
	return all
}

// came tells with which version a table, or a column of a table older than it, came.
var came = map[string]int{
	"schema_migrations": 0, "sqlite_sequence": 2,
	"pipeline_state": 1, "step_state": 1,
	"pipeline_run": 2, "event_log": 2, "artifact": 2, "cancellation": 2,
	"performance_metric": 3, "progress_snapshot": 4, "step_progress": 4, "pipeline_progress": 4,
	"artifact_metadata": 5, "step_attempt": 9, "chat_session": 10, "ontology_usage": 11,
	"retrospective": 13, "checkpoint": 15, "decision_log": 17, "webhooks": 18, "webhook_deliveries": 18,
	"pipeline_outcome": 21, "orchestration_decision": 22, "pipeline_eval": 29, "pipeline_version": 30,
	"evolution_proposal": 31, "worksource_binding": 32, "schedule": 33,

	"pipeline_run.tags_json": 6, "pipeline_run.branch_name": 7, "pipeline_run.pid": 8,
	"pipeline_run.parent_run_id": 14, "pipeline_run.parent_step_id": 14,
	"pipeline_run.forked_from_run_id": 15, "pipeline_run.last_heartbeat": 26,
	"pipeline_run.iterate_index": 27, "pipeline_run.iterate_total": 27, "pipeline_run.iterate_mode": 27,
	"pipeline_run.run_kind": 27, "pipeline_run.sub_pipeline_ref": 27,
	"step_state.visit_count": 12,
	"event_log.model":        19, "event_log.adapter": 19, "event_log.configured_model": 20,
	"pipeline_outcome.description": 25, "pipeline_outcome.metadata": 25,
}

func TestEveryVersionHasItsTablesAndColumns(t *testing.T) {
	newest := readSchema(t, sample(t, 33))
	newest["ontology_usage"] = readSchema(t, sample(t, 27))["ontology_usage"]
	for version := statedb.Oldest; version <= statedb.Latest; version++ {
		want := map[string][]string{}
		for name, table := range newest {
			if came[name] > version || name == "ontology_usage" && version >= 28 {
				continue
			}
			want[name] = slices.DeleteFunc(slices.Clone(table.Columns), func(c string) bool {
				return came[name+"."+c] > version
			})
		}
		got := map[string][]string{}
		schema := readSchema(t, create(t, version))
		for name, table := range schema {
			got[name] = table.Columns
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("schema %d (-want +got):\n%s", version, d)
		}
		key := []string{"step_id"}
		if version >= 16 {
			key = []string{"step_id", "pipeline_id"}
		}
		if !slices.Equal(schema["step_state"].Key, key) {
			t.Errorf("schema %d: step_state has the key %q, want %q", version, schema["step_state"].Key, key)
		}
	}
	for name := range newest {
		if _, ok := came[name]; !ok {
			t.Errorf("table %s came with no version", name)
		}
	}
}

func readSchema(t *testing.T, db *sqlx.DB) statedb.Schema {
	t.Helper()
	s, err := statedb.ReadSchema(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCreateAcceptsCompletedEmptyFromVersion23(t *testing.T) {
	for version, want := range map[int]bool{22: false, 23: true} {
		db := create(t, version)
		_, err := db.ExecContext(t.Context(),
			`INSERT INTO pipeline_run (run_id, pipeline_name, status, started_at) VALUES ('r', 'p', 'completed_empty', 1)`)
		if (err == nil) != want {
			t.Errorf("schema %d: %v", version, err)
		}
	}
}

func TestPathsAreTakenAsTheyAre(t *testing.T) {
	for _, name := range []string{"state.db", "a b.db", "what?.db", "50%.db", "a#b.db", "%3f.db", "a+b&c=d.db", "ä;'\".db", "x:y.db"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, name)
			db, err := statedb.Create(t.Context(), path, statedb.Latest)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			files, err := os.ReadDir(dir)
			if err != nil || len(files) != 1 || files[0].Name() != name {
				t.Errorf("the directory holds %v, %v", files, err)
			}
			db, err = statedb.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	settings := func(pragmas ...string) [3]string {
		db, err := statedb.Create(t.Context(), filepath.Join(t.TempDir(), "state.db"), statedb.Latest, pragmas...)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		var got [3]string
		for i, name := range []string{"journal_mode", "synchronous", "foreign_keys"} {
			if err := db.GetContext(t.Context(), &got[i], "PRAGMA "+name); err != nil {
				t.Fatal(err)
			}
		}
		return got
	}
	if got, want := settings(), [3]string{"wal", "2", "1"}; got != want {
		t.Errorf("as Wave: %v, want %v", got, want)
	}
	if got, want := settings("foreign_keys(0)", "synchronous(NORMAL)"), [3]string{"wal", "1", "0"}; got != want {
		t.Errorf("with pragmas of the caller: %v, want %v", got, want)
	}
}

func TestWhatIsThereIsLeftAlone(t *testing.T) {
	path := storetest.Schema(t, 16)
	if db, err := statedb.Create(t.Context(), path, statedb.Latest); err == nil {
		_ = db.Close()
		t.Error("a database was created over another one")
	}
	db, err := statedb.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, ok := readSchema(t, db)["decision_log"]; ok {
		t.Error("the other database was migrated")
	}
	if _, err := statedb.Open(t.Context(), filepath.Join(t.TempDir(), "none.db")); err == nil {
		t.Error("a missing database was opened")
	}
	for _, version := range []int{-1, 1, 34} {
		if _, err := statedb.Create(t.Context(), filepath.Join(t.TempDir(), "state.db"), version); err == nil {
			t.Errorf("schema %d was created", version)
		}
	}
}

func TestInsertAndUpdate(t *testing.T) {
	db := create(t, statedb.Latest)
	s := readSchema(t, db)
	run := statedb.Row{"run_id": "r", "pipeline_name": "p", "status": "running", "started_at": 7}
	if _, err := s.Insert(t.Context(), db, "pipeline_run", run); err != nil {
		t.Fatal(err)
	}
	first, err := s.Insert(t.Context(), db, "event_log", statedb.Row{"run_id": "r", "timestamp": 7, "state": "started"})
	if err != nil || first != 1 {
		t.Errorf("first event: id %d, %v", first, err)
	}
	if err := s.Update(t.Context(), db, "pipeline_run", statedb.Row{"run_id": "r", "status": "failed", "completed_at": 9}); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Status      string
		CompletedAt int64 `db:"completed_at"`
		StartedAt   int64 `db:"started_at"`
	}
	if err := db.GetContext(t.Context(), &got, `SELECT status, completed_at, started_at FROM pipeline_run`); err != nil {
		t.Fatal(err)
	}
	if got.Status != "failed" || got.CompletedAt != 9 || got.StartedAt != 7 {
		t.Errorf("after the update: %+v", got)
	}

	const hostile = `x"; DROP TABLE pipeline_run; --`
	for name, insert := range map[string]struct {
		table string
		row   statedb.Row
	}{
		"an unknown table":  {hostile, run},
		"an unknown column": {"event_log", statedb.Row{"run_id": "r", hostile: 1}},
		"a broken rule":     {"event_log", statedb.Row{"run_id": "r"}},
		"an orphan":         {"event_log", statedb.Row{"run_id": "gone", "timestamp": 7, "state": "started"}},
	} {
		if _, err := s.Insert(t.Context(), db, insert.table, insert.row); err == nil {
			t.Errorf("%s was inserted", name)
		}
	}
	for name, row := range map[string]statedb.Row{
		"a row without its key":   {"status": "failed"},
		"nothing to set":          {"run_id": "r"},
		"an unknown column":       {"run_id": "r", hostile: 1},
		"a row that is not there": {"run_id": "gone", "status": "failed"},
	} {
		err := s.Update(t.Context(), db, "pipeline_run", row)
		if err == nil || errors.Is(err, statedb.ErrNoRow) != (name == "a row that is not there") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Update(t.Context(), db, "sqlite_sequence", statedb.Row{"name": "event_log", "seq": 1}); err == nil {
		t.Error("a table without a key was updated")
	}
}

func TestKnown(t *testing.T) {
	s := readSchema(t, create(t, 6))
	row := statedb.Row{"run_id": "r", "pid": 4, "status": "running"}
	if got, want := s.Known("pipeline_run", row), (statedb.Row{"run_id": "r", "status": "running"}); !maps.Equal(got, want) {
		t.Errorf("known part %v, want %v", got, want)
	}
	if len(row) != 3 {
		t.Errorf("the row itself was cut to %v", row)
	}
	if got := s.Known("step_attempt", row); got != nil {
		t.Errorf("of an unknown table %v is known", got)
	}
}
