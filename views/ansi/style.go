package ansi

import (
	"strconv"
	"strings"
)

// Style is how a span looks. Its colours are of the sixteen that terminals have;
// other colours become the nearest of them, because the page has a class for each
// and no inline style, and because those sixteen are readable on both backgrounds.
type Style struct {
	fg, bg uint8 // 1 to 16 for the colours 0 to 15, 0 for none
	attr   uint8
}

const (
	bold = 1 << iota
	dim
	italic
	underline
	inverse
	strike
	hidden
)

// Class gives the CSS classes, "" for plain text: a-f0 to a-f15 and a-b0 to a-b15
// for the colours, and a-bold, a-dim, a-italic, a-underline, a-inverse, a-strike.
// Hidden text is shown, as a-hidden: nothing may hide in a log.
func (s Style) Class() string {
	if s == (Style{}) {
		return ""
	}
	names := make([]string, 0, 4)
	if s.fg > 0 {
		names = append(names, "a-f"+strconv.Itoa(int(s.fg-1)))
	}
	if s.bg > 0 {
		names = append(names, "a-b"+strconv.Itoa(int(s.bg-1)))
	}
	for i, name := range [...]string{"a-bold", "a-dim", "a-italic", "a-underline", "a-inverse", "a-strike", "a-hidden"} {
		if s.attr&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// sequence is the sequence that a terminal takes for the style, "" for plain text.
// Hidden text is shown here too.
func (s Style) sequence() string {
	var codes []string
	for i, code := range [...]string{"1", "2", "3", "4", "7", "9"} {
		if s.attr&(1<<i) != 0 {
			codes = append(codes, code)
		}
	}
	color := func(n uint8, dark, bright int) {
		switch {
		case n > 8:
			codes = append(codes, strconv.Itoa(bright+int(n)-9))
		case n > 0:
			codes = append(codes, strconv.Itoa(dark+int(n)-1))
		}
	}
	color(s.fg, 30, 90)
	color(s.bg, 40, 100)
	if codes == nil {
		return ""
	}
	return "\x1b[" + strings.Join(codes, ";") + "m"
}

// maxParams is how many parameters of one sequence count.
const maxParams = 64

// apply carries out the parameters of ESC [ … m. Those that are not known change nothing.
func (s Style) apply(params string) Style {
	if strings.ContainsAny(params, "<=>?") { // a private sequence
		return s
	}
	var codes []int
	for part := range strings.SplitSeq(params, ";") {
		if len(codes) == maxParams {
			break
		}
		codes = append(codes, subparams(part)...)
	}
	for i := 0; i < len(codes); i++ {
		switch c := codes[i]; c {
		case 38, 48:
			color, used := extended(codes[i+1:])
			i += used
			if color > 0 && c == 38 {
				s.fg = color
			} else if color > 0 {
				s.bg = color
			}
		default:
			s = s.set(c)
		}
	}
	return s
}

// subparams reads one parameter. Of one with colons, 38:2::r:g:b or 4:3, the empty
// colour space is left out, and of an underline its shape.
func subparams(part string) []int {
	fields := strings.SplitN(part, ":", 8)
	codes := make([]int, 0, len(fields))
	for i, f := range fields {
		if f == "" && i > 0 && i == 2 {
			continue
		}
		n, err := strconv.Atoi(f)
		if err != nil && f != "" || n < 0 {
			n = -1
		}
		codes = append(codes, n)
	}
	if len(codes) > 1 && codes[0] != 38 && codes[0] != 48 {
		if codes[0] == 4 && codes[1] == 0 {
			return []int{24}
		}
		return codes[:1]
	}
	return codes
}

func (s Style) set(code int) Style {
	switch {
	case code == 0:
		return Style{}
	case code == 1:
		s.attr |= bold
	case code == 2:
		s.attr |= dim
	case code == 3:
		s.attr |= italic
	case code == 4, code == 21:
		s.attr |= underline
	case code == 7:
		s.attr |= inverse
	case code == 8:
		s.attr |= hidden
	case code == 9:
		s.attr |= strike
	case code == 22:
		s.attr &^= bold | dim
	case code == 23:
		s.attr &^= italic
	case code == 24:
		s.attr &^= underline
	case code == 27:
		s.attr &^= inverse
	case code == 28:
		s.attr &^= hidden
	case code == 29:
		s.attr &^= strike
	case code >= 30 && code <= 37:
		s.fg = uint8(code - 30 + 1)
	case code == 39:
		s.fg = 0
	case code >= 40 && code <= 47:
		s.bg = uint8(code - 40 + 1)
	case code == 49:
		s.bg = 0
	case code >= 90 && code <= 97:
		s.fg = uint8(code - 90 + 9)
	case code >= 100 && code <= 107:
		s.bg = uint8(code - 100 + 9)
	}
	return s
}

// extended reads what follows 38 or 48: 5;n or 2;r;g;b. It gives the colour as
// Style has it, 0 for none, and how many codes were read.
func extended(codes []int) (color uint8, used int) {
	switch {
	case len(codes) >= 2 && codes[0] == 5:
		n := codes[1]
		switch {
		case n < 0 || n > 255:
			return 0, 2
		case n < 16:
			return uint8(n + 1), 2
		case n < 232:
			n -= 16
			return nearest(level(n/36), level(n/6%6), level(n%6)), 2
		}
		gray := 8 + 10*(n-232)
		return nearest(gray, gray, gray), 2
	case len(codes) >= 4 && codes[0] == 2:
		r, g, b := codes[1], codes[2], codes[3]
		if min(r, g, b) < 0 || max(r, g, b) > 255 {
			return 0, 4
		}
		return nearest(r, g, b), 4
	}
	return 0, len(codes)
}

// level is the brightness of one step of the 6×6×6 cube.
func level(n int) int {
	if n == 0 {
		return 0
	}
	return 55 + 40*n
}

// xterm's sixteen colours: what programs that choose others have in mind.
//
//nolint:gochecknoglobals // never written; Go has no constant arrays
var palette = [16][3]int{
	{0, 0, 0}, {205, 0, 0}, {0, 205, 0}, {205, 205, 0}, {0, 0, 238}, {205, 0, 205}, {0, 205, 205}, {229, 229, 229},
	{127, 127, 127}, {255, 0, 0}, {0, 255, 0}, {255, 255, 0}, {92, 92, 255}, {255, 0, 255}, {0, 255, 255}, {255, 255, 255},
}

// nearest gives the colour of the palette next to r, g, b: among the grays for
// what is nearly gray, and else among the colours, so that a pale or a dark red is
// still red.
func nearest(r, g, b int) uint8 {
	spread := max(r, g, b) - min(r, g, b)
	best, bestDistance := 0, 1<<30
	for i, c := range palette {
		if gray := i%8 == 0 || i%8 == 7; gray != (spread < 32) {
			continue
		}
		// Red counts more among light colours and blue among dark ones, for the eye.
		mean := (r + c[0]) / 2
		dr, dg, db := r-c[0], g-c[1], b-c[2]
		d := (512+mean)*dr*dr/256 + 4*dg*dg + (767-mean)*db*db/256
		if d < bestDistance {
			best, bestDistance = i, d
		}
	}
	return uint8(best + 1)
}
