package views

import (
	"net/url"
	"strconv"
	"strings"

	"wavedeck/views/legible"
)

func query(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return q
}

func noticeLevel(level string) string {
	switch level {
	case "error", "warn":
		return level
	default:
		return "info"
	}
}

// noticeWord says in a word what the colour of a notice says.
func noticeWord(level string) string {
	switch noticeLevel(level) {
	case "error":
		return "Error"
	case "warn":
		return "Warning"
	default:
		return "Note"
	}
}

func place(p Problem) string {
	if p.Line > 0 {
		return p.File + ":" + strconv.Itoa(p.Line)
	}
	return p.File
}

// childrenWord says how a run's children stand: "3/4 children ended, 1 failed".
func childrenWord(c Children) string {
	if c.All == 0 {
		return ""
	}
	w := strconv.Itoa(c.Ended) + "/" + strconv.Itoa(c.All) + " children ended"
	if c.All == 1 {
		w = strconv.Itoa(c.Ended) + "/1 child ended"
	}
	if c.Failed > 0 {
		w += ", " + strconv.Itoa(c.Failed) + " failed"
	}
	return w
}

// join puts the parts that hold anything side by side.
func join(sep string, parts ...string) string {
	kept := parts[:0:0]
	for _, p := range parts {
		if strings.Trim(p, " ") == "" || strings.Contains(p, "\n") { // lines are a text, and no name
			if p != "" {
				kept = append(kept, p)
			}
		} else {
			core := strings.Trim(p, " ") // blanks at the ends of a part keep it apart
			before, after, _ := strings.Cut(p, core)
			kept = append(kept, before+legible.Name(core)+after)
		}
	}
	return strings.Join(kept, sep)
}

// marked splits a text around the line that matters, for a <mark>. Without it
// in the text, the line comes first.
func marked(text, line string) (before, hit, after string) {
	if line == "" {
		return text, "", ""
	}
	if before, after, found := strings.Cut(text, line); found {
		return before, line, after
	}
	if text == "" {
		return "", line, ""
	}
	return "", line, "\n" + text
}

// beneath reports whether the runs that a run started used tokens of their own.
func beneath(row RunRow) bool {
	return row.Subtree != nil && (row.Tokens == nil || *row.Subtree > *row.Tokens)
}

// tokenTitle is what a run's tokens are beside their number: how many in full,
// with those of its children, and what they are estimated to have cost.
func tokenTitle(row RunRow) string {
	var all, title string
	if beneath(row) {
		all = Number(*row.Subtree) + " incl. children"
	}
	if row.Tokens != nil && (all != "" || row.Cost != "") {
		title = Number(*row.Tokens) + " tokens"
	}
	return join(", ", title, all, row.Cost)
}
