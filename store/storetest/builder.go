package storetest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/statedb"
)

// Base is when the first run of a [Builder] starts unless it is told otherwise:
// a Sunday noon, UTC.
var Base = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a time cannot be a constant

// Builder writes rows as Wave would, one commit each, into a database of its
// own. Its methods end the test on an error. Foreign keys are not enforced, so
// that a test can write what a damaged database holds.
type Builder struct {
	Path string   // of the database
	DB   *sqlx.DB // for SQL of one's own; closed when the test ends
	// Clock is the start of the next run that is given none. It moves on by a
	// minute for each such run.
	Clock time.Time

	t       testing.TB
	schema  statedb.Schema
	version int
	runs    int
	starts  map[string]time.Time
}

// newest makes the empty database that [New] copies: 33 migrations take longer
// than most tests.
//
//nolint:gochecknoglobals // made once for all tests of a process, and then only read
var newest = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "storetest-*")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "state.db")
	db, err := statedb.Create(context.Background(), path, statedb.Latest)
	if err == nil {
		err = db.Close()
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(path)
	}
	return text, errors.Join(err, os.RemoveAll(dir))
})

// New returns a builder over an empty database of the latest schema, below t.TempDir().
func New(t testing.TB) *Builder {
	t.Helper()
	text, err := newest()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return At(t, path)
}

// NewVersion is [New] for a schema version from statedb.Oldest on. What the
// older schema has no table or column for is left out silently.
func NewVersion(t testing.TB, version int) *Builder {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	db, err := statedb.Create(t.Context(), path, version, "foreign_keys(0)", "synchronous(NORMAL)")
	if err != nil {
		t.Fatal(err)
	}
	return newBuilder(t, path, db)
}

// At returns a builder over the existing database at path, such as the sample's.
func At(t testing.TB, path string) *Builder {
	t.Helper()
	db, err := statedb.Open(t.Context(), path, "foreign_keys(0)", "synchronous(NORMAL)")
	if err != nil {
		t.Fatal(err)
	}
	return newBuilder(t, path, db)
}

func newBuilder(t testing.TB, path string, db *sqlx.DB) *Builder {
	t.Helper()
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close %s: %v", path, err)
		}
	})
	schema, err := statedb.ReadSchema(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	var version int
	if err := db.GetContext(t.Context(), &version, `SELECT max(version) FROM schema_migrations`); err != nil {
		t.Fatal(err)
	}
	return &Builder{
		Path: path, DB: db, Clock: Base,
		t: t, schema: schema, version: version, starts: map[string]time.Time{},
	}
}

// Insert adds a row to any table and returns its rowid. In the latest schema an
// unknown column ends the test; an older one drops it, and a whole row of an
// unknown table (rowid 0).
func (b *Builder) Insert(table string, row statedb.Row) int64 {
	b.t.Helper()
	if row = b.fit(table, row); row == nil {
		return 0
	}
	id, err := b.schema.Insert(b.t.Context(), b.DB, table, row)
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

// Update sets columns of the row whose primary key the row holds.
func (b *Builder) Update(table string, row statedb.Row) {
	b.t.Helper()
	if row = b.fit(table, row); row == nil {
		return
	}
	if err := b.schema.Update(b.t.Context(), b.DB, table, row); err != nil {
		b.t.Fatal(err)
	}
}

// Exec runs SQL of the test's own.
func (b *Builder) Exec(query string, args ...any) {
	b.t.Helper()
	if _, err := b.DB.ExecContext(b.t.Context(), query, args...); err != nil {
		b.t.Fatalf("%s: %v", query, err)
	}
}

func (b *Builder) fit(table string, row statedb.Row) statedb.Row {
	if b.version == statedb.Latest {
		return row
	}
	return b.schema.Known(table, row)
}

// insert writes row with the columns of extra laid over it.
func (b *Builder) insert(table string, row, extra statedb.Row) int64 {
	b.t.Helper()
	maps.Copy(row, extra)
	return b.Insert(table, row)
}

// Run is a row of pipeline_run. The zero value is a completed run of one minute.
type Run struct {
	ID           string // default: as Wave makes them, numbered at the end
	Pipeline     string // default "build"
	Status       string // default "completed"
	Input        string
	CurrentStep  string // real Wave puts the error here when a run fails
	Error        string
	Tokens       int
	Start        time.Time // default: the builder's Clock
	End          time.Time // default: a minute after Start, when Status is an end
	Cancelled    time.Time // default: End, when Status is "cancelled"
	Heartbeat    time.Time // default: never
	PID          int
	Tags         []string
	Branch       string
	Parent       string
	ParentStep   string
	ForkedFrom   string
	Kind         string
	SubPipeline  string
	IterateIndex int // used when IterateTotal is not 0
	IterateTotal int
	IterateMode  string
	Extra        statedb.Row // columns to set as they are, over the others
}

// Run adds a run and returns its id.
func (b *Builder) Run(r Run) string {
	b.t.Helper()
	b.runs++
	if r.Start.IsZero() {
		r.Start = b.Clock
		b.Clock = b.Clock.Add(time.Minute)
	}
	r.Pipeline = cmp.Or(r.Pipeline, "build")
	r.Status = cmp.Or(r.Status, "completed")
	if r.ID == "" {
		r.ID = fmt.Sprintf("%s-%s-%04x", r.Pipeline, r.Start.UTC().Format("20060102-150405"), b.runs)
	}
	if r.End.IsZero() && slices.Contains([]string{"completed", "completed_empty", "failed", "cancelled"}, r.Status) {
		r.End = r.Start.Add(time.Minute)
	}
	if r.Cancelled.IsZero() && r.Status == "cancelled" {
		r.Cancelled = r.End
	}
	if r.Status == "completed_empty" && b.version < 23 {
		b.t.Fatalf("schema %d has no status completed_empty", b.version)
	}
	b.starts[r.ID] = r.Start
	row := statedb.Row{
		"run_id": r.ID, "pipeline_name": r.Pipeline, "status": r.Status, "input": r.Input,
		"current_step": r.CurrentStep, "error_message": null(r.Error), "total_tokens": r.Tokens,
		"started_at": r.Start.Unix(), "completed_at": seconds(r.End), "cancelled_at": seconds(r.Cancelled),
		"tags_json": tagsJSON(r.Tags), "branch_name": r.Branch, "pid": r.PID,
		"parent_run_id": null(r.Parent), "parent_step_id": null(r.ParentStep),
		"forked_from_run_id": r.ForkedFrom, "last_heartbeat": int64(0),
		"run_kind": r.Kind, "sub_pipeline_ref": r.SubPipeline, "iterate_mode": r.IterateMode,
	}
	if !r.Heartbeat.IsZero() {
		row["last_heartbeat"] = r.Heartbeat.Unix()
	}
	if r.IterateTotal > 0 {
		row["iterate_index"], row["iterate_total"] = r.IterateIndex, r.IterateTotal
	}
	b.insert("pipeline_run", row, r.Extra)
	return r.ID
}

// start is when the run began, or Clock for a run this builder did not make.
func (b *Builder) start(run string) time.Time {
	if at, ok := b.starts[run]; ok {
		return at
	}
	return b.Clock
}

func tagsJSON(tags []string) string {
	if len(tags) == 0 {
		return "[]"
	}
	text, err := json.Marshal(tags)
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(text)
}

// null is the value of an optional text: NULL when empty.
func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// seconds is the value of an optional time: NULL when zero.
func seconds(at time.Time) any {
	if at.IsZero() {
		return nil
	}
	return at.Unix()
}
