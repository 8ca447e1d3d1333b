package desk

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// Hook is where a view sends word to.
type Hook struct {
	View    int64
	URL     string
	Secret  []byte
	Ends    []string // what is told: words of an Occasion
	Base    string   // of links to the console, such as https://deck.example/deck; empty: not known
	Created time.Time
	Place   int64 // it has been told of all occasions up to this one
}

// Occasion is something that happened to a run which hooks may tell: it ended,
// or it began to need attention. Servers agree on it and on its place.
type Occasion struct {
	N    int64
	Run  string
	What string    // a final state, or "attention: " and why
	At   time.Time // when it began, as far as that is known
}

// occasionsKept is longer than anything is looked back for.
const occasionsKept = 9 * 24 * time.Hour

type hookRow struct {
	View    int64  `db:"view"`
	URL     string `db:"url"`
	Secret  []byte `db:"secret"`
	Ends    string `db:"ends"`
	Base    string `db:"base"`
	Created int64  `db:"created"`
	Place   int64  `db:"place"`
}

func (r hookRow) hook() Hook {
	return Hook{
		View: r.View, URL: r.URL, Secret: r.Secret, Ends: strings.Split(r.Ends, ","), Base: r.Base,
		Created: time.UnixMilli(r.Created), Place: r.Place,
	}
}

const hookSQL = `SELECT view, url, secret, ends, base, created, place FROM hook`

// Hooks returns all hooks.
func (d *Desk) Hooks(ctx context.Context) ([]Hook, error) {
	var rows []hookRow
	err := d.read(ctx, func(db *sqlx.DB) error { return db.SelectContext(ctx, &rows, hookSQL+` ORDER BY view`) })
	hooks := make([]Hook, len(rows))
	for i, r := range rows {
		hooks[i] = r.hook()
	}
	return hooks, err
}

// Hook returns a view's hook, or ErrNotFound.
func (d *Desk) Hook(ctx context.Context, view int64) (Hook, error) {
	var row hookRow
	err := d.read(ctx, func(db *sqlx.DB) error { return db.GetContext(ctx, &row, hookSQL+` WHERE view = ?`, view) })
	return row.hook(), err
}

// SetHook makes a view's hook, or changes it: a nil secret stays as it was. What
// is known by now, past included, a new hook is not told of. ErrNotFound when
// there is no such view.
func (d *Desk) SetHook(ctx context.Context, h Hook, past []Occasion, now time.Time) error {
	return d.write(ctx, func(tx *sqlx.Tx) error {
		var there int
		if err := tx.GetContext(ctx, &there, `SELECT 1 FROM view WHERE id = ?`, h.View); err != nil {
			return err
		}
		if err := note(ctx, tx, past, now); err != nil {
			return err
		}
		var hooks int
		if err := tx.GetContext(ctx, &hooks, `SELECT count(*) FROM hook`); err != nil {
			return err
		}
		if hooks == 0 {
			if err := setLooked(ctx, tx, now); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO hook (view, url, secret, ends, base, created, place)
VALUES (?, ?, COALESCE(?, X''), ?, ?, ?, (SELECT COALESCE(max(n), 0) FROM occasion))
ON CONFLICT DO UPDATE SET url = excluded.url, ends = excluded.ends, base = excluded.base, secret = CASE WHEN ? IS NULL THEN secret ELSE excluded.secret END`,
			h.View, h.URL, h.Secret, strings.Join(h.Ends, ","), h.Base, now.UnixMilli(), h.Secret)
		return err
	})
}

// RemoveHook forgets a view's hook and its messages.
func (d *Desk) RemoveHook(ctx context.Context, view int64) error {
	return d.write(ctx, func(tx *sqlx.Tx) error {
		return one(tx.ExecContext(ctx, `DELETE FROM hook WHERE view = ?`, view))
	})
}

const lookedFact = "occasions looked for"

func setLooked(ctx context.Context, tx *sqlx.Tx, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO fact (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value`,
		lookedFact, binary.BigEndian.AppendUint64(nil, uint64(at.UnixMilli())))
	return err
}

// Looked is when occasions were last looked for; zero: never.
func (d *Desk) Looked(ctx context.Context) (time.Time, error) {
	var value []byte
	err := d.read(ctx, func(db *sqlx.DB) error {
		return db.GetContext(ctx, &value, `SELECT value FROM fact WHERE name = ?`, lookedFact)
	})
	if errors.Is(err, ErrNotFound) || err == nil && len(value) != 8 {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(value))), nil //nolint:gosec // as it was written
}

// Note keeps occasions that are not known yet, and that all were looked for. A
// run is in a final state once; it needs attention anew when that began after it
// was last noticed.
func (d *Desk) Note(ctx context.Context, occasions []Occasion, now time.Time) error {
	return d.write(ctx, func(tx *sqlx.Tx) error {
		if err := note(ctx, tx, occasions, now); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM occasion WHERE noticed < ?`, now.Add(-occasionsKept).UnixMilli()); err != nil {
			return err
		}
		return setLooked(ctx, tx, now)
	})
}

// AttentionPrefix begins the words of occasions that are no end.
const AttentionPrefix = "attention: "

func note(ctx context.Context, tx *sqlx.Tx, occasions []Occasion, now time.Time) error {
	for _, o := range occasions {
		known := int64(0) // any time
		if strings.HasPrefix(o.What, AttentionPrefix) {
			known = o.At.UnixMilli()
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO occasion (run, what, at, noticed) SELECT ?, ?, ?, ?
WHERE NOT EXISTS (SELECT 1 FROM occasion WHERE run = ? AND what = ? AND noticed >= ?)`,
			o.Run, o.What, o.At.UnixMilli(), now.UnixMilli(), o.Run, o.What, known)
		if err != nil {
			return err
		}
	}
	return nil
}

// Known lists which of the occasions are kept already.
func (d *Desk) Known(ctx context.Context, occasions []Occasion) (known []bool, err error) {
	known = make([]bool, len(occasions))
	err = d.read(ctx, func(db *sqlx.DB) error {
		for i, o := range occasions {
			since := int64(0)
			if strings.HasPrefix(o.What, AttentionPrefix) {
				since = o.At.UnixMilli()
			}
			const query = `SELECT EXISTS (SELECT 1 FROM occasion WHERE run = ? AND what = ? AND noticed >= ?)`
			if err := db.GetContext(ctx, &known[i], query, o.Run, o.What, since); err != nil {
				return err
			}
		}
		return nil
	})
	return known, err
}

// Occasions are up to limit that follow a place, in their order.
func (d *Desk) Occasions(ctx context.Context, after int64, limit int) ([]Occasion, error) {
	var rows []struct {
		N    int64  `db:"n"`
		Run  string `db:"run"`
		What string `db:"what"`
		At   int64  `db:"at"`
	}
	err := d.read(ctx, func(db *sqlx.DB) error {
		return db.SelectContext(ctx, &rows, `SELECT n, run, what, at FROM occasion WHERE n > ? ORDER BY n LIMIT ?`, after, limit)
	})
	occasions := make([]Occasion, len(rows))
	for i, r := range rows {
		occasions[i] = Occasion{N: r.N, Run: r.Run, What: r.What, At: time.UnixMilli(r.At)}
	}
	return occasions, err
}
