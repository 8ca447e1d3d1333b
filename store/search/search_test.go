package search

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"go.uber.org/goleak"

	"wavedeck/store"
	"wavedeck/store/criteria"
	"wavedeck/store/storetest"
	"wavedeck/store/wave"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bundle is an index of a database, built by hand.
type bundle struct {
	t     *testing.T
	store *store.Store
	x     *Index
}

// shownForTest hides what stands for a secret.
func shownForTest(text string) string {
	return strings.ReplaceAll(text, "hunter2", "[redacted: password]")
}

func setup(t *testing.T, path, dir string) *bundle {
	t.Helper()
	b := &bundle{t: t, store: follow(t, path)}
	b.ready()
	b.x = b.another(dir)
	return b
}

func (b *bundle) ready() {
	b.t.Helper()
	b.until("the database is open", func() bool { h := b.store.Health(); return h.Phase == store.Ready && h.Index.Ready })
}

func (b *bundle) until(what string, holds func() bool) {
	b.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(time.Minute); !holds(); {
		select {
		case <-late:
			b.t.Fatalf("waited too long until %s", what)
		case <-tick.C:
		}
	}
}

// another is a server's index in a folder.
func (b *bundle) another(dir string) *Index {
	x := Open(b.store, Options{Dir: dir, Shown: shownForTest, Form: "1"})
	b.t.Cleanup(func() {
		if err := x.Close(); err != nil {
			b.t.Error(err)
		}
	})
	return x
}

// build adds all that there is.
func (b *bundle) build() {
	b.t.Helper()
	built := builder{x: b.x}
	for more := true; more; {
		var err error
		if more, err = built.step(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
	}
}

// query reads words as the handlers do: "-word", "word*".
func query(words ...string) Query {
	var q Query
	for _, text := range words {
		text, not := strings.CutPrefix(text, "-")
		text, prefix := strings.CutSuffix(text, "*")
		w, ok := ParseWord(text, prefix, not)
		if !ok {
			panic(text)
		}
		q = append(q, w)
	}
	return q
}

// all are the ids of all hits, and the runs in the order they are found, over
// as many pages as it takes.
func (b *bundle) runs(q Query, f criteria.RunFilter) (runs []string) {
	b.t.Helper()
	var from Cursor
	for range 1000 {
		found, err := b.x.Find(b.t.Context(), q, f, from)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, r := range found.Runs {
			runs = append(runs, r.ID)
			if len(r.Hits) == 0 || len(r.Hits) > hitsShown {
				b.t.Errorf("%s has %d hits", r.ID, len(r.Hits))
			}
		}
		if found.Next == nil {
			return runs
		}
		again, err := ParseCursor(found.Next.String())
		if err != nil || again.String() != found.Next.String() {
			b.t.Fatalf("cursor %s becomes %s, %v", found.Next, again, err)
		}
		from = again
	}
	b.t.Fatal("the pages do not end")
	return nil
}

// wanted are the runs of the events that hold, by the newest of them, told from
// the database alone.
func wanted(t *testing.T, path string, holds func(run, message string) bool) (runs []string) {
	t.Helper()
	db, err := sqlx.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var events []struct {
		Run     string         `db:"run_id"`
		Message sql.NullString `db:"message"`
	}
	if err := db.Select(&events, `SELECT run_id, message FROM event_log ORDER BY id DESC`); err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if holds(e.Run, e.Message.String) && !slices.Contains(runs, e.Run) {
			runs = append(runs, e.Run)
		}
	}
	return runs
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %d runs %v\nwant %d %v", what, len(got), got, len(want), want)
	}
}

// TestFindsWhatTheDatabaseHolds compares with a walk through all messages that
// knows nothing of words: each has the text with no letter or digit beside it.
func TestFindsWhatTheDatabaseHolds(t *testing.T) {
	path := storetest.StatePath(storetest.Project(t))
	b := setup(t, path, t.TempDir())
	b.build()
	for _, words := range [][]string{
		{"contract"}, {"starting"}, {"go"}, {"read"}, {"bash"}, {"step"}, {"exit"}, {"status"}, {"failed", "step"},
		{"workspace root"}, {"exit status 1"}, {"input"}, {"steps completed"}, {"zzzz"}, {"completed", "-1"}, {"persona"},
	} {
		want := wanted(t, path, func(_, message string) bool {
			for _, w := range words {
				plain, not := strings.CutPrefix(w, "-")
				if hasWords(message, plain) == not {
					return false
				}
			}
			return true
		})
		for _, b.x.hasty = range []time.Duration{time.Minute, 0} { // at once, and by stretches
			same(t, strings.Join(words, " "), b.runs(query(words...), criteria.RunFilter{}), want)
		}
	}
}

