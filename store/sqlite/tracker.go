package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"wavedeck/store/dbfile"
	"wavedeck/store/feed"
	"wavedeck/store/wave"
)

// This file and rowdiff.go find out from SQLite what changed. What they hand on are
// names of runs and steps, so that another database may tell it otherwise.

const (
	eventWindow   = 1000            // events read and published at once
	rederiveEvery = 3 * time.Second // a run may be lost by silence alone
	lagShare      = 9               // rows are compared for at most a tenth of the time
	maxRowDelay   = 250 * time.Millisecond
	lockedPoll    = 100 * time.Millisecond // whether others still hold the database
)

// Tracker notices commits of other processes to one opened file.
//
// The kernel tells of a write to the -wal before the commit in it counts, so a
// notification only says when to look: at once and, ever more rarely, for the
// next tenth of a second, whether or not a look found something, for it may
// have found the commit before.
type Tracker struct {
	from *Rows
	sink Sink
	conn *sql.Conn // held, for data_version compares what one connection saw
	versions
	trackedFile
	looks
	holds
	log    logWatch
	Mark   wave.EventMark
	rows   *rowDiff
	Busy   bool // the last look met a lock
	missed bool // a read was cut short after the sink knew its news
}

// versions are what SQLite counts of one file.
type versions struct {
	dataVersion   int64
	schemaCounter int64
}

// trackedFile is the file that is tracked, as opened.
type trackedFile struct {
	path   string
	Seed   string
	info   fs.FileInfo // its times as last verified
	beside *companions
	sure   bool // nothing casts doubt on the file
}

// looks are when a tracker looks again although nothing is announced.
type looks struct {
	rung       int       // how often it looked since the last notification
	lookAt     time.Time // zero: not before the next notification
	rowsAt     time.Time // zero: all rows were compared since the last commit
	rowsNext   time.Time // not before that, to bound the cost
	rederiveAt time.Time
}

// Sink is who a tracker says what it finds.
type Sink interface {
	// Derive names what became different: the changed runs and steps, those of maybe
	// whose state is another one now, and the runs around them that show or follow
	// that state. It adds the latter to changed.
	Derive(ctx context.Context, changed RowChanges, maybe []string) (feed.Change, error)
	// Publish delivers a change, when all events up to last are known.
	Publish(c feed.Change, last int64)
	// Noticed says that all events of a commit were read, which was noticed at a time.
	Noticed(last int64, at time.Time)
	// State is a run's last derived state; empty: unknown.
	State(run string) wave.State
	// Derived reports whether the states of all runs were derived once.
	Derived() bool
}

// ladder is how long after each other the looks at an announced commit come.
func ladder(rung int) (time.Duration, bool) {
	const rungs = 8 // 1, 1, 2, 4, ... 64 ms
	if rung >= rungs {
		return 0, false
	}
	return time.Millisecond << max(0, rung-1), true
}

// Track tracks an open file, which info is of. The caller closes it.
func Track(ctx context.Context, d *DB, info fs.FileInfo, seed string, sink Sink) (*Tracker, error) {
	conn, err := d.Conn(ctx)
	if err != nil {
		return nil, err
	}
	t := &Tracker{
		from: RowsOf(d), sink: sink, conn: conn, rows: newRowDiff(d),
		trackedFile: trackedFile{path: d.path, Seed: seed, info: info, sure: true},
		looks:       looks{rederiveAt: time.Now().Add(rederiveEvery)},
	}
	if err := t.begin(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return t, nil
}

// begin takes the versions first: what is committed while the rest is read is
// then seen as a change once more.
func (t *Tracker) begin(ctx context.Context) (err error) {
	if t.dataVersion, err = t.pragma(ctx, "PRAGMA data_version"); err != nil {
		return err
	}
	if t.schemaCounter, err = t.pragma(ctx, "PRAGMA schema_version"); err != nil {
		return err
	}
	var journal string
	if t.from.db.Mode != modeImmutable {
		if err := t.conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&journal); err != nil {
			return err
		}
	}
	if t.beside, err = companionsOf(t.path, journal); err != nil {
		return err
	}
	t.log.begin(t.beside.path+"-wal", t.dataVersion)
	last, err := t.from.LastEvent(ctx)
	if err != nil {
		return err
	}
	if t.Mark, err = t.from.MarkAt(ctx, last); err != nil {
		return err
	}
	return t.rows.begin(ctx)
}

// Close lets go of the connection.
func (t *Tracker) Close() { _ = t.conn.Close() }

func (t *Tracker) pragma(ctx context.Context, query string) (n int64, err error) {
	err = t.conn.QueryRowContext(ctx, query).Scan(&n)
	return n, err
}

const schemaVersionSQL = `SELECT COALESCE(max(CAST(version AS INTEGER)), 0) FROM schema_migrations`

// SchemaVersion is what the file claims, 0 when it claims nothing.
func (t *Tracker) SchemaVersion(ctx context.Context) (n int) {
	if t.from.db.Schema["schema_migrations"]["version"] {
		if err := t.from.db.GetContext(ctx, &n, schemaVersionSQL); err != nil {
			return 0
		}
	}
	return n
}

// Expect prepares for a commit that was announced.
func (t *Tracker) Expect() { t.rung, t.lookAt = 0, time.Now() }

