package appdb

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func entry(i int) Entry {
	return Entry{
		At: noon.Add(time.Duration(i) * time.Second), Who: []string{"local", "token:abc123"}[i%2], Action: []string{"start", "cancel", "retry"}[i%3],
		Run: fmt.Sprintf("run-%d", i), Result: Done, Status: 200, Params: map[string]string{"input": strings.Repeat("x", i%300)},
	}
}

// runsOf reads the whole log by pages of f and returns the runs it names.
func runsOf(t *testing.T, d *DB, f AuditFilter) (runs []string, damaged int) {
	t.Helper()
	for range 10_000 {
		page, err := d.Audit(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			runs = append(runs, e.Run)
		}
		damaged += page.Damaged
		if page.Next == "" {
			return runs, damaged
		}
		f.Older = page.Next
	}
	t.Fatal("the pages do not end")
	return nil, 0
}

func TestAuditPages(t *testing.T) {
	d := openTest(t, t.TempDir())
	if page, err := d.Audit(t.Context(), AuditFilter{}); err != nil || len(page.Entries) > 0 {
		t.Fatalf("before the first entry: %v, %v", page, err)
	}
	const n = 700
	for i := range n {
		if err := d.Append(entry(i)); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		filter AuditFilter
		want   func(int) bool
	}{
		"everything":               {AuditFilter{}, func(int) bool { return true }},
		"one a page":               {AuditFilter{Limit: 1}, func(int) bool { return true }},
		"all on one page":          {AuditFilter{Limit: n}, func(int) bool { return true }},
		"by who":                   {AuditFilter{Who: "token:abc123"}, func(i int) bool { return i%2 == 1 }},
		"by action":                {AuditFilter{Action: "retry", Limit: 7}, func(i int) bool { return i%3 == 2 }},
		"by run":                   {AuditFilter{Run: "run-5"}, func(i int) bool { return i == 5 }},
		"by who and action":        {AuditFilter{Who: "local", Action: "start"}, func(i int) bool { return i%6 == 0 }},
		"by a run that is not one": {AuditFilter{Run: "run"}, func(int) bool { return false }},
	} {
		t.Run(name, func(t *testing.T) {
			var want []string
			for i := n - 1; i >= 0; i-- {
				if c.want(i) {
					want = append(want, entry(i).Run)
				}
			}
			if got, damaged := runsOf(t, d, c.filter); !slices.Equal(got, want) || damaged > 0 {
				t.Errorf("%d entries, want %d; %d damaged", len(got), len(want), damaged)
			}
		})
	}
	t.Run("a page begins where the last one ended although more came", func(t *testing.T) {
		first, err := d.Audit(t.Context(), AuditFilter{Limit: 3})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Append(entry(n)); err != nil {
			t.Fatal(err)
		}
		second, err := d.Audit(t.Context(), AuditFilter{Limit: 1, Older: first.Next})
		if err != nil || second.Entries[0].Run != entry(n-4).Run {
			t.Errorf("%v, %v", second, err)
		}
	})
	t.Run("a place that does not exist is reported", func(t *testing.T) {
		for _, cursor := range []string{"x", "-", "zz-1", "1-1", strings.Repeat("9", 400)} {
			if _, err := d.Audit(t.Context(), AuditFilter{Older: cursor}); !errors.Is(err, ErrCursor) {
				t.Errorf("%q: %v", cursor, err)
			}
		}
	})
}

