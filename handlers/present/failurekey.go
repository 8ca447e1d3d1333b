package present

import (
	"regexp"
	"strings"
)

// maxFailureKey is how much of an error's line distinguishes failures.
const maxFailureKey = 240

// What differs between two occurrences of one failure, and what it becomes. The
// order matters: a time holds numbers, a path holds ids. Exit and status codes
// stay: they say which failure it is.
var failureKeys = []struct { //nolint:gochecknoglobals // compiled once, read only
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\x1b\[[0-9;]*[A-Za-z]`), ""},
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?\b`), "<time>"},
	{regexp.MustCompile(`\b\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?\b`), "<time>"},
	{regexp.MustCompile(`\b[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\b`), "<id>"},
	{regexp.MustCompile(`\b(?:[\w.]+-)*\d{8}-\d{6}-[0-9a-f]+\b`), "<id>"}, // a run
	{regexp.MustCompile(`(^|[\s"'(=\[` + "`" + `])(?:file://)?(?:~|[A-Za-z]:)?[/\\](?:[^\s/\\"'():,;]+[/\\])+([^\s/\\"'():,;]*)`), "$1…/$2"},
	{regexp.MustCompile(`\b0[xX][0-9a-fA-F]+\b`), "<hex>"},
	{regexp.MustCompile(`\b[0-9a-f]*(?:[0-9][a-f]|[a-f][0-9])[0-9a-f]*\b`), "\x00$0\x00"}, // decided by length below
	{regexp.MustCompile(`(?i)\b(exit (?:status|code)|status(?: code)?|code|http(?:/[\d.]+)?|signal)([ :=]+)(\d+)\b`), "$1$2\x01$3\x01"},
}

var (
	hexWord  = regexp.MustCompile("\x00([0-9a-f]*)\x00")
	keptCode = regexp.MustCompile("\x01(\\d+)\x01")
	number   = regexp.MustCompile(`\d+(?:[.,]\d+)*`)
	spaces   = regexp.MustCompile(`\s+`)
)

// FailureKey is what two occurrences of one failure have in common: the line
// without its times, ids, directories, hexadecimal words and numbers.
func FailureKey(line string) string {
	line = strings.ToValidUTF8(Clip(line, 4*maxFailureKey), "")
	line = strings.NewReplacer("\x00", "", "\x01", "").Replace(line)
	for _, k := range failureKeys {
		line = k.pattern.ReplaceAllString(line, k.with)
	}
	line = hexWord.ReplaceAllStringFunc(line, func(word string) string {
		if word = strings.Trim(word, "\x00"); len(word) >= 6 {
			return "<hex>"
		}
		return word
	})
	// The codes are set aside as letters while the numbers go.
	line = keptCode.ReplaceAllStringFunc(line, func(code string) string {
		return strings.Map(func(r rune) rune {
			if r == '\x01' {
				return -1
			}
			return r - '0' + '\ue000'
		}, code)
	})
	line = number.ReplaceAllString(line, "<n>")
	line = strings.Map(func(r rune) rune {
		if r >= '\ue000' && r <= '\ue009' {
			return r - '\ue000' + '0'
		}
		return r
	}, line)
	line = strings.TrimSpace(spaces.ReplaceAllString(line, " "))
	return Clip(line, maxFailureKey)
}