// hasWords looks for a text between characters that are no letters and digits,
// in which every such stretch counts as one space.
func hasWords(message, text string) bool {
	plain := strings.FieldsFunc(strings.ToLower(message), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 127 && r != '…' && r != '—' && r != '·' && r != '→' && r != '✓' && r != '–' && r != '“' && r != '”')
	})
	return strings.Contains(" "+strings.Join(plain, " ")+" ", " "+text+" ")
}

func TestFilterChoosesTheRuns(t *testing.T) {
	b := storetest.New(t)
	const n = 60
	for i := range n {
		status := "completed"
		if i%7 == 0 {
			status = "failed"
		}
		run := b.Run(storetest.Run{Pipeline: fmt.Sprint("p", i%3), Status: status})
		for k := range 5 {
			b.Event(run, storetest.Event{Step: "work", State: "stream_activity", Message: fmt.Sprintf("Read file%d.go part %d", i%4, k)})
		}
	}
	x := setup(t, b.Path, t.TempDir())
	x.build()
	var failed []string
	if err := b.DB.Select(&failed, `SELECT run_id FROM pipeline_run WHERE status = 'failed' AND pipeline_name = 'p0'`); err != nil {
		t.Fatal(err)
	}
	f := criteria.RunFilter{States: []wave.State{wave.Failed}, Pipelines: []string{"p0"}}
	want := wanted(t, b.Path, func(run, message string) bool { return slices.Contains(failed, run) && hasWords(message, "file0") })
	same(t, "a narrow filter", x.runs(query("file0.go"), f), want)
	if len(want) == 0 {
		t.Fatal("nothing was looked for")
	}
	all := wanted(t, b.Path, func(_, message string) bool { return hasWords(message, "part") })
	same(t, "all, over pages", x.runs(query("part"), criteria.RunFilter{}), all)
	if len(all) != n {
		t.Errorf("%d of %d runs", len(all), n)
	}
	found, err := x.x.Find(t.Context(), query("part"), criteria.RunFilter{}, Cursor{})
	if err != nil || len(found.Runs) != runsShown || found.Runs[0].More != 5-hitsShown {
		t.Errorf("%d runs, %d more in the first, %v", len(found.Runs), found.Runs[0].More, err)
	}
}

// TestInterleavedRunsComeOnce has runs that write by turns: each page goes on
// among events of runs that were shown already.
func TestInterleavedRunsComeOnce(t *testing.T) {
	b := storetest.New(t)
	var runs []string
	for range 25 {
		runs = append(runs, b.Run(storetest.Run{}))
	}
	for k := range 20 {
		for i, run := range runs {
			if i <= k {
				b.Event(run, storetest.Event{Step: "s", State: "stream_activity", Message: "turn about"})
			}
		}
	}
	x := setup(t, b.Path, t.TempDir())
	x.build()
	want := wanted(t, b.Path, func(_, message string) bool { return message == "turn about" })
	for _, x.x.hasty = range []time.Duration{time.Minute, 0} {
		same(t, "by turns", x.runs(query("turn"), criteria.RunFilter{}), want)
	}
}

