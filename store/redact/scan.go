package redact

import "strings"

const (
	// longest is how much of one secret is taken out, in bytes: more than any real
	// one has, so that a hostile value cannot make the look ahead unbounded.
	longest = 16 << 10
	// lookahead is how far behind a place the text has to be known to decide there.
	lookahead = 2*longest + 1<<10
	// lookbehind is how far before a place the decision looks.
	lookbehind = 256
)

// scanner finds secrets from left to right. Its methods read the text and say what is near
// a place; a find function looks for one form of a secret there.
type scanner struct {
	text  string
	whole bool // text ends where the input ends
	at    int  // where to look next
	floor int  // end of the last secret: no look behind goes past it
	// Where the last AWS key id ended: its secret is the next word of 40 characters.
	awsEnd int
	inKey  bool            // the last finding was the beginning of a private key that goes on
	noted  [wordsNoted]int // where words were seen that a secret may follow, and 1 more
	named  naming
	caches
}

// caches keep what was found out about the text, so that nothing is read twice.
type caches struct {
	runs    [classes]runCache
	pemEnd  nextEnd
	pemBody runCache
	bare    bareRun
	mac     nextEnd
}

// special tells the bytes other than letters and digits at which a secret, or what
// announces one, can begin.
var special = func() (t [256]bool) {
	for _, b := range "=:-Bb~%\n.@$>" {
		t[b] = true
	}
	return t
}()

// next gives the next secret; none is left in what is decided when ok is false.
func (s *scanner) next() (f Finding, ok bool) {
	limit := len(s.text)
	if !s.whole {
		limit = max(limit-lookahead, 0)
	}
	if s.at == 0 && limit > 0 {
		if f, ok = findLine(s, 0); ok {
			return s.take(f)
		}
	}
	if s.inKey && s.at < limit {
		if f, ok = findPEMRest(s, s.at); ok {
			return s.take(f)
		}
	}
	for s.at < limit {
		i := s.at
		b := s.text[i]
		if s.awsEnd > 0 && (base64Char[b] && b != '=') {
			if f, ok = findAWSSecret(s, i); ok {
				return s.take(f)
			}
		}
		var group uint8
		if i+1 < len(s.text) {
			group = groupOf[uint16(b)<<8|uint16(s.text[i+1])]
		}
		if group == 0 && !special[b] {
			s.at++
			continue
		}
		if f, ok = s.match(i, b, ruleGroups[group]); ok {
			return s.take(f)
		}
		s.at = max(s.at, i+1)
	}
	return Finding{}, false
}

func (s *scanner) take(f Finding) (Finding, bool) {
	f.End = min(f.End, f.Start+longest)
	s.awsEnd = 0
	if f.Kind == AWSKeyID {
		s.awsEnd = f.End
	}
	s.at, s.floor = f.End, f.End
	return f, true
}

func (s *scanner) match(i int, b byte, group []rule) (f Finding, ok bool) {
	switch b {
	case '\n':
		return findLine(s, i+1)
	case '=':
		return findAssignment(s, i)
	case ':':
		if strings.HasPrefix(s.text[i:], "://") {
			return findUserinfo(s, i+3)
		}
		if f, ok = findTelegram(s, i, 1); ok {
			return f, ok
		}
		if f, ok = findPgpass(s, i); ok {
			return f, ok
		}
		return findAssignment(s, i)
	case '-':
		f, ok = findDash(s, i)
	case 'B', 'b':
		f, ok = findBearer(s, i)
	case '%':
		f, ok = findEncoded(s, i)
	case '~':
		return findAzureClientSecret(s, i)
	case '.':
		return findDotted(s, i)
	case '@':
		return findGoDSN(s, i)
	case '$':
		return findCrypt(s, i)
	case '>':
		return findElement(s, i, "<", ">")
	}
	for n := range group {
		if ok {
			break
		}
		if r := &group[n]; strings.HasPrefix(s.text[i:], r.prefix) {
			f, ok = findToken(s, i, r)
		}
	}
	return f, ok
}

