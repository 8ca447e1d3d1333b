package views_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"wavedeck/views"
	"wavedeck/views/sample"
)

var update = flag.Bool("update", false, "write the golden files anew")

// hashes of assets say nothing about a view.
var assetHash = regexp.MustCompile(`\.[0-9a-f]{12}\.(css|json|js|svg)`)

func render(t *testing.T, c sample.Case) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := c.View.Render(context.Background(), &out); err != nil {
		t.Fatalf("render %s: %v", c.Name, err)
	}
	return out.Bytes()
}

func parse(t *testing.T, c sample.Case) *goquery.Document {
	t.Helper()
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(render(t, c)))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestGolden(t *testing.T) {
	names := map[string]bool{}
	for _, c := range sample.Cases() {
		names[c.Name+".html"] = true
		t.Run(c.Name, func(t *testing.T) {
			// One tag a line, so that a difference can be read.
			got := bytes.ReplaceAll(assetHash.ReplaceAll(render(t, c), []byte(".$1")), []byte("><"), []byte(">\n<"))
			got = append(bytes.TrimSpace(got), '\n')
			file := filepath.Join("testdata", c.Name+".html")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
				t.Errorf("%s differs (go test ./views -update writes it anew):\n%s", file, diff)
			}
		})
	}
	files, err := filepath.Glob("testdata/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !names[filepath.Base(file)] {
			t.Errorf("%s belongs to no case", file)
		}
	}
}

func TestHostileTextsStayText(t *testing.T) {
	for _, c := range sample.Cases() {
		if !strings.Contains(c.Name, "hostile") {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			doc := parse(t, c)
			doc.Find("script").Each(func(_ int, e *goquery.Selection) {
				if src := e.AttrOr("src", ""); !strings.HasPrefix(src, "/static/") || e.Text() != "" {
					t.Errorf("a script that is not ours: %q %q", src, e.Text())
				}
			})
			if n := doc.Find("h1").Length(); n != 1 && doc.Find("body.embed").Length() == 0 {
				t.Errorf("%d h1, want 1", n)
			}
			if n := doc.Find("img, iframe, object, embed, style, base:not(head > base[target])").Length(); n > 0 {
				t.Errorf("%d elements that no view has", n)
			}
			doc.Find("*").Each(func(_ int, e *goquery.Selection) {
				for _, a := range e.Nodes[0].Attr {
					if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
						t.Errorf("%s has the attribute %s", goquery.NodeName(e), a.Key)
					}
					address := slices.Contains([]string{"href", "src", "action", "hx-get", "hx-sse:connect"}, a.Key)
					if address && strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
						t.Errorf("%s leads to %s", goquery.NodeName(e), a.Val)
					}
					if a.Key == "class" && strings.ContainsAny(a.Val, "<>\"'&") {
						t.Errorf("class %q", a.Val)
					}
				}
			})
			if text := doc.Text(); !strings.Contains(text, sample.Hostile()[0].Title) {
				t.Error("the text itself is not shown")
			}
		})
	}
}

func TestPagesAreSound(t *testing.T) {
	for _, c := range sample.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			doc := parse(t, c)
			ids := map[string]bool{}
			doc.Find("[id]").Each(func(_ int, e *goquery.Selection) {
				id := e.AttrOr("id", "")
				if id == "" || strings.ContainsAny(id, " \t\n") || ids[id] {
					t.Errorf("the id %q is empty, not one word, or taken", id)
				}
				ids[id] = true
			})
			doc.Find("[aria-labelledby]").Each(func(_ int, e *goquery.Selection) {
				if id := e.AttrOr("aria-labelledby", ""); c.Page && !ids[id] {
					t.Errorf("nothing has the id %q that names a part", id)
				}
			})
			doc.Find("th").Each(func(_ int, e *goquery.Selection) {
				if e.AttrOr("scope", "") == "" {
					t.Errorf("the heading %q has no scope", e.Text())
				}
			})
			doc.Find("input:not([type=hidden]), select, textarea").Each(func(_ int, e *goquery.Selection) {
				if e.AttrOr("aria-label", "") == "" && e.Closest("label").Length() == 0 &&
					doc.Find("label").FilterFunction(func(_ int, l *goquery.Selection) bool { return l.AttrOr("for", "") == e.AttrOr("id", "-") }).Length() == 0 {
					t.Errorf("%s %q has no label", goquery.NodeName(e), e.AttrOr("name", ""))
				}
			})
			doc.Find("a").Each(func(_ int, e *goquery.Selection) {
				if href := e.AttrOr("href", ""); href == "" || href == "#" {
					t.Errorf("the link %q leads nowhere", e.Text())
				}
			})
			doc.Find("[hx-get]:not(input)").Each(func(_ int, e *goquery.Selection) {
				// What leads on in a log is replaced by what it leads to; all else goes on living.
				swap, leadsOn := e.AttrOr("hx-swap", ""), e.Is("nav.more")
				if e.AttrOr("id", "") == "" || !strings.HasPrefix(swap, "outerMorph") && !(leadsOn && swap == "outerHTML") {
					t.Errorf("a live region without an id, or that is not morphed: %q", e.AttrOr("hx-get", ""))
				}
			})
			if c.Page && doc.Find("body.embed").Length() == 0 {
				checkPage(t, doc)
			}
		})
	}
}

