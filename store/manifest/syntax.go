package manifest

import (
	"fmt"
	"regexp"
	"sort"
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

// parseYAML returns the root node of the first document in data, or what is
// wrong with it. Aliases are left unexpanded.
func parseYAML(file string, data []byte, search *lineSearch) (*yaml.Node, *Problem) {
	if problem := checkText(file, data); problem != nil {
		return nil, problem
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		line, text := splitYAMLError(err)
		return nil, &Problem{File: file, Line: search.line(data, err, line), Text: "does not parse: " + text}
	}
	if len(document.Content) == 0 || document.Content[0].ShortTag() == "!!null" {
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

// line names the first line with which data fails as it does as a whole.
// yaml.v3 itself names the line where the enclosing block began, which may be
// hundreds of lines above the mistake; that is the answer when the search would
// cost too much.
func (s *lineSearch) line(data []byte, whole error, reported int) int {
	var ends []int // of each line but the last
	for i, b := range data[:max(len(data)-1, 0)] {
		if b == '\n' {
			ends = append(ends, i+1)
		}
	}
	exhausted := false
	n := sort.Search(len(ends), func(i int) bool {
		prefix := data[:ends[i]]
		if *s -= lineSearch(len(prefix)); *s < 0 {
			*s, exhausted = 0, true
		}
		if exhausted {
			return true
		}
		var node yaml.Node
		err := yaml.Unmarshal(prefix, &node)
		return err != nil && err.Error() == whole.Error()
	})
	if exhausted {
		return reported
	}
	return n + 1
}
