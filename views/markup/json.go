package markup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/dustin/go-humanize"
)

const (
	maxNodes    = 5000 // values shown of one document
	maxChildren = 500  // shown of one object or array
	maxDepth    = 40   // levels shown
	maxString   = 4000 // bytes shown of one string
)

// node is a value, or a member of an object where it has a key.
type node struct {
	key      string
	keyed    bool
	open     json.Delim // [ or {, 0 for a plain value
	value    json.Token
	children []*node
	count    int // of children, shown or not
}

// writeJSON writes a document, or gives the reason why data is none.
func writeJSON(out *strings.Builder, data []byte) (reason string) {
	root, err := parseJSON(data)
	if err != nil {
		return "it is not JSON, " + err.Error()
	}
	out.WriteString(`<div class="m-json">`)
	root.write(out, 0)
	out.WriteString(`</div>`)
	return ""
}

// parseJSON reads a document without recursion. Of what is not shown it keeps no
// more than counts.
//
//nolint:gocognit // what a recursion would have on its stack are the variables of one loop
func parseJSON(data []byte) (*node, error) {
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	d.UseNumber()
	top := &node{} // holds the document as its only child
	stack := []*node{top}
	kept := 0
	var key *string
	for {
		token, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("at byte %d: %s", d.InputOffset(), problem(err))
		}
		in := stack[len(stack)-1]
		if delim, ok := token.(json.Delim); ok && (delim == ']' || delim == '}') {
			if stack = stack[:len(stack)-1]; len(stack) == 1 {
				break
			}
			continue
		}
		if in.open == '{' && key == nil {
			s, _ := token.(string)
			key = &s
			continue
		}
		// A child of what is not kept is not reached from the document, so only its
		// depth counts.
		in.count++
		delim, opens := token.(json.Delim)
		keep := in.count <= maxChildren && kept < maxNodes && len(stack) <= maxDepth
		if keep || opens {
			n := &node{open: delim, value: token}
			if key != nil {
				n.key, n.keyed = *key, true
			}
			if keep {
				in.children = append(in.children, n)
				kept++
			}
			if opens {
				stack = append(stack, n)
			}
		}
		key = nil
		if !opens && len(stack) == 1 {
			break
		}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("at byte %d: more follows the first value", d.InputOffset())
	}
	return top.children[0], nil
}

func problem(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "it ends early"
	}
	return err.Error()
}

func (n *node) write(out *strings.Builder, depth int) {
	name := ""
	if n.keyed {
		name = `<span class="m-key">` + templ.EscapeString(quote(n.key)) + `</span>: `
	}
	if n.open == 0 || n.count == 0 {
		out.WriteString(`<div class="m-row">` + name)
		n.writeValue(out)
		out.WriteString(`</div>`)
		return
	}
	open, end, unit := "{", "}", "key"
	if n.open == '[' {
		open, end, unit = "[", "]", "element"
	}
	if n.count != 1 {
		unit += "s"
	}
	out.WriteString(`<details class="m-fold"`)
	if depth < 3 && n.count <= 50 {
		out.WriteString(` open`)
	}
	out.WriteString(`><summary>` + name + open + ` <span class="m-count">` + humanize.Comma(int64(n.count)) + ` ` + unit + `</span> ` + end + `</summary><div class="m-in">`)
	for _, child := range n.children {
		child.write(out, depth+1)
	}
	if left := n.count - len(n.children); left > 0 {
		out.WriteString(`<div class="m-row m-count">… ` + humanize.Comma(int64(left)) + ` more are not shown</div>`)
	}
	out.WriteString(`</div></details>`)
}

func (n *node) writeValue(out *strings.Builder) {
	class, text := "m-null", "null"
	switch v := n.value.(type) {
	case json.Delim:
		class, text = "m-count", "{}"
		if v == '[' {
			text = "[]"
		}
	case string:
		class, text = "m-str", quote(v)
	case json.Number:
		class, text = "m-num", quoteLong(v.String())
	case bool:
		class, text = "m-bool", strconv.FormatBool(v)
	}
	out.WriteString(`<span class="` + class + `">` + templ.EscapeString(text) + `</span>`)
}

// quote shows a string in quotes, what is not seen as escapes, and not all of a long one.
func quote(s string) string {
	left := len(s) - maxString
	if left > 0 {
		s = strings.ToValidUTF8(s[:maxString], "")
	}
	s = strconv.QuoteToGraphic(s)
	if left > 0 {
		s += " … " + humanize.Comma(int64(left)) + " more bytes"
	}
	return s
}

func quoteLong(s string) string {
	if len(s) > maxString {
		return s[:maxString] + " …"
	}
	return s
}
