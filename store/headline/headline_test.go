package headline_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"wavedeck/store/headline"
)

// texts are the cases of testdata: a title, a text as programs leave it, and the
// line that a reader would pick. ␛ stands for ESC, ␍ for a carriage return.
func texts(t testing.TB) map[string][2]string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	cases := map[string][2]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for part := range strings.SplitSeq("\n"+string(data), "\n=== ") {
			title, rest, ok := strings.Cut(part, "\n")
			if !ok || title == "" {
				continue
			}
			if title == "RUN   TestCheckout" || title == "RUN   TestRefund" {
				t.Fatalf("%s: a text has a line that begins like a title: %s", file, title)
			}
			i := strings.LastIndex(rest, "\n--> ")
			if i < 0 {
				t.Fatalf("%s: %s has no line", file, title)
			}
			if _, twice := cases[title]; twice {
				t.Fatalf("%s: there are two of %s", file, title)
			}
			text := strings.NewReplacer("␛", "\x1b", "␍", "\r").Replace(rest[:i+1])
			cases[title] = [2]string{text, strings.TrimSpace(rest[i+len("\n--> "):])}
		}
	}
	return cases
}

func TestTheHeadlineIsTheLineThatAReaderWouldPick(t *testing.T) {
	cases := texts(t)
	if len(cases) < 60 {
		t.Fatalf("there are %d cases, want 60 at least", len(cases))
	}
	for title, c := range cases {
		t.Run(title, func(t *testing.T) {
			if got := headline.Of(c[0]); got != c[1] {
				t.Errorf("got  %s\nwant %s", got, c[1])
			}
			wrapped := `step "a" failed: sub-pipeline "b" failed: step "c" failed: ` + strings.TrimLeft(c[0], "\r\n")
			if got := headline.Of("exit status 1", wrapped); got != c[1] && headline.Of("exit status 1", c[1]) == c[1] {
				t.Errorf("wrapped and beside an exit status: got %s\nwant %s", got, c[1])
			}
		})
	}
}

func TestOfSeveralTextsTheOneThatSaysMostIsTaken(t *testing.T) {
	for name, c := range map[string]struct {
		texts []string
		want  string
	}{
		"no text":                               {nil, ""},
		"texts of blanks":                       {[]string{" \n\t", "\x1b[0m\r\n"}, ""},
		"an event says more than the step":      {[]string{"exit status 3", "command failed: exit status 3\nstderr: oh no: disk is full\n"}, "oh no: disk is full"},
		"a child says more than its parent":     {[]string{"panic: boom", `step "each" failed: sub-pipeline "c" failed: exit status 2`}, "panic: boom"},
		"of two equals the first is taken":      {[]string{"cart.go:1:2: undefined: a", "cart.go:9:2: undefined: b"}, "cart.go:1:2: undefined: a"},
		"a stopped sibling says less":           {[]string{"adapter execution failed: general_error: context canceled", "exit status 5", "the plan has no steps"}, "the plan has no steps"},
		"a text whose lines end as on old Macs": {[]string{"reading\rpanic: boom\rexit status 2"}, "panic: boom"},
		"a text whose lines end as on Windows":  {[]string{"reading\r\npanic: boom\r\nexit status 2\r\n"}, "panic: boom"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := headline.Of(c.texts...); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// huge is a megabyte of what programs print, with a cause near its end.
func huge() map[string]string {
	n := 1 << 20
	stack := "    at Module._compile (node:internal/modules/cjs/loader:1521:14)\n"
	log := "2026-11-30T23:13:31.120Z worker 17 indexed 4096 documents of shop/catalog, error budget is fine, took 12ms\n"
	return map[string]string{
		"log lines":    strings.Repeat(log, n/len(log)),
		"stack frames": strings.Repeat(stack, n/len(stack)),
		"one line":     strings.Repeat("failed x at ", n/12),
		"line feeds":   strings.Repeat("\n", n),
		"one letter":   strings.Repeat("a", n),
		"short lines":  strings.Repeat("e:\n", n/3),
		"escapes":      strings.Repeat("\x1b[31m", n/5),
		"open escapes": strings.Repeat("\x1b]", n/2),
		"wrapping":     strings.Repeat(`step "a" failed: `, n/17),
	}
}

// The benchmark has the figure: a test of time fails on a busy machine.
func TestOfAMegabyteAFewKilobytesAreRead(t *testing.T) {
	for name, text := range huge() {
		if n := len(headline.Window(text)); n > 64<<10 {
			t.Errorf("%s: %d bytes are read", name, n)
		}
	}
}

func TestACauseAtTheEndOfAMegabyteIsFound(t *testing.T) {
	for name, text := range huge() {
		if got, want := headline.Of(text+"\npanic: boom\n\ngoroutine 1 [running]:\nexit status 2"), "panic: boom"; got != want {
			t.Errorf("%s: got %.80q, want %q", name, got, want)
		}
	}
}

func BenchmarkAMegabyte(b *testing.B) {
	for name, text := range huge() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				headline.Of(text)
			}
		})
	}
}

func FuzzOf(f *testing.F) {
	for _, c := range texts(f) {
		f.Add(c[0], c[1])
	}
	f.Add("\x1b[", "\xff\xfe\r\x00")
	f.Fuzz(func(t *testing.T, a, b string) {
		got := headline.Of(a, b)
		switch {
		case len(got) > headline.MaxBytes:
			t.Errorf("%d bytes: %q", len(got), got)
		case !utf8.ValidString(got):
			t.Errorf("not UTF-8: %q", got)
		case strings.ContainsFunc(got, unicode.IsControl):
			t.Errorf("a control character: %q", got)
		case got != strings.TrimSpace(got):
			t.Errorf("blanks around it: %q", got)
		case got != headline.Of(a, b):
			t.Errorf("not the same again: %q", got)
		}
	})
}
