package appdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
)

// keepRunKeys is how long a key stands for its run.
const keepRunKeys = 30 * 24 * time.Hour

// KeyedRun is the run that a key stands for.
type KeyedRun struct {
	Run  string `db:"run"`
	Asks string `db:"asks"` // what its first request asked for; empty: not known, or of no account
}

// RunID is the run that a key stands for, the same for every server. The first
// time its id is the first of those that propose gives that no other key stands
// for, and what is asked for is kept with it.
func (d Launches) RunID(ctx context.Context, key, asks string, now time.Time, propose func() (string, error)) (of KeyedRun, err error) {
	err = d.write(ctx, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM run_key WHERE at < ?`, now.Add(-keepRunKeys).Unix()); err != nil {
			return err
		}
		err := tx.GetContext(ctx, &of, `SELECT run, asks FROM run_key WHERE key = ?`, key)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		const tries = 20 // of the 65,536 ids in a second
		for range tries {
			of.Asks = asks
			if of.Run, err = propose(); err != nil {
				return err
			}
			res, err := tx.ExecContext(ctx, `INSERT INTO run_key (key, run, asks, at) VALUES (?, ?, ?, ?) ON CONFLICT (run) DO NOTHING`, key, of.Run, asks, now.Unix())
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n == 1 {
				return err
			}
		}
		return fmt.Errorf("no id is free after %d tries, the last was %s", tries, of.Run)
	})
	if err != nil {
		return KeyedRun{}, fmt.Errorf("find the run of a key: %w", err)
	}
	return of, nil
}

// ForgetKey lets a key be used again whose request started nothing.
func (d Launches) ForgetKey(ctx context.Context, key string, of KeyedRun) error {
	err := d.write(ctx, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM run_key WHERE key = ? AND run = ? AND asks = ?`, key, of.Run, of.Asks)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget a key: %w", err)
	}
	return nil
}
