package appdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
)

// Launch is how a run was started from here: what the state database has no
// column for.
type Launch struct {
	At     time.Time
	Params map[string]string // by the fields of the start form; one that was left empty is missing
}

// AddLaunch notes how a run was started. A run that is started again, to go on
// from one of its steps, has the last of them.
func (d Launches) AddLaunch(ctx context.Context, run string, l Launch) error {
	params, err := json.Marshal(l.Params)
	if err != nil {
		return fmt.Errorf("encode launch of %s: %w", run, err)
	}
	return d.write(ctx, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `
INSERT INTO launch (run, at, params) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET at = excluded.at, params = excluded.params`,
			run, l.At.UnixMilli(), string(params))
		return err
	})
}

type launchRow struct {
	At     int64  `db:"at"`
	Params []byte `db:"params"`
}

// Launch returns how a run was started from here, or ErrNotFound, as without a folder.
func (d Launches) Launch(ctx context.Context, run string) (Launch, error) {
	var l Launch
	if d.dir == "" {
		return l, ErrNotFound
	}
	err := d.read(ctx, func(db *sqlx.DB) error {
		var row launchRow
		err := db.GetContext(ctx, &row, `SELECT at, params FROM launch WHERE run = ?`, run)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		l.At = time.UnixMilli(row.At)
		return json.Unmarshal(row.Params, &l.Params)
	})
	return l, err
}
