package store

import (
	"context"

	"wavedeck/store/sqlite"
)

// Reader derives answers from rows. What it keeps belongs to one opened file: event
// ids of another one mean something else. It is made of readers of which each asks
// the ones before it.
type Reader struct {
	*pastReader
}

// eventReader reads events, and folds those of a run.
type eventReader struct {
	Rows

	opt Options // with its defaults filled in

	histories histories // of the runs read last
}

// runReader derives what became of runs.
type runReader struct {
	*eventReader

	lines            textCache[string] // the headlines of texts
	informativeCache textCache[bool]   // whether texts say more than how a run ended
}

// pastReader compares runs that go on with those that ended well.
type pastReader struct {
	*runReader

	baselines baselines // of the pipelines asked for last
	actions   actions   // of the runs that go on
}

// NewReader reads what rows there are, as a [Store] does with those of the file that it
// follows. They may be of any database.
func NewReader(rows Rows, opt Options) *Reader {
	events := &eventReader{Rows: rows, opt: opt.withDefaults()}
	return &Reader{&pastReader{runReader: &runReader{eventReader: events}}}
}

// RowsOf are the rows of a SQLite file.
func RowsOf(db *sqlite.DB) Rows { return databaseRows{sqlite.RowsOf(db)} }

// databaseRows are the rows of a SQLite file.
type databaseRows struct{ *sqlite.Rows }

var _ Rows = databaseRows{}

func (r databaseRows) Snapshot(ctx context.Context, read func(Rows) error) error {
	return r.Rows.Snapshot(ctx, func(now *sqlite.Rows) error { return read(databaseRows{now}) })
}
