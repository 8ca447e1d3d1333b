package store

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wavedeck/store/statedb"
)

// writerEnv makes the test binary another process that writes to a database:
// its value is the path.
const writerEnv = "WAVEDECK_TEST_WRITER"

// inspectEnv makes it one that prints what Inspect tells of a database.
const inspectEnv = "WAVEDECK_TEST_INSPECT"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerEnv); path != "" {
		if err := writeAsTold(path, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if path := os.Getenv(inspectEnv); path != "" {
		in, err := Inspect(context.Background(), path)
		if err == nil {
			err = json.NewEncoder(os.Stdout).Encode(in)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// writeAsTold runs each line of in as SQL, one commit each, and answers with the
// unix nanoseconds at which it began.
func writeAsTold(path string, in io.Reader, out io.Writer) error {
	ctx := context.Background()
	db, err := statedb.Open(ctx, path)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		began := time.Now().UnixNano()
		if _, err := db.ExecContext(ctx, lines.Text()); err != nil {
			return fmt.Errorf("%s: %w", lines.Text(), err)
		}
		fmt.Fprintln(out, began)
	}
	return db.Close()
}

// writer is another process with its own connection to a database.
type writer struct {
	t       testing.TB
	stdin   *bufio.Writer
	close   func()
	answers *bufio.Scanner
}

func startWriter(t testing.TB, path string) *writer {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0]) // ends with its standard input
	cmd.Env = append(os.Environ(), writerEnv+"="+path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w := &writer{t: t, stdin: bufio.NewWriter(in), answers: bufio.NewScanner(out)}
	closed := false
	w.close = func() {
		if closed {
			return
		}
		closed = true
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("writer: %v", err)
		}
	}
	t.Cleanup(w.close)
	return w
}

// exec commits one statement and returns when that began.
func (w *writer) exec(query string, args ...any) int64 {
	w.t.Helper()
	fmt.Fprintf(w.stdin, strings.ReplaceAll(query, "\n", " ")+"\n", args...)
	if err := w.stdin.Flush(); err != nil {
		w.t.Fatal(err)
	}
	if !w.answers.Scan() {
		w.t.Fatalf("writer ended at %s", query)
	}
	began, err := strconv.ParseInt(w.answers.Text(), 10, 64)
	if err != nil {
		w.t.Fatal(err)
	}
	return began
}

// fakeClock is a clock that a test moves.
type fakeClock struct{ at atomic.Pointer[time.Time] }

func newFakeClock(at time.Time) *fakeClock {
	c := &fakeClock{}
	c.at.Store(&at)
	return c
}

func (c *fakeClock) now() time.Time { return *c.at.Load() }

func (c *fakeClock) advance(d time.Duration) {
	at := c.now().Add(d)
	c.at.Store(&at)
}
