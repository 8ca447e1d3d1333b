package store

import (
	"context"

	"wavedeck/store/sqlite"
)

// Reader derives answers from rows. What it keeps belongs to one opened file: event
// ids of another one mean something else.
type Reader struct {
	Rows

	opt Options // with its defaults filled in

	histories histories // of the runs read last
	baselines baselines // of the pipelines asked for last
	actions   actions   // of the runs that go on

	lines            textCache[string] // the headlines of texts
	informativeCache textCache[bool]   // whether texts say more than how a run ended
}

// NewReader reads the database of an operator, as a [Store] does with the one that it
// follows.
func NewReader(db *sqlite.DB, opt Options) *Reader {
	return &Reader{Rows: databaseRows{sqlite.RowsOf(db)}, opt: opt.withDefaults()}
}

// databaseRows are the rows of a SQLite file.
type databaseRows struct{ *sqlite.Rows }

var _ Rows = databaseRows{}

func (r databaseRows) Snapshot(ctx context.Context, read func(Rows) error) error {
	return r.Rows.Snapshot(ctx, func(now *sqlite.Rows) error { return read(databaseRows{now}) })
}
