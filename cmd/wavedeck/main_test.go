package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// asProgram in the environment makes the test binary the program itself, so
// that tests have real processes and real signals.
const asProgram = "WAVEDECK_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" || len(os.Args) > 1 && slices.Contains([]string{"run", "guard", "hold"}, os.Args[1]) { // as an engine starts it
		main()
	}
	if dir := os.Getenv(asStarter); dir != "" {
		fmt.Fprintln(os.Stderr, startHere(dir))
		os.Exit(exitError)
	}
	if os.Getenv(asPlayer) != "" {
		if err := playHere(os.Args[1:], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(exitError)
		}
		os.Exit(exitOK)
	}
	os.Exit(inState(m.Run))
}

// inState runs the tests with a state folder of their own, not that of whoever runs them.
func inState(tests func() int) int {
	dir, err := os.MkdirTemp("", "wavedeck-test-state-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitError
	}
	defer os.RemoveAll(dir)
	if err := os.Setenv("XDG_STATE_HOME", dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitError
	}
	if err := standInAdapter(filepath.Join(dir, "bin")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitError
	}
	return tests()
}

// standInAdapter puts a program on PATH in place of the adapter that the projects of
// the tests name: without one every start with a persona is refused before the click.
// It does no work and fails, as an agent without an account would.
func standInAdapter(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	script := "#!/bin/sh\necho 'claude: no account' >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(dir, "claude"), []byte(script), 0o755); err != nil {
		return err
	}
	return os.Setenv("PATH", os.Getenv("PATH")+string(os.PathListSeparator)+dir)
}

// patience is how long a test waits for what must come; it is no measure.
const patience = 90 * time.Second

// buffer may be read while a program writes to it.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// program is a running process of the program that serves.
type program struct {
	cmd    *exec.Cmd
	url    string // with a slash at its end
	stderr *buffer
	done   chan struct{} // closed when it has ended
}

// start runs the program until the test ends, and waits for its address.
func start(t testing.TB, args ...string) *program {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return startWith(t, exec.Command(self, args...))
}

// startWith is start with a command that names the program and says how to run it.
func startWith(t testing.TB, cmd *exec.Cmd) *program {
	t.Helper()
	p := &program{cmd: cmd, stderr: &buffer{}, done: make(chan struct{})}
	cmd.Args = append(cmd.Args, "--search-within=1m") // however busy the machine is
	cmd.Env = append(os.Environ(), asProgram+"=1")
	p.cmd.Stderr = p.stderr
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
	address := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(stdout).ReadString('\n')
		address <- strings.TrimSpace(line)
		_, _ = io.Copy(io.Discard, stdout)
		_ = p.cmd.Wait()
		close(p.done)
	}()
	select {
	case p.url = <-address:
	case <-time.After(patience):
	}
	if !strings.HasPrefix(p.url, "http") {
		t.Fatalf("no address on stdout but %q; stderr: %s", p.url, p.stderr)
	}
	return p
}

// runHere runs the program in this process, to its end.
func runHere(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, err buffer
	code = run(ctx, args, stdio{strings.NewReader(""), &out, &err})
	return code, out.String(), err.String()
}

