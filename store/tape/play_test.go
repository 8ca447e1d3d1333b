package tape_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
	"wavedeck/store/tape"
)

func TestPlayGivesTheRecordedDatabase(t *testing.T) {
	entries := storetest.Tape(t)
	played, recorded := storetest.New(t), storetest.At(t, storetest.Schema(t, 33))
	commits := 0
	err := tape.Play(t.Context(), played.DB, entries, tape.Options{Committed: func(tape.Entry) { commits++ }})
	if err != nil {
		t.Fatal(err)
	}
	if commits != len(entries) {
		t.Errorf("%d commits of %d entries", commits, len(entries))
	}
	runs := runsOf(entries)
	for _, table := range tablesOf(entries) {
		want, got := dump(t, recorded.DB, table, runs), dump(t, played.DB, table, runs)
		if len(got) == 0 {
			t.Errorf("%s is empty", table)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-recorded +played):\n%s", table, d)
		}
	}
}

func runsOf(entries []tape.Entry) (runs []string) {
	for _, e := range entries {
		if e.Table == "pipeline_run" && e.Op == tape.Insert {
			runs = append(runs, e.Row["run_id"].(string))
		}
	}
	return runs
}

func tablesOf(entries []tape.Entry) []string {
	tables := map[string]bool{}
	for _, e := range entries {
		tables[e.Table] = true
	}
	return slices.Sorted(maps.Keys(tables))
}

