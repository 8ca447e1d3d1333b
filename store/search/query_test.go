package search

import (
	"slices"
	"strings"
	"testing"
)

func TestTokens(t *testing.T) {
	for name, row := range map[string]struct {
		text string
		want []string
	}{
		"letters and digits, in lower case":     {"Read  internal/pkg/File77.go", []string{"read", "internal", "pkg", "file77", "go"}},
		"other scripts":                         {"größer ÜBER Ω1", []string{"größer", "über", "ω1"}},
		"a script without spaces":               {"日本語テスト ok", []string{"日", "本", "語", "テ", "ス", "ト", "ok"}},
		"a mark goes on with its letter":        {"e\u0301tat \u0301x", []string{"e\u0301tat", "x"}},
		"what is no UTF-8 is between words":     {"a\xffb\xc3", []string{"a", "b"}},
		"zero bytes and signs are between them": {"a\x00b_c-d\"e*", []string{"a", "b", "c", "d", "e"}},
		"a long word is cut":                    {strings.Repeat("x", 100), []string{strings.Repeat("x", 64)}},
		"nothing":                               {" ---… ", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			tokens(row.text, func(w token) bool { got = append(got, w.word); return true })
			if !slices.Equal(got, row.want) {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

func TestSnippet(t *testing.T) {
	long := strings.Repeat("before ", 40) + "the hit " + strings.Repeat("after ", 80)
	for name, row := range map[string]struct {
		text string
		q    Query
		want string // hits in brackets
	}{
		"all of a short text":        {"Read a/b.go\n", query("b"), "Read a/[b].go "},
		"on one line":                {"first\n\tsecond  third", query("second"), "first [second] third"},
		"around the hit":             {long, query("hit"), "… before before before before before before before the [hit] " + strings.TrimSpace(strings.Repeat("after ", 30)) + " …"},
		"words next to each other":   {"exit status: 1 and status 1", query("status 1"), "exit [status: 1] and [status 1]"},
		"beginnings":                 {"timeouts time out", query("time*"), "[timeouts] [time] out"},
		"from the line of the hit":   {"noise " + strings.Repeat("x", 70) + "\nerror here", query("here"), "… error [here]"},
		"between two characters":     {strings.Repeat("größe ", 20) + "hit", query("hit"), "… größe größe größe größe größe größe größe [hit]"},
		"words that overlap are one": {"one two three", query("one two", "two three"), "[one two three]"},
	} {
		t.Run(name, func(t *testing.T) {
			marks, ok := row.q.match(row.text)
			if !ok {
				t.Fatal("it does not match")
			}
			var got strings.Builder
			for _, part := range snippet(row.text, marks) {
				if part.Hit {
					got.WriteString("[" + part.Text + "]")
				} else {
					got.WriteString(part.Text)
				}
			}
			if got.String() != row.want {
				t.Errorf("\n%q, want\n%q", got.String(), row.want)
			}
		})
	}
}

func TestCursor(t *testing.T) {
	for text, good := range map[string]bool{"": true, "7": true, "7.3.1": true, "0": false, "-1": false, "7.": false, "x": false, "7.x": false, "99999999999999999999": false} {
		c, err := ParseCursor(text)
		if (err == nil) != good || good && text != "" && c.String() != text {
			t.Errorf("%q: %v, %v", text, c, err)
		}
	}
}

// FuzzWords compares what SQLite finds with what is told of the text alone, for
// any text and any words: nothing in them is syntax.
func FuzzWords(f *testing.F) {
	f.Add("Read internal/pkg/file.go", "pkg/file", "edit", false)
	f.Add(`a"b OR c* NEAR(d e) {x}:y`, `" OR "`, `*`, true)
	f.Add("text: words - NOT \x00 -a", "NOT", "AND", true)
	f.Add("日本語 größer e\u0301 \xff", "本語", "GRÖSSER", true)
	file, err := openFile(f.Context(), f.TempDir(), "1")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = file.close() })
	f.Fuzz(func(t *testing.T, text, with, without string, prefix bool) {
		w, ok := ParseWord(with, prefix, false)
		if !ok {
			return
		}
		q := Query{w}
		if n, ok := ParseWord(without, prefix, true); ok {
			q = append(q, n)
		}
		if _, err := file.writer.Exec(`INSERT INTO text (text) VALUES ('delete-all')`); err != nil {
			t.Fatal(err)
		}
		if _, err := file.writer.Exec(`INSERT INTO text (rowid, words) VALUES (1, ?)`, indexed(1, text)); err != nil {
			t.Fatal(err)
		}
		var ids []int64
		if err := file.reader.Select(&ids, hitsSQL, q.expression(), 10, 0, 10); err != nil {
			t.Fatalf("%s: %v", q.expression(), err)
		}
		marks, holds := q.match(text)
		within, exact := q.within(span{0, 10})
		var among []int64
		if err := file.reader.Select(&among, hitsSQL, within, 10, 0, 10); err != nil {
			t.Fatalf("%s: %v", within, err)
		}
		if found := len(among) == 1; holds && !found || exact && found != holds {
			t.Errorf("%q %s: SQLite finds %t, the text says %t", text, within, found, holds)
		}
		if holds != (len(ids) == 1) {
			t.Errorf("%q %s: SQLite finds %d, the text says %t", text, q.expression(), len(ids), holds)
		}
		for _, m := range marks {
			if m.at < 0 || m.end > len(text) || m.at >= m.end {
				t.Errorf("mark %v of %d bytes", m, len(text))
			}
		}
		snippet(text, marks)
	})
}
