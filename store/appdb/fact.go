package appdb

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// Fact returns the value kept under name. The first caller of all servers
// decides it: first gives the value when there is none yet.
func (d *DB) Fact(ctx context.Context, name string, first func() []byte) ([]byte, error) {
	var value []byte
	err := d.write(ctx, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO fact (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING`, name, first()); err != nil {
			return err
		}
		return tx.GetContext(ctx, &value, `SELECT value FROM fact WHERE name = ?`, name)
	})
	return value, err
}
