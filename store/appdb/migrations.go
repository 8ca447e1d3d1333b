package appdb

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// migrations make the tables, in this order and each once: PRAGMA user_version
// counts them. What stands here has been carried out somewhere and is not
// changed any more; more is appended.
//
//nolint:gochecknoglobals // a list cannot be a constant
var migrations = []string{
	// 1: small facts of the console itself, such as keys that servers share.
	`CREATE TABLE fact (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT`,
	// 2: sessions that were signed out before their time, until then in unix seconds.
	`CREATE TABLE ended_session (id TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
	// 3: when failures were last looked at; the run without a name stands for all.
	`CREATE TABLE seen (run TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
	// 4: lists of runs that were given a name.
	`CREATE TABLE view (id INTEGER PRIMARY KEY, name TEXT NOT NULL, query TEXT NOT NULL, place INTEGER NOT NULL) STRICT`,
	// 5: actions on many runs, and what became of each. Times are unix milliseconds;
	// owner is the server that carries it on, until lease.
	`CREATE TABLE bulk (
	id TEXT PRIMARY KEY, action TEXT NOT NULL, force INTEGER NOT NULL, who TEXT NOT NULL, created INTEGER NOT NULL,
	ended INTEGER, stopped INTEGER NOT NULL DEFAULT 0, note TEXT NOT NULL DEFAULT '',
	owner TEXT NOT NULL DEFAULT '', lease INTEGER NOT NULL DEFAULT 0, not_before INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE bulk_item (
	bulk TEXT NOT NULL REFERENCES bulk (id) ON DELETE CASCADE, n INTEGER NOT NULL, run TEXT NOT NULL,
	state TEXT NOT NULL DEFAULT 'waiting', result TEXT NOT NULL DEFAULT '', new_run TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (bulk, n)
) STRICT, WITHOUT ROWID`,
	// 6: where saved views send word to, what happened that may be sent, and each
	// message. Times are unix milliseconds. A webhook has received all events up
	// to its place; owner is the server that sends a message, until lease.
	`CREATE TABLE hook (
	view INTEGER PRIMARY KEY REFERENCES view (id) ON DELETE CASCADE, url TEXT NOT NULL, secret BLOB NOT NULL, ends TEXT NOT NULL,
	base TEXT NOT NULL, created INTEGER NOT NULL, place INTEGER NOT NULL
) STRICT;
CREATE TABLE occasion (n INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, what TEXT NOT NULL, at INTEGER NOT NULL, noticed INTEGER NOT NULL) STRICT;
CREATE INDEX occasion_run ON occasion (run, what);
CREATE TABLE delivery (
	id TEXT PRIMARY KEY, view INTEGER NOT NULL REFERENCES hook (view) ON DELETE CASCADE, type TEXT NOT NULL, run TEXT NOT NULL,
	body BLOB NOT NULL, created INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'waiting', attempt INTEGER NOT NULL DEFAULT 0,
	sent INTEGER NOT NULL DEFAULT 0, status INTEGER NOT NULL DEFAULT 0, answer TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '',
	next INTEGER NOT NULL, until INTEGER NOT NULL, owner TEXT NOT NULL DEFAULT '', lease INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (state, next);
CREATE INDEX delivery_view ON delivery (view, created)`,
	// 7: the runs that keys of requests stand for, since when in unix seconds.
	`CREATE TABLE run_key (key TEXT PRIMARY KEY, run TEXT NOT NULL UNIQUE, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX run_key_at ON run_key (at)`,
	// 8: which run each retry repeats.
	`CREATE TABLE retry (run TEXT PRIMARY KEY, original TEXT NOT NULL) STRICT, WITHOUT ROWID`,
	// 9: how runs were started from here. Times are unix milliseconds.
	`CREATE TABLE launch (run TEXT PRIMARY KEY, at INTEGER NOT NULL, params TEXT NOT NULL) STRICT, WITHOUT ROWID`,
	// 10: what the request of a key asked for; empty: anything may come with it.
	`ALTER TABLE run_key ADD COLUMN asks TEXT NOT NULL DEFAULT ''`,
}

// migrate brings a file to what this program knows. Two servers that start
// together do it one after the other.
func migrate(ctx context.Context, db *sqlx.DB) error {
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing is left to undo after the commit
	var done int
	if err := tx.GetContext(ctx, &done, `PRAGMA user_version`); err != nil {
		return err
	}
	if done > len(migrations) {
		return &UnavailableError{Reason: "the console data was written by a newer wavedeck; start that version, or name another folder with --data"}
	}
	for i, statement := range migrations[done:] {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("migration %d: %w", done+i+1, err)
		}
	}
	if done < len(migrations) {
		if _, err := tx.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d`, len(migrations))); err != nil {
			return err
		}
	}
	return tx.Commit()
}
