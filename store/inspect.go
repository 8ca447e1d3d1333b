package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"wavedeck/store/wave"
)

// Inspection is what a database file holds, for a report. It is read once;
// nothing goes on after.
type Inspection struct {
	Path        string
	Phase       Phase
	Problem     string // why nothing below is known, and what to do; empty when it is
	ReadMode    string // read-only or immutable
	JournalMode string
	Bytes       int64    // of the file
	LogBytes    int64    // of the write-ahead log beside it
	Noted       int      // the schema version that schema_migrations promises; 0: it has none
	Oldest      int      // the tables are those of this version
	Newest      int      // up to this one, which changed nothing that can be seen
	Missing     []string // tables and columns that Noted promises and that are not there
	Tables      []TableCount
	LastEvent   wave.Event // zero: there is none
}

// TableCount is how many rows a table has.
type TableCount struct {
	Name string
	Rows int64
}

// schemaMark is what a migration can be known by: the first table or column
// that it added and no later one took away. Some leave no mark.
type schemaMark struct {
	version       int
	table, column string
}

func schemaMarks() []schemaMark {
	return []schemaMark{
		{1, "pipeline_state", ""}, {2, "pipeline_run", ""}, {3, "performance_metric", ""}, {4, "step_progress", ""},
		{5, "artifact_metadata", ""}, {6, "pipeline_run", "tags_json"}, {7, "pipeline_run", "branch_name"}, {8, "pipeline_run", "pid"},
		{9, "step_attempt", ""}, {10, "chat_session", ""}, {12, "step_state", "visit_count"}, {13, "retrospective", ""},
		{14, "pipeline_run", "parent_run_id"}, {15, "checkpoint", ""}, {17, "decision_log", ""}, {18, "webhooks", ""},
		{19, "event_log", "model"}, {20, "event_log", "configured_model"}, {21, "pipeline_outcome", ""},
		{22, "orchestration_decision", ""}, {25, "pipeline_outcome", "description"}, {26, "pipeline_run", "last_heartbeat"},
		{27, "pipeline_run", "run_kind"}, {29, "pipeline_eval", ""}, {30, "pipeline_version", ""}, {31, "evolution_proposal", ""},
		{32, "worksource_binding", ""}, {33, "schedule", ""},
	}
}

// versions is which schema versions the tables are those of: from the last
// whose mark is there to the one before the first whose mark is not.
func (s schema) versions() (oldest, newest int) {
	for _, m := range schemaMarks() {
		if !s.has(m.table) || m.column != "" && !s[m.table][m.column] {
			return oldest, m.version - 1
		}
		oldest = m.version
	}
	return oldest, oldest
}

// missing are the marks up to a version that are not there: "table" or "table.column".
func (s schema) missing(version int) []string {
	var missing []string
	for _, m := range schemaMarks() {
		switch {
		case m.version > version:
			return missing
		case !s.has(m.table) && !slices.Contains(missing, m.table):
			missing = append(missing, m.table)
		case s.has(m.table) && m.column != "" && !s[m.table][m.column]:
			missing = append(missing, m.table+"."+m.column)
		}
	}
	return missing
}

// Inspect reads what there is to say of the open database in a time that does
// not grow with it: Tables and LastEvent stay empty.
func (s *Store) Inspect(ctx context.Context) (Inspection, error) {
	return read(s, func(o *opened) (Inspection, error) {
		in := Inspection{Path: s.Health().Path, Phase: Ready, ReadMode: string(o.mode)}
		err := o.inspect(ctx, &in)
		return in, err
	})
}

// Inspect reads what there is to say of the database at path. A file that is
// missing or cannot be read is told in the Inspection; the error is that of a
// query that failed, or of ctx.
func Inspect(ctx context.Context, path string) (in Inspection, err error) {
	in = Inspection{Path: path, Phase: Ready}
	db, mode, err := openFile(ctx, path, Options{})
	if err != nil {
		var u *unreadable
		if !errors.As(err, &u) {
			return in, err
		}
		in.Phase, in.Problem = u.phase, u.problem
		return in, nil
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	in.ReadMode = string(mode)
	if err := errors.Join(db.inspect(ctx, &in), db.count(ctx, &in)); err != nil {
		return in, fmt.Errorf("inspect %s: %w", path, err)
	}
	return in, nil
}

// inspect reads what takes no longer the more there is.
func (d *database) inspect(ctx context.Context, in *Inspection) error {
	in.Bytes, in.LogBytes = fileSize(in.Path), fileSize(in.Path+"-wal")
	in.Oldest, in.Newest = d.schema.versions()
	if err := d.GetContext(ctx, &in.JournalMode, `PRAGMA journal_mode`); err != nil {
		return err
	}
	if d.schema["schema_migrations"]["version"] {
		if err := d.GetContext(ctx, &in.Noted, schemaVersionSQL); err != nil {
			return err
		}
	}
	in.Missing = d.schema.missing(in.Noted)
	return nil
}

// count reads how much there is.
func (d *database) count(ctx context.Context, in *Inspection) error {
	for table := range d.schema {
		if strings.HasPrefix(table, "sqlite_") {
			continue
		}
		var rows int64
		// The name comes from the database: quoted, it can only be a name.
		query := `SELECT count(*) FROM "` + strings.ReplaceAll(table, `"`, `""`) + `"`
		if err := d.GetContext(ctx, &rows, query); err != nil {
			return err
		}
		in.Tables = append(in.Tables, TableCount{table, rows})
	}
	slices.SortFunc(in.Tables, func(a, b TableCount) int { return cmp.Compare(a.Name, b.Name) })
	if !d.schema.has("event_log") {
		return nil
	}
	var last []struct {
		ID    int64  `db:"id"`
		RunID string `db:"run_id"`
		At    int64  `db:"timestamp"`
	}
	query := `SELECT id, COALESCE(run_id, '') AS run_id, COALESCE(` + timeSQL("timestamp") + `, 0) AS timestamp
FROM event_log ORDER BY id DESC LIMIT 1`
	if err := d.SelectContext(ctx, &last, query); err != nil {
		return err
	}
	for _, e := range last {
		in.LastEvent = wave.Event{ID: e.ID, RunID: e.RunID, At: wave.Unix(e.At)}
	}
	return nil
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
