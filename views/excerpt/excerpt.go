// Package excerpt makes a part of the console's page fit to stand in a page of
// somebody else: its links lead to the console in a tab of their own, nothing in
// it acts or loads anything, its ids are its own, and it says no age that would
// be wrong a minute later.
package excerpt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Options say what an excerpt is taken from and how it shows.
type Options struct {
	Page   *url.URL                                // the page that it is taken from: links are relative to it
	Prefix string                                  // before every id, so that two excerpts in a page do not clash
	Time   func(t time.Time, clock bool) string    // a moment in words; clock: only the time of day
	Since  func(t time.Time) string                // since when something goes on
	Link   func(to *url.URL) string                // where a link leads instead; empty: nowhere. nil: to the console
	Symbol func(name string) (svg string, ok bool) // the content of a symbol of the sprite, in a box of 16
}

// dropped are elements that act, load or style; they go with all they hold.
//
//nolint:gochecknoglobals // a table
var dropped = map[atom.Atom]bool{
	atom.Form: true, atom.Button: true, atom.Select: true, atom.Textarea: true, atom.Dialog: true, atom.Script: true,
	atom.Style: true, atom.Iframe: true, atom.Object: true, atom.Template: true, atom.Noscript: true, atom.Video: true, atom.Audio: true,
	// These hold nothing.
	atom.Input: true, atom.Link: true, atom.Meta: true, atom.Base: true, atom.Embed: true, atom.Img: true, atom.Source: true,
}

//nolint:gochecknoglobals // a table
var void = map[atom.Atom]bool{
	atom.Input: true, atom.Link: true, atom.Meta: true, atom.Base: true, atom.Embed: true, atom.Img: true, atom.Source: true,
}

// Write writes the excerpt of src, which is HTML that a view rendered. An error
// is one of w.
func Write(w io.Writer, src []byte, o Options) error {
	e := &editor{o: o, out: &bytes.Buffer{}}
	z := html.NewTokenizer(bytes.NewReader(src))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			if err := z.Err(); !errors.Is(err, io.EOF) {
				return fmt.Errorf("read the part to excerpt: %w", err)
			}
			break
		}
		raw := bytes.Clone(z.Raw()) // before Token, which lowers names in place
		e.token(kind, z.Token(), raw)
	}
	_, err := w.Write(e.out.Bytes())
	return err
}

// editor copies tokens. It is inside at most one thing that is left out.
type editor struct {
	o      Options
	out    *bytes.Buffer
	inside atom.Atom // the element that is left out; 0: none
	depth  int       // how many of the same name are open in it
	text   atom.Atom // the element whose text was written already; 0: none
}

func (e *editor) token(kind html.TokenType, t html.Token, raw []byte) {
	switch {
	case e.inside != 0:
		e.leaveOut(kind, t)
	case kind == html.CommentToken, kind == html.DoctypeToken:
	case kind == html.TextToken:
		if e.text == 0 {
			e.out.Write(raw)
		}
	case kind == html.EndTagToken:
		if e.text == t.DataAtom {
			e.text = 0
		}
		if t.Data != "use" && !dropped[t.DataAtom] {
			e.out.Write(raw)
		}
	case dropped[t.DataAtom] && (kind == html.SelfClosingTagToken || void[t.DataAtom]):
	case dropped[t.DataAtom]:
		e.inside, e.depth = t.DataAtom, 1
	case t.Data == "use":
		e.use(t)
	default:
		e.start(kind, t, raw)
	}
}

func (e *editor) leaveOut(kind html.TokenType, t html.Token) {
	if t.DataAtom != e.inside {
		return
	}
	switch kind {
	case html.StartTagToken:
		e.depth++
	case html.EndTagToken:
		if e.depth--; e.depth == 0 {
			e.inside = 0
		}
	}
}

// use puts the symbol itself where the sprite was named: a page elsewhere cannot
// load it.
func (e *editor) use(t html.Token) {
	_, name, _ := strings.Cut(attr(t, "href"), "#")
	content, ok := e.o.Symbol(name)
	if !ok {
		return
	}
	e.out.WriteString(`<svg viewBox="0 0 16 16"`)
	for _, a := range t.Attr {
		if slices.Contains([]string{"x", "y", "width", "height", "class"}, a.Key) {
			e.attr(a.Key, a.Val)
		}
	}
	e.out.WriteString(">" + content + "</svg>")
}

