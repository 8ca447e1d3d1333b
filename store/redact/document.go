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

// findListed matches the value at i whose name was given just before its colon or = in
// a list, or is given just behind it.
func findListed(s *scanner, colon, i int, v valueForm) (Finding, bool) {
	n := s.named
	s.named = naming{}
	if n.end == 0 || colon-n.end >= 160 {
		n = s.namedBehind(i)
	}
	if v.kind = n.kind; v.kind == "" {
		return Finding{}, false
	}
	f, ok := findValue(s, i, v)
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

// escapedElement is element where a text is itself a string of JSON or HTML.
func escapedElement(lt, gt string) func(*scanner, int) (Finding, bool) {
	return func(s *scanner, i int) (Finding, bool) { return findElement(s, i, lt, gt) }
}

// findElement matches the text of an XML element at the > of its first tag, where the
// element is named as a secret is, or was named by an attribute. lt and gt are how
// < and > are written.
func findElement(s *scanner, i int, lt, gt string) (Finding, bool) {
	floor := max(s.floor, i-96)
	open := strings.LastIndex(s.text[floor:i], lt)
	if open < 0 {
		return Finding{}, false
	}
	tag := s.text[floor+open+len(lt) : i]
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
	start := i + len(gt)
	if strings.HasPrefix(s.text[start:], lt+"![CDATA[") {
		start += len(lt + "![CDATA[")
	}
	n := strings.Index(s.text[start:min(len(s.text), start+1024)], lt)
	if n <= 0 || !strings.HasPrefix(s.text[start+n:], lt+"/") {
		return Finding{}, false
	}
	v := strings.TrimSuffix(s.text[start:start+n], "]]"+gt)
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
// i begins one. The end may be written as \n.
func (s *scanner) blockStart(i int) (at int, ok bool) {
	at = i + 1
	if strings.HasPrefix(s.text[i:], `\u003e`) {
		at = i + len(`\u003e`)
	} else if s.text[i] != '|' && s.text[i] != '>' {
		return i, false
	}
	for n := 0; at < len(s.text) && n < 4 && strings.IndexByte("+-123456789", s.text[at]) >= 0; n++ {
		at++
	}
	at = s.blanks(at)
	return at, lineBreak(s.text[at:min(len(s.text), at+4)]) > 0
}

// findBlock matches the lines of a YAML block behind the line end at: those that stand
// further in than the key whose | or > is at i, behind what a log or a diff puts
// before each line.
func findBlock(s *scanner, i, at int, kind Kind) (Finding, bool) {
	end := s.text[at : at+lineBreak(s.text[at:min(len(s.text), at+4)])]
	ends := strings.TrimPrefix(strings.TrimPrefix(end, "\r"), `\r`)
	start := at + len(end)
	prefix, outer := linePrefix(s.text[s.lineStart(i, end):i], s.text[start:min(len(s.text), start+backward)])
	stop := start
	limit := min(len(s.text), start+longest)
	if n := strings.IndexByte(s.text[start:limit], '"'); n >= 0 && end[0] == '\\' {
		limit = start + n
	}
	for stop < limit {
		line, _, _ := strings.Cut(s.text[stop:limit], ends)
		text, same := cutPrefix(line, prefix)
		if strings.TrimSpace(text) != "" && (!same || indent(text) <= outer) {
			break
		}
		stop = min(stop+len(line)+len(ends), limit)
	}
	_, same := cutPrefix(s.text[start:max(start, stop)], prefix)
	for start += len(prefix) * btoi(same); start < stop && s.text[start] <= ' '; {
		start++
	}
	text := strings.TrimRight(strings.TrimSuffix(s.text[start:max(start, stop)], ends), " \t\r\n")
	if _, done := placeholder(text); text == "" || done || harmless(text, kind) {
		return Finding{}, false
	}
	return Finding{kind, start, start + len(text)}, true
}

// findBelow matches a value that stands alone on the line below its name, whose colon
// is at colon; end is where the line of the name ends.
func findBelow(s *scanner, colon, end int, v valueForm) (Finding, bool) {
	if v.kind == Azure || v.kind == Login {
		return Finding{}, false
	}
	brk := s.text[end : end+lineBreak(s.text[end:min(len(s.text), end+4)])]
	start := end + len(brk)
	prefix, _ := linePrefix(s.text[s.lineStart(colon, brk):colon], s.text[start:min(len(s.text), start+backward)])
	if _, same := cutPrefix(s.text[start:], prefix); !same || prefix == "" && v.field == 0 {
		return Finding{}, false
	}
	start = s.blanks(start + len(prefix))
	f, ok := findArgument(s, start)
	if !ok {
		return Finding{}, false
	}
	word := s.text[f.Start:f.End]
	digits, upper, lower := count(word)
	if len(word) < 6 || digits == 0 || upper+lower == 0 || code(word) || strings.ContainsAny(word, ":= ") {
		return Finding{}, false
	}
	if rest := s.text[f.End:min(len(s.text), f.End+4)]; f.Start == start && rest != "" && rest[0] != '\n' && lineBreak(rest) == 0 && rest[0] != '"' {
		return Finding{}, false // it goes on as a sentence
	}
	f.Kind = v.kind
	return f, true
}

// lineStart gives where the line begins that i lies in, which ends as brk does.
func (s *scanner) lineStart(i int, brk string) int {
	floor := max(s.floor, i-backward)
	from := floor + 1 + strings.LastIndexByte(s.text[floor:i], '\n')
	if brk[0] != '\\' {
		return from
	}
	from = max(from, floor+1+strings.LastIndexByte(s.text[floor:i], '"'))
	brk = strings.TrimPrefix(brk, `\r`)
	if n := strings.LastIndex(s.text[from:i], brk); n >= 0 {
		from += n + len(brk)
	}
	return from
}

// linePrefix gives what stands before the key of a line and before the next line as
// well, such as the time in a log, and how far the key stands in behind it.
func linePrefix(line, next string) (prefix string, in int) {
	key := strings.TrimRight(line, ": \t\"'")
	for key != "" && classChars[classDotted][key[len(key)-1]] {
		key = key[:len(key)-1]
	}
	for len(key) < len(line) && line[len(key)] == '-' { // of a diff
		key = line[:len(key)+1]
	}
	key = strings.TrimRight(key, "\"'")
	prefix = strings.TrimRight(key, " \t")
	for strings.HasSuffix(prefix, "-") { // of a list, where the next line has none
		if _, same := cutPrefix(next, prefix); same {
			break
		}
		prefix = strings.TrimRight(prefix[:len(prefix)-1], " \t")
	}
	return prefix, len(key) - len(prefix)
}

// cutPrefix cuts off a prefix that may differ in its digits.
func cutPrefix(line, prefix string) (string, bool) {
	if len(line) < len(prefix) {
		return line, false
	}
	for i := range len(prefix) {
		a, b := line[i], prefix[i]
		if a != b && (a < '0' || a > '9' || b < '0' || b > '9') {
			return line, false
		}
	}
	return line[len(prefix):], true
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

// findCookie matches what the cookies of a header hold at i: name=VALUE; other=VALUE.
func findCookie(s *scanner, i int, v valueForm) (Finding, bool) {
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