func TestMistakesAreToldInOneLine(t *testing.T) {
	empty := t.TempDir()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	file := filepath.Join(empty, "plain.txt")
	if err := os.WriteFile(file, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(empty, "folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}

	for _, test := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"an unknown flag", []string{"serve", "--no-such-flag"}, exitUsage, "--no-such-flag"},
		{"an unknown flag without a command", []string{"--no-such-flag"}, exitUsage, "--no-such-flag"},
		{"an unknown command", []string{"sing"}, exitUsage, "sing"},
		{"a port that is no number", []string{"--port", "http"}, exitUsage, "http"},
		{"a port beyond the last", []string{"--port", "65536"}, exitUsage, "65536"},
		{"an unknown log format", []string{"--log-format", "xml"}, exitUsage, "log-format"},
		{"an address that is none", []string{"--bind", "here"}, exitUsage, "not an IP address"},
		{"a certificate without its key", []string{"--tls-cert", file}, exitUsage, "--tls-key"},
		{"a certificate that is none", []string{"--project", empty, "--tls-cert", file, "--tls-key", file}, exitError, "read certificate"},
		{"a token with a space", []string{"--token", "a b"}, exitUsage, "no space"},
		{"a name with a port", []string{"--host", "deck.example:8080"}, exitUsage, "not a host name"},
		{"a base path with dots", []string{"--base-path", "/../x"}, exitUsage, "not a plain path"},
		{"a base path that is another host", []string{"--base-path", "//evil.example"}, exitUsage, "not a plain path"},
		{"a base path with markup", []string{"--base-path", `/"><script>`}, exitUsage, "not a plain path"},
		{"a base path with a query", []string{"--base-path", "/a?b"}, exitUsage, "not a plain path"},
		{"a base path with an escape", []string{"--base-path", "/%2e%2e"}, exitUsage, "not a plain path"},
		{"an embedding site with a path", []string{"--embed-origins", "https://portal.example/x"}, exitUsage, "exact and without a path"},
		{"every embedding site", []string{"--embed-origins", "*"}, exitUsage, "not an origin"},
		{"a pattern of embedding sites", []string{"--cors-origins", "https://*.example"}, exitUsage, "not an origin"},
		{"a short key", []string{"--embed-key", "secret"}, exitUsage, "fewer than 32 characters"},
		{"a proxy that is a name", []string{"--trusted-proxy", "proxy.example"}, exitUsage, "not a network"},
		{"a public address with a path", []string{"--public-url", "https://wave.example/deck"}, exitUsage, "not an origin"},
		{"a project that does not exist", []string{"--project", filepath.Join(empty, "none")}, exitError, "no such directory"},
		{"a project that is a file", []string{"--project", file}, exitError, "not a directory"},
		{"a manifest that is a folder", []string{"--project", empty, "--manifest", folder}, exitError, "not a file"},
		{"a port in use", []string{"--project", empty, "--port", port}, exitError, "the port is in use"},
		{"a demo folder that holds something", []string{"demo", "--port", "0", "--dir", empty}, exitError, "is not empty"},
		{"doctor without a project", []string{"doctor", "--project", filepath.Join(empty, "none")}, exitError, "no such directory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := runHere(t, test.args...)
			if code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if stdout != "" {
				t.Errorf("stdout %q, want none", stdout)
			}
			if !strings.HasPrefix(stderr, "wavedeck: ") || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, test.says) {
				t.Errorf("stderr %q, want one line with %q", stderr, test.says)
			}
		})
	}
}

func TestDataFolder(t *testing.T) {
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	one, other := dataFlags{}.at("/src/acme shop"), dataFlags{}.at("/old/acme shop")
	if one.Data == other.Data {
		t.Error("two projects have one folder")
	}
	for _, f := range []dataFlags{one, other} {
		if dir, name := filepath.Split(f.Data); dir != filepath.Join(state, "wavedeck")+"/" || !strings.HasPrefix(name, "acme-shop-") {
			t.Errorf("folder %s", f.Data)
		}
	}
	if again := (dataFlags{}).at("/src/acme shop"); again.Data != one.Data {
		t.Errorf("%v, then %v", one, again)
	}
	if named := (dataFlags{Data: "/x"}).at("/src/shop"); named.Data != "/x" {
		t.Errorf("folder %s, not the one that was named", named.Data)
	}
	t.Setenv("XDG_STATE_HOME", "relative")
	t.Setenv("HOME", "/home/me")
	if f := (dataFlags{}).at("/"); !strings.HasPrefix(f.Data, "/home/me/.local/state/wavedeck/") {
		t.Errorf("folder %s", f.Data)
	}
	t.Setenv("HOME", "")
	if f := (dataFlags{}).at("/src/shop"); f.Data != "" {
		t.Errorf("folder %s without a home", f.Data)
	}
}

func TestBasePath(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "/": "", "deck": "/deck", "/deck": "/deck", "/deck/": "/deck", "/a/b-c.d~e_f": "/a/b-c.d~e_f",
	} {
		var got basePath
		if err := got.UnmarshalText([]byte(in)); err != nil || string(got) != want {
			t.Errorf("%q becomes %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("WAVEDECK_BIND", "10.0.0.x")
	if code, _, stderr := runHere(t, "serve"); code != exitUsage || !strings.Contains(stderr, "10.0.0.x") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}
