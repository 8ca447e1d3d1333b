package ansi

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
)

// marked writes a line as its text with the classes in braces.
func marked(l Line) string {
	var b strings.Builder
	for _, s := range l.Spans {
		if class := s.Style.Class(); class != "" {
			b.WriteString("{" + class + ":" + s.Text + "}")
		} else {
			b.WriteString(s.Text)
		}
	}
	return b.String()
}

func TestParse(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"plain text":                                        {"hello <b>", "hello <b>"},
		"an empty line":                                     {"", ""},
		"a line end is none of the line":                    {"a\r\n", "a"},
		"a colour and its end":                              {"a\x1b[31mred\x1b[0mb", "a{a-f1:red}b"},
		"a reset without a parameter":                       {"\x1b[31mred\x1b[mb", "{a-f1:red}b"},
		"a bright colour on a background":                   {"\x1b[97;41mx", "{a-f15 a-b1:x}"},
		"a bright background":                               {"\x1b[104mx", "{a-b12:x}"},
		"all attributes":                                    {"\x1b[1;2;3;4;7;9mx", "{a-bold a-dim a-italic a-underline a-inverse a-strike:x}"},
		"attributes end":                                    {"\x1b[1;2;3;4;7;9m\x1b[22;23;24;27;29mx", "x"},
		"default colours":                                   {"\x1b[31;41m\x1b[39;49mx", "x"},
		"a hidden text is shown":                            {"\x1b[8mx", "{a-hidden:x}"},
		"one of 256: the first sixteen are themselves":      {"\x1b[38;5;9mx", "{a-f9:x}"},
		"one of 256: the cube is mapped to the nearest":     {"\x1b[38;5;196mx\x1b[38;5;21my\x1b[48;5;46mz", "{a-f9:x}{a-f4:y}{a-f4 a-b10:z}"},
		"one of 256: the grays are grays":                   {"\x1b[38;5;232mx\x1b[38;5;244my\x1b[38;5;255mz", "{a-f0:x}{a-f8:y}{a-f7:z}"},
		"24 bit":                                            {"\x1b[38;2;255;0;0mx\x1b[48;2;1;2;3my", "{a-f9:x}{a-f9 a-b0:y}"},
		"24 bit with colons":                                {"\x1b[38:2::0:255:0mx\x1b[38:2:0:0:0my\x1b[38:5:1mz", "{a-f10:x}{a-f0:y}{a-f1:z}"},
		"a colour of 256 and an attribute after it":         {"\x1b[38;5;1;1mx", "{a-f1 a-bold:x}"},
		"an underline with a shape":                         {"\x1b[4:3mx\x1b[4:0my", "{a-underline:x}y"},
		"colours out of range change nothing":               {"\x1b[38;5;256mx\x1b[38;2;1;2;999my\x1b[99999999999999999999mz", "xyz"},
		"an unfinished colour changes nothing":              {"\x1b[38;5mx\x1b[38my\x1b[38;2;1mz", "xyz"},
		"a private sequence changes nothing":                {"\x1b[>4;1mx\x1b[?25ly", "xy"},
		"movements of the cursor are left out":              {"a\x1b[2Ab\x1b[10;10Hc\x1b[2Jd\x1b7e\x1b8f", "abcdef"},
		"a sequence with intermediate bytes":                {"a\x1b(Bb\x1b[1 qc", "abc"},
		"the text of a link stays, its address goes":        {"see \x1b]8;;javascript:alert(1)\x1b\\here\x1b]8;;\x1b\\.", "see here."},
		"a link that ends with BEL":                         {"\x1b]8;;http://x/\ahere\x1b]8;;\a", "here"},
		"a title and an image go":                           {"\x1b]0;title\aa\x1b]1337;File=inline=1:AAAA\ab\x1bPq#0\x1b\\c", "abc"},
		"a title without an end does not hide what follows": {"a\x1b]0;title" + strings.Repeat("x", maxText) + "\x1b[31mred", "axxxxxxx{a-f1:red}"},
		"a title is ended by another sequence":              {"\x1b]0;t\x1b[31mred", "{a-f1:red}"},
		"a sequence without an end":                         {"a\x1b[31", "a"},
		"a lone escape":                                     {"a\x1b", "a"},
		"an escape within a sequence":                       {"\x1b[3\x1b[31mx", "{a-f1:x}"},
		"control characters within a sequence stay visible": {"a\x1b[3\x01mb", "a^Amb"},
		"progress: the last state remains":                  {"10 %\r50 %\r100 %", "100 %"},
		"progress: what is shorter overwrites its part":     {"downloading\rdone", "doneloading"},
		"progress: a line that is erased":                   {"downloading\r\x1b[Kdone", "done"},
		"progress: all of a line that is erased":            {"downloading\x1b[2K\rdone", "done"},
		"progress: a return at the end changes nothing":     {"50 %\r", "50 %"},
		"progress: colours go with their characters":        {"\x1b[31mabc\r\x1b[32mx", "{a-f2:x}{a-f1:bc}"},
		"progress: back to the first column":                {"abc\x1b[Gx", "xbc"},
		"backspaces":                                        {"a-\b\\\b|\b/\bb", "ab"},
		"backspaces before the beginning":                   {"\b\b\bab\b\b\b\bc", "cb"},
		"tabs stay":                                         {"a\tb", "a\tb"},
		"the bell is not shown":                             {"a\ab", "ab"},
		"control characters are shown":                      {"a\x00b\x7fc\x04", "a^@b^?c^D"},
		"what is no UTF-8":                                  {"a\xff\xc3(\xe2\x82", "a\uFFFD\uFFFD(\uFFFD\uFFFD"},
		"C1 controls":                                       {"a\u009b31mb\u0085c", "a<U+009B>31mb<U+0085>c"},
		"marks of direction":                                {"a\u202eb\u2066c", "a<U+202E>b<U+2066>c"},
		"characters without a width":                        {"a\u200bb\u00adc 👩\u200d💻", "a<U+200B>b<U+00AD>c 👩\u200d💻"},
		"other scripts and emoji":                           {"\x1b[1m日本 ü 👩‍👩‍👧", "{a-bold:日本 ü 👩‍👩‍👧}"},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := Parse(tt.in, State{})
			if diff := cmp.Diff(tt.want, marked(l)); diff != "" {
				t.Error(diff)
			}
			if l.Cut != 0 {
				t.Errorf("cut by %d", l.Cut)
			}
		})
	}
}

