package control

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"wavedeck/store"
	"wavedeck/store/sqlite"
	"wavedeck/store/statedb"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

// readerOf derives what the database at path says.
func readerOf(t *testing.T, path string, opt store.Options) *store.Reader {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return store.NewReader(store.RowsOf(db), opt)
}

// openControl returns the write side of the database at path, which waits only
// a little for a lock.
func openControl(t *testing.T, path string) *Control {
	t.Helper()
	c := Open(func() string { return path })
	c.busy = 200 * time.Millisecond
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestARunIsReservedAsWaveDoes(t *testing.T) {
	for _, version := range []int{statedb.Oldest, 8, 23, statedb.Latest} {
		t.Run(fmt.Sprintf("in schema %d", version), func(t *testing.T) {
			b := storetest.NewVersion(t, version)
			c := openControl(t, b.Path)
			id, created, err := c.CreateRun(t.Context(), NewRun{Pipeline: "fix", Input: "x'\n", Parent: "old", ParentStep: "plan", Kind: "resume", Tags: []string{"a"}}, 5)
			if err != nil || !created {
				t.Fatal(err)
			}
			if !strings.HasPrefix(id, "fix-"+time.Now().Format("20060102-")) || len(id) != len("fix-20060102-150405-ffff") {
				t.Errorf("id %q", id)
			}
			if err := c.SetPID(t.Context(), id, 4711); err != nil {
				t.Error(err)
			}
			d := readerOf(t, b.Path, store.Options{Alive: func(int) bool { return true }})
			runs, err := d.RunsByID(t.Context(), []string{id})
			if err != nil || len(runs) != 1 {
				t.Fatal(runs, err)
			}
			if r := runs[0]; r.State != wave.Pending || r.Pipeline != "fix" || r.Input != "x'\n" || version == statedb.Latest && (r.Parent != "old" || r.Kind != "resume" || r.PID != 4711 || r.Tags[0] != "a") {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestTheSameRunIsReservedOnce(t *testing.T) {
	b := storetest.New(t)
	c := openControl(t, b.Path)
	n := NewRun{ID: "r-1", Pipeline: "fix", Input: "x"}
	for want := range 2 {
		if id, created, err := c.CreateRun(t.Context(), n, 1); err != nil || id != "r-1" || created != (want == 0) {
			t.Errorf("%q, %v, %v", id, created, err)
		}
	}
	n.Input = "y"
	if _, _, err := c.CreateRun(t.Context(), n, 0); !errors.Is(err, ErrTaken) {
		t.Error(err)
	}
}

func TestNoMoreRunsStartThanMay(t *testing.T) {
	b := storetest.New(t)
	b.Run(storetest.Run{ID: "old", Status: "running", Start: time.Now().Add(-301 * time.Second)})
	c := openControl(t, b.Path)
	c.busy = 5 * time.Second
	var mu sync.Mutex
	started, refused := 0, 0
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			_, _, err := c.CreateRun(t.Context(), NewRun{Pipeline: "fix"}, 5)
			var limit *LimitError
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				started++
			case errors.As(err, &limit) && limit.Active == 5:
				refused++
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if started != 5 || refused != 45 {
		t.Errorf("%d started, %d refused", started, refused)
	}
}

func TestARequestToStop(t *testing.T) {
	b := storetest.New(t)
	c := openControl(t, b.Path)
	open := b.Run(storetest.Run{Status: "running"})
	done := b.Run(storetest.Run{Status: "completed"})
	t.Run("is kept with its first time, and force is added", func(t *testing.T) {
		c.now = func() time.Time { return time.Unix(1000, 0) }
		for i, force := range []bool{false, true, false} {
			if err := c.RequestCancellation(t.Context(), open, force); err != nil {
				t.Fatal(i, err)
			}
			c.now = time.Now
		}
		var row struct {
			At    int64 `db:"requested_at"`
			Force bool  `db:"force"`
		}
		if err := b.DB.Get(&row, `SELECT requested_at, force FROM cancellation WHERE run_id = ?`, open); err != nil || row.At != 1000 || !row.Force {
			t.Errorf("%+v, %v", row, err)
		}
	})
	t.Run("of a run that has ended is refused", func(t *testing.T) {
		if err := c.RequestCancellation(t.Context(), done, false); !errors.Is(err, ErrEnded) {
			t.Error(err)
		}
	})
	t.Run("of no run is refused", func(t *testing.T) {
		if err := c.RequestCancellation(t.Context(), "nobody", false); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
	})
}

// restSQL reads what belongs to a run beside its own row.
const restSQL = `SELECT (SELECT group_concat(step_id || '=' || state || CASE WHEN completed_at > 0 THEN '!' ELSE '' END, ' ')
	FROM (SELECT step_id, state, completed_at FROM step_state WHERE pipeline_id = ?1 ORDER BY step_id))
|| ' ' || (SELECT status FROM pipeline_state WHERE pipeline_id = ?1) || ' ' || (SELECT count(*) FROM cancellation WHERE run_id = ?1)`

func TestClosingARun(t *testing.T) {
	b := storetest.New(t)
	c := openControl(t, b.Path)
	pending := b.Run(storetest.Run{Status: "pending"})
	running := b.Run(storetest.Run{Status: "running"})
	b.Insert("pipeline_state", statedb.Row{"pipeline_id": running, "pipeline_name": running, "status": "running", "created_at": 1, "updated_at": 1})
	done := b.Run(storetest.Run{Status: "completed"})
	status := func(id string) (s string) {
		if err := b.DB.Get(&s, `SELECT status || ':' || COALESCE(current_step, '') FROM pipeline_run WHERE run_id = ?`, id); err != nil {
			t.Error(err)
		}
		return s
	}
	t.Run("one that never began can be given up", func(t *testing.T) {
		if closed, err := c.AbandonRun(t.Context(), pending, "no process"); !closed || err != nil || status(pending) != "failed:no process" {
			t.Error(closed, err, status(pending))
		}
	})
	t.Run("one that has begun is not given up", func(t *testing.T) {
		if closed, err := c.AbandonRun(t.Context(), running, "no process"); closed || err != nil || !strings.HasPrefix(status(running), "running") {
			t.Error(closed, err, status(running))
		}
	})
	t.Run("an orphan is told as lost", func(t *testing.T) {
		for step, state := range map[string]string{"a": "completed", "b": "running", "c": "retrying", "d": "failed", "e": "pending"} {
			b.Insert("step_state", statedb.Row{"step_id": step, "pipeline_id": running, "state": state})
		}
		if err := c.CloseRun(t.Context(), running, wave.ReasonGone+": signal: killed; it printed:\nmuch"); err != nil {
			t.Fatal(err)
		}
		d, err := readerOf(t, b.Path, store.Options{}).Detail(t.Context(), running)
		if err != nil {
			t.Fatal(err)
		}
		if d.Run.State != wave.Lost {
			t.Errorf("%+v", d.Run)
		}
		told := map[string]wave.State{}
		for _, s := range d.Steps {
			told[s.ID] = s.State
		}
		if told["a"] != wave.Succeeded || told["b"] != wave.Lost || told["c"] != wave.Lost || told["d"] != wave.Failed || told["e"] != wave.Skipped {
			t.Errorf("its steps are told as %v", told)
		}
		var rest string
		if err := b.DB.Get(&rest, restSQL, running); err != nil || rest != "a=completed b=failed! c=failed! d=failed e=pending failed 0" {
			t.Errorf("left %q, %v", rest, err)
		}
	})
	t.Run("one that was stopped is closed as Wave closes one that is interrupted", func(t *testing.T) {
		run := b.Run(storetest.Run{Status: "running"})
		b.Insert("pipeline_state", statedb.Row{"pipeline_id": run, "pipeline_name": run, "status": "running", "created_at": 1, "updated_at": 1})
		for step, state := range map[string]string{"a": "completed", "b": "running", "c": "retrying", "d": "failed"} {
			b.Insert("step_state", statedb.Row{"step_id": step, "pipeline_id": run, "state": state})
		}
		if err := c.RequestCancellation(t.Context(), run, true); err != nil {
			t.Fatal(err)
		}
		if err := c.CancelRun(t.Context(), run); err != nil || status(run) != "cancelled:pipeline cancelled" {
			t.Error(err, status(run))
		}
		var rest string
		if err := b.DB.Get(&rest, restSQL+`
|| ' ' || (SELECT cancelled_at = completed_at AND COALESCE(error_message, '') = '' FROM pipeline_run WHERE run_id = ?1)`, run); err != nil ||
			rest != "a=completed b=cancelled! c=cancelled! d=failed cancelled 0 1" {
			t.Error(rest, err)
		}
	})
	t.Run("an end that is recorded stands", func(t *testing.T) {
		if err := errors.Join(c.CloseRun(t.Context(), done, "x"), c.CancelRun(t.Context(), done), c.CorrectStopped(t.Context(), done)); err != nil || !strings.HasPrefix(status(done), "completed") {
			t.Error(err, status(done))
		}
	})
}

func TestALockedDatabaseIsTold(t *testing.T) {
	b := storetest.New(t)
	run := b.Run(storetest.Run{Status: "running"})
	c := openControl(t, b.Path)
	if runs, err := c.Derived(t.Context(), run, "none"); err != nil || len(runs) != 1 || runs[0].Status != "running" {
		t.Fatal(runs, err)
	}
	holder, err := statedb.Open(t.Context(), b.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	tx, err := holder.BeginTxx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.RequestCancellation(t.Context(), run, false); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	if _, _, err := c.CreateRun(t.Context(), NewRun{Pipeline: "fix"}, 0); !errors.Is(err, ErrBusy) {
		t.Error(err)
	}
	t.Run("a caller that leaves is not told that it was busy", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.RequestCancellation(ctx, run, false); errors.Is(err, ErrBusy) || !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	var rows int
	if err := b.DB.Get(&rows, `SELECT (SELECT count(*) FROM cancellation) + (SELECT count(*) FROM pipeline_run)`); err != nil || rows != 1 {
		t.Errorf("%d rows, %v", rows, err)
	}
	if err := c.RequestCancellation(t.Context(), run, false); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

func TestADatabaseThatIsReplacedIsWrittenAnew(t *testing.T) {
	path := storetest.New(t).Path
	c := openControl(t, path)
	if _, _, err := c.CreateRun(t.Context(), NewRun{ID: "one", Pipeline: "fix"}, 0); err != nil {
		t.Fatal(err)
	}
	other := storetest.New(t)
	if err := other.DB.Close(); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		_ = os.Remove(path + suffix)
	}
	if err := os.Rename(other.Path, path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.CreateRun(t.Context(), NewRun{ID: "two", Pipeline: "fix"}, 0); err != nil {
		t.Fatal(err)
	}
	d := readerOf(t, path, store.Options{})
	runs, err := d.RunsByID(t.Context(), []string{"one", "two"})
	if err != nil || len(runs) != 1 || runs[0].ID != "two" {
		t.Errorf("%+v, %v", runs, err)
	}
}

func TestWithoutADatabaseNothingIsWritten(t *testing.T) {
	path := t.TempDir() + "/state.db"
	c := openControl(t, path)
	if _, _, err := c.CreateRun(t.Context(), NewRun{Pipeline: "fix"}, 0); !errors.Is(err, store.ErrUnavailable) {
		t.Error(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was made")
	}
}

func TestAWriteThatTheDiskRefusesSaysWhy(t *testing.T) {
	for name, c := range map[string]struct{ spoil, says string }{
		"no space":  {"PRAGMA max_page_count = 1", "no space left for"},
		"read-only": {"PRAGMA query_only = 1", "may not write"},
	} {
		t.Run(name, func(t *testing.T) {
			b := storetest.New(t)
			b.Run(storetest.Run{ID: "r"})
			err := openControl(t, b.Path).write(t.Context(), func(tx *sqlx.Tx, _ sqlite.Schema) error {
				if _, err := tx.Exec(c.spoil); err != nil {
					return err
				}
				_, err := tx.Exec("UPDATE pipeline_run SET input = hex(zeroblob(1000000))")
				return err
			})
			why, ok := errors.AsType[*UnwritableError](err)
			if !ok || !errors.Is(err, store.ErrUnavailable) || !strings.Contains(why.Reason, c.says) || !strings.Contains(why.Reason, b.Path) {
				t.Errorf("got %v", err)
			}
		})
	}
}
