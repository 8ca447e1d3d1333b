package redact

import (
	"encoding/base64"
	"strings"
)

// A few tokens have no prefix and are known by what stands in their middle. They
// begin at most backward bytes before it.
const backward = 192

// backToken gives where the word begins that ends before i, when it has least to
// most bytes of class c.
func (s *scanner) backToken(i, least, most int, c class) (start int, ok bool) {
	set := classChars[c]
	for start = i; start > s.floor && i-start < most && set[s.text[start-1]]; {
		start--
		if n := i - start; n >= least && s.boundary(start) && (start == 0 || !set[s.text[start-1]] || s.escaped(start)) {
			return start, true
		}
	}
	return start, false
}

// findDotted matches at a dot the tokens whose parts dots separate.
func findDotted(s *scanner, i int) (Finding, bool) {
	const terraform = ".atlasv1."
	if strings.HasPrefix(s.text[i:], terraform) {
		end := s.run(i+len(terraform), classPadded)
		start, ok := s.backToken(i, 14, 14, classAlnum)
		n := end - i - len(terraform)
		return Finding{Terraform, start, end}, ok && n >= 50 && n <= 90
	}
	if i+7 < len(s.text) && s.text[i+7] == '.' { // id.time.code: a Discord bot
		end := s.run(i+8, classURL)
		if n := end - i - 8; n < 27 || n > 45 {
			return Finding{}, false
		}
		start, ok := s.backToken(i, 23, 27, classAlnum)
		id, err := base64.RawURLEncoding.DecodeString(s.text[start:i])
		if ok && err == nil && len(id) >= 17 && len(id) <= 20 && strings.Trim(string(id), "0123456789") == "" {
			return Finding{Discord, start, end}, true
		}
	}
	return Finding{}, false
}

// findTelegram matches the token of a bot at its colon, which has so many bytes.
func findTelegram(s *scanner, i, colon int) (Finding, bool) {
	body := i + colon
	if !strings.HasPrefix(s.text[body:], "AA") {
		return Finding{}, false
	}
	end := s.run(body, classURL)
	if n := end - body; n < 34 || n > 36 {
		return Finding{}, false
	}
	start := i
	for start > s.floor && i-start < 11 && s.text[start-1] >= '0' && s.text[start-1] <= '9' {
		start--
	}
	if n := i - start; n < 8 || n > 10 {
		return Finding{}, false
	}
	return Finding{Telegram, start, end}, true
}

// findMailgun matches at the first dash of a key of 32, 8 and 8 hexadecimal digits.
func findMailgun(s *scanner, i int) (Finding, bool) {
	if i+18 > len(s.text) || s.text[i+9] != '-' || i+18 < len(s.text) && wordChar[s.text[i+18]] || i-32 < s.floor || !s.boundary(i-32) {
		return Finding{}, false
	}
	if !lowHex(s.text[i-32:i]) || !lowHex(s.text[i+1:i+9]+s.text[i+10:i+18]) {
		return Finding{}, false
	}
	return Finding{Mailgun, i - 32, i + 18}, true
}

// findNewRelicLicense matches at the letters that a license key of 40 ends with.
func findNewRelicLicense(s *scanner, i int) (Finding, bool) {
	const mark = len("NRAL")
	if i+mark < len(s.text) && wordChar[s.text[i+mark]] {
		return Finding{}, false
	}
	start, ok := s.backToken(i, 36, 36, classAlnum)
	return Finding{NewRelic, start, i + mark}, ok && hasDigit(s.text[start:i])
}

// endsWord are the bytes that no argument without quotes holds.
var endsWord = func() (t [256]bool) {
	for c := range t {
		t[c] = c <= ' ' || strings.IndexByte("\"'`<>|", byte(c)) >= 0
	}
	return t
}()

// findGoDSN matches the password of user:password@tcp(host)/name at its @.
func findGoDSN(s *scanner, i int) (Finding, bool) {
	rest := s.text[i+1 : min(len(s.text), i+7)]
	if !strings.HasPrefix(rest, "tcp(") && !strings.HasPrefix(rest, "tcp6(") && !strings.HasPrefix(rest, "unix(") {
		return Finding{}, false
	}
	floor := max(s.floor, i-backward)
	start := i
	for start > floor && !endsWord[s.text[start-1]] {
		start--
	}
	colon := strings.IndexByte(s.text[start:i], ':')
	if colon < 0 {
		return Finding{}, false
	}
	password := s.text[start+colon+1 : i]
	if password == "" || harmless(password, Password) || strings.HasSuffix(password, "]") && Marked(password) {
		return Finding{}, false
	}
	return Finding{URLPassword, start + colon + 1, i}, true
}

// findEncodedKey matches a private key whose text is itself in base64, in one line or
// in lines of the same length; i is within its first line.
func findEncodedKey(s *scanner, i int) (Finding, bool) {
	end := s.run(i, classBase64)
	head, err := base64.RawStdEncoding.DecodeString(s.text[i:min(end, i+64)][:(min(end, i+64)-i)/4*4])
	if err != nil || !strings.Contains(string(head), pemPrivate) {
		return Finding{}, false
	}
	start := i
	for start-4 >= s.floor && i-start < 8 && s.text[start-4:start] == "LS0t" {
		start -= 4
	}
	limit := min(len(s.text), start+longest)
	for end < limit {
		next := end
		for next < limit && s.text[next] == '=' {
			next++
		}
		if next > end {
			end = next
			break
		}
		next += lineBreak(s.text[next:limit])
		for next > end && next < limit && s.text[next] == ' ' {
			next++
		}
		if next == end || next >= limit || s.run(next, classBase64)-next < 16 && !strings.HasPrefix(s.text[s.run(next, classBase64):], "=") {
			break
		}
		end = s.run(next, classBase64)
	}
	return Finding{PrivateKey, start, min(end, limit)}, true
}

