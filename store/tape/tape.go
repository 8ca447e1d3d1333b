// Package tape reads recordings of what Wave committed to a state database and
// plays them into another one, with the waits of the recording.
//
// A tape is JSON lines, one change each, in the order of the commits:
//
//	{"at_ms": 873, "op": "insert", "table": "pipeline_run", "row": {"run_id": "…", …}}
//	{"at_ms": 894, "op": "update", "table": "pipeline_run", "row": {"run_id": "…", "status": "running"}}
//
// at_ms is milliseconds since the recording began and never goes back; what is
// at the first moment was there before. The row of an insert is whole, that of
// an update holds the primary key and the columns that changed. Values are
// null, texts, numbers and booleans; times are unix seconds, as in the database.
package tape

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"wavedeck/store/statedb"
)

// Limits of what [Read] takes. A tape is held in memory whole.
const (
	MaxLine    = 1 << 20 // bytes
	MaxEntries = 100_000
	maxAtMs    = int64(366 * 24 * time.Hour / time.Millisecond)
)

// Op is what a change does.
type Op string

// The two operations: Wave deletes nothing that a tape would have to.
const (
	Insert Op = "insert"
	Update Op = "update"
)

// Entry is one change.
type Entry struct {
	Line  int           // in the tape, from 1
	At    time.Duration // since the recording began
	Op    Op
	Table string
	Row   statedb.Row // nil, string, bool, int64 or float64
}

// Read reads a tape to its end. Empty lines are skipped. An error names the line.
func Read(r io.Reader) ([]Entry, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, MaxLine)
	var entries []Entry
	n := 0
	for lines.Scan() {
		n++
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		if len(entries) == MaxEntries {
			return nil, fmt.Errorf("tape line %d: more than %d entries", n, MaxEntries)
		}
		e, err := parse(text)
		if err == nil && len(entries) > 0 && e.At < entries[len(entries)-1].At {
			err = errors.New("at_ms goes back")
		}
		if err != nil {
			return nil, fmt.Errorf("tape line %d: %w", n, err)
		}
		e.Line = n
		entries = append(entries, e)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("tape line %d: %w", n+1, err)
	}
	return entries, nil
}

func parse(text []byte) (Entry, error) {
	var raw struct {
		AtMs  *int64         `json:"at_ms"`
		Op    Op             `json:"op"`
		Table string         `json:"table"`
		Row   map[string]any `json:"row"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // ids and times are integers; float64 would round the large ones
	d.DisallowUnknownFields()
	if err := d.Decode(&raw); err != nil {
		return Entry{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Entry{}, errors.New("more than one JSON value")
	}
	switch {
	case raw.AtMs == nil:
		return Entry{}, errors.New("at_ms is missing")
	case *raw.AtMs < 0 || *raw.AtMs > maxAtMs:
		return Entry{}, fmt.Errorf("at_ms %d is out of range", *raw.AtMs)
	case raw.Op != Insert && raw.Op != Update:
		return Entry{}, fmt.Errorf("op %q is neither insert nor update", raw.Op)
	case raw.Table == "":
		return Entry{}, errors.New("table is missing")
	case len(raw.Row) == 0:
		return Entry{}, errors.New("row is missing")
	}
	for column, v := range raw.Row {
		v, err := value(v)
		if err != nil {
			return Entry{}, fmt.Errorf("column %q: %w", column, err)
		}
		raw.Row[column] = v
	}
	at := time.Duration(*raw.AtMs) * time.Millisecond
	return Entry{At: at, Op: raw.Op, Table: raw.Table, Row: raw.Row}, nil
}

func value(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, string:
		return v, nil
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return v.Float64()
		}
		return v.Int64()
	default:
		return nil, errors.New("want null, a text, a number or a boolean")
	}
}
