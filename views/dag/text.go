package dag

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"wavedeck/views/legible"
)

// Font sizes in pixels; dag.css has the same.
const (
	labelSize  = 13
	detailSize = 11
)

// textWidth estimates pixels of s set in a sans-serif face, on the wide side:
// the server has no fonts, and too narrow a box is worse than too wide a one.
func textWidth(s string, size int) int {
	sum := 0
	for _, r := range s {
		sum += advance(r)
	}
	if size == labelSize {
		sum += sum / 12 // labels are set bold
	}
	return (sum*size + 999) / 1000
}

// advance is a rune's width in thousandths of the font size.
func advance(r rune) int {
	switch {
	case strings.ContainsRune("ijlI|!.,:;'` ", r):
		return 330
	case strings.ContainsRune("frt()[]{}/\\-\"", r):
		return 440
	case strings.ContainsRune("mwMW@%", r):
		return 960
	case r >= 'A' && r <= 'Z':
		return 720
	case r >= 0x1100:
		return 1050
	case unicode.Is(unicode.Mn, r):
		return 0
	default:
		return 610
	}
}

// clip shortens s to a width in pixels and makes it safe to set: no control
// characters, and none that turn the direction of the text around it.
func clip(s string, size, width int) string {
	s = readable(s)
	if textWidth(s, size) <= width {
		return s
	}
	fits := sort.Search(len(s), func(end int) bool { return textWidth(s[:end]+"…", size) > width })
	for fits = max(0, fits-1); fits > 0 && !utf8.RuneStart(s[fits]); fits-- {
		continue
	}
	return strings.TrimRight(s[:fits], " ") + "…"
}

// readable bounds s before anything measures it.
func readable(s string) string {
	const bytes = 400
	if len(s) > bytes {
		s = strings.ToValidUTF8(s[:bytes], "")
	}
	return legible.Name(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		return r
	}, s))
}

// named is the name of a step, bounded, as every display shows it.
func named(name string) string { return readable(legible.Name(name)) }
