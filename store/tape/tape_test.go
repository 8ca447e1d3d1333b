package tape_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
	"wavedeck/store/tape"
)

const started = `{"at_ms": 5, "op": "insert", "table": "event_log", "row": {"run_id": "r", "timestamp": 7, "state": "started"}}`

func TestRead(t *testing.T) {
	got, err := tape.Read(strings.NewReader("\n" + started + "\r\n\n" +
		`{"at_ms":5,"op":"update","table":"t","row":{"id":9007199254740993,"a":null,"b":true,"c":1.5,"d":"日本"}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []tape.Entry{
		{Line: 2, At: 5 * time.Millisecond, Op: tape.Insert, Table: "event_log",
			Row: statedb.Row{"run_id": "r", "timestamp": int64(7), "state": "started"}},
		{Line: 4, At: 5 * time.Millisecond, Op: tape.Update, Table: "t",
			Row: statedb.Row{"id": int64(9007199254740993), "a": nil, "b": true, "c": 1.5, "d": "日本"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got, err := tape.Read(strings.NewReader("")); err != nil || len(got) != 0 {
		t.Errorf("of an empty tape: %v, %v", got, err)
	}
}

func TestReadNamesTheLine(t *testing.T) {
	for name, line := range map[string]string{
		"text that is not JSON":   `at_ms`,
		"a line cut short":        started[:40],
		"two values":              started + started,
		"an unknown field":        strings.Replace(started, `"op"`, `"ops"`, 1),
		"an unknown operation":    strings.Replace(started, `insert`, `delete`, 1),
		"no moment":               strings.Replace(started, `"at_ms": 5, `, ``, 1),
		"a moment before":         strings.Replace(started, `5`, `4`, 1),
		"a moment below zero":     strings.Replace(started, `5`, `-1`, 1),
		"a moment out of range":   strings.Replace(started, `5`, `9223372036854775807`, 1),
		"no table":                strings.Replace(started, `event_log`, ``, 1),
		"an empty row":            `{"at_ms": 5, "op": "insert", "table": "event_log", "row": {}}`,
		"a row that is a list":    `{"at_ms": 5, "op": "insert", "table": "event_log", "row": []}`,
		"a value that is a list":  strings.Replace(started, `7`, `[7]`, 1),
		"a value that is a table": strings.Replace(started, `7`, `{"seven": 7}`, 1),
		"an integer too large":    strings.Replace(started, `7`, `9223372036854775808`, 1),
		"a number too large":      strings.Replace(started, `7`, `1e999`, 1),
		"a line too long":         strings.Replace(started, `started`, strings.Repeat("x", tape.MaxLine), 1),
	} {
		_, err := tape.Read(strings.NewReader(started + "\n\n" + line + "\n" + started))
		if err == nil || !strings.HasPrefix(err.Error(), "tape line 3: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadStopsAtItsLimit(t *testing.T) {
	_, err := tape.Read(strings.NewReader(strings.Repeat(started+"\n", tape.MaxEntries+1)))
	if want := fmt.Sprintf("tape line %d: ", tape.MaxEntries+1); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}

// FuzzRead checks that what Read accepts keeps the promises of Entry.
func FuzzRead(f *testing.F) {
	text, err := os.ReadFile("../storetest/testdata/tape.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		f.Add([]byte(line))
	}
	f.Add([]byte(started + "\n" + started))
	f.Fuzz(func(t *testing.T, text []byte) {
		entries, err := tape.Read(strings.NewReader(string(text)))
		if err != nil {
			if entries != nil || !strings.HasPrefix(err.Error(), "tape line ") {
				t.Fatalf("%d entries with the error %v", len(entries), err)
			}
			return
		}
		var last time.Duration
		for _, e := range entries {
			if e.At < last || e.Line < 1 || e.Table == "" || len(e.Row) == 0 || e.Op != tape.Insert && e.Op != tape.Update {
				t.Fatalf("malformed entry %+v", e)
			}
			last = e.At
			for column, v := range e.Row {
				switch v.(type) {
				case nil, bool, string, int64, float64:
				default:
					t.Fatalf("column %q holds %T", column, v)
				}
			}
		}
		tape.Began(entries)
	})
}

func TestBegan(t *testing.T) {
	// The first run of the tape started in the second before, and was there already.
	began, ok := tape.Began(storetest.Tape(t))
	if got := began.Truncate(time.Second).Unix(); !ok || got != 1795394292 {
		t.Errorf("began %v, %v", got, ok)
	}
	if _, ok := tape.Began(nil); ok {
		t.Error("an empty tape began")
	}
}
