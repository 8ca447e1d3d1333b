// Package runquery reads the filter language of the run list:
//
//	login "exit status 1"          words: part of id, pipeline, input or error
//	-flaky                         none of these
//	status:failed,lost tag:nightly key:value, any of a list
//	-branch:main pipeline:fix-*    not; * stands for any text
//	dur>10m tokens>=50k age<2h     comparisons
//	since:24h until:2026-11-23     when it started
//
// All terms must hold. It knows the language, not the runs: what a value
// means is up to the caller, which reports a wrong one with Query.Fail.
package runquery

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxTerms is how many terms a query may have.
const MaxTerms = 40

// Op is what stands between key and value.
type Op string

// Operators. A word has Is, like key:value.
const (
	Is      Op = ":"
	Less    Op = "<"
	AtMost  Op = "<="
	Greater Op = ">"
	AtLeast Op = ">="
)

// Query is a text that was understood.
type Query struct {
	Text  string
	Terms []Term
}

// Term is one condition. Places are bytes of Query.Text.
type Term struct {
	Not    bool
	Key    string // canonical; empty: a word
	Op     Op
	Values []Value // any of them; one for a word and a comparison
	Number int64   // of a comparison: seconds, or a count
	Sign   bool    // a word that looks like a key and its value, and is none
	At     int
	End    int
}

// Value is one value as it is meant, without quotes.
type Value struct {
	Text string
	Glob bool // each * in Text stands for any text
	At   int
	End  int
}

// AsText are the words of a query that look like a key and its value, and are none.
func (q Query) AsText() []string {
	var words []string
	for _, t := range q.Terms {
		if t.Sign {
			words = append(words, t.Values[0].Text)
		}
	}
	return words
}

// Kind is what a key compares.
type Kind uint8

// Kinds of keys.
const (
	Name     Kind = iota // a whole name, or with * a pattern
	Part                 // part of a text
	Moment               // a point in time
	Duration             // compared, in seconds
	Count                // compared
)

// Key is one key of the language.
type Key struct {
	Name  string
	Kind  Kind
	Also  string // another spelling
	Means string // for whoever completes it
}

// Keys returns all keys, in the order in which they are offered.
func Keys() []Key {
	return []Key{
		{Name: "status", Also: "state", Means: "the state: failed, running, active, ended …"},
		{Name: "pipeline", Means: "its pipeline"},
		{Name: "tag", Means: "one of its tags"},
		{Name: "branch", Means: "its branch"},
		{Name: "parent", Means: "the run that started it, or none"},
		{Name: "kind", Means: "what kind of run it is"},
		{Name: "id", Kind: Part, Means: "part of its id"},
		{Name: "input", Kind: Part, Means: "part of its input"},
		{Name: "error", Kind: Part, Means: "part of its error"},
		{Name: "since", Kind: Moment, Means: "started at or after: 24h, 7d, a date"},
		{Name: "until", Kind: Moment, Means: "started before: 24h, 7d, a date"},
		{Name: "dur", Kind: Duration, Also: "duration", Means: "duration: dur>10m"},
		{Name: "tokens", Kind: Count, Means: "tokens used: tokens>50k"},
		{Name: "age", Kind: Duration, Means: "how long ago it started: age<2h"},
	}
}

// KeyOf finds a key by either of its spellings, in any case.
func KeyOf(name string) (Key, bool) {
	name = strings.ToLower(name)
	keys := Keys()
	i := slices.IndexFunc(keys, func(k Key) bool { return k.Name == name || k.Also == name && name != "" })
	if i < 0 {
		return Key{}, false
	}
	return keys[i], true
}

// Parse reads a query. The error is an *Error.
func Parse(text string) (Query, error) {
	p := parser{text: text}
	q := Query{Text: text}
	for p.skipSpace(); p.at < len(text); p.skipSpace() {
		term, err := p.term()
		if err != nil {
			return Query{Text: text}, err
		}
		if q.Terms = append(q.Terms, term); len(q.Terms) > MaxTerms {
			return Query{Text: text}, p.fail(term.At, term.End, "exceeds the limit of terms", "at most 40 terms")
		}
	}
	return q, nil
}

type parser struct {
	text string
	at   int
}

func (p *parser) rest() string { return p.text[p.at:] }

func (p *parser) skipSpace() {
	p.at = len(p.text) - len(strings.TrimLeftFunc(p.rest(), unicode.IsSpace))
}

// wordEnd is where the text from here on has its next space.
func (p *parser) wordEnd(from int) int {
	if i := strings.IndexFunc(p.text[from:], unicode.IsSpace); i >= 0 {
		return from + i
	}
	return len(p.text)
}

func (p *parser) fail(at, end int, problem, want string) error {
	return NewError(p.text, at, end, problem, want)
}

func (p *parser) term() (Term, error) {
	t := Term{At: p.at, Op: Is}
	if rest := p.rest(); len(rest) > 1 && rest[0] == '-' && rest[1] != '-' {
		if r, _ := utf8.DecodeRuneInString(rest[1:]); !unicode.IsSpace(r) {
			t.Not = true
			p.at++
		}
	}
	keyAt := p.at
	name, op := p.keyAndOp()
	if name == "" {
		v, err := p.word()
		t.Values, t.End = []Value{v}, p.at
		return t, err
	}
	key, known := KeyOf(name)
	near := ""
	if !known {
		near = nearest(name)
	}
	if !known && near == "" || p.isText(key, keyAt+len(name), op) {
		v, err := p.word() // an address, or text with a sign in it, such as "panic: runtime error"
		t.Values, t.End, t.Sign = []Value{v}, p.at, op == Is && !strings.Contains(v.Text, "://")
		return t, err
	}
	if !known { // what was meant is plain, and something else than is found
		err := NewError(p.text, keyAt, keyAt+len(name), "is not a key", keyNames())
		err.Nearest = near
		return t, err
	}
	t.Key, t.Op = key.Name, op
	p.at = keyAt + len(name) + len(op)
	if err := p.checkOp(key, op, keyAt); err != nil {
		return t, err
	}
	if err := p.values(&t, key); err != nil {
		return t, err
	}
	t.End = p.at
	return t, nil
}

