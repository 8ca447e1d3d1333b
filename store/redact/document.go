package redact

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// Documents in which the name of a secret does not stand directly before its
// value: lists of names and values, elements of XML, blocks of YAML, cookies.

// naming remembers the name of a secret that a list gives the value of next.
type naming struct {
	kind  Kind
	end   int  // where it ended in the text
	plain bool // it is one common word, such as password, which may name anything
}

// noteName remembers what the value at i names, when it names a secret.
func (s *scanner) noteName(i int) {
	start, end, ok := s.quotedValue(i)
	if !ok {
		start, end = i, i
		for end < len(s.text) && end-i < 80 && classChars[classDotted][s.text[end]] {
			end++
		}
	}
	s.named = namingOf(s.text[start:end], end)
}

func namingOf(name string, end int) naming {
	kind := kindOfName(name)
	if kind == "" || len(name) > 80 {
		return naming{}
	}
	return naming{kind, end, !strings.ContainsAny(name, "_-.") && strings.ToLower(name[1:]) == name[1:]}
}

// meant reports whether v is the secret that n names.
func (n naming) meant(v string) bool {
	digits, upper, lower := count(v)
	return !n.plain || len(v) >= 6 && digits > 0 && upper+lower > 0 && strings.IndexByte(v, ' ') < 0
}

// listed matches the value at i whose name was given just before its colon or = in
// a list, or is given just behind it.
func (s *scanner) listed(colon, i int, v valueForm) (Finding, bool) {
	n := s.named
	s.named = naming{}
	if n.end == 0 || colon-n.end >= 160 {
		n = s.namedBehind(i)
	}
	if v.kind = n.kind; v.kind == "" {
		return Finding{}, false
	}
	f, ok := s.value(i, v)
	return f, ok && n.meant(s.text[f.Start:f.End])
}

// namedBehind is the name that follows the quoted value at i.
func (s *scanner) namedBehind(i int) naming {
	_, end, ok := s.quotedValue(i)
	if !ok || end-i > 1024 {
		return naming{}
	}
	rest := strings.TrimLeft(s.text[end:min(len(s.text), end+128)], "\\\"', \t\r\n")
	for _, key := range []string{"name", "key", "Name", "Key"} {
		if after, ok := strings.CutPrefix(rest, key); ok {
			name := strings.TrimLeft(after, "\\\"':= \t")
			n := 0
			for n < len(name) && n < 80 && classChars[classDotted][name[n]] {
				n++
			}
			return namingOf(name[:n], end)
		}
	}
	return naming{}
}

// element matches the text of an XML element at the > of its first tag, where the
// element is named as a secret is, or was named by an attribute.
func (s *scanner) element(i int) (Finding, bool) {
	floor := max(s.floor, i-96)
	open := strings.LastIndexByte(s.text[floor:i], '<')
	if open < 0 {
		return Finding{}, false
	}
	tag := s.text[floor+open+1 : i]
	if n := strings.IndexAny(tag, " \t\n"); n >= 0 {
		tag = tag[:n]
	}
	if n := strings.LastIndexByte(tag, ':'); n >= 0 {
		tag = tag[n+1:]
	}
	if tag == "" || !wordChar[tag[0]] {
		return Finding{}, false
	}
	kind := kindOfName(tag)
	list := false
	switch strings.ToLower(tag) {
	case "name", "key", "string", "value", "entry", "property", "param", "parameter", "setting":
		list = true
	}
	if kind == "" && !list {
		return Finding{}, false
	}
	start := i + 1
	if strings.HasPrefix(s.text[start:], "<![CDATA[") {
		start += len("<![CDATA[")
	}
	n := strings.IndexByte(s.text[start:min(len(s.text), start+1024)], '<')
	if n <= 0 || !strings.HasPrefix(s.text[start+n:], "</") {
		return Finding{}, false
	}
	v := strings.TrimSuffix(s.text[start:start+n], "]]>")
	if kind == "" {
		named := s.named
		s.named = namingOf(strings.TrimSpace(v), start+len(v))
		if named.end == 0 || i-named.end > 64 || !named.meant(v) {
			return Finding{}, false
		}
		kind, s.named = named.kind, naming{}
	}
	if _, done := placeholder(v); done || harmless(v, kind) {
		return Finding{}, false
	}
	return Finding{kind, start, start + len(v)}, true
}

