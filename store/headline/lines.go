package headline

import (
	"regexp"
	"strings"
)

// lines cuts a text into the lines that are judged, empty ones left out. A
// carriage return ends a line as well: progress bars are many lines, and the
// text of an old Mac is not one.
func lines(text string) []line {
	list := make([]line, 0, 64)
	said, advised := false, false
	contract := strings.Contains(text, "contract validation failed")
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if len(part) > maxLine {
			part = part[:maxLine]
		}
		part = plain(part)
		if contract {
			part = detail.ReplaceAllString(part, "")
		}
		trimmed := strings.TrimSpace(part)
		if trimmed == "" {
			continue
		}
		if rest, ok := cutMarker(trimmed); ok {
			said = true
			if trimmed = rest; rest == "" {
				continue
			}
		}
		if strings.HasPrefix(trimmed, ">    ") {
			continue // the code that pytest was at
		}
		advised = contract && (advised || advice.MatchString(trimmed))
		if advised {
			continue
		}
		list = append(list, line{
			text: unwrap(trimmed), indent: len(part) - len(strings.TrimLeft(part, " \t")), said: said,
			raised: strings.HasPrefix(trimmed, "E   "),
		})
	}
	return list
}

// detail is what stands before each line of a contract's report, advice what
// stands before the part of it that is the same for every failure.
var (
	detail = regexp.MustCompile(`^ {4}- {1,3}`)
	advice = regexp.MustCompile(`^(?:- )?(?:Suggested Fix(?:es)?|Common Issues to Check|Example Fix|Example|Fix):`)
)

// cutMarker takes off the label of what a program printed.
func cutMarker(text string) (rest string, ok bool) {
	for _, label := range []string{"stderr:", "stdout:"} {
		if rest, ok = strings.CutPrefix(text, label); ok {
			return strings.TrimSpace(rest), true
		}
	}
	return text, false
}

// wrappings are what runners put before a cause, and say nothing themselves.
//
//nolint:gochecknoglobals // compiled once, read only
var wrappings = []*regexp.Regexp{
	regexp.MustCompile(`^(?:sub-)?(?:step|pipeline) "[^"]*" failed: `),
	regexp.MustCompile(`^step "[^"]*" rejected by contract \(\w+\): `),
	regexp.MustCompile(`^design rejection: \w+ contract reported non-actionable result \(`),
	regexp.MustCompile(`^contract validation failed(?: after \d+ rework attempt\(s\))?(?: \[\w+\])?: `),
	regexp.MustCompile(`^command failed: `),
	regexp.MustCompile(`^adapter execution failed: (?:general_error: )?`),
	regexp.MustCompile(`^#\d+ \d+\.\d+ `),                 // a line of a container's build
	regexp.MustCompile(`^##\[error\]`),                    // a hosted runner
	regexp.MustCompile(`^\[(?:ERROR|error|FATAL)\]:?\s+`), // Maven
	regexp.MustCompile(`^E {2,}`),                         // pytest
	regexp.MustCompile(`^[-•·*>|│┃❯→⎯]+\s+`),
	regexp.MustCompile(`^"(?:message|detail|error|error_description)": "(.+?)",?$`), // a body laid out as JSON
}

// maxWrappings bounds how deep a cause may be wrapped.
const maxWrappings = 32

// unwrap takes off what was put around a cause.
func unwrap(text string) string {
	for range maxWrappings {
		before := text
		for _, w := range wrappings {
			m := w.FindStringSubmatchIndex(text)
			switch {
			case m == nil:
			case len(m) > 2: // what is inside
				text = text[m[2]:m[3]]
			case m[1] < len(text):
				text = text[m[1]:]
			}
		}
		if text == before {
			break
		}
	}
	return text
}

// plain is a line without what moves a cursor or colors a terminal, and without
// any other control character but the tab.
func plain(text string) string {
	if strings.IndexFunc(text, control) < 0 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		if text[i] == 0x1b {
			i += escape(text[i:])
			continue
		}
		b.WriteByte(text[i])
		i++
	}
	return strings.Map(func(r rune) rune {
		if control(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(b.String(), "\uFFFD"))
}

func control(r rune) bool { return r != '\t' && (r < ' ' || r >= 0x7f && r <= 0x9f) || r == '\uFFFD' }

// escape is the length of the sequence that a text begins with.
func escape(text string) int {
	if len(text) < 2 {
		return len(text)
	}
	switch text[1] {
	case '[': // to a byte from @ to ~
		for i := 2; i < len(text); i++ {
			if text[i] >= '@' && text[i] <= '~' {
				return i + 1
			}
		}
		return len(text)
	case ']', 'P', '_', '^', 'X': // to BEL or ESC \
		for i := 2; i < len(text); i++ {
			if text[i] == 0x07 {
				return i + 1
			}
			if text[i] == 0x1b {
				return min(i+2, len(text))
			}
		}
		return len(text)
	default:
		return 2
	}
}
