package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"wavedeck/store/statedb"
	"wavedeck/store/tape"
)

// asPlayer in the environment makes the test binary a second process that
// writes to a state database, as Wave is beside the server: it plays the tape on
// its stdin and tells each commit on its stdout. Arguments: the database, the
// speed, and when the recording is to have begun, in unix nanoseconds or 0.
const asPlayer = "WAVEDECK_TEST_AS_PLAYER"

// commit is what a player tells.
type commit struct {
	At    int64  `json:"at"` // unix nanoseconds when the commit had returned
	Table string `json:"table"`
	ID    int64  `json:"id"` // of the row, where it has one
	Run   string `json:"run"`
}

func playHere(args []string, in io.Reader, out io.Writer) (err error) {
	if len(args) != 3 {
		return fmt.Errorf("player: %d arguments", len(args))
	}
	speed, err := strconv.ParseFloat(args[1], 64)
	if err != nil {
		return err
	}
	nanoseconds, err := strconv.ParseInt(args[2], 10, 64)
	if err != nil {
		return err
	}
	entries, err := tape.Read(in)
	if err != nil {
		return err
	}
	ctx := context.Background()
	db, err := statedb.Open(ctx, args[0], "foreign_keys(0)")
	if err != nil {
		return err
	}
	defer db.Close()
	o := tape.Options{Speed: speed}
	if nanoseconds != 0 {
		o.Begin = time.Unix(0, nanoseconds)
	}
	encoder := json.NewEncoder(out)
	var told error
	o.Committed = func(e tape.Entry) {
		c := commit{At: time.Now().UnixNano(), Table: e.Table}
		c.ID, _ = e.Row["id"].(int64)
		c.Run, _ = e.Row["run_id"].(string)
		if err := encoder.Encode(c); err != nil {
			told = err
		}
	}
	if err := tape.Play(ctx, db, entries, o); err != nil {
		return err
	}
	return told
}

// recording is a tape as text, one change a line.
type recording []byte

// of keeps the lines about runs for which keep says so, and all that have no run.
func (r recording) of(t testing.TB, keep func(run string) bool) recording {
	t.Helper()
	var kept recording
	for line := range bytes.Lines(r) {
		var e struct {
			Row struct {
				Run  string `json:"run_id"`
				Step string `json:"pipeline_id"` // of a step_state: the run's id
			} `json:"row"`
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		if keep(e.Row.Run + e.Row.Step) {
			kept = append(kept, line...)
		}
	}
	return kept
}

// split parts a tape after its first n lines.
func (r recording) split(n int) (first, rest recording) {
	at := 0
	for line := range bytes.Lines(r) {
		if n--; n < 0 {
			break
		}
		at += len(line)
	}
	return r[:at:at], r[at:]
}

// add puts a change at the end, at a time since the recording began.
func (r *recording) add(at time.Duration, op tape.Op, table string, row statedb.Row) {
	line, err := json.Marshal(map[string]any{"at_ms": at.Milliseconds(), "op": op, "table": table, "row": row})
	if err != nil {
		panic(err) // rows of tests hold texts and numbers
	}
	*r = append(append(*r, line...), '\n')
}

// player is a process that plays a tape.
type player struct {
	cmd    *exec.Cmd
	stderr buffer
	done   chan struct{} // closed when it has ended
	err    error         // how, once done is closed

	mu      sync.Mutex
	commits []commit
}

// play starts playing into the database. The times of rows are moved so that
// the recording began at begin; the zero time leaves them.
func play(t testing.TB, database string, r recording, speed float64, begin time.Time) *player {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	began := int64(0)
	if !begin.IsZero() {
		began = begin.UnixNano()
	}
	p := &player{done: make(chan struct{})}
	p.cmd = exec.Command(self, database, strconv.FormatFloat(speed, 'g', -1, 64), strconv.FormatInt(began, 10))
	p.cmd.Env = append(os.Environ(), asPlayer+"=1")
	p.cmd.Stdin = bytes.NewReader(r)
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
	})
	go func() {
		defer close(p.done)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			var c commit
			if json.Unmarshal(lines.Bytes(), &c) == nil {
				p.mu.Lock()
				p.commits = append(p.commits, c)
				p.mu.Unlock()
			}
		}
		p.err = p.cmd.Wait()
	}()
	return p
}

// sent is what was committed so far.
func (p *player) sent() []commit {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clip(p.commits)
}

// await waits for n commits.
func (p *player) await(t testing.TB, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d changes are committed", n), func() bool { return len(p.sent()) >= n })
}

// end waits until everything is committed.
func (p *player) end(t testing.TB) []commit {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(2 * patience):
		t.Fatal("the player does not end")
	}
	if p.err != nil {
		t.Fatalf("play: %v: %s", p.err, strings.TrimSpace(p.stderr.String()))
	}
	return p.sent()
}