// findEncoded matches what is encoded for a URL.
func findEncoded(s *scanner, i int) (Finding, bool) {
	switch t := s.text[i:]; {
	case strings.HasPrefix(t, "%3A%2F") || strings.HasPrefix(t, "%3a%2f"):
		return findEncodedUserinfo(s, i)
	case strings.HasPrefix(t, "%3A"):
		return findTelegram(s, i, 3)
	case strings.HasPrefix(t, "%3D"), strings.HasPrefix(t, "%3d"):
		return findEncodedAssignment(s, i)
	case strings.HasPrefix(t, "%24"):
		return findCrypt(s, i)
	}
	return Finding{}, false
}

// findDash matches what begins with a dash, or has one in its middle.
func findDash(s *scanner, i int) (Finding, bool) {
	if strings.HasPrefix(s.text[i:], pemBegin) {
		return findPEM(s, i)
	}
	if f, ok := findMailgun(s, i); ok {
		return f, ok
	}
	if f, ok := findOption(s, i); ok {
		return f, ok
	}
	return findFlag(s, i)
}

// findLine matches what a line that begins at i is.
func findLine(s *scanner, i int) (Finding, bool) {
	s.newLine(i)
	return findPEMTail(s, i)
}

// findAWSSecret matches the word of exactly 40 characters that follows close behind a
// key id, as in the file that the AWS console gives to download.
func findAWSSecret(s *scanner, i int) (Finding, bool) {
	if i-s.awsEnd > 200 {
		s.awsEnd = 0
		return Finding{}, false
	}
	if i > 0 && base64Char[s.text[i-1]] && s.text[i-1] != '=' && !s.escaped(i) {
		return Finding{}, false
	}
	end := s.run(i, classBase64)
	if end-i == 40 && mixed(s.text[i:end]) {
		return Finding{AWSSecret, i, end}, true
	}
	return Finding{}, false
}

// boundary reports whether a word may begin at i: nothing before it belongs to the
// word, or what stands there is the end of an escape sequence.
func (s *scanner) boundary(i int) bool {
	return i == 0 || i == s.floor || !wordChar[s.text[i-1]] || s.escaped(i)
}

// escaped reports whether an escape ends at i that reads as a letter or digit: \n in
// JSON, %3D in a URL, ESC [ 31 m of a terminal, in bytes or written out.
func (s *scanner) escaped(i int) bool {
	t := s.text[max(i-24, 0):i]
	n := len(t)
	switch {
	case n >= 2 && t[n-2] == '\\' && strings.IndexByte("nrtbfav0", t[n-1]) >= 0,
		n >= 3 && t[n-3] == '%' && hexChar(t[n-2]) && hexChar(t[n-1]),
		n >= 4 && t[n-4:n-2] == `\x` && hexChar(t[n-2]) && hexChar(t[n-1]),
		n >= 6 && t[n-6:n-4] == `\u` && hexChar(t[n-2]) && hexChar(t[n-1]):
		return true
	}
	return csiStart(t) >= 0
}

// csiStart gives where the control sequence begins that t ends with, or -1. Where
// only its [ remains, as when a log has lost the escape bytes, it begins there.
func csiStart(t string) int {
	n := len(t)
	if n == 0 || (t[n-1] != 'm' && t[n-1] != 'K') {
		return -1
	}
	i := n - 1
	for i > 0 && (t[i-1] >= '0' && t[i-1] <= '9' || t[i-1] == ';' || t[i-1] == ':') {
		i--
	}
	if i == 0 || t[i-1] != '[' {
		return -1
	}
	for _, esc := range []string{"\x1b", `\x1b`, `\u001b`, `\033`, `\e`, `\x1B`, `\u001B`} {
		if strings.HasSuffix(t[:i-1], esc) {
			return i - 1 - len(esc)
		}
	}
	return i - 1
}

// csiEnd gives the length of the colour sequence that t begins with, or 0.
func csiEnd(t string) int {
	n := 0
	for _, esc := range []string{"\x1b[", `\x1b[`, `\u001b[`, `\033[`, `\e[`, `\x1B[`, `\u001B[`} {
		if strings.HasPrefix(t, esc) {
			n = len(esc)
		}
	}
	if n == 0 {
		return 0
	}
	for end := min(len(t), n+20); n < end; n++ {
		if t[n] == 'm' || t[n] == 'K' {
			return n + 1
		}
		if t[n] != ';' && t[n] != ':' && (t[n] < '0' || t[n] > '9') {
			return 0
		}
	}
	return 0
}

func hexChar(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F'
}
