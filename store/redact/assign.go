package redact

import "strings"

// findAssignment matches the value behind the = or : at i where the name before it is
// one of a secret: NAME=value, name: value, "name": "value", name=value& and
// their like. The name stays.
func findAssignment(s *scanner, i int) (Finding, bool) {
	name, quoted, fresh := s.nameBefore(i)
	kind := kindOfName(name)
	part := listPart(name)
	if kind == "" && part == 0 {
		return Finding{}, false
	}
	at := i + 1
	if at < len(s.text) && s.text[i] == ':' && s.text[at] == '=' || at < len(s.text) && s.text[i] == '=' && s.text[at] == '>' {
		at++
	} else if at < len(s.text) && s.text[at] == '=' || i > 0 && strings.IndexByte("!<>=+", s.text[i-1]) >= 0 {
		return Finding{}, false // a comparison
	}
	v := valueForm{kind: kind, colon: s.text[i] == ':' && at == i+1, quotedName: quoted, field: fresh}
	v.spaced = i > 0 && s.text[i-1] == ' '
	v.weak = strings.EqualFold(name, "pass")
	if v.weak && strings.HasSuffix(s.text[:i], "--- PASS") { // a Go test that passed
		return Finding{}, false
	}
	for n := 0; at < len(s.text) && n < 16; n++ {
		if c := s.text[at]; c == ' ' || c == '\t' {
			v.spaced, at = true, at+1
		} else if skip := csiEnd(s.text[at:]); skip > 0 {
			at += skip
		} else {
			break
		}
	}
	switch {
	case part == 'n':
		s.noteName(at)
		return Finding{}, false
	case part == 'v':
		return findListed(s, i, at, v)
	case v.kind == Cookie:
		v.line, v.one = v.colon, len(name) > len("cookie") && (name[0] == 's' || name[0] == 'S')
		return findCookie(s, at, v)
	}
	if n := lineBreak(s.text[at:min(len(s.text), at+4)]); n > 0 {
		return findBelow(s, i, at, v)
	}
	return findValue(s, at, v)
}

// listPart says what a name is in a list of names and values: n or v.
func listPart(name string) byte {
	switch name {
	case "name", "Name", "key", "Key", "NAME", "KEY", "variable":
		return 'n'
	case "value", "Value", "VALUE":
		return 'v'
	}
	return 0
}

// skipBack gives the end of what stands before i but for blanks and colours.
func (s *scanner) skipBack(floor, i int) int {
	for n := 0; i > floor && n < 8; n++ {
		if c := s.text[i-1]; c == ' ' || c == '\t' {
			i--
		} else if start := csiStart(s.text[floor:i]); start >= 0 {
			i = floor + start
		} else {
			break
		}
	}
	return i
}

// nameBefore gives the name that ends before i, whether it is quoted, and whether
// it stands where a field begins: at the beginning of a line, of a quoted header,
// or of a part of a query (then fresh is the ? & or ; before it).
func (s *scanner) nameBefore(i int) (name string, quoted bool, fresh byte) {
	floor := max(s.floor, i-128)
	end := s.skipBack(floor, i)
	if end > floor && (s.text[end-1] == '"' || s.text[end-1] == '\'' || s.text[end-1] == '`') {
		quoted, end = true, end-1
		for end > floor && s.text[end-1] == '\\' {
			end--
		}
	} else if end > floor && s.text[end-1] == ']' { // $_ENV["X"] = and headers["X"] =
		if t := strings.TrimRight(s.text[floor:end-1], `"'`); len(t) < end-1-floor {
			end = floor + len(t)
		}
	}
	start := end
	for start > floor && end-start < 80 && (classChars[classDotted][s.text[start-1]]) {
		start--
	}
	name = s.text[start:end]
	at := start
	if m := strings.IndexByte(name, 'm'); m >= 0 { // a colour before the name
		if csi := csiStart(s.text[floor : start+m+1]); csi >= 0 {
			name, at = name[m+1:], floor+csi
		}
	}
	if at > floor && s.text[at-1] == '\\' && len(name) > 5 && name[:5] == "u0026" { // & in JSON
		return name[5:], quoted, '&'
	}
	for at > floor && (s.text[at-1] == ' ' || s.text[at-1] == '\t' || s.text[at-1] == '-' || s.text[at-1] == '>') {
		at--
	}
	switch {
	case at == s.floor && at > 0:
	case at == 0 || s.text[at-1] == '\n' || s.text[at-1] == '\r':
		fresh = '\n'
	case strings.IndexByte("?&;\"'{", s.text[at-1]) >= 0:
		fresh = s.text[at-1]
	}
	return name, quoted, fresh
}

