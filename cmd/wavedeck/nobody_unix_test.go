//go:build unix

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
)

// startAsNobody starts the program as a user that owns nothing: root may read and
// write whatever its mode is. Whoever is not root is that user already.
func startAsNobody(t *testing.T, args ...string) *program {
	t.Helper()
	if os.Geteuid() != 0 {
		return start(t, args...)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	path := filepath.Join(sharedDir(t), "program")
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755) // to be run by another user
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	const nobody = 65534
	cmd := exec.Command(path, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return startWith(t, cmd)
}

// sharedDir is a temporary folder that every user may enter.
func sharedDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// foreignProject is a project with one run that every user may read and none but
// its owner may write.
func foreignProject(t *testing.T) (root, db string) {
	t.Helper()
	b := storetest.New(t)
	b.Run(storetest.Run{ID: "known"})
	root = sharedDir(t)
	db = storetest.StatePath(root)
	if err := os.Mkdir(filepath.Dir(db), 0o755); err != nil {
		t.Fatal(err)
	}
	b.Exec("VACUUM INTO ?", db)
	if err := os.Chmod(db, 0o644); err != nil {
		t.Fatal(err)
	}
	return root, db
}

// allow changes who may do what, until the test ends.
func allow(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(path, 0o755) })
}

func (p *program) healthz(t *testing.T) (answer struct{ Status, Database string }) {
	t.Helper()
	_, body := p.get(t, "healthz")
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return answer
}

func (p *program) lists(t *testing.T, run string) bool {
	t.Helper()
	_, body := p.get(t, "runs.txt")
	return strings.Contains(body, run)
}

func TestUnreadableAtStart(t *testing.T) {
	for name, c := range map[string]struct {
		before, after func(t *testing.T, db, kept string)
		says          string
	}{
		"a database that this user may not read": {
			func(t *testing.T, db, _ string) { allow(t, db, 0o000) },
			func(t *testing.T, db, _ string) { allow(t, db, 0o644) },
			"grant this user read on the file",
		},
		"a state folder that this user may not enter": {
			func(t *testing.T, db, _ string) { allow(t, filepath.Dir(db), 0o000) },
			func(t *testing.T, db, _ string) { allow(t, filepath.Dir(db), 0o755) },
			"permission denied",
		},
		"a folder": {
			func(t *testing.T, db, kept string) { rename(t, db, kept); makeDir(t, db) },
			func(t *testing.T, db, kept string) { remove(t, db); rename(t, kept, db) },
			"is not a file",
		},
		"an empty file": {
			func(t *testing.T, db, kept string) { rename(t, db, kept); write(t, db, "") },
			func(t *testing.T, db, kept string) { rename(t, kept, db) },
			"holds no runs",
		},
		"no database": {
			func(t *testing.T, db, kept string) {
				rename(t, db, kept)
				write(t, db, strings.Repeat("no database ", 100))
			},
			func(t *testing.T, db, kept string) { rename(t, kept, db) },
			"is not a SQLite database",
		},
		"nothing": {
			func(t *testing.T, db, kept string) { rename(t, db, kept) },
			func(t *testing.T, db, kept string) { rename(t, kept, db) },
			"there is no state database at",
		},
	} {
		t.Run(name+" is told and then picked up", func(t *testing.T) {
			root, db := foreignProject(t)
			kept := filepath.Join(root, "kept.db")
			c.before(t, db, kept)
			p := startAsNobody(t, "serve", "--project", root, "--db", db, "--port", "0")
			if status, page := p.get(t, ""); status != http.StatusOK || !strings.Contains(page, c.says) {
				t.Errorf("status %d, and the page does not say %q", status, c.says)
			}
			if status, body := p.get(t, "api/runs"); status != http.StatusServiceUnavailable || !strings.Contains(body, c.says) {
				t.Errorf("status %d: %s", status, body)
			}
			if got := p.healthz(t); got.Status != "degraded" {
				t.Errorf("healthz says %+v", got)
			}
			c.after(t, db, kept)
			eventually(t, "the run is listed", func() bool { return p.lists(t, "known") })
			if got := p.healthz(t); got.Status != "ok" {
				t.Errorf("healthz says %+v", got)
			}
		})
	}
}

func TestImmutableFileGetsAWriter(t *testing.T) {
	root, db := foreignProject(t)
	asWAL, err := statedb.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if err := asWAL.Close(); err != nil {
		t.Fatal(err)
	}
	allow(t, filepath.Dir(db), 0o555)
	p := startAsNobody(t, "serve", "--project", root, "--port", "0")
	eventually(t, "the run is listed", func() bool { return p.lists(t, "known") })
	if _, health := p.get(t, "api/health"); os.Geteuid() == 0 && !strings.Contains(health, `"read_mode":"immutable"`) {
		t.Fatalf("the file is not read as immutable: %s", health)
	}
	allow(t, filepath.Dir(db), 0o755)
	w := storetest.At(t, db)
	allow(t, filepath.Dir(db), 0o555)
	w.Run(storetest.Run{ID: "while-written"})
	eventually(t, "what is written is shown", func() bool { return p.lists(t, "while-written") })
	if _, health := p.get(t, "api/health"); !strings.Contains(health, `"read_mode":"read-only"`) {
		t.Errorf("the file is not read in the ordinary way: %s", health)
	}
	w.Run(storetest.Run{ID: "and-more"})
	eventually(t, "what is written next is shown", func() bool { return p.lists(t, "and-more") })
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func makeDir(t *testing.T, path string) {
	t.Helper()
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