func TestGoesOnAfterARestart(t *testing.T) {
	b := storetest.New(t)
	run := b.Run(storetest.Run{})
	b.Event(run, storetest.Event{Message: "first words"})
	dir := t.TempDir()
	x := setup(t, b.Path, dir)
	x.build()
	x.x.letGo(t.Context()) // as Run does at its end
	if err := x.x.Close(); err != nil {
		t.Fatal(err)
	}
	last := b.Event(run, storetest.Event{Message: "second words"})
	x.until("the event is noticed", func() bool { return x.store.Health().LastEventID == last })
	x.x = x.another(dir)
	before := x.x.Status(t.Context())
	if before.Events != last-1 || before.Behind != 1 {
		t.Errorf("a later process begins at %+v", before)
	}
	// What was read already is not read again: it would be found although it is gone.
	b.Exec(`UPDATE event_log SET message = 'changed words' WHERE id = ?`, last-1)
	b.Exec(`UPDATE event_log SET message = 'first words' WHERE id = ?`, last-1)
	x.until("the lease of the first one is over", func() bool { x.build(); return x.x.Status(t.Context()).Behind == 0 })
	same(t, "old", x.runs(query("first"), criteria.RunFilter{}), []string{run})
	same(t, "new", x.runs(query("second"), criteria.RunFilter{}), []string{run})
}

func TestNoticesAnotherHistory(t *testing.T) {
	for name, change := range map[string]func(*testing.T, *storetest.Builder){
		"a replaced database": func(t *testing.T, b *storetest.Builder) {
			other := storetest.New(t)
			run := other.Run(storetest.Run{ID: "other-run"})
			for range 5 {
				other.Event(run, storetest.Event{Message: "gamma"})
			}
			beside := b.Path + ".next"
			other.Exec("VACUUM INTO ?", beside)
			b.Exec("PRAGMA wal_checkpoint(TRUNCATE)") // or its log would be taken for that of the next file
			if err := os.Rename(beside, b.Path); err != nil {
				t.Fatal(err)
			}
		},
		"events rolled back and others in their place": func(t *testing.T, b *storetest.Builder) {
			b.Exec(`DELETE FROM event_log WHERE id > 1`)
			b.Exec(`UPDATE sqlite_sequence SET seq = 1 WHERE name = 'event_log'`)
			run := b.Run(storetest.Run{ID: "other-run"})
			for range 5 {
				b.Event(run, storetest.Event{Message: "gamma"})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := storetest.New(t)
			run := b.Run(storetest.Run{})
			for _, word := range []string{"alpha", "beta", "beta"} {
				b.Event(run, storetest.Event{Message: word})
			}
			x := setup(t, b.Path, t.TempDir())
			x.build()
			same(t, "before", x.runs(query("beta"), criteria.RunFilter{}), []string{run})
			change(t, b)
			x.until("the new events are found", func() bool {
				built := builder{x: x.x}
				_, _ = built.step(t.Context())
				found, err := x.x.Find(t.Context(), query("gamma"), criteria.RunFilter{}, Cursor{})
				return err == nil && len(found.Runs) == 1 && found.Runs[0].ID == "other-run"
			})
			same(t, "what is gone", x.runs(query("beta"), criteria.RunFilter{}), nil)
		})
	}
}

func TestSecretsAreNotIndexed(t *testing.T) {
	b := storetest.New(t)
	run := b.Run(storetest.Run{})
	b.Event(run, storetest.Event{Message: "password is hunter2 here"})
	b.Event(run, storetest.Event{Message: strings.Repeat("long ", wave.MaxEventText/5) + "hunter2"})
	dir := t.TempDir()
	x := setup(t, b.Path, dir)
	x.build()
	same(t, "the secret", x.runs(query("hunter2"), criteria.RunFilter{}), nil)
	same(t, "its beginning", x.runs(query("hunter*"), criteria.RunFilter{}), nil)
	found, err := x.x.Find(t.Context(), query("password is"), criteria.RunFilter{}, Cursor{})
	if err != nil || len(found.Runs) != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	var shown strings.Builder
	for _, part := range found.Runs[0].Hits[0].Snippet {
		shown.WriteString(part.Text)
	}
	if got := shown.String(); got != "password is [redacted: password] here" {
		t.Errorf("snippet %q", got)
	}
	if err := x.x.Close(); err != nil {
		t.Fatal(err)
	}
	for _, beside := range []string{"", "-wal"} {
		bytes, err := os.ReadFile(filepath.Join(dir, FileName+beside))
		if err == nil && strings.Contains(string(bytes), "hunter") {
			t.Errorf("the secret stands in %s", FileName+beside)
		}
	}
}

