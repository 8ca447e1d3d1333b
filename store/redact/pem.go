package redact

import "strings"

const (
	pemBegin   = "-----BEGIN "
	pemEnd     = "-----END "
	pemPrivate = "PRIVATE KEY"
)

// marker reads the line "-----BEGIN … PRIVATE KEY-----", or END, at i. A line that
// is cut off after PRIVATE KEY counts.
func (s *scanner) marker(i int, begin string) (end int, ok bool) {
	label := s.text[i+len(begin) : min(i+len(begin)+64, len(s.text))]
	at := strings.Index(label, pemPrivate)
	if at < 0 || strings.ContainsAny(label[:at], "\n-") {
		return 0, false
	}
	end = i + len(begin) + at + len(pemPrivate)
	end += len(" BLOCK") * btoi(strings.HasPrefix(s.text[end:], " BLOCK"))
	for n := 0; n < 5 && end < len(s.text) && s.text[end] == '-'; n++ {
		end++
	}
	return end, true
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// nextEnd remembers the next end marker, so that each is looked for once.
type nextEnd struct {
	from, at, end int
	known         bool
}

// endMarker gives where the next "-----END … PRIVATE KEY-----" from i on lies;
// at is the length of the text where there is none.
func (s *scanner) endMarker(i int) (at, end int) {
	if s.pemEnd.known && s.pemEnd.from <= i && i <= s.pemEnd.at {
		return s.pemEnd.at, s.pemEnd.end
	}
	at, end = len(s.text), len(s.text)
	for from := i; ; {
		n := strings.Index(s.text[from:], pemEnd)
		if n < 0 {
			break
		}
		if e, ok := s.marker(from+n, pemEnd); ok {
			at, end = from+n, e
			break
		}
		from += n + len(pemEnd)
	}
	s.pemEnd = nextEnd{from: i, at: at, end: end, known: true}
	return at, end
}

// findPEM matches a private key from its first line on. Up to the last line everything
// goes, whatever a log has put before each line; where that line is missing, what
// looks like the inside of a key goes.
func findPEM(s *scanner, i int) (Finding, bool) {
	body, ok := s.marker(i, pemBegin)
	if !ok {
		return Finding{}, false
	}
	if at, end := s.endMarker(body); end-i <= longest && at < len(s.text) && !strings.Contains(s.text[body:at], pemBegin) {
		return Finding{PrivateKey, i, end}, true
	}
	limit := min(len(s.text), i+longest)
	line, last := s.lineAt(body, limit)
	if n := escapedBody(line); n < len(line) || last { // the rest of the first line, where a key in one line goes on
		s.inKey = body+n == i+longest
		return Finding{PrivateKey, i, body + n}, true
	}
	end := s.keyLines(body+len(line)+1, limit)
	s.inKey = end == i+longest
	for end > body && end < len(s.text) && (s.text[end-1] == '\n' || s.text[end-1] == '\r') {
		end--
	}
	return Finding{PrivateKey, i, end}, true
}

// findPEMRest matches at i what is left of a private key that is longer than one
// finding may be.
func findPEMRest(s *scanner, i int) (Finding, bool) {
	s.inKey = false
	limit := min(len(s.text), i+longest)
	line, last := s.lineAt(i, limit)
	n := escapedBody(line)
	end := i + n
	if n == len(line) && !last {
		end = s.keyLines(end+1, limit)
	}
	s.inKey = end == i+longest
	for end > i && end < len(s.text) && (s.text[end-1] == '\n' || s.text[end-1] == '\r') {
		end--
	}
	return Finding{PrivateKey, i, end}, end > i
}

// lineAt is the rest of the line at i without its end, up to limit; last tells that
// it has no end there.
func (s *scanner) lineAt(i, limit int) (line string, last bool) {
	line = s.text[i:limit]
	if n := strings.IndexByte(line, '\n'); n >= 0 {
		return line[:n], false
	}
	return line, true
}

// keyLines gives where the lines end that look like those inside a key, from i on.
func (s *scanner) keyLines(i, limit int) int {
	for i < limit {
		line, last := s.lineAt(i, limit)
		if !keyLine(line, last && (s.whole && limit == len(s.text) || limit < len(s.text))) {
			break
		}
		i += len(line) + btoi(!last)
	}
	return i
}

// keyLine reports whether line may be one inside a private key. Where the text is
// cut off, the last line may be any short piece of one.
func keyLine(line string, cut bool) bool {
	line = strings.Trim(line, " \t\r\"',+>|#\\")
	line = strings.TrimSuffix(line, `\n`)
	if line == "" {
		return true
	}
	if strings.HasPrefix(line, "Proc-Type:") || strings.HasPrefix(line, "DEK-Info:") || strings.HasPrefix(line, "Version:") || strings.HasPrefix(line, "Comment:") {
		return true
	}
	if at := strings.LastIndexAny(line, " \t|"); at >= 0 { // the prefix of a log
		line = line[at+1:]
		cut = false
	}
	for i := range len(line) {
		if !base64Char[line[i]] {
			return false
		}
	}
	return cut || len(line) >= 40 || strings.HasSuffix(line, "=") || len(line) >= 16 && mixed(line)
}

// escapedBody gives how much of a line is the inside of a key with its line ends
// written as \n.
func escapedBody(line string) int {
	n := 0
	for n < len(line) && (base64Char[line[n]] || line[n] == '\\' || line[n] == '\r' || line[n] == ' ' && n == 0) {
		n++
	}
	return n
}

// findPEMTail matches at the beginning of a line what is left of a key whose first
// lines are cut off: nothing but lines of a key, up to its last line.
func findPEMTail(s *scanner, i int) (Finding, bool) {
	at, end := s.endMarker(i)
	if at == len(s.text) || end-i > longest {
		return Finding{}, false
	}
	for i < at && (s.text[i] == ' ' || s.text[i] == '\t') {
		i++
	}
	if i < at && base64Char[s.text[i]] && s.bodyEnd(i) == at {
		return Finding{PrivateKey, i, end}, true
	}
	return Finding{}, false
}

// bodyEnd gives where the base64 and line ends stop that i lies in.
func (s *scanner) bodyEnd(i int) int {
	for _, span := range s.pemBody.spans {
		if span.start <= i && i < span.end {
			return span.end
		}
	}
	end := i
	for end < len(s.text) {
		if c := s.text[end]; !base64Char[c] && c != '\n' && c != '\r' && (c != ' ' && c != '\t' || end > 0 && s.text[end-1] != '\n' && s.text[end-1] != ' ') {
			break
		}
		end++
	}
	s.pemBody.spans[0] = struct{ start, end int }{i, end}
	return end
}
