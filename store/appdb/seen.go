package appdb

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"
)

// seenFor is how long a run's mark is kept; what is that old needs no attention.
const seenFor = 30 * 24 * time.Hour

// Seen is which failures were looked at: all up to a moment, and single runs.
type Seen struct {
	All  time.Time // zero: never
	Runs map[string]time.Time
}

// Seen returns what was looked at.
func (d Acknowledgements) Seen(ctx context.Context) (Seen, error) {
	seen := Seen{Runs: map[string]time.Time{}}
	err := d.read(ctx, func(db *sqlx.DB) error {
		var rows []struct {
			Run string `db:"run"`
			At  int64  `db:"at"`
		}
		if err := db.SelectContext(ctx, &rows, `SELECT run, at FROM seen`); err != nil {
			return err
		}
		for _, r := range rows {
			if r.Run == "" {
				seen.All = time.Unix(r.At, 0)
			} else {
				seen.Runs[r.Run] = time.Unix(r.At, 0)
			}
		}
		return nil
	})
	return seen, err
}

// See marks the runs as looked at, or without any of them all that failed until
// then. Marks only move on: of two at one time the later counts.
func (d Acknowledgements) See(ctx context.Context, until time.Time, runs ...string) error {
	return d.write(ctx, func(tx *sqlx.Tx) error {
		if len(runs) == 0 {
			runs = []string{""}
			if _, err := tx.ExecContext(ctx, `DELETE FROM seen WHERE run <> '' AND at < ?`, until.Unix()); err != nil {
				return err
			}
		}
		for _, run := range runs {
			_, err := tx.ExecContext(ctx, `INSERT INTO seen (run, at) VALUES (?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)`, run, until.Unix())
			if err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM seen WHERE run <> '' AND at < ?`, until.Add(-seenFor).Unix())
		return err
	})
}
