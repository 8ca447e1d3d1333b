package tape

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"wavedeck/store/statedb"
)

// Options change how a tape is played. The zero value plays it as fast as the
// database takes it, rows unchanged.
type Options struct {
	// Speed divides the waits of the recording: 1 waits as recorded, 2 half as
	// long, 0 not at all.
	Speed float64
	// Begin, if set, is when the recording is to have begun: every time in the
	// rows is moved by the same whole seconds. Rows played at Speed 1 from Begin
	// on are never ahead of the clock; at any other speed their times still keep
	// the distances of the recording.
	Begin time.Time
	// Suffix, if set, is put behind the id of every run that the tape starts, so
	// that a tape can be played into one database again and again. The numeric
	// ids of its rows are then given again by the database. Paths and texts stay
	// as recorded: the files they name are those of the recorded run. Rows of
	// tables keyed by neither, such as step_progress, can be inserted only once.
	Suffix string
	// Committed, if set, is called after each commit with the entry as played.
	Committed func(Entry)
}

// Play writes the entries into db, a transaction each, which is how Wave
// committed most of them. It returns when the last is committed or ctx ends;
// what was played stays. An error names the line of the tape.
//
// Recordings hold no pipeline_state, which step_state refers to: open db with
// the pragma "foreign_keys(0)".
func Play(ctx context.Context, db *sqlx.DB, entries []Entry, o Options) error {
	if o.Speed < 0 || math.IsNaN(o.Speed) || math.IsInf(o.Speed, 0) {
		return fmt.Errorf("play tape: speed %v is not a number from 0 up", o.Speed)
	}
	if len(entries) == 0 {
		return nil
	}
	schema, err := statedb.ReadSchema(ctx, db)
	if err != nil {
		return fmt.Errorf("play tape: %w", err)
	}
	p := newPlayer(schema, entries, o)
	began, first := time.Now(), entries[0].At
	for _, e := range entries {
		if err := wait(ctx, began, e.At-first, o.Speed); err != nil {
			return fmt.Errorf("tape line %d: %w", e.Line, err)
		}
		if e, err = p.play(ctx, db, e); err != nil {
			return fmt.Errorf("tape line %d: %w", e.Line, err)
		}
		if o.Committed != nil {
			o.Committed(e)
		}
	}
	return nil
}

func wait(ctx context.Context, began time.Time, at time.Duration, speed float64) error {
	if speed == 0 {
		return ctx.Err()
	}
	// A tiny speed makes the wait longer than a Duration holds.
	left := time.Until(began) + time.Duration(min(float64(at)/speed, math.MaxInt64/2))
	if left <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// player rewrites rows for one playing of a tape.
type player struct {
	schema statedb.Schema
	shift  int64 // seconds
	suffix string
	runs   map[string]bool // ids of the runs the tape starts, as recorded
	ids    map[rowID]int64 // what became of recorded ids when they are given again
}

type rowID struct {
	table string
	id    int64
}

func newPlayer(schema statedb.Schema, entries []Entry, o Options) *player {
	p := &player{schema: schema, suffix: o.Suffix, runs: map[string]bool{}, ids: map[rowID]int64{}}
	if began, ok := Began(entries); ok && !o.Begin.IsZero() {
		p.shift = int64(math.Floor(o.Begin.Sub(began).Seconds()))
	}
	for _, e := range entries {
		if id, ok := e.Row["run_id"].(string); ok && e.Op == Insert && e.Table == "pipeline_run" {
			p.runs[id] = true
		}
	}
	return p
}

// play returns the entry as played, and as it was with an error.
func (p *player) play(ctx context.Context, db *sqlx.DB, e Entry) (Entry, error) {
	recorded := e
	e.Row = maps.Clone(e.Row)
	p.move(e.Row)
	numbered := p.suffix != "" && slices.Equal(p.schema[e.Table].Key, []string{"id"})
	if p.suffix != "" {
		if err := p.rename(e, numbered); err != nil {
			return recorded, err
		}
	}
	if e.Op == Update {
		return e, p.schema.Update(ctx, db, e.Table, e.Row)
	}
	id, err := p.schema.Insert(ctx, db, e.Table, e.Row)
	if old, ok := recorded.Row["id"].(int64); ok && numbered {
		e.Row["id"] = id
		p.ids[rowID{e.Table, old}] = id
	}
	return e, err
}

// move shifts the times in row.
func (p *player) move(row statedb.Row) {
	for column, v := range row {
		if at, ok := unixTime(column, v); ok {
			row[column] = at + p.shift
		}
	}
}

// rename gives row the ids of this playing.
func (p *player) rename(e Entry, numbered bool) error {
	// A pipeline_id is a run's id too, whatever its name says.
	for _, column := range []string{"run_id", "parent_run_id", "forked_from_run_id", "last_run_id", "pipeline_id"} {
		if id, ok := e.Row[column].(string); ok && p.runs[id] {
			e.Row[column] = id + p.suffix
		}
	}
	if numbered {
		if e.Op == Insert {
			delete(e.Row, "id")
		} else if err := p.renumber(e.Row, "id", e.Table); err != nil {
			return err
		}
	}
	if _, ok := e.Row["artifact_id"]; ok {
		return p.renumber(e.Row, "artifact_id", "artifact")
	}
	return nil
}

func (p *player) renumber(row statedb.Row, column, table string) error {
	old, _ := row[column].(int64)
	id, ok := p.ids[rowID{table, old}]
	if !ok {
		return fmt.Errorf("%s %v is not the id of a row that the tape inserted before", column, row[column])
	}
	row[column] = id
	return nil
}

// unixTime returns v when it is a moment in unix seconds, going by the name of
// its column. Zero stands for never.
func unixTime(column string, v any) (int64, bool) {
	at, ok := v.(int64)
	const farthest = 1 << 36 // beyond the year 4000: no time of this software
	named := strings.HasSuffix(column, "_at") || column == "timestamp" || column == "last_heartbeat"
	return at, ok && named && at > 0 && at < farthest
}

// Began says when the recording began, to the second and never too late: no
// row can tell of a moment after its own commit. False when no row has a time.
func Began(entries []Entry) (time.Time, bool) {
	var began time.Time
	for _, e := range entries {
		for column, v := range e.Row {
			at, ok := unixTime(column, v)
			if !ok || column == "next_fire_at" { // the one that looks ahead
				continue
			}
			if t := time.Unix(at, 0).Add(-e.At); t.After(began) {
				began = t
			}
		}
	}
	return began, !began.IsZero()
}
