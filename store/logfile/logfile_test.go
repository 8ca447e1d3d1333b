package logfile

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func written(t testing.TB, text string) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run.log")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func look(t testing.TB, x *Index, f *os.File) Window {
	t.Helper()
	w, err := x.Look(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// naive are the lines of a text, read at once.
func naive(text string) (lines []string) {
	for l := range strings.Lines(text) {
		lines = append(lines, strings.TrimSuffix(l, "\n"))
	}
	return lines
}

func TestWindowsAreThoseOfTheWholeText(t *testing.T) {
	var numbered strings.Builder
	for i := range 300_000 {
		fmt.Fprintf(&numbered, "line %d\n", i+1)
	}
	for name, text := range map[string]string{
		"nothing":                          "",
		"a line":                           "one\n",
		"a line without an end":            "one",
		"empty lines":                      "\n\n\n",
		"more than a chunk":                numbered.String(),
		"a line end where a chunk ends":    strings.Repeat("x", chunk-1) + "\nnext\nlast",
		"a line that begins with a chunk":  strings.Repeat("y\n", chunk/2) + "next\n",
		"a line that is longer than three": "a\n" + strings.Repeat("z", 3*chunk) + "\nafter\nlast\n",
	} {
		t.Run(name, func(t *testing.T) {
			f := written(t, text)
			var x Index
			w := look(t, &x, f)
			want := naive(text)
			if int(w.Lines) != len(want) {
				t.Fatalf("%d lines, want %d", w.Lines, len(want))
			}
			for _, from := range []int{1, 2, 3, len(want) / 2, len(want) - 1, len(want), chunk / 16, len(want) + 1} {
				if from < 1 {
					continue
				}
				lines, err := w.Read(t.Context(), int64(from), 3, 1<<20)
				if err != nil {
					t.Fatal(err)
				}
				var part []string
				if from <= len(want) {
					part = want[from-1 : min(from+2, len(want))]
				}
				if len(lines) != len(part) {
					t.Fatalf("%d lines from %d, want %d", len(lines), from, len(part))
				}
				for i, l := range lines {
					if l.No != int64(from+i) || l.Text != part[i][:min(len(part[i]), MaxLine)] || l.Cut != int64(max(len(part[i])-MaxLine, 0)) {
						t.Errorf("line %d is told as %d: %.40q, %d cut", from+i, l.No, l.Text, l.Cut)
					}
				}
			}
		})
	}
}

func TestWhatIsAddedIsSeen(t *testing.T) {
	f := written(t, "one\ntw")
	var x Index
	if w := look(t, &x, f); w.Lines != 2 {
		t.Fatal(w.Lines)
	}
	if _, err := f.WriteAt([]byte("o\nthree\n"), 6); err != nil {
		t.Fatal(err)
	}
	w := look(t, &x, f)
	lines, err := w.Read(t.Context(), 2, 9, 100)
	if diff := cmp.Diff([]Line{{No: 2, Text: "two"}, {No: 3, Text: "three"}}, lines); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if err := f.Truncate(2); err != nil {
		t.Fatal(err)
	}
	if w = look(t, &x, f); w.Lines != 1 {
		t.Errorf("a file that was cut has %d lines", w.Lines)
	}
	if w = look(t, &x, written(t, "a\nb\nc\n")); w.Lines != 3 {
		t.Errorf("another file has %d lines", w.Lines)
	}
}

func TestSearch(t *testing.T) {
	f := written(t, "A needle\nhay\nneed\x1b[1mle\nhay\nNEEDLE")
	var x Index
	w := look(t, &x, f)
	holds := func(s string) bool {
		return strings.Contains(strings.ToLower(strings.ReplaceAll(s, "\x1b[1m", "")), "needle")
	}
	found, more, tired, err := w.Search(t.Context(), "Needle", 9, holds)
	if diff := cmp.Diff([]int64{1, 3, 5}, found); diff != "" || more || tired || err != nil {
		t.Error(diff, more, tired, err)
	}
	if found, more, _, _ = w.Search(t.Context(), "needle", 2, holds); len(found) != 2 || !more {
		t.Error(found, more)
	}
	long := look(t, new(Index), written(t, strings.Repeat("hay\n", 5000)))
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if _, _, tired, err = long.Search(ctx, "needle", 9, holds); !tired || err != nil {
		t.Error(tired, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("a\n\nb"), int64(2))
	f.Fuzz(func(t *testing.T, text []byte, from int64) {
		file := written(t, string(text))
		var x Index
		w := look(t, &x, file)
		lines, err := w.Read(t.Context(), from, 5, 1000)
		if err != nil {
			t.Fatal(err)
		}
		all := naive(string(text))
		for _, l := range lines {
			if l.No < 1 || int(l.No) > len(all) || all[l.No-1] != l.Text {
				t.Errorf("line %d is %q", l.No, l.Text)
			}
		}
	})
}

func BenchmarkIndex(b *testing.B) {
	f := written(b, string(bytes.Repeat([]byte("2026-03-01 10:30:00 a line of a process as long as most lines are\n"), 100<<20/66)))
	b.Run("look at 100 MB", func(b *testing.B) {
		for b.Loop() {
			look(b, new(Index), f)
		}
	})
	var x Index
	w := look(b, &x, f)
	b.Run("look when nothing came", func(b *testing.B) {
		for b.Loop() {
			look(b, &x, f)
		}
	})
	b.Run("250 lines of the middle", func(b *testing.B) {
		for b.Loop() {
			if lines, err := w.Read(b.Context(), w.Lines/2, 250, 1<<20); err != nil || len(lines) != 250 {
				b.Fatal(len(lines), err)
			}
		}
	})
	b.Run("search 100 MB", func(b *testing.B) {
		for b.Loop() {
			if _, _, _, err := w.Search(b.Context(), "nowhere", 10, func(string) bool { return true }); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// A key is hidden wherever a window into it begins or ends.
func TestLinesOfAPrivateKeyAreHidden(t *testing.T) {
	body := strings.Repeat("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7", 1)
	begin, end := "-----BEGIN "+"PRIVATE KEY-----\n", "-----END "+"PRIVATE KEY-----\n"
	const n = 400
	for name, before := range map[string]string{
		"in the first chunk":                  "start\n",
		"its first line goes over two chunks": strings.Repeat("y\n", chunk/2-6),
		"its last line goes over two chunks":  strings.Repeat("y\n", (chunk-len(begin)-n*(len(body)+1)-12)/2),
	} {
		t.Run(name, func(t *testing.T) {
			key := begin + strings.Repeat(body+"\n", n) + end
			f := written(t, before+key[:len(key)/2])
			var x Index
			look(t, &x, f)
			if _, err := f.WriteAt([]byte(key[len(key)/2:]+body+"\nafter it\n"), int64(len(before)+len(key)/2)); err != nil {
				t.Fatal(err)
			}
			w := look(t, &x, f)
			first := int64(strings.Count(before, "\n") + 2)
			lines, err := w.Read(t.Context(), first+n/2, 5, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range lines {
				if l.Text != "[redacted: private key]" {
					t.Errorf("line %d is %q", l.No, l.Text)
				}
			}
			lines, err = w.Read(t.Context(), first+n, 3, 1<<20)
			if err != nil || len(lines) != 3 || lines[0].Text+"\n" != end || lines[1].Text != body || lines[2].Text != "after it" {
				t.Errorf("behind the key: %v, %v", lines, err)
			}
			found, _, _, err := w.Search(t.Context(), body[:20], 10, func(line string) bool { return strings.Contains(line, body[:20]) })
			if err != nil || len(found) != 1 || found[0] != first+n+1 {
				t.Errorf("the search finds lines %v, %v", found, err)
			}
		})
	}
}