func TestAuditSurvives(t *testing.T) {
	write := func(t *testing.T, d *DB, i int) {
		t.Helper()
		if err := d.Append(entry(i)); err != nil {
			t.Fatal(err)
		}
	}
	spoil := func(t *testing.T, d *DB, text string) {
		t.Helper()
		file, err := os.OpenFile(filepath.Join(d.Dir(), "audit.jsonl"), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteString(text); err != nil {
			t.Fatal(err)
		}
		file.Close()
	}
	t.Run("a last line that was not finished", func(t *testing.T) {
		d := openTest(t, t.TempDir())
		write(t, d, 1)
		spoil(t, d, `{"at":"2026-11-28T12:0`)
		if runs, damaged := runsOf(t, d, AuditFilter{}); !slices.Equal(runs, []string{"run-1"}) || damaged != 1 {
			t.Errorf("%v, %d damaged", runs, damaged)
		}
		write(t, d, 2)
		if runs, damaged := runsOf(t, d, AuditFilter{}); !slices.Equal(runs, []string{"run-2", "run-1"}) || damaged != 1 {
			t.Errorf("%v, %d damaged", runs, damaged)
		}
	})
	t.Run("lines that are something else, and one that is too long", func(t *testing.T) {
		d := openTest(t, t.TempDir())
		write(t, d, 1)
		spoil(t, d, "\n\nnull\n[]\n{}\n\x00\xff\n"+strings.Repeat("y", maxLine+3*window)+"\n")
		write(t, d, 2)
		spoil(t, d, strings.Repeat("z", maxLine+window))
		if runs, _ := runsOf(t, d, AuditFilter{}); !slices.Equal(runs, []string{"run-2", "run-1"}) {
			t.Errorf("%v", runs)
		}
	})
	t.Run("being rotated away", func(t *testing.T) {
		d := openTest(t, t.TempDir())
		path := filepath.Join(d.Dir(), "audit.jsonl")
		write(t, d, 1)
		write(t, d, 2)
		page, err := d.Audit(t.Context(), AuditFilter{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path, path+".1"); err != nil {
			t.Fatal(err)
		}
		write(t, d, 3)
		if runs, _ := runsOf(t, d, AuditFilter{}); !slices.Equal(runs, []string{"run-3"}) {
			t.Errorf("%v", runs)
		}
		if _, err := d.Audit(t.Context(), AuditFilter{Older: page.Next}); !errors.Is(err, ErrCursor) {
			t.Errorf("an old place: %v", err)
		}
	})
	t.Run("several processes that write at once", func(t *testing.T) {
		const writers, each = 8, 60
		dir := t.TempDir()
		var all sync.WaitGroup
		for w := range writers {
			d := openTest(t, dir)
			all.Go(func() {
				for i := range each {
					if err := d.Append(entry(w*each + i)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		runs, damaged := runsOf(t, openTest(t, dir), AuditFilter{Limit: 13})
		slices.Sort(runs)
		if len(slices.Compact(runs)) != writers*each || damaged > 0 {
			t.Errorf("%d entries, want %d; %d damaged", len(runs), writers*each, damaged)
		}
	})
}

// counted counts what is read.
type counted struct {
	*os.File
	bytes int64
}

func (c *counted) ReadAt(p []byte, at int64) (int, error) {
	c.bytes += int64(len(p))
	return c.File.ReadAt(p, at)
}

func TestAuditReadsOnlyWhatItShows(t *testing.T) {
	d := openTest(t, t.TempDir())
	writeMany(t, d, 200_000)
	file, err := os.Open(filepath.Join(d.Dir(), "audit.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	reader := &counted{File: file}
	var page AuditPage
	if err := page.fill(t.Context(), backwards{file: reader, at: info.Size()}, AuditFilter{Limit: 50}, "f"); err != nil {
		t.Fatal(err)
	}
	if len(page.Entries) != 50 || reader.bytes > window {
		t.Errorf("%d entries from %d bytes of %d", len(page.Entries), reader.bytes, info.Size())
	}
	t.Run("a filter that finds nothing gives up, says so, and can go on", func(t *testing.T) {
		f := AuditFilter{Run: "run-0"}
		pages := 0
		for {
			page, err := d.Audit(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Entries) > 0 {
				break
			}
			if page.Searched.IsZero() {
				t.Error("it does not say how far it looked")
			}
			if pages++; page.Next == "" || pages > 20 {
				t.Fatalf("not found within %d pages", pages)
			}
			f.Older = page.Next
		}
		if pages == 0 {
			t.Error("it looked at everything at once")
		}
	})
}

// writeMany makes a log of n entries at once.
func writeMany(t testing.TB, d *DB, n int) {
	t.Helper()
	file, err := os.Create(filepath.Join(d.Dir(), "audit.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all strings.Builder
	for i := range n {
		fmt.Fprintf(&all, `{"at":%q,"who":"local","from":"127.0.0.1","action":"cancel","run":"run-%d","params":{"input":%q},"result":"done","status":200,"request":"abcdefghij"}`+"\n",
			noon.Add(time.Duration(i)*time.Second).Format(time.RFC3339), i, strings.Repeat("x", 60))
		if all.Len() > 1<<20 {
			_, _ = file.WriteString(all.String())
			all.Reset()
		}
	}
	if _, err := file.WriteString(all.String()); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkAudit(b *testing.B) {
	d := openTest(b, b.TempDir())
	writeMany(b, d, 1_000_000)
	for name, f := range map[string]AuditFilter{
		"the newest page":         {},
		"a filter with no match":  {Run: "nothing"},
		"a filter with few match": {Run: "run-999000"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := d.Audit(b.Context(), f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func FuzzBackwards(f *testing.F) {
	f.Add([]byte("a\nb\n"), 3)
	f.Add([]byte("\n\n{"), 0)
	f.Fuzz(func(t *testing.T, log []byte, repeat int) {
		log = bytes.Repeat(log, 1+max(repeat, 0)%200)
		want := bytes.Split(log, []byte{'\n'})
		lines := backwards{file: bytes.NewReader(log), at: int64(len(log))}
		at := int64(len(log))
		for i, w := range slices.Backward(want) {
			line, begin, err := lines.next()
			if err != nil || !bytes.Equal(line, w) || begin != at-int64(len(line)) {
				t.Fatalf("line %d is %q at %d, %v; want %q", i, line, begin, err, w)
			}
			at = begin - 1
		}
		if _, _, err := lines.next(); !errors.Is(err, io.EOF) {
			t.Fatalf("after the first line: %v", err)
		}
	})
}

func FuzzAuditPlace(f *testing.F) {
	d := Open(f.Context(), f.TempDir())
	f.Cleanup(func() { _ = d.Close() })
	for i := range 20 {
		if err := d.Append(entry(i)); err != nil {
			f.Fatal(err)
		}
	}
	f.Add("1-0", "local")
	f.Fuzz(func(t *testing.T, cursor, who string) {
		if _, err := d.Audit(t.Context(), AuditFilter{Older: cursor, Who: who}); err != nil && !errors.Is(err, ErrCursor) {
			t.Error(err)
		}
	})
}
