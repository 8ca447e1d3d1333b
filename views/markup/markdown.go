package markup

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"wavedeck/views/legible"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

const (
	maxMarkdown = 256 << 10 // bytes that are rendered
	maxNesting  = 60        // of quotes, lists and brackets in a line
	maxCells    = 400_000   // of a table as wide as its widest line and as long as the document
)

// writeMarkdown writes a document, or gives the reason why it is not rendered.
func writeMarkdown(ctx context.Context, out *strings.Builder, data []byte, heading int, id string) (reason string) {
	if len(data) > maxMarkdown {
		return "more than 256 KiB of Markdown are not rendered"
	}
	data = bytes.ToValidUTF8(bytes.ReplaceAll(data, []byte{0}, []byte("\uFFFD")), []byte("\uFFFD"))
	data = []byte(legible.Text(string(data)))
	if nested(data) {
		return "it is nested too deep"
	}
	if repeats(string(data), "\n") {
		return "a character is repeated too often in it"
	}
	if wide(data) {
		return "its tables may be too large"
	}
	if id == "" {
		id = "md"
	}
	t := tame{heading: max(heading, 0), prefix: id + "-"}
	md := goldmark.New(
		goldmark.WithExtensions(
			extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
			extension.Strikethrough, extension.Linkify, extension.TaskList,
		),
		goldmark.WithParserOptions(
			parser.WithBlockParsers(util.Prioritized(stopper{ctx: ctx}, 0)), parser.WithInlineParsers(util.Prioritized(stopper{ctx: ctx}, 0)),
		),
		goldmark.WithParserOptions(parser.WithAutoHeadingID(), parser.WithASTTransformers(util.Prioritized(t, 1000))),
	)
	defer func() {
		switch p := recover(); p {
		case nil:
		case errStopped:
			reason = tooLong
		default:
			panic(p)
		}
	}()
	out.WriteString(`<div class="m-md">`)
	context := parser.NewContext(parser.WithIDs(&ids{prefix: t.prefix, used: map[string]int{}}))
	var html bytes.Buffer
	if err := md.Convert(data, &html, parser.WithContext(context)); err != nil {
		return "it could not be rendered"
	}
	out.Write(html.Bytes())
	out.WriteString(`</div>`)
	return ""
}

// errStopped is the panic that ends a parser, which knows no other way.
var errStopped = errors.New("stopped")

// stopper ends the parsing of a document with ctx. It is asked at each line and at each
// character, and takes none.
type stopper struct {
	ctx context.Context //nolint:containedctx // a parser of the library takes none
}

func (s stopper) check() {
	if s.ctx.Err() != nil {
		panic(errStopped)
	}
}

// Trigger implements parser.BlockParser and parser.InlineParser.
func (s stopper) Trigger() []byte {
	all := make([]byte, 0, 128)
	for c := range byte(128) {
		all = append(all, c)
	}
	return all
}

// Parse implements parser.InlineParser.
func (s stopper) Parse(ast.Node, text.Reader, parser.Context) ast.Node {
	s.check()
	return nil
}

// Open implements parser.BlockParser.
func (s stopper) Open(ast.Node, text.Reader, parser.Context) (ast.Node, parser.State) {
	s.check()
	return nil, parser.NoChildren
}

// Continue implements parser.BlockParser.
func (s stopper) Continue(ast.Node, text.Reader, parser.Context) parser.State { return parser.Close }

// Close implements parser.BlockParser.
func (s stopper) Close(ast.Node, text.Reader, parser.Context) {}

// CanInterruptParagraph implements parser.BlockParser.
func (s stopper) CanInterruptParagraph() bool { return true }

// CanAcceptIndentedLine implements parser.BlockParser.
func (s stopper) CanAcceptIndentedLine() bool { return true }

// nested reports whether a line opens so many quotes, lists or brackets that parsing
// and rendering them would cost more than the text is worth.
func nested(data []byte) bool {
	for line := range bytes.Lines(data) {
		blocks, indent := 0, 0
		for _, c := range line {
			if c == ' ' || c == '\t' || c >= '0' && c <= '9' || c == '.' || c == ')' {
				indent++
				continue
			}
			if c != '>' && c != '-' && c != '*' && c != '+' {
				break
			}
			blocks++
		}
		if blocks > maxNesting && !rule(line) {
			return true
		}
		if indent > 4*maxNesting && blocks > 0 {
			return true
		}
		if bytes.Count(line, []byte("[")) > 50*maxNesting || bytes.Count(line, []byte("*"))+bytes.Count(line, []byte("_")) > 100*maxNesting {
			return true
		}
	}
	return false
}

// wide reports whether a table in data could have too many cells: a row is filled up
// to the width of its head, however short its line is.
func wide(data []byte) bool {
	columns, lines := 0, 0
	for line := range bytes.Lines(data) {
		columns = max(columns, bytes.Count(line, []byte("|")))
		lines++
	}
	return columns*lines > maxCells
}

// rule reports whether a line is a thematic break, or the underline of a heading.
func rule(line []byte) bool {
	line = bytes.TrimSpace(line)
	return len(line) > 0 && strings.IndexByte("-*", line[0]) >= 0 && len(bytes.Trim(line, string(line[:1]))) == 0
}