// kindOfName says what a name says its value is; it is empty for other names.
// Only how a name ends counts: password_file and token_count hold no secret.
func kindOfName(name string) Kind {
	if len(name) < 3 {
		return ""
	}
	var buf [80]byte
	low := buf[:0]
	for i := range min(len(name), len(buf)) {
		c := name[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != '_' && c != '-' && c != '.' {
			low = append(low, c)
		}
	}
	for len(low) > 0 && low[len(low)-1] >= '0' && low[len(low)-1] <= '9' {
		low = low[:len(low)-1]
	}
	if len(low) < 3 {
		return ""
	}
	word := string(low)
	for _, end := range nameEndsByLast[low[len(low)-1]] {
		if rest, ok := strings.CutSuffix(word, end.name); ok && (!end.alone || rest == "" || len(rest) < len(name) && separated(name, end.name)) {
			return end.kind
		}
	}
	return ""
}

// separated reports whether the last word of name, as _ - and . separate them, is word.
func separated(name, word string) bool {
	at := strings.LastIndexAny(name, "_-.")
	return at >= 0 && strings.EqualFold(name[at+1:], word)
}

type nameEnd struct {
	name  string
	kind  Kind
	alone bool // only as a word of its own
}

// nameEndsByLast holds nameEnds by their last byte.
var nameEndsByLast = func() (t [256][]nameEnd) {
	for _, e := range nameEnds {
		last := e.name[len(e.name)-1]
		t[last] = append(t[last], e)
	}
	return t
}()

var nameEnds = []nameEnd{
	{"password", Password, false}, {"passwd", Password, false}, {"passphrase", Password, false}, {"passwort", Password, false},
	{"pwd", Password, true}, {"pass", Password, true}, {"pgpassword", Password, false},
	{"secretaccesskey", AWSSecret, false}, {"awssecretkey", AWSSecret, false},
	{"secretkey", Secret, false}, {"secret", Secret, false}, {"secretkeybase", Secret, false}, {"credential", Secret, true},
	{"accountkey", Azure, false}, {"sharedaccesskey", Azure, false},
	{"token", Token, false},
	{"apikey", Key, false}, {"accesskey", Key, false}, {"privatekey", Key, false}, {"authkey", Key, false},
	{"signingkey", Key, false}, {"encryptionkey", Key, false}, {"masterkey", Key, false}, {"apisecret", Secret, false},
	{"sig", Azure, true},
	{"authorization", Authorization, false},
	{"sshpass", Password, false}, {"cookie", Cookie, true}, {"auth", Login, true}, {"clientkeydata", Key, false}, {"licensekey", Key, false},
	{"servicerolekey", Key, false}, {"servicekey", Key, false}, {"pat", Token, true},
}

// valueForm is what is known of a value from before it.
type valueForm struct {
	kind       Kind
	colon      bool // name: value
	spaced     bool // a space stands beside the = or :
	quotedName bool
	field      byte // as nameBefore gives fresh
	line       bool // a header, which goes to the end of its line
	one        bool // one cookie and its attributes
	weak       bool // the name means other things too: no sentence is a secret
}

// findValue matches the value that begins at i.
func findValue(s *scanner, i int, v valueForm) (Finding, bool) {
	if i >= len(s.text) {
		return Finding{}, false
	}
	if n, ok := placeholder(s.text[i:min(len(s.text), i+64)]); ok {
		s.at = i + n
		return Finding{}, false
	}
	if at, ok := s.blockStart(i); ok && v.colon {
		return findBlock(s, i, at, v.kind)
	}
	if start, end, ok := s.quotedValue(i); ok {
		return findQuoted(s, start, end, v)
	}
	start, end := i, s.bareEnd(i, v)
	if v.kind == Authorization {
		if start = s.scheme(start, end); start == i && !v.colon {
			return Finding{}, false
		}
		if _, ok := placeholder(s.text[start:min(len(s.text), start+64)]); ok {
			return Finding{}, false
		}
	}
	if v.kind == Login {
		return Finding{v.kind, start, end}, end > start && encodedLogin(s.text[start:end])
	}
	if end <= start || !s.secretLooking(s.text[start:end], end, v) {
		return Finding{}, false
	}
	return Finding{v.kind, start, end}, true
}

// findQuoted matches the value between quotes.
func findQuoted(s *scanner, start, end int, v valueForm) (Finding, bool) {
	if v.kind == Login && !encodedLogin(s.text[start:end]) {
		return Finding{}, false
	}
	if v.kind == Authorization {
		start = s.scheme(start, end)
	}
	if n, ok := placeholder(s.text[start:min(end, start+64)]); ok {
		s.at = start + n
		return Finding{}, false
	}
	if v.weak && strings.IndexByte(s.text[start:end], ' ') >= 0 || v.kind == Azure && end-start < 30 || harmless(s.text[start:end], v.kind) {
		return Finding{}, false
	}
	return Finding{v.kind, start, end}, true
}

// quotedValue gives the inside of the quotes that begin at i, also where the
// quotes are themselves within a string: \"value\". They end on their line.
func (s *scanner) quotedValue(i int) (start, end int, ok bool) {
	depth := 0 // of backslashes before the quote
	for i+depth < len(s.text) && depth < 8 && s.text[i+depth] == '\\' {
		depth++
	}
	if i+depth >= len(s.text) || strings.IndexByte("\"'`", s.text[i+depth]) < 0 {
		return 0, 0, false
	}
	quote := s.text[i+depth]
	start = i + depth + 1
	slashes := 0
	for end = start; end < len(s.text) && end-start < longest; end++ {
		switch c := s.text[end]; {
		case c == '\\':
			slashes++
			continue
		case c == '\n' || c == '\r':
			return 0, 0, false
		case c == quote && (slashes == depth || depth > 0 && slashes < depth || depth == 0 && slashes%2 == 0):
			return start, max(start, end-slashes*btoi(depth > 0)), true
		}
		slashes = 0
	}
	return 0, 0, false
}

// bareRun remembers where a value without quotes ends, so that many beginnings
// within one cost no more than the one.
type bareRun struct {
	start, end  int
	line, query bool
}

// bareEnd gives where a value without quotes ends.
func (s *scanner) bareEnd(i int, v valueForm) int {
	line := v.kind == Authorization || v.colon && v.spaced && v.field == '\n' // YAML and headers: to the end of the line
	query := v.field == '?' || v.field == '&'
	if r := s.bare; r.line != line || r.query != query || i < r.start || i >= r.end {
		s.bare = bareRun{i, i, line, query}
		for s.bare.end < len(s.text) && !s.endsBare(s.bare.end, line, query) {
			s.bare.end++
		}
	}
	end := min(s.bare.end, i+longest)
	for end > i && strings.IndexByte(" \t,;)]}", s.text[end-1]) >= 0 {
		end--
	}
	return end
}

func (s *scanner) endsBare(i int, line, query bool) bool {
	switch c := s.text[i]; c {
	case '"', '\'', '`', '<', '>', 0x7f:
		return true
	case '&':
		return query
	case '#':
		return query || i > 0 && s.text[i-1] == ' '
	case ' ', '\t':
		return !line
	case '\\':
		return i+1 < len(s.text) && strings.IndexByte(`nrt"'ux`, s.text[i+1]) >= 0
	default:
		return c < ' '
	}
}

// scheme skips the scheme of an Authorization header: it is no secret.
func (s *scanner) scheme(i, end int) int {
	at := i
	for at < end && at-i < 24 && (classChars[classURL][s.text[at]]) {
		at++
	}
	if at == i || at >= end || s.text[at] != ' ' {
		return i
	}
	for at < end && s.text[at] == ' ' {
		at++
	}
	return at
}

// findBearer matches the token behind the word Bearer, wherever it stands.
func findBearer(s *scanner, i int) (Finding, bool) {
	const word = "bearer "
	if i+len(word) >= len(s.text) || !strings.EqualFold(s.text[i:i+len(word)], word) || !s.boundary(i) {
		return Finding{}, false
	}
	start := i + len(word)
	end := min(s.run(start, classBearer), start+longest)
	for end > start && s.text[end-1] == '.' {
		end--
	}
	if end-start < 8 || !hasDigit(s.text[start:end]) && (end-start < 20 || strings.IndexByte(s.text[start:min(end, start+checked)], '-') >= 0) {
		return Finding{}, false
	}
	return Finding{Authorization, start, end}, true
}

// findFlag matches the value of --password value and its like.
func findFlag(s *scanner, i int) (Finding, bool) {
	if !strings.HasPrefix(s.text[i:], "--") || i > 0 && s.text[i-1] > ' ' && !s.escaped(i) && s.text[i-1] != '"' && s.text[i-1] != '\'' {
		return Finding{}, false
	}
	end := i + 2
	for end < len(s.text) && end-i < 64 && classChars[classDotted][s.text[end]] {
		end++
	}
	if end+1 >= len(s.text) || s.text[end] != ' ' || s.text[end+1] <= ' ' || s.text[end+1] == '-' {
		return Finding{}, false
	}
	kind := kindOfName(s.text[i+2 : end])
	if kind == "" || kind == Authorization {
		return Finding{}, false
	}
	return findValue(s, end+1, valueForm{kind: kind})
}