// Next is when to look again although nothing is announced.
func (t *Tracker) Next() time.Time {
	next := t.rederiveAt
	for _, at := range []time.Time{t.lookAt, t.rowsAt} {
		if !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	return next
}

// Look publishes what was committed since the last look. An error says that
// the file must be reopened.
func (t *Tracker) Look(ctx context.Context) error {
	now := time.Now()
	if wait, ok := ladder(t.rung); ok {
		t.rung++
		t.lookAt = now.Add(wait)
	} else {
		t.lookAt = time.Time{}
	}
	t.Busy = false
	version, err := t.pragma(ctx, "PRAGMA data_version")
	if err != nil {
		return t.passing(err)
	}
	err = t.read(ctx, version, now)
	if t.passing(err) == nil && err != nil {
		t.missed = true
	}
	return t.passing(err)
}

func (t *Tracker) read(ctx context.Context, version int64, now time.Time) error {
	if version != t.dataVersion {
		if err := t.collect(ctx, version, now); err != nil {
			return err
		}
	}
	if !t.rowsAt.IsZero() && !now.Before(t.rowsAt) {
		if err := t.compareRows(ctx); err != nil {
			return err
		}
	}
	if !now.Before(t.rederiveAt) {
		t.rederiveAt = now.Add(rederiveEvery)
		return t.rederive(ctx)
	}
	return nil
}

// passing drops an error that a later look will not meet: that others hold the
// database. The look comes soon.
func (t *Tracker) passing(err error) error {
	if dbfile.Code(err) != dbfile.Busy {
		return err
	}
	t.Busy = true
	t.rung, t.lookAt = 0, time.Now().Add(lockedPoll)
	return nil
}

// collect reads all new events and leaves the rows to compareRows. A failure
// on the way leaves dataVersion behind, so the next look begins again.
func (t *Tracker) collect(ctx context.Context, version int64, noticed time.Time) error {
	counter, err := t.pragma(ctx, "PRAGMA schema_version")
	if err != nil {
		return err
	}
	if counter != t.schemaCounter {
		return fmt.Errorf("%w: its tables changed", ErrReplaced)
	}
	goesOn, err := t.from.Continues(ctx, t.Mark)
	if err != nil {
		return err
	}
	if !goesOn {
		return fmt.Errorf("%w: its events were rolled back", ErrReplaced)
	}
	for {
		n, err := t.collectEvents(ctx)
		if err != nil {
			return err
		}
		if n < eventWindow {
			break
		}
	}
	t.dataVersion = version
	if t.rowsAt.IsZero() {
		t.rowsAt = later(noticed, t.rowsNext)
	}
	t.sink.Noticed(t.Mark.Last, noticed)
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

const newEventRefsSQL = `
SELECT id, COALESCE(run_id, '') AS run, COALESCE(step_id, '') AS step
FROM event_log WHERE id > ? ORDER BY id LIMIT ?`

// collectEvents publishes the next window of events and returns their number.
func (t *Tracker) collectEvents(ctx context.Context) (int, error) {
	if !t.from.db.Schema.Has("event_log") {
		return 0, nil
	}
	var events []struct {
		ID int64 `db:"id"`
		wave.StepRef
	}
	if err := t.from.db.SelectContext(ctx, &events, newEventRefsSQL, t.Mark.Last, eventWindow); err != nil {
		return 0, fmt.Errorf("read new events: %w", err)
	}
	if len(events) == 0 {
		return 0, nil
	}
	mark, err := t.from.MarkAt(ctx, events[len(events)-1].ID)
	if err != nil {
		return 0, err
	}
	changed := NewRowChanges()
	for _, e := range events {
		changed.Add(e.StepRef)
	}
	change, err := t.sink.Derive(ctx, changed, nil)
	if err != nil {
		return 0, err
	}
	t.rows.touch(changed.Runs, time.Now())
	t.Mark = mark
	t.publish(change)
	return len(events), nil
}

// compareRows publishes what changed in the tables without an event.
func (t *Tracker) compareRows(ctx context.Context) error {
	began := time.Now()
	changed, err := t.rows.compare(ctx, began, t.sink.State)
	if err != nil {
		return err
	}
	change, err := t.sink.Derive(ctx, changed, nil)
	if err != nil {
		return err
	}
	t.rows.accept()
	t.rowsAt = time.Time{}
	cost := time.Since(began)
	t.rowsNext = began.Add(cost + min(lagShare*cost, maxRowDelay))
	if changed.more {
		t.rowsAt = t.rowsNext
	}
	t.publish(change)
	return nil
}

// rederive finds the runs that became another state by the passing of time.
func (t *Tracker) rederive(ctx context.Context) error {
	if !t.sink.Derived() {
		return nil
	}
	change, err := t.sink.Derive(ctx, NewRowChanges(), t.rows.openRuns())
	if err != nil {
		return err
	}
	t.publish(change)
	return nil
}

// publish completes c. A change too large to name becomes a reset in the
// mailboxes, not here.
func (t *Tracker) publish(c feed.Change) {
	if t.missed {
		c.Reset, c.List, t.missed = true, true, false
	}
	if len(c.Runs)+len(c.Steps) > 0 || c.List {
		t.sink.Publish(c, t.Mark.Last)
	}
}
