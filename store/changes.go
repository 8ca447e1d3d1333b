package store

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

// This file, rowdiff.go and replay.go find out from SQLite what changed. What
// they hand on is Change alone, so that another database may tell it otherwise.

const (
	eventWindow   = 1000            // events read and published at once
	rederiveEvery = 3 * time.Second // a run may be lost by silence alone
	lagShare      = 9               // rows are compared for at most a tenth of the time
	maxRowDelay   = 250 * time.Millisecond
	lockedPoll    = 100 * time.Millisecond // whether others still hold the database
)

// tracker notices commits of other processes to one opened file.
//
// The kernel tells of a write to the -wal before the commit in it counts, so a
// notification only says when to look: at once and, ever more rarely, for the
// next tenth of a second, whether or not a look found something, for it may
// have found the commit before.
type tracker struct {
	store  *Store
	o      *opened
	seed   string
	info   fs.FileInfo // of the file as opened; its times as last verified
	beside *companions
	sure   bool // nothing casts doubt on the file
	busy   bool // the last look met a lock
	log    logWatch
	missed bool // a read was cut short after the index knew its news

	conn          *sql.Conn // held, for data_version compares what one connection saw
	dataVersion   int64
	schemaCounter int64
	mark          eventMark
	rows          *rowDiff

	logSize int64 // when reads were last held back
	pauses  int   // how often they were

	rung       int       // how often it looked since the last notification
	lookAt     time.Time // zero: not before the next notification
	rowsAt     time.Time // zero: all rows were compared since the last commit
	rowsNext   time.Time // not before that, to bound the cost
	rederiveAt time.Time
}

// ladder is how long after each other the looks at an announced commit come.
func ladder(rung int) (time.Duration, bool) {
	const rungs = 8 // 1, 1, 2, 4, ... 64 ms
	if rung >= rungs {
		return 0, false
	}
	return time.Millisecond << max(0, rung-1), true
}

func newTracker(ctx context.Context, s *Store, o *opened, info fs.FileInfo, seed string) (*tracker, error) {
	conn, err := o.Conn(ctx)
	if err != nil {
		return nil, err
	}
	t := &tracker{
		store: s, o: o, seed: seed, info: info, sure: true, conn: conn,
		rows: newRowDiff(o.database), rederiveAt: time.Now().Add(rederiveEvery),
	}
	if err := t.begin(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return t, nil
}

// begin takes the versions first: what is committed while the rest is read is
// then seen as a change once more.
func (t *tracker) begin(ctx context.Context) (err error) {
	if t.dataVersion, err = t.pragma(ctx, "PRAGMA data_version"); err != nil {
		return err
	}
	if t.schemaCounter, err = t.pragma(ctx, "PRAGMA schema_version"); err != nil {
		return err
	}
	var journal string
	if t.o.mode != modeImmutable {
		if err := t.conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&journal); err != nil {
			return err
		}
	}
	if t.beside, err = companionsOf(t.store.path, journal); err != nil {
		return err
	}
	t.log.begin(t.beside.path+"-wal", t.dataVersion)
	last, err := t.o.lastEventID(ctx)
	if err != nil {
		return err
	}
	if t.mark, err = t.o.markAt(ctx, last); err != nil {
		return err
	}
	return t.rows.begin(ctx)
}

func (t *tracker) close() { _ = t.conn.Close() }

func (t *tracker) pragma(ctx context.Context, query string) (n int64, err error) {
	err = t.conn.QueryRowContext(ctx, query).Scan(&n)
	return n, err
}

const schemaVersionSQL = `SELECT COALESCE(max(CAST(version AS INTEGER)), 0) FROM schema_migrations`

// schemaVersion is what the file claims, 0 when it claims nothing.
func (t *tracker) schemaVersion(ctx context.Context) (n int) {
	if t.o.schema["schema_migrations"]["version"] {
		if err := t.o.GetContext(ctx, &n, schemaVersionSQL); err != nil {
			return 0
		}
	}
	return n
}

// expect prepares for a commit that was announced.
func (t *tracker) expect() { t.rung, t.lookAt = 0, time.Now() }