func TestAColourGoesOnInTheNextLine(t *testing.T) {
	l, s := Parse("a \x1b[31mred", State{})
	if got := marked(l); got != "a {a-f1:red}" {
		t.Error(got)
	}
	l, s = Parse("still", s)
	if got := marked(l); got != "{a-f1:still}" {
		t.Error(got)
	}
	_, s = Parse("", s)
	l, s = Parse("x\x1b[0my", s)
	if got := marked(l); got != "{a-f1:x}y" || s != (State{}) {
		t.Error(got, s)
	}
}

func TestALongLineIsCut(t *testing.T) {
	l, _ := Parse(strings.Repeat("é", 1<<19), State{})
	if n := len(l.Text()); n != MaxLine || l.Cut != 1<<20-MaxLine {
		t.Errorf("%d bytes shown, %d cut", n, l.Cut)
	}
	if l, _ = Parse("a"+strings.Repeat("é", MaxLine), State{}); !utf8.ValidString(l.Text()) || strings.Contains(l.Text(), "\uFFFD") || l.Cut+len(l.Text()) != 2*MaxLine+1 {
		t.Errorf("cut within a character: %d", l.Cut)
	}
	l, _ = Parse(strings.Repeat("\x1b[31mx\x1b[32my", MaxLine/12), State{})
	if len(l.Spans) > maxSpans || len(l.Text()) < 10000 {
		t.Errorf("%d spans, %d bytes", len(l.Spans), len(l.Text()))
	}
}

func TestView(t *testing.T) {
	var page strings.Builder
	var state State
	for _, line := range []string{"$ go test ./...", "\x1b[32mok\x1b[0m  \twidgets\t0.1s", "\x1b[1;31m--- FAIL: <script>alert(1)</script> & \"quotes\"", "still bold", "\x1b[0m\x1b[7minverse\x1b[0m \x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "10%\r20%\r\x1b[K100%", strings.Repeat("x", 40) + strings.Repeat("\x00", MaxLine)} {
		var l Line
		l, state = Parse(line, state)
		if l.Cut > 0 {
			l.Spans[0].Text = l.Spans[0].Text[:40]
		}
		if err := l.View().Render(t.Context(), &page); err != nil {
			t.Fatal(err)
		}
		page.WriteString("\n")
	}
	golden(t, "view.golden.html", page.String())
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(page.String()))
	if err != nil {
		t.Fatal(err)
	}
	if n := doc.Find("script, a, img, [style], [href]").Length(); n != 0 {
		t.Errorf("%d elements that the output may not make", n)
	}
	if got := doc.Find(".a-bold.a-f1").Length(); got != 2 {
		t.Errorf("%d bold red spans", got)
	}
}

// golden compares got with a file of testdata, which UPDATE_GOLDEN=1 writes.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("a\x1b[31mb\x1b[0m\rc\b\x1b]8;;x\ay\x1b[38;2;1;2;3mz\xff")
	f.Add("\x1b[2K\x1b[K\x1b[1;1H\x1bPx\x1b\\\x1b(B\t\x00")
	f.Fuzz(func(t *testing.T, in string) {
		var state State
		for line := range strings.Lines(in) {
			var l Line
			l, state = Parse(line, state)
			text := l.Text()
			if !utf8.ValidString(text) {
				t.Fatalf("not UTF-8: %q", text)
			}
			if len(text) > 3*MaxLine || len(l.Spans) > maxSpans {
				t.Fatalf("%d bytes, %d spans", len(text), len(l.Spans))
			}
			if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 }) {
				t.Fatalf("a control character in %q", text)
			}
			for _, s := range l.Spans {
				if s.Text == "" || strings.ContainsAny(s.Style.Class(), "\"<>") {
					t.Fatalf("span %+v", s)
				}
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for name, line := range map[string]string{
		"plain":                strings.Repeat("a plain line of a log. ", 5),
		"coloured":             strings.Repeat("\x1b[32mok\x1b[0m widgets/internal/pkg \x1b[2m0.12s\x1b[0m ", 3),
		"progress":             strings.Repeat("\r\x1b[K 10% ====>     ", 100),
		"hostile colours":      strings.Repeat("\x1b[1m\x1b[mx", MaxLine/8),
		"hostile erasing":      strings.Repeat("x", MaxLine/2) + strings.Repeat("\x1b[2K", MaxLine/8),
		"hostile titles":       strings.Repeat("\x1b]", MaxLine/2),
		"hostile parameters":   "\x1b[" + strings.Repeat("1;", MaxLine/2) + "m",
		"hostile colons":       "\x1b[" + strings.Repeat("1:", MaxLine/2) + "m",
		"a line of a megabyte": strings.Repeat("é", 1<<19),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				Parse(line, State{})
			}
		})
	}
}
