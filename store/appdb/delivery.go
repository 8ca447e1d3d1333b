package appdb

import (
	"context"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"
)

// Bounds of the messages of one webhook: how many may wait, and how many that do
// not wait any more are kept.
const (
	maxWaiting     = 1000
	keepDeliveries = 200
)

// States of a delivery.
const (
	DeliveryWaiting = "waiting" // to be sent, or sent again
	DeliveryDone    = "delivered"
	DeliveryGivenUp = "given up"
)

// Delivery is a message of a webhook, and what became of its last attempt.
type Delivery struct {
	ID      string // that the receiver knows it by
	View    int64
	Type    string
	Run     string // empty: a test
	Body    []byte
	Created time.Time
	State   string
	Attempt int       // how many were made
	Sent    time.Time // when the last one was; zero: never
	Status  int       // of the answer; 0: there was none
	Answer  string    // its first bytes
	Error   string    // why it was not delivered, in words
	Next    time.Time // when it is sent, while it waits
	Until   time.Time // when it is given up
	Owner   string    // the server that sends it
}

type deliveryRow struct {
	ID      string `db:"id"`
	View    int64  `db:"view"`
	Type    string `db:"type"`
	Run     string `db:"run"`
	Body    []byte `db:"body"`
	Created int64  `db:"created"`
	State   string `db:"state"`
	Attempt int    `db:"attempt"`
	Sent    int64  `db:"sent"`
	Status  int    `db:"status"`
	Answer  string `db:"answer"`
	Error   string `db:"error"`
	Next    int64  `db:"next"`
	Until   int64  `db:"until"`
	Owner   string `db:"owner"`
}

func (r deliveryRow) delivery() Delivery {
	d := Delivery{
		ID: r.ID, View: r.View, Type: r.Type, Run: r.Run, Body: r.Body, Created: time.UnixMilli(r.Created), State: r.State, Attempt: r.Attempt,
		Status: r.Status, Answer: r.Answer, Error: r.Error, Next: time.UnixMilli(r.Next), Until: time.UnixMilli(r.Until), Owner: r.Owner,
	}
	if r.Sent > 0 {
		d.Sent = time.UnixMilli(r.Sent)
	}
	return d
}

const deliverySQL = `SELECT id, view, type, run, body, created, state, attempt, sent, status, answer, error, next, until, owner FROM delivery`

// Deliveries are the newest messages of a webhook, at most limit.
func (d Outbox) Deliveries(ctx context.Context, view int64, limit int) ([]Delivery, error) {
	var rows []deliveryRow
	err := d.read(ctx, func(db *sqlx.DB) error {
		return db.SelectContext(ctx, &rows, deliverySQL+` WHERE view = ? ORDER BY created DESC, id DESC LIMIT ?`, view, limit)
	})
	list := make([]Delivery, len(rows))
	for i, r := range rows {
		list[i] = r.delivery()
	}
	return list, err
}

// ErrMoved says that another server was faster.
var ErrMoved = errors.New("already claimed by another server")

// Enqueue keeps messages that a webhook makes of the events between two places,
// and moves it from the one to the other. ErrMoved when it stands elsewhere:
// then another server has enqueued them.
func (d Outbox) Enqueue(ctx context.Context, view, from, to int64, messages []Delivery) error {
	return d.write(ctx, func(tx *sqlx.Tx) error {
		err := one(tx.ExecContext(ctx, `UPDATE hook SET place = ? WHERE view = ? AND place = ?`, to, view, from))
		if errors.Is(err, ErrNotFound) {
			return ErrMoved
		}
		if err != nil {
			return err
		}
		return enqueue(ctx, tx, view, messages)
	})
}

// EnqueueTest keeps a message that somebody asked for. ErrNotFound without a webhook.
func (d Outbox) EnqueueTest(ctx context.Context, m Delivery) error {
	return d.write(ctx, func(tx *sqlx.Tx) error {
		var there int
		if err := tx.GetContext(ctx, &there, `SELECT 1 FROM hook WHERE view = ?`, m.View); err != nil {
			return err
		}
		return enqueue(ctx, tx, m.View, []Delivery{m})
	})
}