func TestAnotherFormMakesItAnew(t *testing.T) {
	b := storetest.New(t)
	run := b.Run(storetest.Run{})
	b.Event(run, storetest.Event{Message: "plain secret"})
	dir := t.TempDir()
	x := setup(t, b.Path, dir)
	x.build()
	same(t, "before", x.runs(query("secret"), criteria.RunFilter{}), []string{run})
	x.x = Open(x.store, Options{Dir: dir, Form: "2", Shown: func(s string) string { return strings.ReplaceAll(s, "secret", "") }})
	defer x.x.Close()
	if status := x.x.Status(t.Context()); status.Events != 0 {
		t.Errorf("the index of another form goes on at %+v", status)
	}
}

// TestOneServerWrites has two that share a folder.
func TestOneServerWrites(t *testing.T) {
	b := storetest.New(t)
	run := b.Run(storetest.Run{})
	b.Event(run, storetest.Event{Message: "shared words"})
	dir := t.TempDir()
	first := setup(t, b.Path, dir)
	second := &bundle{t: t, store: first.store, x: first.another(dir)}
	first.build()
	last := b.Event(run, storetest.Event{Message: "later words"})
	first.until("the event is noticed", func() bool { return first.store.Health().LastEventID == last })
	second.build() // it has no lease
	if got := second.x.Status(t.Context()).Events; got != last-1 {
		t.Errorf("the second server wrote up to %d", got)
	}
	same(t, "the second one reads", second.runs(query("shared"), criteria.RunFilter{}), []string{run})
	// Asked to, it has the first make it again.
	if err := second.x.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := first.x.Status(t.Context()).Events; got != 0 {
		t.Errorf("after the rebuild the index goes to %d", got)
	}
	first.build()
	same(t, "rebuilt", second.runs(query("later"), criteria.RunFilter{}), []string{run})
	first.x.letGo(t.Context())
	b.Event(run, storetest.Event{Message: "taken over"})
	first.until("the second one takes over", func() bool {
		second.build()
		found, err := second.x.Find(t.Context(), query("taken over"), criteria.RunFilter{}, Cursor{})
		return err == nil && len(found.Runs) == 1
	})
}

func TestRunFollows(t *testing.T) {
	b := storetest.New(t)
	run := b.Run(storetest.Run{})
	b.Event(run, storetest.Event{Message: "one"})
	x := setup(t, b.Path, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); x.x.Run(ctx) }()
	defer func() { cancel(); <-done }()
	finds := func(word string) func() bool {
		return func() bool {
			found, err := x.x.Find(t.Context(), query(word), criteria.RunFilter{}, Cursor{})
			return err == nil && len(found.Runs) == 1
		}
	}
	x.until("it is built", finds("one"))
	b.Event(run, storetest.Event{Message: "two"})
	x.until("it follows", finds("two"))
	if err := x.x.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.until("it is made anew", finds("one"))
}

