package redact

import "strings"

// harmless reports whether a quoted value is plainly no secret: empty, a word that
// means "none", a reference to where the secret is, or a blank that somebody has
// already put in its place.
func harmless(v string, kind Kind) bool {
	v = strings.TrimSpace(v)
	if len(v) == 0 || references(v) || len(v) < 32 && words[strings.ToLower(strings.TrimRight(v, ":.,"))] {
		return true
	}
	if len(v) < 64 && strings.Trim(v, "*xX.•-_") == "" {
		return true
	}
	if kind == Password || kind == Secret || kind == AWSSecret || kind == Authorization || kind == URLPassword {
		return false
	}
	digits, upper, lower := count(v)
	switch n := len(v); {
	case n < 6, digits == n && n < 10: // "token": "42"
		return true
	case digits == 0 && (upper == 0 || lower == 0) && n < 24 && strings.IndexByte(v, ' ') < 0: // a name: "token": "ident"
		return n < 12
	case strings.IndexByte(v, ' ') >= 0: // a sentence
		return true
	}
	return false
}

// references reports whether a value says where a secret is, and not what it is.
func references(v string) bool {
	for _, start := range []string{"${", "$(", "{{", "<", "%{", "env:", "vault:", "!vault", "!Ref", "!Sub", "$env:"} {
		if strings.HasPrefix(v, start) {
			return !strings.HasPrefix(start, "<") || strings.HasSuffix(v, ">")
		}
	}
	if v[0] == '$' && len(v) > 1 {
		return strings.Trim(v[1:min(len(v), 64)], "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == "" || identifier(v[1:min(len(v), 64)]) && !strings.ContainsAny(v[1:], "0123456789")
	}
	return len(v) == 2 && v[0] == '%'
}

var words = map[string]bool{
	"true": true, "false": true, "null": true, "nil": true, "none": true, "undefined": true, "empty": true, "unset": true,
	"string": true, "str": true, "text": true, "bool": true, "boolean": true, "int": true, "number": true, "object": true,
	"bytes": true, "[]byte": true, "any": true, "optional": true, "required": true, "yes": true, "no": true, "redacted": true,
	"[redacted]": true, "~": true, "|": true, ">": true, "|-": true, ">-": true, "password": true, "token": true, "secret": true,
	"passed": true, "failed": true, "pass": true, "fail": true,
}

// secretLooking reports whether a value without quotes is one, and not the code or
// the sentence that goes on behind a name. end is where it ends in the text.
//
//nolint:gocognit // one case for each way in which a value stands behind its name
func (s *scanner) secretLooking(v string, end int, f valueForm) bool {
	if harmless(v, Password) {
		return false
	}
	digits, upper, lower := count(v)
	strong := digits > 0 && upper+lower > 0
	stern := f.kind == Password || f.kind == Secret || f.kind == AWSSecret
	switch {
	case f.kind == Authorization:
		return f.colon && (len(v) >= 16 || digits > 0 || s.schemed(v, end))
	case f.kind == Azure:
		return len(v) >= 30 && !call(v)
	case !f.colon && !f.spaced: // NAME=value, name=value&
		if call(v) && (!strong || expression(v)) {
			return false
		}
		return stern || !harmless(v, f.kind)
	case f.quotedName && f.colon: // "name": 12345
		return digits == len(v) && digits >= 4 && stern || strong && !code(v)
	case f.colon && f.field == '\n' && f.spaced: // YAML
		if code(v) || s.continues(end) {
			return strong && len(v) >= 12 && upper > 0 && lower > 0 && !call(v) && strings.IndexByte(v, ' ') < 0
		}
		if stern {
			return strings.Count(v, " ") < 6
		}
		return strings.IndexByte(v, ' ') < 0 && !harmless(v, f.kind)
	case f.colon && f.field != 0: // a header in quotes, a part of {a: b}
		return !code(v) && (strong || stern && len(v) >= 6 || len(v) >= 16)
	default: // in a sentence, or in code: a word with digits among letters
		return (strong && len(v) >= 6 || len(v) >= 20 && scrambled(v)) && !code(v)
	}
}

// schemed reports whether a scheme such as Basic stands before the value that ends at end.
func (s *scanner) schemed(v string, end int) bool {
	start := end - len(v)
	return start > 0 && s.text[start-1] == ' ' && start > 1 && wordChar[s.text[start-2]]
}

// continues reports whether the line goes on as a line of code would.
func (s *scanner) continues(end int) bool {
	return end < len(s.text) && strings.IndexByte(",;)]}`\"'", s.text[end]) >= 0
}

// call reports whether v reads as an expression.
func call(v string) bool {
	return strings.ContainsAny(v[:min(len(v), 256)], "()[]{}")
}

// code reports whether v reads as something that a program says and no secret does.
func code(v string) bool {
	v = v[:min(len(v), 256)]
	if strings.ContainsAny(v, "()[]{}") || strings.Contains(v, "||") || strings.Contains(v, "&&") {
		return true
	}
	if len(v) >= 12 && random(v) {
		return false
	}
	return strings.IndexByte("*&", v[0]) >= 0 && identifier(v[1:]) || strings.IndexByte(v, '.') > 0 && identifier(v)
}

// expression reports whether v begins with a name and goes on as a program does.
func expression(v string) bool {
	v = v[:min(len(v), 256)]
	end := strings.IndexAny(v, ",;()[]{}&|?")
	if end < 1 || !identifier(v[:end]) {
		return false
	}
	marks := 0
	for i := range len(v) {
		marks += btoi(strings.IndexByte(",;()[]{}&|?:=", v[i]) >= 0)
	}
	return marks >= 5
}

// identifier reports whether v is a name, or names joined by dots.
func identifier(v string) bool {
	if v == "" {
		return false
	}
	for i := range len(v) {
		c := v[i]
		first := i == 0 || v[i-1] == '.'
		if !wordChar[c] && c != '.' || first && (c >= '0' && c <= '9' || c == '.') {
			return false
		}
	}
	return true
}
