package markup

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

func render(t testing.TB, s Shown) string {
	t.Helper()
	var b strings.Builder
	if err := s.View().Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func document(t testing.TB, page string) *goquery.Document {
	t.Helper()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// safe says what in a page would run, load, or look other than by classes.
func safe(t testing.TB, page string) {
	t.Helper()
	allowedTags := strings.Fields("html head body div span p pre code details summary dl dt dd a em strong del h1 h2 h3 h4 h5 h6 ul ol li blockquote hr br table thead tbody tr th td img")
	allowedAttrs := strings.Fields("class open href rel id align start alt loading src")
	document(t, page).Find("*").Each(func(_ int, s *goquery.Selection) {
		n := s.Get(0)
		if !slices.Contains(allowedTags, n.Data) {
			t.Errorf("element %s in %.500q", n.Data, page)
		}
		for _, a := range n.Attr {
			if !slices.Contains(allowedAttrs, a.Key) {
				t.Errorf("attribute %s=%q in %.500q", a.Key, a.Val, page)
			}
			if a.Key == "href" && !linkMay(a.Val) || a.Key == "src" && !strings.HasPrefix(a.Val, "/") {
				t.Errorf("%s %q", a.Key, a.Val)
			}
			if a.Key == "id" && !strings.HasPrefix(a.Val, "md-") {
				t.Errorf("attribute %s=%q", a.Key, a.Val)
			}
		}
	})
}

func linkMay(href string) bool {
	// As a browser does: what it drops before it looks at the scheme.
	s := strings.ToLower(strings.Map(func(r rune) rune {
		if r <= ' ' {
			return -1
		}
		return r
	}, href))
	colon := strings.IndexByte(s, ':')
	slash := strings.IndexAny(s, "/?#")
	if colon < 0 || slash >= 0 && slash < colon {
		return !strings.HasPrefix(s, "//") && !strings.HasPrefix(s, `/\`) && !strings.HasPrefix(s, `\`)
	}
	return slices.Contains([]string{"http", "https", "mailto"}, s[:colon])
}

func TestChoose(t *testing.T) {
	for name, tt := range map[string]struct {
		name, declared, head string
		want                 Kind
	}{
		"JSON by its type":                     {"result", "json", "{}", JSON},
		"JSON by its name":                     {"a/result.JSON", "", "{}", JSON},
		"JSON by how it begins":                {"assessment", "", "{\n  \"a\": 1}", JSON},
		"an array":                             {"areas", "", `["a"]`, JSON},
		"a log that begins with a bracket":     {"build-log", "", "[1] compiling acme", Text},
		"Markdown by its type":                 {"plan", "markdown", "text", Markdown},
		"Markdown by its name":                 {"plan.md", "", "text", Markdown},
		"Markdown by how it begins":            {"plan", "", "# Plan\n\ntext", Markdown},
		"the type counts before the name":      {"x.md", "application/json; charset=utf-8", "{}", JSON},
		"a type of plain text is weaker":       {"x.md", "text/plain", "# a", Markdown},
		"YAML":                                 {"wave.yaml", "", "a: 1", Code},
		"a program":                            {"main.go", "", "package main", Code},
		"markup that a browser would run":      {"x.svg", "image/svg+xml", "<svg onload=alert(1)>", Code},
		"HTML":                                 {"x.html", "", "<script>", Code},
		"a patch by its name":                  {"fix.patch", "", "x", Diff},
		"a patch by how it begins":             {"patch", "", "diff --git a/x b/x\n", Diff},
		"a log":                                {"build.log", "", "{ not json", Text},
		"text":                                 {"env.txt", "", "A=1", Text},
		"text without a name":                  {"env", "", "A=1", Text},
		"nothing":                              {"", "", "", Text},
		"an image is one by its bytes":         {"x.json", "json", "\x89PNG\r\n\x1a\n\x00\x00", Image},
		"binary, whatever is declared":         {"x.md", "markdown", "a\x00b\x01\x02", Binary},
		"text with one zero byte":              {"x.md", "markdown", "a\x00b", Markdown},
		"what is no UTF-8":                     {"x", "", strings.Repeat("\xfd\xff", 200), Binary},
		"text that is cut within a character":  {"x.txt", "", strings.Repeat("é", 200)[:399], Text},
		"an executable with the name of text":  {"x.txt", "text", "\x7fELF\x02\x01\x01\x00\x00", Binary},
		"a WebP":                               {"x", "", "RIFF\x00\x00\x00\x00WEBPVP8 ", Image},
		"an image of a type that bytes belie":  {"x.png", "image/png", "<svg>", Text},
		"a name that would be a path to a lex": {strings.Repeat("x", 4000) + ".go", "", "package", Text},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Choose(tt.name, tt.declared, []byte(tt.head)); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// payloads are tried in every kind.
var payloads = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `<svg/onload=alert(1)>`, `</pre></div></details><script>alert(1)</script>`, `[x](javascript:alert(1))`, `[x](  JaVaScRiPt:alert(1))`,
	"[x](java\tscript:alert(1))", "[x](<java\nscript:alert(1)>)", `[x](&#106;avascript:alert(1))`, `[x](javascript&colon;alert(1))`, `[x](data:text/html,<script>alert(1)</script>)`, `[x](vbscript:x)`, `[x](//evil.example/)`, `[x](\\evil.example)`, `[x](/\evil.example)`,
	`![x](http://evil.example/pixel.png)`, `![x](javascript:alert(1))`, `![x](data:image/svg+xml,<svg onload=alert(1)>)`, `[![x](http://a/b.png)](http://c/)`, `<javascript:alert(1)>`, `<http://a.example/"onclick=alert(1)>`, `<a href="javascript:alert(1)">x</a>`,
	`<style>*{display:none}</style>`, `<iframe src=//evil.example>`, `<form action=//evil.example><input name=a>`, `# x {#id onclick=alert(1)}`, "```<img src=x onerror=alert(1)>\nx\n```", "```js\" onload=\"alert(1)\nx\n```", `[x]: javascript:alert(1)` + "\n\n[x]", `[x](http://a "t\" onclick=\"alert(1)")`,
	`<!-- --><script>alert(1)</script>`, `<?php x ?>`, `<![CDATA[<script>]]>`, `| a |` + "\n|:-:|\n| <b onclick=alert(1)>x |", `- [x] <input type=image src=x onerror=alert(1)>`, `<mailto:x@y.example?body=<script>>`, "\x1b]8;;javascript:alert(1)\x07x\x1b]8;;\x07", "&lt;script&gt;alert(1)&lt;/script&gt;", `{"a":"</script><script>alert(1)</script>","<img src=x onerror=alert(1)>":"\u003cscript\u003e"}`,
	`www.evil.example/"onmouseover="alert(1)`, `[a](#"onclick=alert(1))`, `http://a.example/<script>`, `x@y.example" onclick=`, `[x](http:evil)`, `[x](HTTP://ok.example)`, `[x](mailto:a@b)`, `[x](:javascript)`, `[x](%6aavascript:alert(1))`,
}

var kindsOf = map[Kind][]string{JSON: {"x.json"}, Markdown: {"x.md"}, Code: {"x.yaml", "x.go", "x.html", "x.js", "x.md"}, Diff: {"x.diff"}, Text: {"x.log"}, Image: {"x.png", `"><script>`}, Binary: {"x.bin", `"><script>`}}

func TestNothingOfABodyRunsOrLoads(t *testing.T) {
	for kind, names := range kindsOf {
		for _, name := range names {
			for _, p := range payloads {
				for _, form := range []string{p, "+" + p, `["` + strings.ReplaceAll(strings.ReplaceAll(p, `\`, `\\`), `"`, `\"`) + `"]`, "> " + p + "\n\ntext " + p} {
					safe(t, render(t, Show(t.Context(), Body{Name: name, MIME: p, Data: []byte(form), Heading: 2, Image: "/raw"}, kind)))
				}
			}
		}
	}
}

func TestJSON(t *testing.T) {
	for name, tt := range map[string]struct{ in, selector, text string }{
		"a string":                           {`"<a>"`, ".m-str", `"<a>"`},
		"a number as it is written":          {`12345678901234567890.10`, ".m-num", "12345678901234567890.10"},
		"true":                               {`true`, ".m-bool", "true"},
		"null":                               {`null`, ".m-null", "null"},
		"an empty object":                    {`{}`, ".m-row", "{}"},
		"an empty array in an object":        {`{"a": []}`, ".m-in > .m-row", `"a": []`},
		"a count of keys":                    {`{"a":1,"b":2}`, "summary", "{ 2 keys }"},
		"a count of one element":             {`[0]`, "summary", "[ 1 element ]"},
		"keys in their order, twice too":     {`{"b":1,"a":2,"b":3}`, ".m-key", `"b""a""b"`},
		"what is not seen":                   {`"a\u202eb\u0000\n"`, ".m-str", `"a\u202eb\x00\n"`},
		"a long array is shown in part":      {"[" + strings.Repeat("1,", 999) + "1]", ".m-row.m-count", "… 500 more are not shown"},
		"a long string is shown in part":     {`"` + strings.Repeat("x", maxString+10) + `"`, ".m-str", `"` + strings.Repeat("x", maxString) + `" … 10 more bytes`},
		"nested deep":                        {strings.Repeat("[", 1000) + strings.Repeat("]", 1000), ".m-count:contains('not shown')", "… 1 more are not shown"},
		"after a mark of the order of bytes": {"\ufeff[1]", ".m-num", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := Show(t.Context(), Body{Data: []byte(tt.in)}, JSON)
			if s.Kind != JSON || s.Reason != "" {
				t.Fatalf("%s: %s", s.Kind, s.Reason)
			}
			if got := document(t, render(t, s)).Find(tt.selector).Text(); got != tt.text {
				t.Errorf("%q, want %q", got, tt.text)
			}
		})
	}
	for name, tt := range map[string]struct{ in, reason string }{
		"an end that is missing": {`{"a": [1, 2`, "it ends early"},
		"nothing":                {"", "it ends early"},
		"two values":             {`{} {}`, "more follows"},
		"no JSON":                {`{a: 1}`, "invalid character"},
		"a key that is none":     {`{1: 1}`, "invalid character"},
		"an end of another kind": {`[1}`, "invalid character"},
	} {
		t.Run(name+" is shown as text", func(t *testing.T) {
			s := Show(t.Context(), Body{Data: []byte(tt.in)}, JSON)
			if s.Kind != Text || !strings.Contains(s.Reason, tt.reason) {
				t.Errorf("%s: %q", s.Kind, s.Reason)
			}
			if got := document(t, render(t, s)).Find("pre.m-text").Text(); strings.TrimSpace(got) != tt.in {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestMarkdown(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"headings stand below the page's":      {"# A\n\n### B\n\n##### C", `<h3 id="md-a">A</h3><h5 id="md-b">B</h5><h6 id="md-c">C</h6>`},
		"headings that are alike":              {"# A\n# A\n# ü\n", `<h3 id="md-a">A</h3><h3 id="md-a-1">A</h3><h3 id="md-heading">ü</h3>`},
		"a link to the web":                    {"[x](https://a.example/?a=1&b=2 'title')", `<p><a href="https://a.example/?a=1&amp;b=2" rel="noopener noreferrer nofollow">x</a></p>`},
		"a link to a heading":                  {"[x](#a-b)", `<p><a href="#md-a-b">x</a></p>`},
		"a relative link":                      {"[x](docs/plan.md)", `<p><a href="docs/plan.md">x</a></p>`},
		"an address":                           {"<a@b.example>", `<p><a href="mailto:a@b.example">a@b.example</a></p>`},
		"a link that runs leaves its text":     {"a [*x* y](javascript:alert(1)) b", `<p>a <em>x</em> y b</p>`},
		"a link to nothing leaves its text":    {"[x]()", `<p>x</p>`},
		"a link without a scheme to elsewhere": {"[x](//evil.example)", `<p>x</p>`},
		"an automatic link of another scheme":  {"<ftp://a.example/>", `<p>ftp://a.example/</p>`},
		"an automatic link":                    {"see https://a.example/x.", `<p>see <a href="https://a.example/x" rel="noopener noreferrer nofollow">https://a.example/x</a>.</p>`},
		"an image is a link":                   {"![a *b*](https://a.example/x.png)", `<p><a href="https://a.example/x.png" rel="noopener noreferrer nofollow">image: a <em>b</em></a></p>`},
		"an image without words":               {"![](x.png)", `<p><a href="x.png">image: x.png</a></p>`},
		"an image in a link":                   {"[![a](b.png)](https://c.example)", `<p><a href="https://c.example" rel="noopener noreferrer nofollow">image: a</a></p>`},
		"an image of data":                     {"![a](data:image/png;base64,AAAA)", `<p>image: a</p>`},
		"raw HTML is left out":                 {"a <b>x</b>\n\n<div>y</div>", `<p>a <!-- raw HTML omitted -->x<!-- raw HTML omitted --></p><!-- raw HTML omitted -->`},
		"code":                                 {"```go\na < b\n```", `<pre><code class="language-go">a &lt; b</code></pre>`},
		"a list of tasks":                      {"- [x] a\n- [ ] b", `<ul><li>☑ a</li><li>☐ b</li></ul>`},
		"a table":                              {"|a|b|\n|-|-:|\n|1|2|", `<table><thead><tr><th>a</th><th align="right">b</th></tr></thead><tbody><tr><td>1</td><td align="right">2</td></tr></tbody></table>`},
		"struck text":                          {"~~a~~", `<p><del>a</del></p>`},
		"a mark of direction and a character without a width": {"a\u202eb\u200bc", "<p>a&lt;U+202E&gt;b&lt;U+200B&gt;c</p>"},
		"a NUL and what is no UTF-8":                          {"a\x00b\xff", "<p>a\uFFFDb\uFFFD</p>"},
	} {
		t.Run(name, func(t *testing.T) {
			s := Show(t.Context(), Body{Data: []byte(tt.in), Heading: 2}, Markdown)
			if s.Reason != "" {
				t.Fatal(s.Reason)
			}
			got := render(t, s)
			got = strings.TrimSuffix(strings.TrimPrefix(got, `<div class="m-md">`), "</div>")
			if diff := cmp.Diff(tt.want, strings.ReplaceAll(got, "\n", "")); diff != "" {
				t.Error(diff)
			}
		})
	}
	for name, in := range map[string]string{"quotes": strings.Repeat(">", 100) + "x", "lists": strings.Repeat("- ", 100) + "x", "brackets": strings.Repeat("[", 10000), "tables": strings.Repeat("|a", 2000) + "\n" + strings.Repeat("|-", 2000) + "\n" + strings.Repeat("|\n", 2000), "too long": strings.Repeat("word ", maxMarkdown/5+1)} {
		t.Run(name+" beyond measure are shown as text", func(t *testing.T) {
			if s := Show(t.Context(), Body{Data: []byte(in)}, Markdown); s.Kind != Text || s.Reason == "" {
				t.Errorf("%s: %q", s.Kind, s.Reason)
			}
		})
	}
	t.Run("a long line under a heading is none of a list", func(t *testing.T) {
		if s := Show(t.Context(), Body{Data: []byte("Title\n" + strings.Repeat("-", 200) + "\n\n" + strings.Repeat("*", 100))}, Markdown); s.Reason != "" {
			t.Error(s.Reason)
		}
	})
}

func TestBodiesAgainstGoldens(t *testing.T) {
	for file, b := range map[string]struct {
		body Body
		kind Kind
	}{
		"json":   {Body{Data: []byte(`{"phase":"implement","tests":{"failed":0,"passed":10},"files":["a.go","b.go"],"none":null,"ok":true,"empty":{},"text":"a <b> & \"c\"\n"}`)}, JSON},
		"yaml":   {Body{Name: "wave.yaml", Data: []byte("# the pipeline\nkind: Pipeline\nsteps:\n  - id: plan\n    retries: 2\n    prompt: \"do <it>\"\n")}, Code},
		"go":     {Body{Name: "main.go", Data: []byte("// Package main\npackage main\n\nfunc main() { println(\"a<b\", 42, true) } // \u202e\n")}, Code},
		"diff":   {Body{Data: []byte("diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@ func\n same\n-old <b>\n--- removed\n+new\n+++ added\n")}, Diff},
		"text":   {Body{Data: []byte("\x1b[31mred\nstill\x1b[0m <b>\n10%\r100%\n")}, Text},
		"binary": {Body{MIME: "application/octet-stream", Size: 5000, Data: []byte("\x7fELF\x00\x01<script>&\xff\xfe and more than sixteen")}, Binary},
		"image":  {Body{Name: "out/shot <1>.png", MIME: "image/png", Size: 1234567, Image: "/runs/x/a?raw=1&b=2"}, Image},
		"left":   {Body{Data: []byte("é\xc3"), Size: 2 << 20}, Text},
		"reason": {Body{Data: []byte("{oops")}, JSON},
	} {
		t.Run(file, func(t *testing.T) {
			got := render(t, Show(t.Context(), b.body, b.kind)) + "\n"
			safe(t, got)
			path := filepath.Join("testdata", file+".golden.html")
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
		})
	}
}

func TestWhatIsLeftOutIsSaid(t *testing.T) {
	s := Show(t.Context(), Body{Data: []byte(strings.Repeat("line\n", 300000)), Size: 1500000}, Text)
	page := render(t, s)
	if s.Left != 1500000-MaxBody || len(page) > 2*MaxBody {
		t.Errorf("%d left out, %d bytes of page", s.Left, len(page))
	}
	notes := document(t, page).Find(".m-note").Text()
	if !strings.Contains(notes, "451,424 bytes are left out") || !strings.Contains(notes, "189,716 more lines are left out") {
		t.Error(notes)
	}
	if s := Show(t.Context(), Body{Name: "x.go", Data: []byte(strings.Repeat("x ", maxCode))}, Code); s.Kind != Text || !strings.Contains(s.Reason, "128 KiB") {
		t.Error(s.Kind, s.Reason)
	}
	if s := Show(t.Context(), Body{Data: make([]byte, 10000)}, Binary); s.Left != 10000-MaxHex {
		t.Error(s.Left)
	}
}

func hostile() map[string]struct {
	kind Kind
	name string
	text string
} {
	type h = struct {
		kind Kind
		name string
		text string
	}
	fill := func(s string, n int) string { return strings.Repeat(s, n/len(s)) }
	return map[string]h{
		"json array":          {JSON, "", "[" + fill("1,", MaxBody-10) + "1]"},
		"json depth":          {JSON, "", fill("[", MaxBody/2) + fill("]", MaxBody/2)},
		"json objects":        {JSON, "", "[" + fill(`{"a":{"b":[1,2]}},`, MaxBody-20) + "1]"},
		"json keys":           {JSON, "", `{"` + fill("k", MaxBody-20) + `":1}`},
		"json long strings":   {JSON, "", "[" + fill(`"`+strings.Repeat(`\u0001`, 4000)+`",`, MaxBody-10) + "1]"},
		"markdown text":       {Markdown, "", fill("Some *text* with [links](https://a.example) and `code`.\n\n- an item\n- another\n\n", maxMarkdown)},
		"markdown brackets":   {Markdown, "", fill(strings.Repeat("[", 2900)+"\n", maxMarkdown)},
		"markdown images":     {Markdown, "", fill(strings.Repeat("![", 1400)+"\n", maxMarkdown)},
		"markdown links":      {Markdown, "", fill("[a](", maxMarkdown)[:3000*4]},
		"markdown emphasis":   {Markdown, "", fill(strings.Repeat("*a _b ", 900)+"\n", maxMarkdown)},
		"markdown stars":      {Markdown, "", fill(strings.Repeat("a**", 900)+"\n", maxMarkdown)},
		"markdown quotes":     {Markdown, "", fill(strings.Repeat(">", maxNesting)+"x\n", maxMarkdown)},
		"markdown lists":      {Markdown, "", fill(strings.Repeat("- ", maxNesting)+"x\n", maxMarkdown)},
		"markdown ticks":      {Markdown, "", fill("`` ` ``` ", maxMarkdown)},
		"markdown table":      {Markdown, "", "|a|b|\n|-|-|\n" + fill("|1|2|\n", maxMarkdown-20)},
		"markdown wide table": {Markdown, "", fill("|a", maxMarkdown/4) + "\n" + fill("|-", maxMarkdown/4) + "\n" + fill("|\n", maxMarkdown/4)},
		"markdown html":       {Markdown, "", fill("<a ", maxMarkdown)},
		"markdown entities":   {Markdown, "", fill("&a", maxMarkdown)},
		"markdown references": {Markdown, "", fill("[a]: b\n", maxMarkdown/2) + "\n" + fill("[a] ", maxMarkdown/2-10)},
		"markdown urls":       {Markdown, "", fill("http://a.b/(((((", maxMarkdown)},
		"markdown full table": {Markdown, "", fill("|a", 1000) + "\n" + fill("|-", 1000) + "\n" + fill("|\n", 1400)},
		"code yaml":           {Code, "x.yaml", fill("key: value # note\n", maxCode)},
		"code go":             {Code, "x.go", fill("func f(a int) string { return \"x\" + 1 }\n", maxCode)},
		"code html":           {Code, "x.html", fill("<a <", maxCode)},
		"code yaml brackets":  {Code, "x.yaml", fill("{[", maxCode)},
		"code js slashes":     {Code, "x.js", fill("/`${", maxCode)},
		"code one line":       {Code, "x.md", fill("*a_", maxCode)},
		"diff":                {Diff, "", fill("+a line\n-another\n", MaxBody)},
		"text":                {Text, "", fill("\x1b[32mok\x1b[0m a line of text\n", MaxBody)},
		"text empty lines":    {Text, "", fill("\n", MaxBody)},
		"text colours":        {Text, "", fill("\x1b[1;3;4;7;9;31;41mx\x1b[0m", MaxBody)},
		"text one line":       {Text, "", fill("<", MaxBody)},
		"binary":              {Binary, "", fill("\x00<", MaxBody)},
	}
}

// A page may be some times its body, never without bound.
func TestHostileBodiesGiveBoundedPages(t *testing.T) {
	for name, h := range hostile() {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			s := Show(t.Context(), Body{Name: h.name, Data: []byte(h.text)}, h.kind)
			page := render(t, s)
			t.Logf("%d KB, %s as %s %s, %v", len(page)>>10, h.kind, s.Kind, s.Reason, time.Since(begun))
			if len(page) > 8*MaxBody {
				t.Errorf("%d bytes", len(page))
			}
		})
	}
}

func BenchmarkShow(b *testing.B) {
	for name, h := range hostile() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(h.text)))
			b.ReportAllocs()
			for b.Loop() {
				Show(b.Context(), Body{Name: h.name, Data: []byte(h.text)}, h.kind)
			}
		})
	}
}

func FuzzShow(f *testing.F) {
	for i, p := range payloads {
		f.Add([]byte(p), uint8(i))
	}
	all := []Kind{JSON, Markdown, Code, Diff, Text, Binary}
	f.Fuzz(func(t *testing.T, data []byte, k uint8) {
		kind := all[int(k)%len(all)]
		name := []string{"x.yaml", "x.go", "x.html", "x"}[int(k)/len(all)%4]
		page := render(t, Show(t.Context(), Body{Name: name, Data: data, Heading: 1}, kind))
		safe(t, page)
		if _, err := html.Parse(strings.NewReader(page)); err != nil {
			t.Fatal(err)
		}
		Choose(name, "", data)
	})
}