// dump returns the rows of the runs, in the notation of SQL, so that types count too.
func dump(t *testing.T, db *sqlx.DB, table string, runs []string) (rows []string) {
	t.Helper()
	schema, err := statedb.ReadSchema(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	run := "run_id"
	if table == "step_state" {
		run = "pipeline_id"
	}
	var parts []string
	for _, c := range schema[table].Columns {
		parts = append(parts, fmt.Sprintf("'%s=' || quote(%s)", c, c))
	}
	query, args, err := sqlx.In(fmt.Sprintf("SELECT %s FROM %s WHERE %s IN (?) ORDER BY %s",
		strings.Join(parts, " || ' ' || "), table, run, strings.Join(schema[table].Key, ", ")), runs)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.SelectContext(t.Context(), &rows, query, args...); err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestPlayAgainUnderOtherNames(t *testing.T) {
	entries := storetest.Tape(t)
	b := storetest.New(t)
	plain := runsOf(entries)
	if err := tape.Play(t.Context(), b.DB, entries, tape.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"-2", "-3"} {
		if err := tape.Play(t.Context(), b.DB, entries, tape.Options{Suffix: suffix}); err != nil {
			t.Fatal(err)
		}
		var named []string
		for _, run := range plain {
			named = append(named, run+suffix)
		}
		for _, table := range tablesOf(entries) {
			want, got := dump(t, b.DB, table, plain), dump(t, b.DB, table, named)
			if d := cmp.Diff(anonymous(want, ""), anonymous(got, suffix)); d != "" {
				t.Errorf("%s%s (-first +again):\n%s", table, suffix, d)
			}
		}
	}
}

// anonymous drops the numeric id of each row and the suffix of run ids.
func anonymous(rows []string, suffix string) (all []string) {
	for _, row := range rows {
		if strings.HasPrefix(row, "id=") {
			_, row, _ = strings.Cut(row, " ")
		}
		if suffix != "" {
			row = strings.ReplaceAll(row, suffix+"'", "'")
		}
		all = append(all, row)
	}
	slices.Sort(all)
	return all
}

func TestPlayRenumbersWhatPointsToARow(t *testing.T) {
	b := storetest.New(t)
	run := b.Run(storetest.Run{})
	taken := b.Artifact(run, storetest.Artifact{})
	entries := []tape.Entry{
		{Line: 1, Op: tape.Insert, Table: "artifact", Row: statedb.Row{
			"id": taken, "run_id": run, "step_id": "s", "name": "n", "path": "p", "created_at": int64(1)}},
		{Line: 2, Op: tape.Insert, Table: "artifact_metadata", Row: statedb.Row{
			"artifact_id": taken, "run_id": run, "step_id": "s", "indexed_at": int64(1)}},
		{Line: 3, Op: tape.Update, Table: "artifact", Row: statedb.Row{"id": taken, "name": "renamed"}},
	}
	if err := tape.Play(t.Context(), b.DB, entries, tape.Options{Suffix: "-2"}); err != nil {
		t.Fatal(err)
	}
	var names []string
	const named = `SELECT a.name FROM artifact a JOIN artifact_metadata m ON m.artifact_id = a.id`
	if err := b.DB.SelectContext(t.Context(), &names, named); err != nil || !slices.Equal(names, []string{"renamed"}) {
		t.Errorf("artifacts with metadata: %v, %v", names, err)
	}
	err := tape.Play(t.Context(), b.DB, entries[2:], tape.Options{Suffix: "-3"})
	if err == nil || !strings.HasPrefix(err.Error(), "tape line 3: ") {
		t.Errorf("an update of a row that is not on the tape: %v", err)
	}
}

func TestPlayMovesTimes(t *testing.T) {
	entries := storetest.Tape(t)
	b := storetest.New(t)
	begin := time.Date(2030, 1, 2, 3, 4, 5, 900_000_000, time.UTC)
	ahead := 0
	err := tape.Play(t.Context(), b.DB, entries, tape.Options{Begin: begin, Committed: func(e tape.Entry) {
		for column, v := range e.Row {
			at, isInt := v.(int64)
			if isInt && at > 1e9 && time.Unix(at, 0).After(begin.Add(e.At)) {
				ahead++
				t.Logf("line %d: %s is %v ahead", e.Line, column, time.Unix(at, 0).Sub(begin.Add(e.At)))
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if ahead > 0 {
		t.Errorf("%d times are ahead of the clock", ahead)
	}
	var moved struct{ First, Last, Never int64 }
	const times = `SELECT min(started_at) AS first, max(completed_at) AS last,
	(SELECT count(*) FROM pipeline_run WHERE last_heartbeat = 0) AS never FROM pipeline_run`
	if err := b.DB.GetContext(t.Context(), &moved, times); err != nil {
		t.Fatal(err)
	}
	if d := begin.Unix() - moved.First; d < 0 || d > 1 {
		t.Errorf("the first run starts %d s before the beginning", d)
	}
	if moved.Last-moved.First != 50 {
		t.Errorf("the runs take %d s, want 50 as recorded", moved.Last-moved.First)
	}
	if moved.Never != 4 {
		t.Errorf("%d runs never had a heartbeat, want the 4 children", moved.Never)
	}
}

func TestPlayWaitsAsLongAsItsSpeedSays(t *testing.T) {
	b := storetest.New(t)
	entries := []tape.Entry{event(1, time.Minute), event(2, time.Minute+40*time.Millisecond)}
	began := time.Now()
	var commits []time.Duration
	err := tape.Play(t.Context(), b.DB, entries, tape.Options{Speed: 0.5, Committed: func(tape.Entry) {
		commits = append(commits, time.Since(began))
	}})
	if err != nil || len(commits) != 2 {
		t.Fatalf("%d commits, %v", len(commits), err)
	}
	if commits[1] < 80*time.Millisecond {
		t.Errorf("the second entry was there after %v, before its moment", commits[1])
	}
}

func event(line int, at time.Duration) tape.Entry {
	return tape.Entry{Line: line, At: at, Op: tape.Insert, Table: "event_log",
		Row: statedb.Row{"run_id": "r", "timestamp": int64(line), "state": "running"}}
}

func TestPlayEndsWithItsContext(t *testing.T) {
	for name, speed := range map[string]float64{"while it waits": 1e-9, "at full speed": 0} {
		t.Run(name, func(t *testing.T) {
			b := storetest.New(t)
			ctx, cancel := context.WithCancel(t.Context())
			err := tape.Play(ctx, b.DB, []tape.Entry{event(1, 0), event(2, 365*24*time.Hour)},
				tape.Options{Speed: speed, Committed: func(tape.Entry) { cancel() }})
			if !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "tape line 2: ") {
				t.Errorf("got %v", err)
			}
			var n int
			if err := b.DB.GetContext(t.Context(), &n, `SELECT count(*) FROM event_log`); err != nil || n != 1 {
				t.Errorf("%d events were committed, %v", n, err)
			}
		})
	}
}

func TestPlayRefuses(t *testing.T) {
	b := storetest.New(t)
	for name, e := range map[string]tape.Entry{
		"an unknown table":         {Line: 7, Op: tape.Insert, Table: "secrets", Row: statedb.Row{"id": int64(1)}},
		"an unknown column":        {Line: 7, Op: tape.Insert, Table: "event_log", Row: statedb.Row{`x"`: int64(1)}},
		"a row that is not there":  {Line: 7, Op: tape.Update, Table: "pipeline_run", Row: statedb.Row{"run_id": "r", "status": "failed"}},
		"an update without a key":  {Line: 7, Op: tape.Update, Table: "pipeline_run", Row: statedb.Row{"status": "failed"}},
		"a row against the schema": {Line: 7, Op: tape.Insert, Table: "event_log", Row: statedb.Row{"run_id": "r"}},
	} {
		err := tape.Play(t.Context(), b.DB, []tape.Entry{e}, tape.Options{})
		if err == nil || !strings.HasPrefix(err.Error(), "tape line 7: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, speed := range []float64{-1, math.NaN(), math.Inf(1)} {
		if err := tape.Play(t.Context(), b.DB, []tape.Entry{event(1, 0)}, tape.Options{Speed: speed}); err == nil {
			t.Errorf("speed %v was played", speed)
		}
	}
}
