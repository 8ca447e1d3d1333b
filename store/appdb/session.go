package appdb

import (
	"context"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"
)

// EndSession remembers until then that a session was signed out, and forgets
// those that are over at now anyway.
func (d Sessions) EndSession(ctx context.Context, id string, until, now time.Time) error {
	return d.write(ctx, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM ended_session WHERE until < ?`, now.Unix()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO ended_session (id, until) VALUES (?, ?) ON CONFLICT DO NOTHING`, id, until.Unix())
		return err
	})
}

// SessionEnded reports whether a session was signed out.
func (d Sessions) SessionEnded(ctx context.Context, id string) (bool, error) {
	var found int
	err := d.read(ctx, func(db *sqlx.DB) error {
		return db.GetContext(ctx, &found, `SELECT 1 FROM ended_session WHERE id = ?`, id)
	})
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
