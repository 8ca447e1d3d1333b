package redact

import "strings"

// findUserinfo matches the password of a URL whose scheme ends at i.
func findUserinfo(s *scanner, i int) (Finding, bool) {
	colon, at := -1, -1
	for end := i; end < len(s.text) && end-i < 1024; end++ {
		c := s.text[end]
		if c <= ' ' || strings.IndexByte("/\"'<>?#`\\", c) >= 0 {
			break
		}
		if c == ':' && colon < 0 {
			colon = end
			if _, ok := placeholder(s.text[end+1 : min(len(s.text), end+65)]); ok {
				return Finding{}, false
			}
		}
		if c == '@' {
			at = end
		}
	}
	s.at = i
	switch {
	case at < 0:
		return Finding{}, false
	case colon >= 0 && colon+1 < at && !harmless(s.text[colon+1:at], Password):
		return Finding{URLPassword, colon + 1, at}, true
	case (colon < 0 || colon > at || colon+1 == at) && at-i >= 20 && hasDigit(s.text[i:at]): // a token in place of a user
		end := at
		if colon+1 == at {
			end = colon
		}
		if strings.IndexByte(s.text[i:end], '.') < 0 {
			return Finding{URLPassword, i, end}, true
		}
	}
	return Finding{}, false
}

// findEncodedUserinfo is userinfo for a URL that is itself a part of a URL; i is where
// its %3A%2F%2F begins.
func findEncodedUserinfo(s *scanner, i int) (Finding, bool) {
	const mark = "%3A%2F%2F"
	if i+len(mark) > len(s.text) || !strings.EqualFold(s.text[i:i+len(mark)], mark) {
		return Finding{}, false
	}
	start, colon := i+len(mark), -1
	for end := start; end+3 <= len(s.text) && end-start < 1024; end++ {
		c := s.text[end]
		if !classChars[classDotted][c] && strings.IndexByte("%~!*+", c) < 0 {
			break
		}
		switch code := s.text[end : end+3]; {
		case strings.EqualFold(code, "%2F"):
			return Finding{}, false
		case colon < 0 && strings.EqualFold(code, "%3A"):
			colon = end + 3
		case colon >= 0 && end > colon && code == "%40":
			return Finding{URLPassword, colon, end}, true
		}
	}
	return Finding{}, false
}

// findEncodedAssignment is assignment for a part of a query that is itself a part of a
// URL; i is where its %3D begins.
func findEncodedAssignment(s *scanner, i int) (Finding, bool) {
	start := i
	for start > s.floor && i-start < 80 && classChars[classDotted][s.text[start-1]] {
		start--
	}
	name := s.text[start:i]
	if start > 0 && s.text[start-1] == '%' && len(name) > 2 {
		name = name[2:]
	}
	kind := kindOfName(name)
	if kind == "" {
		return Finding{}, false
	}
	start = i + len("%3D")
	end := min(s.run(start, classEncoded), start+longest)
	if n := strings.Index(s.text[start:end], "%26"); n >= 0 {
		end = start + n
	}
	v := s.text[start:end]
	if v == "" || harmless(v, kind) || kind == Azure && len(v) < 30 {
		return Finding{}, false
	}
	return Finding{kind, start, end}, true
}