// isText reports whether what stands behind a name makes it text: "std::string",
// "https://", "C:\\Users", and "error: exit status 1", where a value would follow at
// once. A key of names stays one, whose value is missing.
func (p *parser) isText(key Key, end int, op Op) bool {
	rest := p.text[end:]
	if op != Is {
		return false
	}
	if strings.HasPrefix(rest, "::") || strings.HasPrefix(rest, "://") || strings.HasPrefix(rest, `:\`) {
		return true
	}
	next, size := utf8.DecodeRuneInString(rest[1:])
	spaced := size > 0 && unicode.IsSpace(next) && strings.TrimSpace(rest[1:]) != ""
	return spaced && (key.Name == "" || key.Kind == Part)
}

// keyAndOp looks for a key without moving on; the name is empty for a word.
func (p *parser) keyAndOp() (string, Op) {
	rest := p.rest()
	n := 0
	for n < len(rest) && (rest[n]|0x20 >= 'a' && rest[n]|0x20 <= 'z') {
		n++
	}
	if n == 0 {
		return "", Is
	}
	for _, op := range []Op{AtMost, AtLeast, Is, Less, Greater} {
		if strings.HasPrefix(rest[n:], string(op)) {
			return rest[:n], op
		}
	}
	return "", Is
}

func (p *parser) checkOp(key Key, op Op, at int) error {
	compared := key.Kind == Duration || key.Kind == Count
	switch {
	case compared && op == Is:
		return p.fail(at, p.at, "is compared", key.Name+"> or "+key.Name+"<, as in "+example(key))
	case !compared && op != Is:
		return p.fail(at, p.at, "cannot be compared", key.Name+": and a value")
	default:
		return nil
	}
}

func example(key Key) string {
	_, ex, _ := strings.Cut(key.Means, ": ")
	return ex
}

// values reads what stands behind the operator.
func (p *parser) values(t *Term, key Key) error {
	single := key.Kind == Duration || key.Kind == Count || key.Kind == Moment
	for {
		v, err := p.value(t)
		if err != nil {
			return err
		}
		t.Values = append(t.Values, v)
		if p.at >= len(p.text) || p.text[p.at] != ',' {
			break
		}
		if single {
			return p.fail(t.At, p.wordEnd(p.at), "takes one value", key.Name+string(t.Op)+v.Text)
		}
		p.at++
	}
	v := t.Values[0]
	read, want := number(key.Kind)
	if read == nil {
		return nil
	}
	n, ok := read(v.Text)
	if !ok {
		return p.fail(v.At, v.End, "cannot be compared with", want)
	}
	t.Number = n
	return nil
}

// number is how a kind of key reads what it is compared with, and what that
// looks like; nil for the others.
func number(kind Kind) (read func(string) (int64, bool), want string) {
	switch kind {
	case Duration:
		return seconds, "a number with s, m, h, d or w, such as 90s, 10m, 1h30m or 2d"
	case Count:
		return count, "a number such as 500, 50k or 1.5M"
	default:
		return nil, ""
	}
}

// value reads one value, in quotes or up to the next space or comma.
func (p *parser) value(t *Term) (Value, error) {
	at := p.at
	if strings.HasPrefix(p.rest(), `"`) {
		v, err := p.quoted()
		if err == nil && v.Text == "" {
			err = p.fail(t.At, p.at, "has no value", "a value after "+t.Key+string(t.Op))
		}
		return v, err
	}
	n := strings.IndexFunc(p.rest(), func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	if n < 0 {
		n = len(p.rest())
	}
	p.at += n
	if n == 0 {
		return Value{}, p.fail(t.At, max(p.at, t.At+1), "has no value", "a value after "+t.Key+string(t.Op)+"; a value with spaces stands in quotes")
	}
	text := p.text[at:p.at]
	key, _ := KeyOf(t.Key)
	return Value{Text: text, Glob: key.Kind == Name && strings.Contains(text, "*"), At: at, End: p.at}, nil
}

// word reads a word, in quotes or up to the next space.
func (p *parser) word() (Value, error) {
	if strings.HasPrefix(p.rest(), `"`) {
		v, err := p.quoted()
		if err == nil && v.Text == "" {
			err = p.fail(v.At, v.End, "is empty", "words between the quotes")
		}
		return v, err
	}
	at := p.at
	p.at = p.wordEnd(at)
	return Value{Text: p.text[at:p.at], At: at, End: p.at}, nil
}

// quoted reads a text in quotes; \" and \\ stand for themselves in it.
func (p *parser) quoted() (Value, error) {
	at := p.at
	var text strings.Builder
	for i := at + 1; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == '\\' && i+1 < len(p.text) && (p.text[i+1] == '"' || p.text[i+1] == '\\'):
			i++
			text.WriteByte(p.text[i])
		case c == '"':
			p.at = i + 1
			if next, _ := utf8.DecodeRuneInString(p.rest()); p.at < len(p.text) && next != ',' && !unicode.IsSpace(next) {
				return Value{}, p.fail(at, p.wordEnd(p.at), "goes on after its closing quote", `a space after it, or \" for a quote inside`)
			}
			return Value{Text: text.String(), At: at, End: p.at}, nil
		default:
			text.WriteByte(c)
		}
	}
	return Value{}, p.fail(at, len(p.text), "has no closing quote", `a " at its end`)
}
