package appdb

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// Webhook is where a view sends word to.
type Webhook struct {
	View    int64
	URL     string
	Secret  []byte
	Ends    []string // what is delivered: words of an Event
	Base    string   // of links to the console, such as https://deck.example/deck; empty: not known
	Created time.Time
	Place   int64 // it has received all events up to this one
}

// Event is something that happened to a run which webhooks may tell: it ended,
// or it began to need attention. Servers agree on it and on its place.
type Event struct {
	N    int64
	Run  string
	What string    // a final state, or "attention: " and why
	At   time.Time // when it began, as far as that is known
}

// occasionsKept is longer than anything is looked back for.
const eventsKept = 9 * 24 * time.Hour

type webhookRow struct {
	View    int64  `db:"view"`
	URL     string `db:"url"`
	Secret  []byte `db:"secret"`
	Ends    string `db:"ends"`
	Base    string `db:"base"`
	Created int64  `db:"created"`
	Place   int64  `db:"place"`
}

func (r webhookRow) webhook() Webhook {
	return Webhook{
		View: r.View, URL: r.URL, Secret: r.Secret, Ends: strings.Split(r.Ends, ","), Base: r.Base,
		Created: time.UnixMilli(r.Created), Place: r.Place,
	}
}

const webhookSQL = `SELECT view, url, secret, ends, base, created, place FROM hook`

// Webhooks returns all webhooks.
func (d Endpoints) Webhooks(ctx context.Context) ([]Webhook, error) {
	var rows []webhookRow
	err := d.read(ctx, func(db *sqlx.DB) error { return db.SelectContext(ctx, &rows, webhookSQL+` ORDER BY view`) })
	webhooks := make([]Webhook, len(rows))
	for i, r := range rows {
		webhooks[i] = r.webhook()
	}
	return webhooks, err
}

// Webhook returns a view's webhook, or ErrNotFound.
func (d Endpoints) Webhook(ctx context.Context, view int64) (Webhook, error) {
	var row webhookRow
	err := d.read(ctx, func(db *sqlx.DB) error { return db.GetContext(ctx, &row, webhookSQL+` WHERE view = ?`, view) })
	return row.webhook(), err
}

// SetWebhook makes a view's webhook, or changes it: a nil secret stays as it was. What
// is known by now, past included, a new webhook does not receive. ErrNotFound when
// there is no such view.
func (d Endpoints) SetWebhook(ctx context.Context, h Webhook, past []Event, now time.Time) error {
	return d.write(ctx, func(tx *sqlx.Tx) error {
		var there int
		if err := tx.GetContext(ctx, &there, `SELECT 1 FROM view WHERE id = ?`, h.View); err != nil {
			return err
		}
		if err := note(ctx, tx, past, now); err != nil {
			return err
		}
		var webhooks int
		if err := tx.GetContext(ctx, &webhooks, `SELECT count(*) FROM hook`); err != nil {
			return err
		}
		if webhooks == 0 {
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

// RemoveWebhook forgets a view's webhook and its messages.
func (d Endpoints) RemoveWebhook(ctx context.Context, view int64) error {
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

// Looked is when events were last looked for; zero: never.
func (d Endpoints) Looked(ctx context.Context) (time.Time, error) {
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

// Note keeps events that are not known yet, and that all were looked for. A
// run is in a final state once; it needs attention again when that began after it
// was last noticed.
func (d Endpoints) Note(ctx context.Context, events []Event, now time.Time) error {
	return d.write(ctx, func(tx *sqlx.Tx) error {
		if err := note(ctx, tx, events, now); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM occasion WHERE noticed < ?`, now.Add(-eventsKept).UnixMilli()); err != nil {
			return err
		}
		return setLooked(ctx, tx, now)
	})
}

// AttentionPrefix begins the words of events that are no end.
const AttentionPrefix = "attention: "

func note(ctx context.Context, tx *sqlx.Tx, events []Event, now time.Time) error {
	for _, o := range events {
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

// Known lists which of the events are kept already.
func (d Endpoints) Known(ctx context.Context, events []Event) (known []bool, err error) {
	known = make([]bool, len(events))
	err = d.read(ctx, func(db *sqlx.DB) error {
		for i, o := range events {
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

// Events are up to limit that follow a place, in their order.
func (d Endpoints) Events(ctx context.Context, after int64, limit int) ([]Event, error) {
	var rows []struct {
		N    int64  `db:"n"`
		Run  string `db:"run"`
		What string `db:"what"`
		At   int64  `db:"at"`
	}
	err := d.read(ctx, func(db *sqlx.DB) error {
		return db.SelectContext(ctx, &rows, `SELECT n, run, what, at FROM occasion WHERE n > ? ORDER BY n LIMIT ?`, after, limit)
	})
	events := make([]Event, len(rows))
	for i, r := range rows {
		events[i] = Event{N: r.N, Run: r.Run, What: r.What, At: time.UnixMilli(r.At)}
	}
	return events, err
}
