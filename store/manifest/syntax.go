package manifest

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

var yamlErrorLine = regexp.MustCompile(`^line (\d+): `)

// lineSearch is how many bytes may still be parsed again to find the line of a
// syntax error. It is shared by the files of one load, so that a thousand broken
// ones do not hold it up.
type lineSearch int

func newLineSearch() lineSearch { return 4 << 20 }

// maxLineSearch is what one file may take of it.
const maxLineSearch = 1 << 20

// parseYAML returns the root node of the first document in data, or what is
// wrong with it. Aliases are left unexpanded.
func parseYAML(file string, data []byte, search *lineSearch) (*yaml.Node, *Problem) {
	if problem := checkText(file, data); problem != nil {
		return nil, problem
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		line, text := splitYAMLError(err)
		return nil, &Problem{File: file, Line: search.line(data, line), Text: "does not parse: " + text}
	}
	if len(document.Content) == 0 {
		return nil, &Problem{File: file, Text: "is empty"}
	}
	return document.Content[0], nil
}

// checkText finds what yaml.v3 refuses without naming a line.
func checkText(file string, data []byte) *Problem {
	line := 1
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return &Problem{File: file, Line: line, Text: fmt.Sprintf("does not parse: byte 0x%02x is not UTF-8", data[i])}
		case r == '\n':
			line++
		case r < ' ' && r != '\t' && r != '\r', r >= 0x7f && r < 0xa0 && r != 0x85:
			return &Problem{File: file, Line: line, Text: fmt.Sprintf("does not parse: control character %U", r)}
		}
		i += size
	}
	return nil
}

func splitYAMLError(err error) (line int, text string) {
	text = strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlErrorLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1]) // the pattern admits digits only; 0 on overflow is "unknown"
		text = text[len(m[0]):]
	}
	return max(line, 1), text
}

// line names the line after the longest run of lines that parses.
// yaml.v3 itself names the line where the enclosing block began, which may be
// hundreds of lines above the mistake. reported is the answer when the search
// would cost too much.
func (s *lineSearch) line(data []byte, reported int) int {
	var ends []int
	for i, b := range data {
		if b == '\n' {
			ends = append(ends, i+1)
		}
	}
	if len(ends) > 0 && ends[len(ends)-1] == len(data) {
		ends = ends[:len(ends)-1]
	}
	left := min(*s, maxLineSearch)
	*s -= left
	defer func() { *s += max(left, 0) }()
	for k := len(ends); k > 0; k-- {
		prefix := data[:ends[k-1]]
		if left -= lineSearch(len(prefix)); left < 0 {
			return reported
		}
		var node yaml.Node
		if yaml.Unmarshal(prefix, &node) == nil {
			return k + 1 + blankLines(data[ends[k-1]:])
		}
	}
	return 1
}

// blankLines counts the leading lines of data that hold nothing to be wrong.
func blankLines(data []byte) int {
	for n := 0; ; n++ {
		line, rest, more := bytes.Cut(data, []byte("\n"))
		if !more || len(bytes.TrimSpace(line)) > 0 {
			return n
		}
		data = rest
	}
}
