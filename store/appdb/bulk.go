package appdb

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
)

// Bulk is one action on many runs. Whichever server comes by carries it on, so
// that it ends although the one that was asked has gone.
type Bulk struct {
	ID      string
	Action  string // cancel or retry
	Force   bool
	Who     string
	Created time.Time
	Ended   time.Time // zero: it goes on
	Stopped bool      // what was left is not done
	Note    string    // what it waits for; empty: nothing

	Waiting, Done, Refused int // runs
}

// BulkItem is one run of a bulk. State is waiting, done or refused.
type BulkItem struct {
	N      int    `db:"n"`
	Run    string `db:"run"`
	State  string `db:"state"`
	Result string `db:"result"`  // in a few words
	NewRun string `db:"new_run"` // that a retry started
}

// keepBulks is how long ended bulks are kept.
const keepBulks = 30 * 24 * time.Hour

// AddBulk keeps a bulk of runs, to be carried out.
func (d BulkActions) AddBulk(ctx context.Context, b Bulk, runs []string) error {
	return d.write(ctx, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM bulk WHERE created < ?`, b.Created.Add(-keepBulks).UnixMilli()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO bulk (id, action, force, who, created) VALUES (?, ?, ?, ?, ?)`,
			b.ID, b.Action, b.Force, b.Who, b.Created.UnixMilli()); err != nil {
			return err
		}
		for n, run := range runs {
			if _, err := tx.ExecContext(ctx, `INSERT INTO bulk_item (bulk, n, run) VALUES (?, ?, ?)`, b.ID, n, run); err != nil {
				return err
			}
		}
		return nil
	})
}

const bulkSQL = `SELECT b.id, b.action, b.force, b.who, b.created, b.ended, b.stopped, b.note,
	COALESCE(SUM(i.state = 'waiting'), 0) AS waiting, COALESCE(SUM(i.state = 'done'), 0) AS done, COALESCE(SUM(i.state = 'refused'), 0) AS refused
FROM bulk b LEFT JOIN bulk_item i ON i.bulk = b.id WHERE b.id = ? GROUP BY b.id`

// Bulk returns a bulk, or ErrNotFound.
func (d BulkActions) Bulk(ctx context.Context, id string) (Bulk, error) {
	var row struct {
		ID      string        `db:"id"`
		Action  string        `db:"action"`
		Who     string        `db:"who"`
		Note    string        `db:"note"`
		Force   bool          `db:"force"`
		Stopped bool          `db:"stopped"`
		Created int64         `db:"created"`
		Ended   sql.NullInt64 `db:"ended"`
		Waiting int           `db:"waiting"`
		Done    int           `db:"done"`
		Refused int           `db:"refused"`
	}
	err := d.read(ctx, func(db *sqlx.DB) error { return db.GetContext(ctx, &row, bulkSQL, id) })
	b := Bulk{
		ID: row.ID, Action: row.Action, Force: row.Force, Who: row.Who, Created: time.UnixMilli(row.Created), Stopped: row.Stopped,
		Note: row.Note, Waiting: row.Waiting, Done: row.Done, Refused: row.Refused,
	}
	if row.Ended.Valid {
		b.Ended = time.UnixMilli(row.Ended.Int64)
	}
	return b, err
}

// BulkItems are up to limit runs of a bulk from the n-th on, in their order.
func (d BulkActions) BulkItems(ctx context.Context, id string, from, limit int) (items []BulkItem, err error) {
	err = d.read(ctx, func(db *sqlx.DB) error {
		return db.SelectContext(ctx, &items, `SELECT n, run, state, result, new_run FROM bulk_item WHERE bulk = ? AND n >= ? ORDER BY n LIMIT ?`, id, from, limit)
	})
	return items, err
}

// ClaimBulk gives owner the bulk that waits longest, for as long as lease, and
// its next runs, at most limit. ErrNotFound when no bulk waits for this owner.
func (d BulkActions) ClaimBulk(ctx context.Context, owner string, now time.Time, lease time.Duration, limit int) (b Bulk, items []BulkItem, err error) {
	var id string
	err = d.write(ctx, func(tx *sqlx.Tx) error {
		if err := tx.GetContext(ctx, &id, `SELECT id FROM bulk WHERE ended IS NULL AND not_before <= ? AND (owner = ? OR lease < ?) ORDER BY not_before, created LIMIT 1`,
			now.UnixMilli(), owner, now.UnixMilli()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE bulk SET owner = ?, lease = ?, not_before = ? WHERE id = ?`,
			owner, now.Add(lease).UnixMilli(), now.UnixMilli(), id); err != nil {
			return err
		}
		return tx.SelectContext(ctx, &items, `SELECT n, run, state, result, new_run FROM bulk_item WHERE bulk = ? AND state = 'waiting' ORDER BY n LIMIT ?`, id, limit)
	})
	if err != nil {
		return Bulk{}, nil, err
	}
	b, err = d.Bulk(ctx, id)
	return b, items, err
}

// SettleBulk keeps what became of one run of a bulk.
func (d BulkActions) SettleBulk(ctx context.Context, id string, item BulkItem) error {
	return d.write(ctx, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE bulk_item SET state = ?, result = ?, new_run = ? WHERE bulk = ? AND n = ?`,
			item.State, item.Result, item.NewRun, id, item.N)
		return err
	})
}

// DelayBulk leaves a bulk alone until a moment, and says why.
func (d BulkActions) DelayBulk(ctx context.Context, id, why string, until time.Time) error {
	return d.write(ctx, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE bulk SET note = ?, not_before = ? WHERE id = ?`, why, until.UnixMilli(), id)
		return err
	})
}

// EndBulk ends a bulk. Stopped says that what is left is not to be done; a bulk
// that has ended is left as it is.
func (d BulkActions) EndBulk(ctx context.Context, id string, at time.Time, stopped bool) error {
	return d.write(ctx, func(tx *sqlx.Tx) error {
		var ended sql.NullInt64
		if err := tx.GetContext(ctx, &ended, `SELECT ended FROM bulk WHERE id = ?`, id); err != nil || ended.Valid {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE bulk SET ended = ?, stopped = ?, note = '' WHERE id = ?`, at.UnixMilli(), stopped, id); err != nil {
			return fmt.Errorf("end bulk %s: %w", id, err)
		}
		return nil
	})
}