func checkPage(t *testing.T, doc *goquery.Document) {
	t.Helper()
	for _, one := range []string{"main", "h1[tabindex='-1']", "body > header", "footer", "#page", "#live-text", "a.skip[href='#main']", "head > title", "html[lang]"} {
		if n := doc.Find(one).Length(); n != 1 {
			t.Errorf("%d of %s, want 1", n, one)
		}
	}
	last := 0
	doc.Find("h1, h2, h3, h4").Each(func(_ int, e *goquery.Selection) {
		level := int(goquery.NodeName(e)[1] - '0')
		if level > last+1 {
			t.Errorf("the heading %q skips a level", e.Text())
		}
		last = level
	})
	if doc.Find("#live").Length() > 0 && doc.Find("#page #live").Length() > 0 {
		t.Error("the stream stands inside what is swapped")
	}
}

func TestTemplatesKeepThePolicy(t *testing.T) {
	files, err := filepath.Glob("*.templ")
	if err != nil || len(files) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	banned := map[string]*regexp.Regexp{
		"an inline style":          regexp.MustCompile(`\sstyle\s*=|<style`),
		"an event handler":         regexp.MustCompile(`\son[a-z]+\s*=`),
		"hx-on":                    regexp.MustCompile(`hx-on`),
		"js: in an htmx attribute": regexp.MustCompile(`\bjs:|javascript:`),
		"a trigger filter":         regexp.MustCompile(`hx-trigger="[^"]*\[`),
		"an inline script":         regexp.MustCompile(`<script(>|[^>]*[^/]>[^<])`),
		"unescaped text":           regexp.MustCompile(`templ\.Raw|templ\.URL\(|ComponentScript|templ\.JS`),
		"listening on body":        regexp.MustCompile(`from:body`),
	}
	for _, file := range append(files, "state.go") {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for what, pattern := range banned {
			if at := pattern.FindIndex(source); at != nil {
				t.Errorf("%s:%d has %s", file, 1+bytes.Count(source[:at[0]], []byte("\n")), what)
			}
		}
	}
}

func TestSpriteAndStylesheetKnowEveryState(t *testing.T) {
	sprite, err := os.ReadFile("../static/sprite.svg")
	if err != nil {
		t.Fatal(err)
	}
	css, err := os.ReadFile("../static/app.css")
	if err != nil {
		t.Fatal(err)
	}
	shapes := map[string]string{}
	for _, state := range views.States() {
		m := regexp.MustCompile(`<symbol id="` + state + `"[^>]*>(.*)</symbol>`).FindSubmatch(sprite)
		if m == nil {
			t.Errorf("sprite.svg has no symbol %s", state)
			continue
		}
		if other, taken := shapes[string(m[1])]; taken {
			t.Errorf("%s looks like %s", state, other)
		}
		shapes[string(m[1])] = state
		if !regexp.MustCompile(`\.` + state + `\b`).Match(css) {
			t.Errorf("app.css has no class %s", state)
		}
	}
}

func TestUnknownStatesShowAsUnknown(t *testing.T) {
	c := sample.Case{Name: "state", View: views.State(sample.Layout("", "", ""), "what_is_this", "what_is_this")}
	doc := parse(t, c)
	if !doc.Find(".st").HasClass("unknown") || !strings.Contains(doc.Text(), "what_is_this") {
		t.Error("a state that is not told must have the unknown mark and its own word")
	}
}