// start writes the tag that begins an element, as it was where nothing changes.
func (e *editor) start(kind html.TokenType, t html.Token, raw []byte) {
	attrs, changed := e.attrs(t)
	if !changed {
		e.out.Write(raw)
	} else {
		// Names of SVG have capitals, which the tokenizer lowered; the parser of
		// every browser gives them back.
		e.out.WriteString("<" + t.Data)
		for _, a := range attrs {
			e.attr(a.Key, a.Val)
		}
		if kind == html.SelfClosingTagToken {
			e.out.WriteString("/")
		}
		e.out.WriteString(">")
	}
	if words, ok := e.moment(t); ok && kind == html.StartTagToken {
		e.out.WriteString(html.EscapeString(words))
		e.text = t.DataAtom
	}
}

// moment is what to say of a time instead of an age.
func (e *editor) moment(t html.Token) (words string, ok bool) {
	if since, err := strconv.ParseInt(attr(t, "data-since"), 10, 64); err == nil {
		return e.o.Since(time.UnixMilli(since)), true
	}
	as := attr(t, "data-as")
	at, err := time.Parse(time.RFC3339, attr(t, "datetime"))
	if t.DataAtom != atom.Time || as == "" || err != nil {
		return "", false
	}
	return e.o.Time(at, as == "clock"), true
}

// attrs are the attributes that stay, and whether any is another one now.
func (e *editor) attrs(t html.Token) (kept []html.Attribute, changed bool) {
	link := false
	for _, a := range t.Attr {
		val := a.Val
		switch key := a.Key; {
		case acts(key):
			changed = true
			continue
		case key == "id":
			val = e.o.Prefix + val
		case key == "href" && t.DataAtom == atom.A:
			if val = e.link(val); val == "" {
				changed = true
				continue
			}
			link = !strings.HasPrefix(val, "#")
		case refers(key):
			names := strings.Fields(val)
			for i, name := range names {
				names[i] = e.o.Prefix + name
			}
			val = strings.Join(names, " ")
		case key == "target", key == "rel":
			changed = true
			continue
		case strings.Contains(val, "url("):
			val = strings.ReplaceAll(val, "url(#", "url(#"+e.o.Prefix)
			if strings.Count(val, "url(") != strings.Count(val, "url(#") {
				changed = true // what would be loaded from elsewhere
				continue
			}
		}
		changed = changed || val != a.Val
		kept = append(kept, html.Attribute{Key: a.Key, Val: val})
	}
	if link {
		changed = true
		kept = append(kept, html.Attribute{Key: "target", Val: "_blank"}, html.Attribute{Key: "rel", Val: "noopener noreferrer"})
	}
	return kept, changed
}

// acts reports whether an attribute makes its element do or load something, or
// is a message to the console's own scripts.
func acts(key string) bool {
	for _, prefix := range []string{"on", "hx-", "command", "popover"} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	switch key {
	case "style", "src", "srcset", "action", "formaction", "ping", "download", "autofocus", "accesskey", "contenteditable", "is",
		"data-region", "data-hold", "data-cursor", "data-release":
		return true
	}
	return false
}

// refers reports whether an attribute names ids.
func refers(key string) bool {
	switch key {
	case "aria-labelledby", "aria-describedby", "aria-controls", "aria-owns", "aria-details", "aria-activedescendant", "headers", "for":
		return true
	}
	return false
}

// link is where a link leads; empty where it must not lead.
func (e *editor) link(href string) string {
	to, err := e.o.Page.Parse(href)
	if err != nil || to.Scheme != "http" && to.Scheme != "https" && to.Scheme != "" {
		return ""
	}
	if e.o.Link != nil {
		return e.o.Link(to)
	}
	return to.String()
}

func (e *editor) attr(key, val string) {
	e.out.WriteString(" " + key + `="` + html.EscapeString(val) + `"`)
}

func attr(t html.Token, key string) string {
	for _, a := range t.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