func TestTrouble(t *testing.T) {
	b := storetest.New(t)
	run := b.Run(storetest.Run{})
	var many strings.Builder
	for i := range 6000 {
		fmt.Fprint(&many, "word", i, " ")
	}
	b.Event(run, storetest.Event{Message: many.String()})
	dir := t.TempDir()
	x := setup(t, b.Path, dir)

	t.Run("a disk that is full", func(t *testing.T) {
		f, err := x.x.open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.writer.Exec(`PRAGMA max_page_count = 1`); err != nil {
			t.Fatal(err)
		}
		built := builder{x: x.x}
		if _, err := built.step(t.Context()); err == nil {
			t.Fatal("it went on")
		}
		s := x.x.Status(t.Context())
		if !strings.Contains(s.Problem, "no space left") || s.Events != 0 {
			t.Errorf("%+v", s)
		}
		if _, err := f.writer.Exec(`PRAGMA max_page_count = 100000`); err != nil {
			t.Fatal(err)
		}
		x.build()
		if s := x.x.Status(t.Context()); s.State != Ready || s.Problem != "" || s.Behind != 0 {
			t.Errorf("with space again: %+v", s)
		}
	})
	t.Run("a file that somebody removed", func(t *testing.T) {
		removeFile(x.x.Path())
		x.build()
		same(t, "rebuilt", x.runs(query("word7"), criteria.RunFilter{}), []string{run})
	})
	t.Run("a file that is damaged", func(t *testing.T) {
		if err := x.x.Close(); err != nil {
			t.Fatal(err)
		}
		removeFile(x.x.Path())
		if err := os.WriteFile(x.x.Path(), []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
			t.Fatal(err)
		}
		x.x = x.another(dir)
		x.build()
		same(t, "rebuilt", x.runs(query("word7"), criteria.RunFilter{}), []string{run})
	})
	t.Run("words that are damaged, though nothing is added to them", func(t *testing.T) {
		f, err := x.x.open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.writer.Exec(`UPDATE text_data SET block = x'ffff' WHERE id > 10`); err != nil {
			t.Fatal(err)
		}
		if _, err := x.x.Find(t.Context(), query("word7"), criteria.RunFilter{}, Cursor{}); !errors.Is(err, ErrUnusable) {
			t.Fatalf("got %v", err)
		}
		x.build()
		same(t, "rebuilt", x.runs(query("word7"), criteria.RunFilter{}), []string{run})
	})
	for name, dir := range map[string]string{"no folder": "", "a folder that is none": b.Path} {
		t.Run(name, func(t *testing.T) {
			x := x.another(dir)
			built := builder{x: x}
			if more, err := built.step(t.Context()); err == nil || more {
				t.Error("it was built")
			}
			if s := x.Status(t.Context()); s.State != Unusable || !strings.Contains(s.Problem, "--data") {
				t.Errorf("%+v", s)
			}
			if _, err := x.Find(t.Context(), query("word7"), criteria.RunFilter{}, Cursor{}); err == nil {
				t.Error("it found something")
			}
		})
	}
}

func TestTimeOver(t *testing.T) {
	b := storetest.New(t)
	b.Event(b.Run(storetest.Run{}), storetest.Event{Message: "words"})
	x := setup(t, b.Path, t.TempDir())
	x.build()
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	if found, err := x.x.Find(ctx, query("words"), criteria.RunFilter{}, Cursor{Before: 2}); err != nil || !found.Tired || len(found.Runs) != 0 {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestStretches looks for words that are everywhere and meet in one event, among
// more events than a stretch has.
func TestStretches(t *testing.T) {
	b := storetest.New(t)
	run, other := b.Run(storetest.Run{}), b.Run(storetest.Run{})
	for at := range 40 { // ids with gaps, as after runs were deleted
		b.Exec(`INSERT INTO event_log (id, run_id, timestamp, state, message) VALUES (?, ?, 1, 'x', ?)`, at*9973+7, other, []string{"alpha", "beta"}[at%2])
	}
	b.Exec(`INSERT INTO event_log (id, run_id, timestamp, state, message) VALUES (?, ?, 1, 'x', 'alpha beta')`, 1<<stretchBits, run)
	b.Exec(`INSERT INTO event_log (id, run_id, timestamp, state, message) VALUES (?, ?, 1, 'x', 'beta alpha')`, 2<<stretchBits-1, run)
	x := setup(t, b.Path, t.TempDir())
	x.build()
	for _, x.x.hasty = range []time.Duration{time.Minute, 0} {
		same(t, "both", x.runs(query("alpha", "beta"), criteria.RunFilter{}), []string{run})
		same(t, "next to each other", x.runs(query("alpha beta"), criteria.RunFilter{}), []string{run})
		same(t, "one of them", x.runs(query("beta"), criteria.RunFilter{}), []string{other, run})
		same(t, "neither", x.runs(query("beta", "-alpha"), criteria.RunFilter{Parent: "none"}), nil)
	}
}

func TestEverySchema(t *testing.T) {
	for _, version := range storetest.Schemas() {
		t.Run(strconv.Itoa(version), func(t *testing.T) {
			path := storetest.Schema(t, version)
			x := setup(t, path, t.TempDir())
			x.build()
			want := wanted(t, path, func(_, message string) bool { return hasWords(message, "started") || hasWords(message, "starting") })
			got := append(x.runs(query("started"), criteria.RunFilter{}), x.runs(query("starting"), criteria.RunFilter{})...)
			slices.Sort(got)
			slices.Sort(want)
			same(t, "starting", slices.Compact(got), want)
		})
	}
}
