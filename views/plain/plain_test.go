package plain_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"

	"wavedeck/views/plain"
)

// colours are those that a text may have.
var colours = regexp.MustCompile(`\x1b\[[0-9]+m`)

func table(texts ...string) plain.Document {
	t := plain.Table{Columns: []plain.Column{{Name: "Text", Max: 20}, {Name: "N", Right: true}, {Name: "End"}}}
	for _, text := range texts {
		t.Rows = append(t.Rows, []plain.Cell{{Text: text, Tone: "failed"}, {Text: "7"}, {Text: "end"}})
	}
	return plain.Document{Title: "t", Parts: []plain.Part{{Table: t}}}
}

// TestColumnsAlign: the last column begins at the same place of a terminal in
// each row, whatever stands before it.
func TestColumnsAlign(t *testing.T) {
	for _, coloured := range []bool{false, true} {
		var b bytes.Buffer
		plain.Text(&b, table("short", "日本語のテストです", "a very long text that is cut at its end", "👩‍👩‍👧 family", "e\u0301tude", "", "\x1b[31mred\x1b[0m", "a\nb"), coloured)
		ends := map[int]bool{}
		for line := range strings.Lines(colours.ReplaceAllString(b.String(), "")) {
			if before, _, ok := strings.Cut(strings.ToLower(line), "  end"); ok {
				ends[runewidth.StringWidth(before)] = true
			}
		}
		if len(ends) != 1 {
			t.Errorf("coloured %v: the last column begins at %v:\n%s", coloured, ends, b.String())
		}
	}
}

func TestColoursOnlyWhenAsked(t *testing.T) {
	var b bytes.Buffer
	plain.Text(&b, table("\x1b[31mred\x1b[0m \x1b]0;title\x07"), false)
	if strings.ContainsRune(b.String(), 0x1b) || !strings.Contains(b.String(), "✕ red") {
		t.Errorf("%q", b.String())
	}
	b.Reset()
	plain.Text(&b, table("\x1b[32mgreen"), true)
	if !strings.Contains(b.String(), "\x1b[31m✕ green\x1b[0m") || strings.Contains(b.String(), "\x1b[32m") {
		t.Errorf("%q", b.String())
	}
}

func TestMarkdownFencesLongerThanWhatTheyHold(t *testing.T) {
	var b bytes.Buffer
	plain.Markdown(&b, plain.Document{Title: "t", Parts: []plain.Part{{Pre: "a\n````\nb"}}})
	if !strings.Contains(b.String(), "\n`````text\na\n````\nb\n`````\n") {
		t.Error(b.String())
	}
}

func TestInertTexts(t *testing.T) {
	for text, want := range map[string]string{
		"plain": "plain", "": "", "=1": "'=1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "'x": "''x", " =1": "' =1", "\t=1": "'    =1", "\n=1": "\n'=1",
		"a;=1": "a;'=1", "a; =1;b;-2": "a;' =1;b;'-2", "a\n=1": "a\n'=1", `a;"=1"`: `a;'"=1"`, "a;＠x": "a;'＠x", "a;'b": "a;''b", "a;b": "a;b", "a,=1": "a,=1",
		"＝1": "'＝1", "a=1": "a=1", "a\nb": "a\nb", "\x1b[31m=1": "'=1", "2026-01-01": "2026-01-01",
	} {
		if got := plain.Inert(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// FuzzForms: no text makes a row, a column or a sequence of a terminal.
func FuzzForms(f *testing.F) {
	for _, text := range []string{"a | b", "`", "\\", "a\nb", "\x1b[2J", "\u009b", "日本", "=1", "|\\|`"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var b bytes.Buffer
		plain.Text(&b, table(text, text), false)
		if got := strings.Count(b.String(), "\n"); got != 5 {
			t.Errorf("%q makes %d lines", text, got)
		}
		plain.Markdown(&b, table(text))
		for _, r := range b.String() {
			if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 {
				t.Errorf("%q leaves the control character %U", text, r)
			}
		}
		cells := strings.Split(b.String()[strings.LastIndexByte(strings.TrimRight(b.String(), "\n"), '\n')+1:], " | ")
		if len(cells) != 3 {
			t.Errorf("%q makes %d columns", text, len(cells))
		}
	})
}
