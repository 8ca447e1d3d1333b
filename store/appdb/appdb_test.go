package appdb

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"go.uber.org/goleak"

	"wavedeck/store/dbfile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// openTest opens the database in dir until the test ends.
func openTest(t testing.TB, dir string) *DB {
	t.Helper()
	d := Open(t.Context(), dir)
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestOpen(t *testing.T) {
	t.Run("a folder that is not there is made, for this user only", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "a", "b")
		d := openTest(t, dir)
		if problem := d.Problem(); problem != "" {
			t.Fatal(problem)
		}
		for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "desk.db"): 0o600} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v, %v", path, info.Mode(), err)
			}
		}
	})
	t.Run("it keeps what it was given", func(t *testing.T) {
		dir := t.TempDir()
		first, err := openTest(t, dir).Fact(t.Context(), "key", func() []byte { return []byte("one") })
		if err != nil {
			t.Fatal(err)
		}
		second, err := openTest(t, dir).Fact(t.Context(), "key", func() []byte { return []byte("two") })
		if err != nil || !bytes.Equal(first, second) {
			t.Errorf("%q, then %q, %v", first, second, err)
		}
	})
	t.Run("many that open a new folder at once agree", func(t *testing.T) {
		dir := t.TempDir()
		values := make([]string, 8)
		var all sync.WaitGroup
		for i := range values {
			d := openTest(t, dir)
			all.Go(func() {
				value, err := d.Fact(t.Context(), "key", func() []byte { return []byte{byte('a' + i)} })
				if err != nil {
					t.Error(err)
				}
				values[i] = string(value)
			})
		}
		all.Wait()
		for _, v := range values {
			if v != values[0] {
				t.Errorf("%q", values)
			}
		}
	})
	t.Run("a file of a newer program is left alone", func(t *testing.T) {
		dir := t.TempDir()
		d := openTest(t, dir)
		if _, err := d.db.Exec(`PRAGMA user_version = 999`); err != nil {
			t.Fatal(err)
		}
		if problem := openTest(t, dir).Problem(); !strings.Contains(problem, "newer") {
			t.Errorf("problem %q", problem)
		}
	})
}

func TestUnusableFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := t.TempDir()
	if err := os.WriteFile(filepath.Join(damaged, "desk.db"), bytes.Repeat([]byte("no database "), 500), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ dir, says string }{
		"none":               {"", "--data"},
		"a file":             {file, "not a folder"},
		"below a file":       {filepath.Join(file, "x"), "not a folder"},
		"a damaged database": {damaged, "is damaged"},
		"a read-only place":  {"/proc/wavedeck", "--data"},
	} {
		t.Run(name, func(t *testing.T) {
			d := openTest(t, c.dir)
			if !strings.Contains(d.Problem(), c.says) {
				t.Errorf("problem %q", d.Problem())
			}
			_, err := d.Fact(t.Context(), "key", func() []byte { return nil })
			var unavailable *UnavailableError
			if !errors.As(err, &unavailable) || unavailable.Reason != d.Problem() {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("it is picked up when it becomes usable", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "place")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		d := openTest(t, path)
		if d.Problem() == "" {
			t.Fatal("no problem")
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		later := time.Now().Add(2 * retryAfter)
		d.now = func() time.Time { return later }
		if _, err := d.Fact(t.Context(), "key", func() []byte { return []byte("x") }); err != nil || d.Problem() != "" {
			t.Errorf("%v, %q", err, d.Problem())
		}
	})
}

// TestHeldByAnotherProcess: that is no fault of the console, and passes.
func TestHeldByAnotherProcess(t *testing.T) {
	d := openTest(t, t.TempDir())
	hasty, err := dbfile.Open(filepath.Join(d.Dir(), "desk.db"), 1, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer hasty.Close()
	err = d.write(t.Context(), func(*sqlx.Tx) error {
		_, err := hasty.BeginTxx(t.Context(), nil)
		return err
	})
	var unavailable *UnavailableError
	if !errors.As(err, &unavailable) || !strings.Contains(unavailable.Reason, "held by another process") {
		t.Errorf("got %v", err)
	}
}

func TestProblemOfAWriteThatTheDiskRefuses(t *testing.T) {
	dir := t.TempDir()
	d := openTest(t, dir)
	d.db.SetMaxOpenConns(1)
	large := strings.Repeat("x", 1<<20)
	for _, c := range []struct{ pragma, says string }{{"max_page_count = 1", "no space left for"}, {"max_page_count = 1000000", ""}, {"query_only = 1", "cannot be written"}, {"query_only = 0", ""}} {
		if _, err := d.db.Exec("PRAGMA " + c.pragma); err != nil {
			t.Fatal(err)
		}
		_, err := d.AddSavedView(t.Context(), "view of "+c.pragma, large)
		if (err != nil) != (c.says != "") || !strings.Contains(d.Problem(), c.says) || c.says == "" && d.Problem() != "" {
			t.Errorf("%s: %v, and the problem is %q", c.pragma, err, d.Problem())
		}
	}
	at := time.Now()
	d.now = func() time.Time { return at }
	for _, pragma := range []string{"query_only = 1", "query_only = 0"} {
		if _, err := d.db.Exec("PRAGMA " + pragma); err != nil {
			t.Fatal(err)
		}
		if pragma == "query_only = 1" {
			_, _ = d.AddSavedView(t.Context(), "lost", "")
		}
		at = at.Add(retryAfter)
		if _, err := d.SavedViews(t.Context()); err != nil || (d.Problem() != "") != (pragma == "query_only = 1") {
			t.Errorf("read after %s: %v, and the problem is %q", pragma, err, d.Problem())
		}
	}
	if err := d.audit.close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, auditName), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.Append(Entry{}); err == nil || d.Problem() == "" {
		t.Errorf("an entry that is not kept: %v, and the problem is %q", err, d.Problem())
	}
	if err := os.Remove(filepath.Join(dir, auditName)); err != nil {
		t.Fatal(err)
	}
	if err := d.Append(Entry{}); err != nil || d.Problem() != "" {
		t.Errorf("one that is kept: %v, and the problem is %q", err, d.Problem())
	}
}
