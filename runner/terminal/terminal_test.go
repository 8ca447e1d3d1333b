//go:build unix

package terminal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"wavedeck/runner"
)

// holds is the first argument of the test binary as a holder.
const holds = "hold-a-terminal"

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == holds {
		if err := Hold(context.Background(), os.NewFile(3, "terminal"), os.Args[2], true); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

const patience = 30 * time.Second

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !done() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited for %s", what)
		}
	}
}

// asked is a process that is asked at a terminal, and what it printed.
type asked struct {
	socket string
	cmd    *exec.Cmd
	holder *os.Process
	out    string
}

func newAsked(t *testing.T, script string) *asked {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	a := &asked{out: filepath.Join(dir, "out")}
	if a.socket, err = Sockets(filepath.Join(dir, "g")).Path("db", "run"); err != nil {
		t.Fatal(err)
	}
	input, holder, err := Open([]string{self, holds}, os.Environ(), a.socket)
	if err != nil {
		t.Skipf("this machine has no terminals: %v", err)
	}
	a.holder = holder
	a.cmd = exec.Command("sh", "-c", script, a.out)
	a.cmd.Stdin = input
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = input.Close()
	t.Cleanup(func() {
		_ = a.cmd.Process.Kill()
		_ = a.cmd.Wait()
		_, _ = holder.Wait() // it ends by itself
	})
	await(t, "the holder", func() bool { _, err := Look(t.Context(), a.socket); return err == nil })
	return a
}

// printed waits for what the process printed until it ended.
func (a *asked) printed(t *testing.T) string {
	t.Helper()
	if err := a.cmd.Wait(); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(a.out)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

const twoLines = `test -t 0 || exit 3; IFS= read -r a; IFS= read -r b; printf '%s|%s' "$a" "$b" > "$0"`

func TestAnAnswerIsTyped(t *testing.T) {
	a := newAsked(t, twoLines)
	if info, err := os.Stat(a.socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket: %v, %v", info.Mode(), err)
	}
	notes := strings.Repeat("é", 900) + ` $(x) "'\ {{ .X }}`
	given := runner.Answer{Gate: 7, Step: "approve", Choice: "s", Text: notes, Asks: true, Who: "ada", At: time.Unix(1, 0).UTC()}
	first, err := Give(t.Context(), a.socket, given)
	if err != nil || first != given {
		t.Errorf("%+v, %v", first, err)
	}
	if got, want := a.printed(t), "s|"+notes; got != want {
		t.Errorf("it read %q, want %q", got, want)
	}
	await(t, "the socket to be gone with the process", func() bool {
		_, err := Look(t.Context(), a.socket)
		return errors.Is(err, runner.ErrNoTerminal)
	})
}

func TestOneAnswerOfManyIsTyped(t *testing.T) {
	a := newAsked(t, twoLines)
	var all sync.WaitGroup
	got := make([]runner.Answer, 20)
	for i := range got {
		all.Go(func() {
			var err error
			if got[i], err = Give(t.Context(), a.socket, runner.Answer{Gate: 7, Choice: fmt.Sprintf("c%d", i), Who: fmt.Sprintf("p%d", i)}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, first := range got {
		if first != got[0] {
			t.Errorf("%+v and %+v were both first", first, got[0])
		}
	}
	if given, err := Look(t.Context(), a.socket); err != nil || len(given.Answers) != 1 || given.Answers[0] != got[0] || !given.TakesDefaults {
		t.Errorf("it remembers %+v, %v", given, err)
	}
	if _, err := Give(t.Context(), a.socket, runner.Answer{Gate: 8, Choice: "next"}); err != nil { // of another gate
		t.Error(err)
	}
	if read, want := a.printed(t), got[0].Choice+"|next"; read != want {
		t.Errorf("it read %q, want %q", read, want)
	}
}

func TestNothingElseIsTyped(t *testing.T) {
	a := newAsked(t, twoLines)
	for name, answer := range map[string]runner.Answer{
		"a line end in the choice":     {Gate: 1, Choice: "s\nx"},
		"a line end in the text":       {Gate: 1, Choice: "s", Text: "a\nb", Asks: true},
		"an escape":                    {Gate: 1, Choice: "s", Text: "\x1b]0;x\a"},
		"a byte that ends a terminal":  {Gate: 1, Choice: "\x04"},
		"more than is taken at once":   {Gate: 1, Choice: "s", Text: strings.Repeat("x", runner.MaxNotes+1)},
		"a choice longer than any key": {Gate: 1, Choice: strings.Repeat("x", runner.MaxChoiceKey+1)},
	} {
		if first, err := Give(t.Context(), a.socket, answer); err == nil {
			t.Errorf("%s was taken: %+v", name, first)
		}
	}
	for _, line := range []string{"", "x", `{"op":"quit"}`, strings.Repeat("x", 2*maxRequest)} {
		conn, err := net.Dial("unix", a.socket)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintln(conn, line) // it may be cut off
		_ = conn.Close()
	}
	if err := Nudge(t.Context(), a.socket); err != nil {
		t.Error(err)
	}
	if _, err := Give(t.Context(), a.socket, runner.Answer{Gate: 1, Choice: "s"}); !errors.Is(err, runner.ErrStopping) {
		t.Errorf("a run that is being stopped is answered: %v", err)
	}
	if err := Nudge(t.Context(), a.socket); err != nil {
		t.Error(err)
	}
	if read := a.printed(t); read != "|" {
		t.Errorf("it read %q", read)
	}
}

// TestALongFolder: the path of a socket has a limit that a folder may exceed.
func TestALongFolder(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	deep := Sockets(filepath.Join(t.TempDir(), strings.Repeat("d", 120), "gates"))
	one, err := deep.Path("db", "run")
	if err != nil || len(one) > maxPath || !strings.HasPrefix(one, os.Getenv("XDG_RUNTIME_DIR")) {
		t.Fatalf("%q, %v", one, err)
	}
	if again, _ := deep.Path("db", "run"); again != one {
		t.Errorf("%q, then %q", one, again)
	}
	for _, other := range []struct{ db, run string }{{"db2", "run"}, {"db", "run2"}} {
		if path, _ := deep.Path(other.db, other.run); path == one {
			t.Errorf("%v has the same", other)
		}
	}
	if err := os.Chmod(filepath.Dir(one), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := deep.Path("db", "run"); err == nil {
		t.Error("a folder that everybody can write to is used")
	}
}

func TestSocketsNobodyListensAtAreRemoved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "g")
	path, err := Sockets(dir).Path("db", "run")
	if err != nil {
		t.Fatal(err)
	}
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	_ = left.Close()
	used, err := net.Listen("unix", path+"2")
	if err != nil {
		t.Fatal(err)
	}
	defer used.Close()
	Sockets(dir).Sweep(t.Context())
	if _, err := os.Stat(path); err != nil {
		t.Errorf("one that was only just made: %v", err)
	}
	for _, old := range []string{path, path + "2"} {
		if err := os.Chtimes(old, time.Time{}, time.Now().Add(-2*sweepAfter)); err != nil {
			t.Fatal(err)
		}
	}
	Sockets(dir).Sweep(t.Context())
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	if _, err := os.Stat(path + "2"); err != nil {
		t.Errorf("one that is used: %v", err)
	}
}