func enqueue(ctx context.Context, tx *sqlx.Tx, view int64, messages []Delivery) error {
	var waiting int
	if err := tx.GetContext(ctx, &waiting, `SELECT count(*) FROM delivery WHERE view = ? AND state = 'waiting'`, view); err != nil {
		return err
	}
	for _, m := range messages {
		state, why := DeliveryWaiting, ""
		if waiting >= maxWaiting {
			state, why = DeliveryGivenUp, "too many messages wait already"
		}
		waiting++
		_, err := tx.ExecContext(ctx, `INSERT INTO delivery (id, view, type, run, body, created, state, error, next, until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			m.ID, view, m.Type, m.Run, m.Body, m.Created.UnixMilli(), state, why, m.Created.UnixMilli(), m.Until.UnixMilli())
		if err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM delivery WHERE id IN (
	SELECT id FROM delivery WHERE view = ? AND state <> 'waiting' ORDER BY created DESC, id DESC LIMIT -1 OFFSET ?)`, view, keepDeliveries)
	return err
}

// dueSQL is the message that is due first. Of one webhook one is sent at a time, so
// that a receiver that hangs holds up its own messages only.
const dueSQL = ` WHERE state = 'waiting' AND next <= ? AND lease < ?
AND NOT EXISTS (SELECT 1 FROM delivery o WHERE o.view = delivery.view AND o.state = 'waiting' AND o.lease >= ?)
ORDER BY next, created, id LIMIT 1`

// ClaimDelivery gives owner the message that is due first, for as long as lease,
// and counts an attempt at it. ErrNotFound when none is due.
func (d Outbox) ClaimDelivery(ctx context.Context, owner string, now time.Time, lease time.Duration) (Delivery, Webhook, error) {
	var row deliveryRow
	var hook webhookRow
	at := now.UnixMilli()
	err := d.read(ctx, func(db *sqlx.DB) error { return db.GetContext(ctx, &row, deliverySQL+dueSQL, at, at, at) })
	if err != nil {
		return Delivery{}, Webhook{}, err // most often there is none: nobody's write has to wait
	}
	err = d.write(ctx, func(tx *sqlx.Tx) error {
		row = deliveryRow{}
		if err := tx.GetContext(ctx, &row, deliverySQL+dueSQL, at, at, at); err != nil {
			return err
		}
		if err := tx.GetContext(ctx, &hook, webhookSQL+` WHERE view = ?`, row.View); err != nil {
			return err
		}
		row.Attempt, row.Owner = row.Attempt+1, owner
		_, err := tx.ExecContext(ctx, `UPDATE delivery SET owner = ?, lease = ?, attempt = ?, sent = ?, status = 0, answer = '', error = '' WHERE id = ?`,
			owner, now.Add(lease).UnixMilli(), row.Attempt, at, row.ID)
		return err
	})
	return row.delivery(), hook.webhook(), err
}

// SettleDelivery keeps what became of an attempt, and lets go of the message. One
// that another owner has taken over meanwhile is left to it.
func (d Outbox) SettleDelivery(ctx context.Context, m Delivery) error {
	return d.write(ctx, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE delivery SET state = ?, attempt = ?, status = ?, answer = ?, error = ?, next = ?, lease = 0
WHERE id = ? AND owner = ?`, m.State, m.Attempt, m.Status, m.Answer, m.Error, m.Next.UnixMilli(), m.ID, m.Owner)
		return err
	})
}

// SendAgain makes a message due now, whatever became of it, and tries it until then.
func (d Outbox) SendAgain(ctx context.Context, view int64, id string, now, until time.Time) error {
	return d.write(ctx, func(tx *sqlx.Tx) error {
		return one(tx.ExecContext(ctx, `UPDATE delivery SET state = 'waiting', next = ?, until = ? WHERE view = ? AND id = ?`,
			now.UnixMilli(), until.UnixMilli(), view, id))
	})
}

// NextDelivery is when the next message is due; zero: none waits.
func (d Outbox) NextDelivery(ctx context.Context) (time.Time, error) {
	var next int64
	err := d.read(ctx, func(db *sqlx.DB) error {
		return db.GetContext(ctx, &next, `SELECT COALESCE(min(max(next, lease)), 0) FROM delivery WHERE state = 'waiting'`)
	})
	if err != nil || next == 0 {
		return time.Time{}, err
	}
	return time.UnixMilli(next), nil
}

// DeliveryCounts is how the messages of all webhooks fare.
type DeliveryCounts struct {
	Hooks   int `db:"hooks"`
	Waiting int `db:"waiting"`
	Retried int `db:"retried"` // of those that wait
	GivenUp int `db:"given_up"`
}

// CountDeliveries counts the webhooks and their messages; given up are those since then.
func (d Outbox) CountDeliveries(ctx context.Context, since time.Time) (c DeliveryCounts, err error) {
	err = d.read(ctx, func(db *sqlx.DB) error {
		return db.GetContext(ctx, &c, `SELECT (SELECT count(*) FROM hook) AS hooks, COALESCE(sum(state = 'waiting'), 0) AS waiting,
COALESCE(sum(state = 'waiting' AND attempt > 0), 0) AS retried, COALESCE(sum(state = 'given up' AND max(sent, created) >= ?), 0) AS given_up FROM delivery`, since.UnixMilli())
	})
	return c, err
}
