package runquery

import (
	"strings"
	"unicode"
)

// String is the query written plainly: Parse reads the same from it.
func (q Query) String() string {
	words := make([]string, len(q.Terms))
	for i, t := range q.Terms {
		words[i] = t.String()
	}
	return strings.Join(words, " ")
}

// Without is the query without its term i.
func (q Query) Without(i int) string {
	rest := Query{Terms: append(append([]Term(nil), q.Terms[:i]...), q.Terms[i+1:]...)}
	return rest.String()
}

func (t Term) String() string {
	var b strings.Builder
	if t.Not {
		b.WriteByte('-')
	}
	if t.Key == "" {
		b.WriteString(t.word())
		return b.String()
	}
	b.WriteString(t.Key + string(t.Op))
	for i, v := range t.Values {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(v.String())
	}
	return b.String()
}

// word is the one value of a term without a key. It stands in quotes where it
// would be read as something else.
func (t Term) word() string {
	text := t.Values[0].Text
	if !plain(text) || strings.HasPrefix(text, "-") {
		return Quote(text)
	}
	p := parser{text: text}
	again, err := p.term()
	if err != nil || again.Key != "" || again.Not || p.at != len(text) {
		return Quote(text)
	}
	return text
}

func (v Value) String() string {
	if v.Glob || plain(v.Text) && !strings.ContainsAny(v.Text, ",*") {
		return v.Text
	}
	return Quote(v.Text)
}

func plain(text string) bool {
	return text != "" && !strings.HasPrefix(text, `"`) && !strings.ContainsFunc(text, unicode.IsSpace)
}

// Quote is a text in quotes, as the language reads it.
func Quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// ValueText is a name as it stands behind a key.
func ValueText(name string) string { return Value{Text: name}.String() }
