package excerpt_test

import (
	"bytes"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"wavedeck/views/excerpt"
)

func options(t testing.TB) excerpt.Options {
	t.Helper()
	page, err := url.Parse("https://wave.example/deck/runs/7f")
	if err != nil {
		t.Fatal(err)
	}
	return excerpt.Options{
		Page: page, Prefix: "wd-",
		Time: func(at time.Time, clock bool) string {
			if clock {
				return at.Format("15:04")
			}
			return at.Format("2 Jan <15:04>")
		},
		Since: func(at time.Time) string { return "since " + at.UTC().Format("15:04") },
		Symbol: func(name string) (string, bool) {
			return `<path d="M0 0"/>`, name == "failed"
		},
	}
}

func TestWrite(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"text stays as it is":            {`a &lt;b&gt; &amp; c`, `a &lt;b&gt; &amp; c`},
		"what does nothing stays":        {`<p class="x" title="a">b</p>`, `<p class="x" title="a">b</p>`},
		"names of SVG stay":              {`<svg viewBox="0 0 1 1"><linearGradient/></svg>`, `<svg viewBox="0 0 1 1"><linearGradient/></svg>`},
		"a link leads out":               {`<a href="/deck/runs">x</a>`, `<a href="https://wave.example/deck/runs" target="_blank" rel="noopener noreferrer">x</a>`},
		"a link within the page too":     {`<a href="#step-a">x</a>`, `<a href="https://wave.example/deck/runs/7f#step-a" target="_blank" rel="noopener noreferrer">x</a>`},
		"a link of parameters too":       {`<a href="?L=3">x</a>`, `<a href="https://wave.example/deck/runs/7f?L=3" target="_blank" rel="noopener noreferrer">x</a>`},
		"a link elsewhere stays":         {`<a rel="x" target="_top" href="https://example.org">x</a>`, `<a href="https://example.org" target="_blank" rel="noopener noreferrer">x</a>`},
		"a link that acts is none":       {`<a href="javascript:x()">x</a>`, `<a>x</a>`},
		"a form goes with all it holds":  {`a<form action="/x"><p><input><button>b</button></p><form>c</form></form>d`, `ad`},
		"a void control goes alone":      {`a<input value="x">b<img src="x">c`, `abc`},
		"a script goes":                  {`a<script src="x"></script>b<script>"</p>"</script>c`, `abc`},
		"a style goes":                   {`<style>p{}</style><p style="color:red">b</p>`, `<p>b</p>`},
		"a comment goes":                 {`a<!-- b -->c`, `ac`},
		"what htmx would do goes":        {`<p hx-get="/x" hx-sse:connect="/y" data-region>b</p>`, `<p>b</p>`},
		"what an event would do goes":    {`<p onclick="x()" OnLoad="y()">b</p>`, `<p>b</p>`},
		"an id is its own":               {`<p id="a" aria-labelledby="a b">c</p>`, `<p id="wd-a" aria-labelledby="wd-a wd-b">c</p>`},
		"a pattern is found":             {`<rect fill="url(#p)"></rect>`, `<rect fill="url(#wd-p)"></rect>`},
		"a pattern elsewhere is not":     {`<rect fill="url(https://evil.example/#p)"></rect>`, `<rect></rect>`},
		"a symbol stands for itself":     {`<svg viewBox="0 0 16 16"><use href="/s.svg#failed" x="3"></use></svg>`, `<svg viewBox="0 0 16 16"><svg viewBox="0 0 16 16" x="3"><path d="M0 0"/></svg></svg>`},
		"a symbol that there is not":     {`<use href="/s.svg#x"/>`, ``},
		"an age becomes a moment":        {`<time datetime="2026-11-23T14:00:00Z" data-as="ago">3 min ago</time>!`, `<time datetime="2026-11-23T14:00:00Z" data-as="ago">23 Nov &lt;14:00&gt;</time>!`},
		"a time of day stays one":        {`<time datetime="2026-11-23T14:00:00Z" data-as="clock">x</time>`, `<time datetime="2026-11-23T14:00:00Z" data-as="clock">14:00</time>`},
		"a time that is none stays":      {`<time datetime="x" data-as="ago">y</time>`, `<time datetime="x" data-as="ago">y</time>`},
		"what goes on says since when":   {`<span data-since="1763906400000">4m</span>x`, `<span data-since="1763906400000">since 14:00</span>x`},
		"a duration stays a duration":    {`<time datetime="PT3S">3s</time>`, `<time datetime="PT3S">3s</time>`},
		"what is left open is left open": {`<form><p>a`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := excerpt.Write(&out, []byte(c.in), options(t)); err != nil {
				t.Fatal(err)
			}
			if out.String() != c.want {
				t.Errorf("\n%s\nbecomes\n%s\nwant\n%s", c.in, out.String(), c.want)
			}
		})
	}
}

// FuzzWrite holds for any input, not only for what views render.
func FuzzWrite(f *testing.F) {
	for _, seed := range []string{
		`<a href="javascript:x()" onclick=y>z</a>`, `<form><form></form><input><script>x</script>`, `<use href="#failed"><title><script></title>`,
		`<p/onload=x style=y>`, `<svg><script>x</script><a href=" java	script:x">`, `<textarea><form></textarea><iframe>`, `<plaintext><form>`, `<noscript><p title="</noscript><img src=x onerror=y>">`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		var out bytes.Buffer
		if err := excerpt.Write(&out, []byte(src), options(t)); err != nil {
			return
		}
		z := html.NewTokenizer(bytes.NewReader(out.Bytes()))
		for z.Next() != html.ErrorToken {
			token := z.Token()
			if token.Type != html.StartTagToken && token.Type != html.SelfClosingTagToken {
				continue
			}
			switch token.Data {
			case "form", "script", "style", "iframe", "input", "button", "img", "link", "base", "meta", "use":
				t.Errorf("%q leaves <%s>", src, token.Data)
			}
			for _, a := range token.Attr {
				if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-") || a.Key == "style" {
					t.Errorf("%q leaves %s", src, a.Key)
				}
				if to, err := url.Parse(a.Val); token.Data == "a" && a.Key == "href" && (err != nil || to.Scheme != "http" && to.Scheme != "https") {
					t.Errorf("%q leaves a link to %q", src, a.Val)
				}
			}
		}
		if err := z.Err(); !errors.Is(err, io.EOF) {
			t.Errorf("%q leaves what cannot be read: %v", src, err)
		}
	})
}