// blockStart gives the end of the line at which a YAML block begins, when | or > at
// i begins one.
func (s *scanner) blockStart(i int) (at int, ok bool) {
	at = i + 1
	for at < len(s.text) && at-i < 4 && strings.IndexByte("+-123456789", s.text[at]) >= 0 {
		at++
	}
	for at < len(s.text) && at-i < 16 && (s.text[at] == ' ' || s.text[at] == '\r') {
		at++
	}
	return at, (s.text[i] == '|' || s.text[i] == '>') && at < len(s.text) && s.text[at] == '\n'
}

// block matches the lines of a YAML block behind the line end at: those that stand
// further in than the key whose | or > is at i.
func (s *scanner) block(i, at int, kind Kind) (Finding, bool) {
	line := max(s.floor, i-backward) + 1 + strings.LastIndexByte(s.text[max(s.floor, i-backward):i], '\n')
	outer := indent(s.text[line:i])
	start, end := at+1, at+1
	limit := min(len(s.text), start+longest)
	for end < limit {
		line := s.text[end:limit]
		stop := strings.IndexByte(line, '\n')
		if stop < 0 {
			stop = len(line)
		}
		if text := line[:stop]; strings.TrimSpace(text) != "" && indent(text) <= outer {
			break
		}
		end = min(end+stop+1, limit)
	}
	for start < end && (s.text[start] <= ' ') {
		start++
	}
	for end > start && s.text[end-1] <= ' ' {
		end--
	}
	v := s.text[start:end]
	if _, done := placeholder(v); v == "" || done || harmless(v, kind) {
		return Finding{}, false
	}
	return Finding{kind, start, end}, true
}

// indent counts the blanks that a line begins with, and the dash of a list.
func indent(line string) int {
	n := 0
	for n < len(line) && (line[n] == ' ' || line[n] == '\t') {
		n++
	}
	for strings.HasPrefix(line[n:], "- ") {
		n += 2
	}
	return n
}

// cookie matches what the cookies of a header hold at i: name=VALUE; other=VALUE.
func (s *scanner) cookie(i int, v valueForm) (Finding, bool) {
	if i < len(s.text) && s.text[i] == '[' { // a header as a list of values
		i = s.blanks(i + 1)
	}
	if i >= len(s.text) {
		return Finding{}, false
	}
	start, end, quoted := s.quotedValue(i)
	if !quoted {
		start, end = i, s.cookiesEnd(i, v)
	}
	name := start
	for name < end && name-start < 128 && (classChars[classDotted][s.text[name]] || strings.IndexByte("!#$%&*+^|~", s.text[name]) >= 0) {
		name++
	}
	if name == start || name >= end || s.text[name] != '=' {
		return Finding{}, false
	}
	start = name + 1
	if v.one {
		if n := strings.IndexByte(s.text[start:end], ';'); n >= 0 {
			end = start + n
		}
	}
	for end > start && s.text[end-1] <= ' ' {
		end--
	}
	text := s.text[start:end]
	if _, done := placeholder(text); done || len(text) < 16 && (len(text) < 6 || !hasDigit(text)) || call(text) && len(text) < 40 {
		return Finding{}, false
	}
	return Finding{Cookie, start, end}, true
}

// cookiesEnd is the end of cookies without quotes that begin at i.
func (s *scanner) cookiesEnd(i int, v valueForm) int {
	end := i
	for end < len(s.text) && end-i < longest && (s.text[end] > ' ' || v.line && (s.text[end] == ' ' || s.text[end] == '\t')) &&
		strings.IndexByte("\"'`<>", s.text[end]) < 0 && lineBreak(s.text[end:min(len(s.text), end+4)]) == 0 {
		end++
	}
	return end
}

// encodedLogin reports whether v is user:password in base64, as the auth of docker
// and npm is.
func encodedLogin(v string) bool {
	if len(v) < 8 || len(v) > 1024 {
		return false
	}
	raw, err := base64.StdEncoding.DecodeString(v)
	if err != nil {
		raw, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(v, "="))
	}
	colon := bytes.IndexByte(raw, ':')
	if err != nil || colon < 1 {
		return false
	}
	for _, c := range raw {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