// lineBreak gives the length of the line break that text begins with, in bytes or
// written out.
func lineBreak(text string) int {
	for _, end := range []string{"\r\n", "\n", `\r\n`, `\n`, `\\n`} {
		if strings.HasPrefix(text, end) {
			return len(end)
		}
	}
	return 0
}

// findPuttyKey matches the private part of a PuTTY key from the line that counts its
// lines to its checksum.
func findPuttyKey(s *scanner, i int) (Finding, bool) {
	start := i + len("Private-Lines:")
	limit := min(len(s.text), start+longest)
	end := s.puttyEnd(start)
	if end >= limit { // cut off
		end = start
		for n := 0; end < limit && n < 300; n++ {
			line := s.text[end:limit]
			stop := strings.IndexByte(line, '\n')
			if stop < 0 {
				stop = len(line) - 1
			}
			if n > 0 && !keyLine(line[:stop], end+stop+1 == limit) {
				break
			}
			end += stop + 1
		}
		for end > start && end < len(s.text) && s.text[end-1] <= ' ' {
			end--
		}
	}
	for start < end && (s.text[start] == ' ' || s.text[start] >= '0' && s.text[start] <= '9') {
		start++
	}
	start += lineBreak(s.text[start:end])
	if _, done := placeholder(s.text[start:min(len(s.text), start+64)]); done || start >= end {
		return Finding{}, false
	}
	return Finding{PrivateKey, start, end}, true
}

// puttyEnd gives where the next checksum of a PuTTY key ends.
func (s *scanner) puttyEnd(i int) int {
	if !s.mac.known || s.mac.from > i || s.mac.at < i {
		at := strings.Index(s.text[i:], "Private-MAC:")
		s.mac = nextEnd{from: i, at: len(s.text), end: len(s.text), known: true}
		if at >= 0 {
			s.mac.at = i + at
			end := s.mac.at + len("Private-MAC:")
			for end < len(s.text) && (s.text[end] == ' ' || hexChar(s.text[end])) && end-s.mac.at < 100 {
				end++
			}
			s.mac.end = end
		}
	}
	if s.mac.at >= len(s.text) {
		return len(s.text)
	}
	return s.mac.end
}

// hashLengths are how long the last part of a hash of crypt(3) is, by its scheme.
var hashLengths = map[string][2]int{
	"1": {22, 22}, "apr1": {22, 22}, "5": {43, 43}, "6": {86, 86}, "2": {53, 53}, "2a": {53, 53}, "2b": {53, 53}, "2y": {53, 53}, "2x": {53, 53},
	"y": {40, 90}, "gy": {40, 90}, "7": {40, 90}, "P": {31, 31}, "H": {31, 31}, "sha1": {28, 28}, "md5": {22, 22},
	"argon2id": {20, 200}, "argon2i": {20, 200}, "argon2d": {20, 200}, "scrypt": {20, 200},
	"pbkdf2": {20, 200}, "pbkdf2-sha1": {20, 200}, "pbkdf2-sha256": {20, 200}, "pbkdf2-sha512": {20, 200}, "bcrypt-sha256": {20, 200},
}

// findCrypt matches a hash as crypt(3) writes it, $scheme$salt$hash, also encoded for a
// URL.
func findCrypt(s *scanner, i int) (Finding, bool) {
	limit := min(len(s.text), i+512)
	first := 1
	if s.text[i] == '%' {
		first = 3
	}
	scheme := i + first
	for scheme < limit && scheme-i < 20 && classChars[classURL][s.text[scheme]] {
		scheme++
	}
	size, known := hashLengths[s.text[i+first:scheme]]
	if !known || i > s.floor && s.text[i-1] == '$' {
		return Finding{}, false
	}
	end := min(s.run(scheme, classCrypt), limit)
	last := strings.LastIndexByte(s.text[i:end], '$') + 1
	if first == 3 {
		last = max(last, strings.LastIndex(s.text[i:end], "%24")+len("%24"))
	}
	// The last part ends after so many characters, each encoded or not.
	at, n := i+last, 0
	for ; at < end && n < size[1]; n++ {
		if s.text[at] == '%' {
			at += 2
		}
		at++
	}
	if n < size[0] || at > end || at < end && size[0] == size[1] && wordChar[s.text[at]] {
		return Finding{}, false
	}
	return Finding{PasswordHash, i, at}, true
}

// findLdapHash matches {SSHA}base64 and its like.
func findLdapHash(s *scanner, i int) (Finding, bool) {
	brace := strings.IndexByte(s.text[i:min(len(s.text), i+12)], '}')
	if brace < 0 {
		return Finding{}, false
	}
	end := i + brace + 1
	for set := classChars[classCrypt]; end < len(s.text) && end-i < 512 && set[s.text[end]]; end++ {
	}
	if end-i-brace-1 < 24 {
		return Finding{}, false
	}
	return Finding{PasswordHash, i, end}, true
}
