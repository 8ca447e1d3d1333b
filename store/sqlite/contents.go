package sqlite

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strings"

	"wavedeck/store/wave"
)

// Contents is what a database file holds, for a report.
type Contents struct {
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
func (s Schema) versions() (oldest, newest int) {
	for _, m := range schemaMarks() {
		if !s.Has(m.table) || m.column != "" && !s[m.table][m.column] {
			return oldest, m.version - 1
		}
		oldest = m.version
	}
	return oldest, oldest
}

// missing are the marks up to a version that are not there: "table" or "table.column".
func (s Schema) missing(version int) []string {
	var missing []string
	for _, m := range schemaMarks() {
		switch {
		case m.version > version:
			return missing
		case !s.Has(m.table) && !slices.Contains(missing, m.table):
			missing = append(missing, m.table)
		case s.Has(m.table) && m.column != "" && !s[m.table][m.column]:
			missing = append(missing, m.table+"."+m.column)
		}
	}
	return missing
}

// Inspect reads what takes no longer the more there is.
func (d *DB) Inspect(ctx context.Context) (Contents, error) {
	in := Contents{Bytes: fileSize(d.path), LogBytes: fileSize(d.path + "-wal")}
	in.Oldest, in.Newest = d.Schema.versions()
	if err := d.GetContext(ctx, &in.JournalMode, `PRAGMA journal_mode`); err != nil {
		return in, err
	}
	if d.Schema["schema_migrations"]["version"] {
		if err := d.GetContext(ctx, &in.Noted, schemaVersionSQL); err != nil {
			return in, err
		}
	}
	in.Missing = d.Schema.missing(in.Noted)
	return in, nil
}

// Count reads how much there is.
func (d *DB) Count(ctx context.Context, in *Contents) error {
	for table := range d.Schema {
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
	if !d.Schema.Has("event_log") {
		return nil
	}
	var last []struct {
		ID    int64  `db:"id"`
		RunID string `db:"run_id"`
		At    int64  `db:"timestamp"`
	}
	query := `SELECT id, COALESCE(run_id, '') AS run_id, COALESCE(` + TimeSQL("timestamp") + `, 0) AS timestamp
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
