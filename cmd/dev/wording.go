package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/html"
)

// wordingFile has every text that the program says, so that a change of words is reviewed as words.
const wordingFile = "docs/wording.txt"

const wordingHead = `# Every text of a template, and every message in Go, by the file that has it.
# Written by "go run ./cmd/dev gen": review its changes, and edit the files. An ellipsis stands for a value.
`

// gap stands for a value in a text.
const gap = "…"

// isText reports whether the value of an attribute is read, seen or heard as a text.
func isText(attribute string) bool {
	switch attribute {
	case "aria-label", "aria-description", "aria-roledescription", "title", "placeholder", "alt", "hx-confirm", "content",
		"data-granted", "data-denied", "data-default", "data-label", "data-empty", "data-text", "data-done":
		return true
	}
	return false
}

// wording collects the texts under a root.
func wording(root fs.FS) ([]byte, error) {
	out := bytes.NewBufferString(wordingHead)
	for _, dir := range []string{"cmd/wavedeck", "handlers", "runner", "store", "views"} {
		err := fs.WalkDir(root, dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() {
				if slices.Contains([]string{"testdata", "sample", "storetest", "tape", "demo"}, d.Name()) {
					return fs.SkipDir
				}
				return nil
			}
			if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			source, err := fs.ReadFile(root, path)
			if err != nil {
				return err
			}
			texts, err := textsOf(path, source)
			if err != nil || len(texts) == 0 {
				return err
			}
			fmt.Fprintf(out, "\n## %s\n%s\n", strings.Replace(path, generatedSuffix, templateSuffix, 1), strings.Join(texts, "\n"))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// textsOf are the texts of a file of Go in their order, each once.
func textsOf(path string, source []byte) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	c := &collector{generated: strings.HasSuffix(path, generatedSuffix), seen: map[string]bool{}}
	ast.Inspect(file, c.visit)
	c.markup()
	return c.texts, nil
}

type collector struct {
	generated bool
	html      strings.Builder // what a template writes
	texts     []string
	seen      map[string]bool
}

func (c *collector) add(text string) {
	text = strings.Join(strings.Fields(text), " ")
	if c.seen[text] || !letters.MatchString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return
	}
	c.seen[text] = true
	c.texts = append(c.texts, text)
}

func (c *collector) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ImportSpec, *ast.Field:
		return false
	case *ast.FuncDecl:
		c.markup()
	case *ast.BinaryExpr:
		if text, ok := concatenated(n); ok {
			c.say(text)
			for _, part := range operands(n) {
				if _, literal := part.(*ast.BasicLit); !literal {
					ast.Inspect(part, c.visit)
				}
			}
			return false
		}
	case *ast.BasicLit:
		if n.Kind == token.STRING {
			c.say(literal(n))
		}
	case *ast.CallExpr:
		if !c.generated {
			return true
		}
		switch name := called(n); name {
		case "WriteString":
			if text, ok := n.Args[len(n.Args)-1].(*ast.BasicLit); ok {
				c.html.WriteString(literal(text))
			} else {
				c.html.WriteString(gap)
			}
			return false
		case "Error": // templ.Error{Line: …}
			return false
		}
	case *ast.CompositeLit:
		if s, ok := n.Type.(*ast.SelectorExpr); ok && c.generated && s.Sel.Name == "Error" {
			return false
		}
	}
	return true
}

// say takes a text of Go. One word alone is a name more often than a text, but not in a template.
func (c *collector) say(text string) {
	if strings.ContainsAny(text, " ") && !code.MatchString(text) {
		c.add(text)
	}
}

// code are strings that no person reads: SQL, markup, styles, headers.
var code = regexp.MustCompile(`(?s)\b(SELECT|INSERT|UPDATE|DELETE|CREATE|WHERE|WITH|FROM|JOIN|ORDER BY|PRAGMA|COALESCE|AND e\.|substr|CASE)\b|^\s*[<.#{*-]|[{};]\s*$|^(hx|on):|: *url\(|-src |^[a-z-]+/[a-z-]+;|^\$|no-store|max-age|^[MLZ] ?[\d%]|\bpx\b|^(application|text)/|=%[sdvq]|charset=`)

var letters = regexp.MustCompile(`\p{L}{2}`)

// markup takes the texts and attributes of what a template has written so far.
func (c *collector) markup() {
	text := c.html.String()
	c.html.Reset()
	if text == "" {
		return
	}
	z := html.NewTokenizer(strings.NewReader(text))
	hidden := false
	var line strings.Builder
	flush := func() { c.add(line.String()); line.Reset() }
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			flush()
			return
		case html.TextToken:
			if !hidden {
				line.Write(bytes.ReplaceAll(z.Text(), []byte("\n"), []byte(" ")))
			}
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			t := z.Token()
			hidden = kind == html.StartTagToken && (t.Data == "script" || t.Data == "style")
			if !isInline(t.Data) {
				flush()
			}
			for _, a := range t.Attr {
				if isText(a.Key) && a.Val != gap {
					c.add(a.Key + ": " + a.Val)
				}
			}
		default:
		}
	}
}

// isInline reports whether an element may be within a sentence.
func isInline(element string) bool {
	switch element {
	case "a", "b", "i", "em", "strong", "code", "bdi", "kbd", "time", "span", "abbr":
		return true
	}
	return false
}

func called(n *ast.CallExpr) string {
	switch f := n.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

func literal(n *ast.BasicLit) string {
	text, err := strconv.Unquote(n.Value)
	if err != nil {
		return ""
	}
	return text
}

func operands(n ast.Expr) []ast.Expr {
	if b, ok := n.(*ast.BinaryExpr); ok && b.Op == token.ADD {
		return append(operands(b.X), operands(b.Y)...)
	}
	return []ast.Expr{n}
}

// concatenated is a sum in which a string stands.
func concatenated(n *ast.BinaryExpr) (text string, ok bool) {
	if n.Op != token.ADD {
		return "", false
	}
	for _, part := range operands(n) {
		if s, literally := part.(*ast.BasicLit); literally && s.Kind == token.STRING {
			text, ok = text+literal(s), true
		} else {
			text += gap
		}
	}
	return text, ok
}

// genWording writes wordingFile.
func (w *workshop) genWording() error {
	text, err := wording(os.DirFS(w.root))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.root, wordingFile), text, 0o644)
}

// checkWording fails where wordingFile is not what the sources say.
func (w *workshop) checkWording() error {
	want, err := wording(os.DirFS(w.root))
	if err != nil {
		return err
	}
	have, err := os.ReadFile(filepath.Join(w.root, wordingFile))
	if err != nil {
		return err
	}
	if !bytes.Equal(have, want) {
		return fmt.Errorf("%s is stale: run go run ./cmd/dev gen, and review what it says", wordingFile)
	}
	return nil
}
