package markup

import (
	"context"
	"strings"
	"testing"
	"time"
)

// TestRenderingsEnd: what an artifact holds cannot keep a processor for longer than its
// reader waits.
func TestRenderingsEnd(t *testing.T) {
	const within, slack = 200 * time.Millisecond, 3 * time.Second // the slowest took 27 s before, of an eighth of the text
	for name, c := range map[string]struct {
		file string
		unit string
		kind Kind
	}{
		"C of line feeds":                  {"blank.c", "\n", Code},
		"Java of line feeds":               {"blank.java", "\n", Code},
		"C++ of line feeds":                {"blank.cpp", "\n", Code},
		"Arduino of line feeds":            {"blank.ino", "\n", Code},
		"a configuration of brackets":      {".htaccess", "<", Code},
		"a plot of one letter":             {"x.plot", "a", Code},
		"C of line feeds and blanks":       {"blank.c", "\n ", Code},
		"Java of line feeds and blanks":    {"blank.java", " \n", Code},
		"a plot of two letters":            {"x.plot", "ab", Code},
		"PHP, which is read at once":       {"x.php", "\n ", Code},
		"Markdown of dashes":               {"x.md", "-", Markdown},
		"Markdown of dashes and blanks":    {"x.md", "- ", Markdown},
		"Markdown of lists":                {"x.md", "1. ", Markdown},
		"Markdown of brackets":             {"x.md", "[](", Markdown},
		"Markdown of ampersands":           {"x.md", "&amp;", Markdown},
		"Markdown of lines that are lists": {"x.md", "- a\n", Markdown},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Repeat(c.unit, 127<<10/len(c.unit))
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			begun := time.Now()
			s := Show(ctx, Body{Name: c.file, Data: []byte(text), Size: int64(len(text))}, c.kind)
			if took := time.Since(begun); took > within+slack {
				t.Errorf("it took %v", took)
			}
			if s.Kind != c.kind && s.Reason == "" {
				t.Error("it does not say why it is shown as text")
			}
		})
	}
}

func TestARenderingThatIsNotWantedAnyMoreEndsAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for kind, text := range map[Kind]string{Code: strings.Repeat("int x; ", 1000), Markdown: strings.Repeat("some *text*\n\n", 1000)} {
		s := Show(ctx, Body{Name: "x.c", Data: []byte(text)}, kind)
		if s.Kind != Text || s.Reason != tooLong {
			t.Errorf("%s is shown as %s, %q", kind, s.Kind, s.Reason)
		}
	}
}
