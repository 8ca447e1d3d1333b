package manifest

import (
	"fmt"
	"math"
	"strings"

	"gopkg.in/yaml.v3"
)

const (
	// expansion bounds what one file may grow to: aliases make a small file a
	// huge tree, or one long text a thousand texts on a page.
	expansion = 8 << 20
	// nodeCost is what a node counts beside the bytes of its text.
	nodeCost = 64
	// maxProblems bounds what is told of one file.
	maxProblems = 100
)

// reader walks the nodes of one file and collects what is wrong in it. Walking
// the nodes, and not decoding into structs, is what gives each problem its line
// and leaves the rest of a file with a mistake in place.
type reader struct {
	file      string
	problems  []Problem
	left      int
	exhausted bool
}

func newReader(file string) *reader {
	return &reader{file: file, left: expansion}
}

func (r *reader) problemf(line int, format string, args ...any) {
	switch len(r.problems) {
	case maxProblems:
		return
	case maxProblems - 1:
		r.problems = append(r.problems, Problem{File: r.file, Text: "there are more problems than are listed here"})
	default:
		r.problems = append(r.problems, Problem{File: r.file, Line: line, Text: fmt.Sprintf(format, args...)})
	}
}

// spend takes the cost of a node and says whether the file may go on growing.
func (r *reader) spend(n *yaml.Node) bool {
	if r.exhausted {
		return false
	}
	if r.left -= nodeCost + len(n.Value); r.left < 0 {
		r.exhausted = true
		r.problemf(n.Line, "aliases make this file too large: what follows is left out")
		return false
	}
	return true
}

// resolve follows an alias. It is nil for what counts as absent: no node, an
// explicit null, and everything after the file has grown too large.
func (r *reader) resolve(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n == nil || n.ShortTag() == "!!null" || !r.spend(n) {
		return nil
	}
	return n
}

// fields is a mapping under its path, such as `step "build": retry`.
type fields struct {
	r       *reader
	path    string
	line    int
	present bool
	keys    []string // in file order, merged ones last
	values  map[string]*yaml.Node
	lines   map[string]int
}

// mapping reads n as a mapping; anything else is a problem and gives no fields.
func (r *reader) mapping(n *yaml.Node, path string) fields {
	f := fields{r: r, path: path}
	line := 0
	if n != nil {
		line = n.Line
	}
	if n = r.resolve(n); n == nil {
		return f
	}
	f.line = line
	if n.Kind != yaml.MappingNode {
		r.problemf(line, "%s is %s, want a mapping", f.name(), describe(n))
		return f
	}
	f.present = true
	f.values = make(map[string]*yaml.Node, len(n.Content)/2)
	f.lines = make(map[string]int, len(n.Content)/2)
	f.take(n, false, 0)
	return f
}

// take adds the keys of n, and those it merges with "<<" when it does not have
// them itself. Merges of merges are followed a few times only: a chain may be a circle.
func (f *fields) take(n *yaml.Node, merged bool, depth int) {
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Tag == "!!merge" {
			merges = append(merges, value)
			continue
		}
		if key.Kind != yaml.ScalarNode || !f.r.spend(key) {
			continue
		}
		if _, twice := f.values[key.Value]; twice {
			if !merged {
				f.r.problemf(key.Line, "%s has the key %s twice", f.name(), quote(key.Value))
			}
			continue
		}
		f.keys = append(f.keys, key.Value)
		f.values[key.Value] = value
		f.lines[key.Value] = key.Line
	}
	if depth == 4 {
		return
	}
	for _, merge := range merges {
		for _, from := range f.r.mergeSources(merge) {
			f.take(from, true, depth+1)
		}
	}
}

func (r *reader) mergeSources(n *yaml.Node) []*yaml.Node {
	list := []*yaml.Node{n}
	if n = r.resolve(n); n != nil && n.Kind == yaml.SequenceNode {
		list = n.Content
	}
	var sources []*yaml.Node
	for _, item := range list {
		if item = r.resolve(item); item != nil && item.Kind == yaml.MappingNode {
			sources = append(sources, item)
		}
	}
	return sources
}

func (f fields) name() string {
	if f.path == "" {
		return "the file"
	}
	return f.path
}

func (f fields) at(key string) string {
	switch {
	case f.path == "":
		return key
	case strings.HasSuffix(f.path, `"`):
		return f.path + ": " + key
	}
	return f.path + "." + key
}

// scalar is nil when the key is absent, null or, as a problem, not a scalar.
func (f fields) scalar(key, want string) *yaml.Node {
	n := f.r.resolve(f.values[key])
	if n == nil {
		return nil
	}
	if n.Kind != yaml.ScalarNode {
		f.r.problemf(f.lines[key], "%s is %s, want %s", f.at(key), describe(n), want)
		return nil
	}
	return n
}

// text reads a scalar of any type as it is written, as Wave does.
func (f fields) text(key string) string {
	if n := f.scalar(key, "text"); n != nil {
		return n.Value
	}
	return ""
}

func (f fields) integer(key string) int {
	var value int
	f.decode(key, "a whole number", &value)
	return value
}

func (f fields) boolean(key string) bool {
	var value bool
	f.decode(key, "true or false", &value)
	return value
}

// number is nil when the key is absent; what is not a finite number is a problem.
func (f fields) number(key string) *float64 {
	var value *float64
	f.decode(key, "a number", &value)
	if value != nil && (math.IsNaN(*value) || math.IsInf(*value, 0)) {
		f.r.problemf(f.lines[key], "%s is %v, want a number", f.at(key), *value)
		return nil
	}
	return value
}

func (f fields) decode(key, want string, into any) {
	n := f.scalar(key, want)
	if n == nil {
		return
	}
	if err := n.Decode(into); err != nil {
		f.r.problemf(f.lines[key], "%s is %s, want %s", f.at(key), describe(n), want)
	}
}

func (f fields) mapping(key string) fields {
	return f.r.mapping(f.values[key], f.at(key))
}

// list gives the items of a sequence, each to be read by the caller.
func (f fields) list(key string) []*yaml.Node {
	n := f.r.resolve(f.values[key])
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		f.r.problemf(f.lines[key], "%s is %s, want a list", f.at(key), describe(n))
		return nil
	}
	return n.Content
}

// mappings gives the items of a sequence of mappings.
func (f fields) mappings(key string) []fields {
	var items []fields
	for i, n := range f.list(key) {
		item := f.r.mapping(n, fmt.Sprintf("%s[%d]", f.at(key), i))
		if item.present {
			items = append(items, item)
		}
	}
	return items
}

// texts gives the items of a sequence of scalars, with the line of each.
func (f fields) texts(key string) (texts []string, lines []int) {
	for i, item := range f.list(key) {
		line := item.Line
		n := f.r.resolve(item)
		if n == nil {
			continue
		}
		if n.Kind != yaml.ScalarNode {
			f.r.problemf(line, "%s[%d] is %s, want text", f.at(key), i, describe(n))
			continue
		}
		texts = append(texts, n.Value)
		lines = append(lines, line)
	}
	return texts, lines
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return quote(n.Value)
}

// quote makes text from a file fit for one line of a message.
func quote(text string) string {
	const limit = 80
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "") + "…"
	}
	return fmt.Sprintf("%q", text)
}
