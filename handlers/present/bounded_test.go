package present

import (
	"fmt"
	"html"
	"strings"
	"testing"
	"unicode/utf8"

	"wavedeck/store/wave"
	"wavedeck/views"
)

func TestClipKeepsCharactersWhole(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a short text stays", "abc", "abc"},
		{"a text is cut and marked", "abcdefgh", "abcde…"},
		{"a letter of several bytes is not cut in two", "abcdéf", "abcd…"},
		{"a letter keeps the accent after it", "abcde\u0301f", "abcd…"},
		{"a family stays one", "ab👩\u200d👩\u200d👧", "ab…"},
		{"a skin tone stays on its hand", "a👍🏽", "a…"},
		{"bytes that are no text are cut all the same", "\xff\xff\xff\xff\xff\xff\xff", "\xff\xff\xff\xff\xff…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Clip(tt.text, 5); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
	marks := "a" + strings.Repeat("\u0301", 1000)
	if got := Clip(marks, 300); len(got) > 310 || !utf8.ValidString(got) {
		t.Errorf("a letter with a thousand accents has %d bytes", len(got))
	}
}

func TestBoundedCopiesWhatItCuts(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	tags := []string{long, "b"}
	of := &views.RunRef{ID: "a", Pipeline: long}
	row := Bounded(views.RunRow{ID: "a", Title: long, Tags: tags, Of: of, Cursor: long})
	if len(row.Title) > 310 || len(row.Tags[0]) > 310 || len(row.Of.Pipeline) > 310 {
		t.Errorf("texts have %d, %d and %d bytes", len(row.Title), len(row.Tags[0]), len(row.Of.Pipeline))
	}
	if len(tags[0]) != 1<<20 || len(of.Pipeline) != 1<<20 {
		t.Error("what others share was changed")
	}
	if len(row.Cursor) != 1<<20 {
		t.Error("an address was cut")
	}
	many := Bounded(views.RunRow{Tags: make([]string, 1000)})
	if len(many.Tags) != manyShown+1 || many.Tags[manyShown] != "… 976 more" {
		t.Errorf("%d tags, the last %q", len(many.Tags), many.Tags[len(many.Tags)-1])
	}
	quotes := strings.Repeat(`"`, 1000)
	line := Listed(RunRow(wave.Run{Input: quotes, Tags: []string{quotes, "b", "c", "d", "e"}, Current: []string{"x", "y", "z"}}))
	if html.EscapeString(line.Title) != strings.Repeat("&#34;", LineShown/5)+"…" {
		t.Errorf("a line of quotes is %q", line.Title)
	}
	if got := fmt.Sprint(line.Tags[1:], line.MoreTags, line.Current); got != "[b c] 2 [x y +1]" || !strings.HasSuffix(line.Tags[0], "…") {
		t.Errorf("tags and steps %s", got)
	}
	a, b := BoundedName(long+"a"), BoundedName(long+"b")
	if a == b {
		t.Error("two names became one")
	}
}
