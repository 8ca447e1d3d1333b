// Package prices reads what tokens cost: a file that names models and their
// prices, in YAML or JSON.
//
//	currency: USD
//	models:
//	  claude-opus-4: 20                 # flat, for a million tokens of any kind
//	  claude-haiku-*: {flat: 1.5}       # every model that begins so
//	  o3: {input: 2, output: 8, output_share: 0.25}
//
// Wave records how many tokens were used and not which of them went in and which
// came out. An input and an output price become a flat one by the share of tokens
// that are output, which the file has to say, for a model or for all.
package prices

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxFile is how large a file may be, in bytes.
const maxFile = 1 << 20

// maxPrice is far above any price of a million tokens.
const maxPrice = 1e9

// List is what is known of prices. The zero List knows none.
type List struct {
	Currency string // three letters, such as USD
	flat     map[string]float64
	prefixes []prefix // longest first
}

type prefix struct {
	text string
	flat float64
}

// Price is what a million tokens of a model cost, whichever they are.
func (l *List) Price(model string) (flat float64, known bool) {
	if flat, known = l.flat[model]; known {
		return flat, true
	}
	for _, p := range l.prefixes {
		if strings.HasPrefix(model, p.text) {
			return p.flat, true
		}
	}
	return 0, false
}

// Error is what is wrong with a file, where, and what would be right.
type Error struct {
	Path  string
	Line  int    // 0: the whole file
	Field string // such as "models: o3: input"; may be empty
	Text  string
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Path)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	if e.Field != "" {
		b.WriteString(": " + e.Field)
	}
	return b.String() + ": " + e.Text
}

// Read reads a list from the file at path. What is wrong in it is an *Error.
func Read(path string) (*List, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, &Error{Path: path, Text: "there is no such file"}
	case err != nil:
		return nil, fmt.Errorf("read prices: %w", err)
	case !info.Mode().IsRegular(): // opening a pipe would wait for its writer
		return nil, &Error{Path: path, Text: "is not a file"}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read prices: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read prices: %w", err)
	}
	if len(text) > maxFile {
		return nil, &Error{Path: path, Text: "is larger than a megabyte"}
	}
	return Parse(path, text)
}

// Parse reads a list from text; path is for errors only.
func Parse(path string, text []byte) (*List, error) {
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && trimmed[0] == '{' {
		text = bytes.ReplaceAll(text, []byte("\t"), []byte(" ")) // JSON indents with tabs, YAML does not
	}
	p := parser{path: path, list: &List{Currency: "USD", flat: map[string]float64{}}}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, p.syntax(err)
	}
	if len(document.Content) == 0 {
		return nil, p.wrong(nil, "", "is empty; it should have models and their prices")
	}
	if err := p.file(document.Content[0]); err != nil {
		return nil, err
	}
	return p.list, nil
}

type parser struct {
	path  string
	list  *List
	share *float64 // of output, for models that do not say
}

func (p *parser) wrong(n *yaml.Node, field, format string, args ...any) error {
	e := &Error{Path: p.path, Field: field, Text: fmt.Sprintf(format, args...)}
	if n != nil {
		e.Line = n.Line
	}
	return e
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

func (p *parser) syntax(err error) error {
	e := &Error{Path: p.path, Text: "is neither YAML nor JSON: " + yamlLine.ReplaceAllString(err.Error(), "")}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil && m[1] != "" {
		_, _ = fmt.Sscanf(m[1], "%d", &e.Line) // digits, by the expression
	}
	return e
}

// each calls with for every field of a mapping; a field that is defined twice is wrong.
func (p *parser) each(n *yaml.Node, path string, with func(key, value *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return p.wrong(n, strings.TrimSuffix(path, ": "), "should be a mapping")
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if seen[key.Value] {
			return p.wrong(key, path+quote(key.Value), "is defined twice")
		}
		seen[key.Value] = true
		if err := with(key, n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) file(n *yaml.Node) error {
	var models *yaml.Node
	err := p.each(n, "", func(key, value *yaml.Node) error {
		switch key.Value {
		case "currency":
			if !regexp.MustCompile(`^[A-Z]{3}$`).MatchString(value.Value) {
				return p.wrong(value, "currency", "%s should be three capital letters such as USD", quote(value.Value))
			}
			p.list.Currency = value.Value
		case "output_share":
			share, err := p.number(value, "output_share", 1)
			p.share = &share
			return err
		case "models":
			models = value
		default:
			return p.wrong(key, quote(key.Value), "is unknown; the keys are currency, output_share and models")
		}
		return nil
	})
	if err != nil {
		return err
	}
	if models == nil {
		return p.wrong(n, "models", "is missing: a model and its price on each line")
	}
	return p.each(models, "models: ", p.model)
}

func (p *parser) model(key, value *yaml.Node) error {
	path := "models: " + key.Value
	if key.Value == "" || strings.Contains(strings.TrimSuffix(key.Value, "*"), "*") {
		return p.wrong(key, path, "should be the name of a model, or its beginning and a *")
	}
	flat, err := p.price(value, path)
	if err != nil {
		return err
	}
	if text, ok := strings.CutSuffix(key.Value, "*"); ok {
		at := 0
		for at < len(p.list.prefixes) && len(p.list.prefixes[at].text) >= len(text) {
			at++
		}
		p.list.prefixes = slices.Insert(p.list.prefixes, at, prefix{text, flat})
		return nil
	}
	p.list.flat[key.Value] = flat
	return nil
}

func (p *parser) price(n *yaml.Node, path string) (float64, error) {
	if n.Kind == yaml.ScalarNode {
		return p.number(n, path, maxPrice)
	}
	values := map[string]float64{}
	err := p.each(n, path+": ", func(key, value *yaml.Node) error {
		most := float64(maxPrice)
		switch key.Value {
		case "flat", "input", "output":
		case "output_share":
			most = 1
		default:
			return p.wrong(key, path+": "+quote(key.Value), "is unknown; the keys are flat, or input, output and output_share")
		}
		number, err := p.number(value, path+": "+key.Value, most)
		values[key.Value] = number
		return err
	})
	if err != nil {
		return 0, err
	}
	flat, isFlat := values["flat"]
	input, hasInput := values["input"]
	output, hasOutput := values["output"]
	share, hasShare := values["output_share"]
	if !hasShare && p.share != nil {
		share, hasShare = *p.share, true
	}
	switch {
	case isFlat && !hasInput && !hasOutput:
		return flat, nil
	case isFlat:
		return 0, p.wrong(n, path, "has flat beside input or output; it should have one or the other")
	case !hasInput || !hasOutput:
		return 0, p.wrong(n, path, "should have flat, or both input and output")
	case !hasShare:
		return 0, p.wrong(n, path, "has input and output but no output_share, and the tokens that are recorded do not tell which are which: give the share of output, 0 to 1, here or for all models")
	default:
		return input*(1-share) + output*share, nil
	}
}

func (p *parser) number(n *yaml.Node, path string, most float64) (float64, error) {
	var v float64
	isNumber := n.Kind == yaml.ScalarNode && (n.ShortTag() == "!!int" || n.ShortTag() == "!!float")
	if !isNumber || n.Decode(&v) != nil || math.IsNaN(v) || v < 0 || v > most {
		return 0, p.wrong(n, path, "%s should be a number from 0 to %g", quote(n.Value), most)
	}
	return v, nil
}

func quote(text string) string {
	if len(text) > 60 {
		text = strings.ToValidUTF8(text[:60], "") + "…"
	}
	return "“" + text + "”"
}
