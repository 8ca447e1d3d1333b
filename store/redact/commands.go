package redact

import "strings"

// word is one after which the options of a command, or the words of a file, mean
// a secret.
type word int

const (
	commandCurl word = iota
	commandMySQL
	commandSSHPass
	netrcMachine
	netrcLogin
	wordsNoted
)

// nearby is how far behind a noted word it still counts.
const nearby = 256

// noted remembers where a word was seen.
func noted(w word) func(*scanner, int) (Finding, bool) {
	return func(s *scanner, i int) (Finding, bool) {
		if s.boundary(i) {
			s.noted[w] = i + 1
		}
		return Finding{}, false
	}
}

// near reports whether a word stands not far before i, and no other command since.
func (s *scanner) near(w word, i int) bool {
	if s.noted[w] == 0 || i-s.noted[w] >= nearby {
		return false
	}
	between, _, _ := strings.Cut(s.text[s.noted[w]:i], "\n") // where the line goes on, options follow
	return w >= netrcMachine || !strings.Contains(between, "; ") && !strings.Contains(between, "| ") && !strings.Contains(between, "&& ")
}

// newLine forgets the commands of the line that ends before i, unless it goes on.
func (s *scanner) newLine(i int) {
	if before := strings.TrimRight(s.text[max(s.floor, i-3):i], "\r\n"); !strings.HasSuffix(before, `\`) {
		s.noted[commandCurl], s.noted[commandMySQL], s.noted[commandSSHPass] = 0, 0, 0
	}
}

// findNetrcPassword matches the word behind password where a machine and a login were
// named before, as in .netrc.
func findNetrcPassword(s *scanner, i int) (Finding, bool) {
	if !s.boundary(i) || !s.near(netrcMachine, i) || !s.near(netrcLogin, i) || s.noted[netrcLogin] < s.noted[netrcMachine] {
		return Finding{}, false
	}
	start := i + len("password ")
	for start < len(s.text) && (s.text[start] == ' ' || s.text[start] == '\t') && start-i < 32 {
		start++
	}
	return findArgument(s, start)
}

// findArgument matches one word of a command line: in quotes, or up to a blank.
func findArgument(s *scanner, start int) (Finding, bool) {
	if start >= len(s.text) {
		return Finding{}, false
	}
	at, end, quoted := s.quotedValue(start)
	if !quoted {
		at, end = start, start
		for end < len(s.text) && end-start < 1024 && !endsWord[s.text[end]] && lineBreak(s.text[end:min(len(s.text), end+4)]) == 0 {
			end++
		}
	}
	if end <= at || end-at > 1024 {
		return Finding{}, false
	}
	if n, done := placeholder(s.text[at:]); done {
		s.at = at + n
		return Finding{}, false
	}
	return Finding{Password, at, end}, !harmless(s.text[at:end], Password)
}

// findOption matches the secret of an option of one letter: mysql -pSECRET,
// sshpass -p SECRET, curl -u user:SECRET.
func findOption(s *scanner, i int) (Finding, bool) {
	if i+2 >= len(s.text) || i > 0 && s.text[i-1] > ' ' && strings.IndexByte("\"'`[,", s.text[i-1]) < 0 {
		return Finding{}, false
	}
	switch rest := s.text[i+1:]; {
	case rest[0] == 'p' && s.near(commandSSHPass, i):
		return findArgument(s, s.nextArgument(i+2))
	case rest[0] == 'p' && s.near(commandMySQL, i):
		if s.text[i+2] == '"' || s.text[i+2] == '\'' && strings.HasPrefix(s.text[i+2:], "',") {
			return Finding{}, false // a list of arguments: it asks for the password
		}
		return findArgument(s, i+2)
	case !s.near(commandCurl, i):
		return Finding{}, false
	case rest[0] == 'b':
		return findCookie(s, s.nextArgument(i+2), valueForm{kind: Cookie, line: false})
	}
	return findCurlUser(s, i)
}

// findCurlUser matches the password of curl's --user and --proxy-user, and of the letters
// that stand for them, also behind other letters: -sSu name:secret.
func findCurlUser(s *scanner, i int) (Finding, bool) {
	at := i + 1
	for _, long := range []string{"-user", "-proxy-user"} {
		if strings.HasPrefix(s.text[at:], long) {
			at += len(long)
			if at < len(s.text) && s.text[at] == '=' {
				return findLogin(s, at+1)
			}
			if next := s.nextArgument(at); next > at {
				return findLogin(s, next)
			}
			return Finding{}, false
		}
	}
	for at < len(s.text) && at-i < 8 && (s.text[at] >= 'a' && s.text[at] <= 'z' || s.text[at] >= 'A' && s.text[at] <= 'Z') {
		if c := s.text[at]; c == 'u' || c == 'U' {
			return findLogin(s, s.nextArgument(at+1))
		}
		at++
	}
	return Finding{}, false
}

func (s *scanner) blanks(i int) int {
	for n := 0; i < len(s.text) && s.text[i] == ' ' && n < 16; n++ {
		i++
	}
	return i
}

// nextArgument gives where the argument behind the option that ends at i begins:
// behind blanks, or as the next of a list, as in ["-u", "name:secret"].
func (s *scanner) nextArgument(i int) int {
	rest := s.text[i:min(len(s.text), i+16)]
	list := strings.TrimLeft(rest, `\`)
	if list == "" || list[0] != '"' && list[0] != '\'' {
		return s.blanks(i)
	}
	after := strings.TrimLeft(list[1:], " ")
	if !strings.HasPrefix(after, ",") {
		return i
	}
	return i + len(rest) - len(strings.TrimLeft(after[1:], " "))
}

// findLogin matches the password of user:password.
func findLogin(s *scanner, i int) (Finding, bool) {
	f, ok := findArgument(s, i)
	if !ok {
		return f, ok
	}
	colon := strings.IndexByte(s.text[f.Start:f.End], ':')
	if colon < 0 || f.Start+colon+1 >= f.End {
		return Finding{}, false
	}
	f.Start += colon + 1
	if n, done := placeholder(s.text[f.Start:]); done {
		s.at = f.Start + n
		return Finding{}, false
	}
	return f, !harmless(s.text[f.Start:f.End], Password)
}

// findPgpass matches the password of host:port:database:user:password at the colon
// before the port. The password ends the line.
func findPgpass(s *scanner, colon int) (Finding, bool) {
	if next := s.text[colon+1 : min(len(s.text), colon+2)]; next == "" || next != "*" && (next < "0" || next > "9") {
		return Finding{}, false
	}
	if colon == s.floor || !classChars[classDotted][s.text[colon-1]] && s.text[colon-1] != '*' {
		return Finding{}, false
	}
	at, ok := s.pgpassFields(colon)
	if !ok {
		return Finding{}, false
	}
	end, broken := at, false
	for end < len(s.text) && end-at < 512 && s.text[end] > ' ' && s.text[end] != '"' && !broken {
		if s.text[end] == ':' && s.text[end-1] != '\\' {
			return Finding{}, false
		}
		end++
		broken = end < len(s.text) && lineBreak(s.text[end:min(len(s.text), end+4)]) > 0
	}
	if end-at < 4 || end < len(s.text) && s.text[end] != '"' && !broken {
		return Finding{}, false
	}
	if _, done := placeholder(s.text[at:]); done || harmless(s.text[at:end], Password) {
		return Finding{}, false
	}
	return Finding{Password, at, end}, true
}

// pgpassFields reads port, database and user behind the colon before the port, and gives
// where the password begins.
func (s *scanner) pgpassFields(colon int) (at int, ok bool) {
	at = colon + 1
	for field := 1; field < 4; field++ {
		from := at
		for at < len(s.text) && at-colon < backward && (classChars[classDotted][s.text[at]] || s.text[at] == '*') {
			at++
		}
		if at == from || at >= len(s.text) || s.text[at] != ':' {
			return at, false
		}
		v := s.text[from:at]
		switch {
		case field == 1 && v != "*" && (len(v) < 4 || len(v) > 5 || strings.Trim(v, digitChars) != ""):
			return at, false
		case field > 1 && v != "*" && strings.Trim(v, digitChars) == "":
			return at, false
		}
		at++
	}
	return at, true
}

const digitChars = "0123456789"
