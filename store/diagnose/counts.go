package diagnose

import (
	"strconv"
	"strings"
)

// plannedSteps finds N in `input="…" steps=N`. The input is anyone's text and
// may look the same, so only the end of the message counts.
func plannedSteps(message string) (int, bool) {
	i := strings.LastIndex(message, " steps=")
	if i < 0 || !strings.HasPrefix(message, "input=") {
		return 0, false
	}
	n, ok := count(message[i+len(" steps="):])
	return n, ok && n > 0
}

// count reads a number of steps or attempts. Any text may stand there; with what
// fits 32 bits every further reckoning is safe.
func count(text string) (int, bool) {
	n, err := strconv.ParseInt(text, 10, 32)
	return int(n), err == nil && n >= 0
}

// fraction reads "k/n".
func fraction(s string) (k, n int, ok bool) {
	a, b, found := strings.Cut(s, "/")
	if !found {
		return 0, 0, false
	}
	if end := strings.IndexFunc(b, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		b = b[:end]
	}
	k, okK := count(a)
	n, okN := count(b)
	return k, n, okK && okN && n > 0
}
