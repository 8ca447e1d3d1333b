package headline

import (
	"regexp"
	"strings"
)

// Scores that code refers to. The order of the rules below is that of their
// scores: what is wrong and where, what a program complains of, which test it
// was, what was said, what sums up, how it ended, and what only leads there.
const (
	scoreRaised  = 93 // what a Python traceback ends with
	scoreMarked  = 91 // what pytest marks
	scoreRelayed = 45 // that a command which was started failed
	scoreSaid    = 52 // the last words of a program
	scoreTold    = 50 // any other line
	scoreNoise   = 5
	scoreSecret  = 1 // never shown while there is any other line
)

// verdict is how much a line says. Of lines with one score the first is taken,
// or the last where that is closer to the cause.
type verdict struct {
	score int
	last  bool
}

// rule is one kind of line: one that begins with one of these words, or has one
// and is like the expression. Words are in lower case and looked for first: they
// cost a hundredth of what an expression does.
type rule struct {
	verdict

	begins []string
	has    []string       // empty: any line has it
	is     *regexp.Regexp // nil: any line is
}

// judge says how much a line says.
func judge(l line) verdict {
	if l.raised {
		return verdict{score: scoreMarked}
	}
	lower := strings.ToLower(l.text)
	for i := range rules {
		if rules[i].matches(l.text, lower) {
			return rules[i].verdict
		}
	}
	switch {
	case blob(l.text):
		return verdict{score: scoreSecret}
	case !worded(l.text):
		return verdict{score: scoreNoise}
	case l.said:
		return verdict{score: scoreSaid, last: true}
	default:
		return verdict{score: scoreTold}
	}
}

func (r *rule) matches(text, lower string) bool {
	for _, word := range r.begins {
		if strings.HasPrefix(lower, word) {
			return true
		}
	}
	for _, word := range r.has {
		if strings.Contains(lower, word) {
			return r.is == nil || r.is.MatchString(text)
		}
	}
	return len(r.has) == 0 && r.is != nil && r.is.MatchString(text)
}

// judgeDetail reports whether a line may complete the one before it.
func judgeDetail(text string) bool { return !frame.MatchString(text) && !blob(text) }

// blob reports whether a line is one long word of the letters that keys and
// encoded data are made of.
func blob(text string) bool {
	if len(text) < 40 {
		return false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("+/=_-", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// worded reports whether a line has a word: two letters or more.
func worded(text string) bool {
	n := 0
	for i := range len(text) {
		if c := text[i] | 0x20; c >= 'a' && c <= 'z' || c >= 0x80 {
			if n++; n == 2 {
				return true
			}
		}
	}
	return false
}

var (
	comparison = regexp.MustCompile(`(?i)^(?:expect\(|failure/error:)|panicked at|^assert|assertion|not equal`)
	side       = regexp.MustCompile(`(?i)^(?:left|right|expected|actual|received|got|want(?:ed)?)\s*:`)
	frame      = regexp.MustCompile(`^(?:at .*[:(].*\d|at async |File ".*", line \d|goroutine \d+ |\S+\.go:\d+ \+0x|created by |\d+: \S+(?:::|\+0x)|\.\.\. \d+ more|\S+\(.*\)$|from \S+:\d+:in |\S+:\d+:\d+$)`)
)
