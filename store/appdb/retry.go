package appdb

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// AddRetry keeps that a run repeats another one. Wave has no word for that: to
// it a retry is a run like any other.
func (d Launches) AddRetry(ctx context.Context, run, original string) error {
	return d.write(ctx, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO retry (run, original) VALUES (?, ?) ON CONFLICT DO NOTHING`, run, original)
		return err
	})
}

// RetryOf is the run that a run repeats. [ErrNotFound] when it repeats none.
func (d Launches) RetryOf(ctx context.Context, run string) (original string, err error) {
	err = d.read(ctx, func(db *sqlx.DB) error {
		return db.GetContext(ctx, &original, `SELECT original FROM retry WHERE run = ?`, run)
	})
	return original, err
}
