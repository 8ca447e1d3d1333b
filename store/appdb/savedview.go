package appdb

import (
	"context"
	"errors"

	"github.com/jmoiron/sqlx"
)

// MaxViews is how many views are kept.
const MaxViews = 100

// Errors of views that callers tell apart.
var (
	// ErrTaken says that another view has the name, in whatever case.
	ErrTaken = errors.New("another view has this name")
	// ErrFull says that MaxViews are kept already.
	ErrFull = errors.New("no more views can be kept")
)

// SavedView is a list of runs that was given a name.
type SavedView struct {
	ID    int64  `db:"id"`
	Name  string `db:"name"`
	Query string `db:"query"` // of the list's address, encoded
}

// SavedViews returns all views in the order in which people put them.
func (d Views) SavedViews(ctx context.Context) ([]SavedView, error) {
	var views []SavedView
	err := d.read(ctx, func(db *sqlx.DB) error {
		return db.SelectContext(ctx, &views, `SELECT id, name, query FROM view ORDER BY place, id`)
	})
	return views, err
}

// SavedView returns one view, or ErrNotFound.
func (d Views) SavedView(ctx context.Context, id int64) (SavedView, error) {
	var v SavedView
	err := d.read(ctx, func(db *sqlx.DB) error {
		return db.GetContext(ctx, &v, `SELECT id, name, query FROM view WHERE id = ?`, id)
	})
	return v, err
}

// AddSavedView keeps a view behind all others.
func (d Views) AddSavedView(ctx context.Context, name, query string) (SavedView, error) {
	v := SavedView{Name: name, Query: query}
	err := d.write(ctx, func(tx *sqlx.Tx) error {
		var n int
		if err := tx.GetContext(ctx, &n, `SELECT count(*) FROM view`); err != nil {
			return err
		}
		if n >= MaxViews {
			return ErrFull
		}
		if err := free(ctx, tx, name, 0); err != nil {
			return err
		}
		return tx.GetContext(ctx, &v.ID, `
INSERT INTO view (name, query, place) VALUES (?, ?, (SELECT COALESCE(max(place), 0) + 1 FROM view)) RETURNING id`, name, query)
	})
	return v, err
}

// RenameSavedView gives a view another name.
func (d Views) RenameSavedView(ctx context.Context, id int64, name string) error {
	return d.write(ctx, func(tx *sqlx.Tx) error {
		if err := free(ctx, tx, name, id); err != nil {
			return err
		}
		return one(tx.ExecContext(ctx, `UPDATE view SET name = ? WHERE id = ?`, name, id))
	})
}

// MoveSavedView puts a view before the one above it, or behind the one below it. At
// the end of the list it stays where it is.
func (d Views) MoveSavedView(ctx context.Context, id int64, up bool) error {
	return d.write(ctx, func(tx *sqlx.Tx) error {
		var ids []int64
		if err := tx.SelectContext(ctx, &ids, `SELECT id FROM view ORDER BY place, id`); err != nil {
			return err
		}
		at := -1
		for i, other := range ids {
			if other == id {
				at = i
			}
		}
		to := at + 1
		if up {
			to = at - 1
		}
		switch {
		case at < 0:
			return ErrNotFound
		case to < 0 || to >= len(ids):
			return nil
		}
		ids[at], ids[to] = ids[to], ids[at]
		for place, id := range ids {
			if _, err := tx.ExecContext(ctx, `UPDATE view SET place = ? WHERE id = ?`, place, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// RemoveSavedView forgets a view.
func (d Views) RemoveSavedView(ctx context.Context, id int64) error {
	return d.write(ctx, func(tx *sqlx.Tx) error {
		return one(tx.ExecContext(ctx, `DELETE FROM view WHERE id = ?`, id))
	})
}

func free(ctx context.Context, tx *sqlx.Tx, name string, except int64) error {
	var taken bool
	err := tx.GetContext(ctx, &taken, `SELECT EXISTS (SELECT 1 FROM view WHERE name = ? COLLATE NOCASE AND id <> ?)`, name, except)
	if err == nil && taken {
		return ErrTaken
	}
	return err
}

// one is an error unless a statement changed a row.
func one(result interface{ RowsAffected() (int64, error) }, err error) error {
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(ErrNotFound, err)
	}
	return nil
}