// next is when to look again although nothing is announced.
func (t *tracker) next() time.Time {
	next := t.rederiveAt
	for _, at := range []time.Time{t.lookAt, t.rowsAt} {
		if !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	return next
}

// look publishes what was committed since the last look. An error says that
// the file must be opened anew.
func (t *tracker) look(ctx context.Context) error {
	now := time.Now()
	if wait, ok := ladder(t.rung); ok {
		t.rung++
		t.lookAt = now.Add(wait)
	} else {
		t.lookAt = time.Time{}
	}
	t.busy = false
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

func (t *tracker) read(ctx context.Context, version int64, now time.Time) error {
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
func (t *tracker) passing(err error) error {
	if dbfile.Code(err) != dbfile.Busy {
		return err
	}
	t.busy = true
	t.rung, t.lookAt = 0, time.Now().Add(lockedPoll)
	return nil
}

// collect reads all new events and leaves the rows to compareRows. A failure
// on the way leaves dataVersion behind, so the next look begins again.
func (t *tracker) collect(ctx context.Context, version int64, noticed time.Time) error {
	counter, err := t.pragma(ctx, "PRAGMA schema_version")
	if err != nil {
		return err
	}
	if counter != t.schemaCounter {
		return fmt.Errorf("%w: its tables changed", errReplaced)
	}
	goesOn, err := t.o.continues(ctx, t.mark)
	if err != nil {
		return err
	}
	if !goesOn {
		return fmt.Errorf("%w: its events were rolled back", errReplaced)
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
	t.o.index.MarkStale()
	if t.rowsAt.IsZero() {
		t.rowsAt = later(noticed, t.rowsNext)
	}
	t.store.setHealth(func(h *Health) {
		h.LastEventID, h.ChangedAt, h.Lag = t.mark.last, t.store.opt.Now(), time.Since(noticed)
	})
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
func (t *tracker) collectEvents(ctx context.Context) (int, error) {
	if !t.o.schema.has("event_log") {
		return 0, nil
	}
	var events []struct {
		ID int64 `db:"id"`
		wave.StepRef
	}
	if err := t.o.SelectContext(ctx, &events, newEventRefsSQL, t.mark.last, eventWindow); err != nil {
		return 0, fmt.Errorf("read new events: %w", err)
	}
	if len(events) == 0 {
		return 0, nil
	}
	mark, err := t.o.markAt(ctx, events[len(events)-1].ID)
	if err != nil {
		return 0, err
	}
	changed := newRowChanges()
	for _, e := range events {
		changed.add(e.StepRef)
	}
	change, err := t.derive(ctx, changed, nil)
	if err != nil {
		return 0, err
	}
	t.rows.touch(changed.runs, time.Now())
	t.mark = mark
	t.publish(change)
	return len(events), nil
}

// compareRows publishes what changed in the tables without an event.
func (t *tracker) compareRows(ctx context.Context) error {
	began := time.Now()
	changed, err := t.rows.compare(ctx, began, t.o.index.State)
	if err != nil {
		return err
	}
	change, err := t.derive(ctx, changed, nil)
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
func (t *tracker) rederive(ctx context.Context) error {
	if !t.o.index.IsReady() {
		return nil
	}
	change, err := t.derive(ctx, newRowChanges(), t.rows.openRuns())
	if err != nil {
		return err
	}
	t.publish(change)
	return nil
}

// derive brings the index in step and names what became different: the changed
// runs and steps as given, those of maybe whose state is another one now, and
// the runs around them that show or follow that state.
func (t *tracker) derive(ctx context.Context, changed rowChanges, maybe []string) (feed.Change, error) {
	var c feed.Change
	runs := changed.runs
	ask := append(keys(runs), maybe...)
	for level := 0; len(ask) > 0 && level < maxAncestors; level++ {
		entries, err := t.o.Entries(ctx, ask)
		if err != nil {
			return c, err
		}
		turned := t.o.index.Apply(ask, entries)
		for _, e := range entries {
			_, named := runs[e.ID]
			if e.Parent != "" && (turned[e.ID] || named && changed.row) {
				runs[e.Parent] = struct{}{}
			}
		}
		for id := range turned {
			runs[id] = struct{}{}
			c.List = true
		}
		if ask, err = t.rows.openChildren(ctx, keys(turned)); err != nil {
			return c, err
		}
	}
	delete(runs, "")
	c.Runs, c.Steps = keys(runs), keys(changed.steps)
	return c, nil
}

// publish completes c. A change too large to name becomes a reset in the
// mailboxes, not here.
func (t *tracker) publish(c feed.Change) {
	if t.missed {
		c.Reset, c.List, t.missed = true, true, false
	}
	if len(c.Runs)+len(c.Steps) == 0 && !c.List {
		return
	}
	c.Epoch, c.LastEventID = t.o.epoch, t.mark.last
	t.store.feed.Publish(c)
}