// tame makes a parsed document fit to be shown within a page: its headings stand
// below the page's, its links lead to where links may, its images are links.
type tame struct {
	heading int
	prefix  string
}

// Transform implements parser.ASTTransformer.
func (t tame) Transform(doc *ast.Document, reader text.Reader, _ parser.Context) {
	var links []ast.Node
	var images []*ast.Image
	var tasks []*east.TaskCheckBox
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			n.Level = min(n.Level+t.heading, 6)
		case *ast.Link, *ast.AutoLink:
			links = append(links, n)
		case *ast.Image:
			images = append(images, n)
		case *east.TaskCheckBox:
			tasks = append(tasks, n)
		}
		return ast.WalkContinue, nil
	})
	for _, n := range images {
		t.image(n)
	}
	for _, n := range tasks { // a sign and not a box, which would need a name and could be thought to act
		sign := "☐ "
		if n.IsChecked {
			sign = "☑ "
		}
		n.Parent().ReplaceChild(n.Parent(), n, ast.NewString([]byte(sign)))
	}
	for _, n := range links {
		t.link(n, reader.Source())
	}
}

func (t tame) link(n ast.Node, source []byte) {
	switch n := n.(type) {
	case *ast.Link:
		to, external, ok := t.allowed(n.Destination)
		if !ok {
			unwrap(n)
			return
		}
		n.Destination = to
		n.Title = nil
		if external {
			n.SetAttributeString("rel", []byte("noopener noreferrer nofollow"))
		}
	case *ast.AutoLink:
		to, external, ok := t.allowed(n.URL(source))
		if n.AutoLinkType == ast.AutoLinkEmail {
			return
		}
		if !ok || to == nil {
			n.Parent().ReplaceChild(n.Parent(), n, ast.NewString(util.EscapeHTML(n.Label(source))))
			return
		}
		if external {
			n.SetAttributeString("rel", []byte("noopener noreferrer nofollow"))
		}
	}
}

// image puts a link to an image in its place: a page loads nothing from elsewhere.
func (t tame) image(n *ast.Image) {
	label := ast.NewString([]byte("image: "))
	parent := n.Parent()
	to, external, ok := t.allowed(n.Destination)
	for p := parent; p != nil; p = p.Parent() {
		if p.Kind() == ast.KindLink { // a link in a link is none
			ok = false
		}
	}
	if !ok {
		parent.InsertBefore(parent, n, label)
		unwrap(n)
		return
	}
	link := ast.NewLink()
	link.Destination = to
	if external {
		link.SetAttributeString("rel", []byte("noopener noreferrer nofollow"))
	}
	parent.ReplaceChild(parent, n, link)
	link.AppendChild(link, label)
	if n.FirstChild() == nil {
		link.AppendChild(link, ast.NewString(util.EscapeHTML(to)))
	}
	move(n, func(child ast.Node) { link.AppendChild(link, child) })
}

// unwrap leaves of a node what is within it.
func unwrap(n ast.Node) {
	parent := n.Parent()
	move(n, func(child ast.Node) { parent.InsertBefore(parent, n, child) })
	parent.RemoveChild(parent, n)
}

func move(n ast.Node, to func(ast.Node)) {
	for child := n.FirstChild(); child != nil; child = n.FirstChild() {
		n.RemoveChild(n, child)
		to(child)
	}
}

// allowed gives where a link leads, if it may: to a web page, an address of mail, a
// place in the document, or relative to it. One that a browser could read otherwise
// than this parser is not.
func (t tame) allowed(destination []byte) (to []byte, external, ok bool) {
	s := strings.TrimSpace(string(destination))
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) || strings.HasPrefix(s, "//") {
		return nil, false, false
	}
	if fragment, ok := strings.CutPrefix(s, "#"); ok {
		return []byte("#" + t.prefix + fragment), false, true
	}
	u, err := url.Parse(s)
	if err != nil {
		return nil, false, false
	}
	switch u.Scheme {
	case "http", "https":
		return []byte(s), true, u.Host != ""
	case "mailto":
		return []byte(s), false, true
	case "":
		return []byte(s), false, !strings.Contains(strings.SplitN(s, "/", 2)[0], ":")
	}
	return nil, false, false
}

// ids makes the ids of headings, each with a prefix so that none is one of the page.
type ids struct {
	prefix string
	used   map[string]int
}

// Generate implements parser.IDs.
func (i *ids) Generate(value []byte, _ ast.NodeKind) []byte {
	var b strings.Builder
	for _, r := range strings.ToLower(string(value)) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_':
			b.WriteRune(r)
		case r == ' ':
			b.WriteByte('-')
		}
		if b.Len() >= 80 {
			break
		}
	}
	id := b.String()
	if id == "" {
		id = "heading"
	}
	i.used[id]++
	if n := i.used[id]; n > 1 {
		id += "-" + strconv.Itoa(n-1)
	}
	return []byte(i.prefix + id)
}

// Put implements parser.IDs.
func (i *ids) Put(value []byte) { i.used[string(value)]++ }
