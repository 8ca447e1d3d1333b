package desk

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

// RunID is the id of the run that a key stands for, the same for every server.
// The first time it is the first of those that propose gives that no other key
// stands for.
func (d *Desk) RunID(ctx context.Context, key string, now time.Time, propose func() (string, error)) (run string, err error) {
	err = d.write(ctx, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM run_key WHERE at < ?`, now.Add(-keepRunKeys).Unix()); err != nil {
			return err
		}
		err := tx.GetContext(ctx, &run, `SELECT run FROM run_key WHERE key = ?`, key)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		const tries = 20 // of the 65,536 ids in a second
		for range tries {
			if run, err = propose(); err != nil {
				return err
			}
			res, err := tx.ExecContext(ctx, `INSERT INTO run_key (key, run, at) VALUES (?, ?, ?) ON CONFLICT (run) DO NOTHING`, key, run, now.Unix())
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n == 1 {
				return err
			}
		}
		return fmt.Errorf("no id is free after %d tries, the last was %s", tries, run)
	})
	if err != nil {
		return "", fmt.Errorf("find the run of a key: %w", err)
	}
	return run, nil
}
