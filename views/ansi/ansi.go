// Package ansi turns lines of terminal output into text with CSS classes.
//
// A log is shown a window at a time, so the state of the colours has to go with
// the lines: State is what one line leaves to the next. buildkite/terminal-to-html
// was looked at: it keeps a whole screen instead, gives no state out, drops
// 24 bit colours and inverse video, and turns sequences of the output into links
// and images, which hostile output must not be able to.
package ansi

import (
	"context"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
	"wavedeck/views/legible"

	"github.com/a-h/templ"
)

// MaxLine is how many bytes of a line are read; the rest is shown as Line.Cut.
const MaxLine = 64 << 10

// maxSpans bounds what one line of nothing but changing colours can cost.
const maxSpans = 4096

// Span is a run of text in one style. Its text is valid UTF-8 and holds no control
// character but tab.
type Span struct {
	Text  string
	Style Style
}

// Line is what is shown of one line.
type Line struct {
	Spans []Span
	Cut   int // bytes of the line that are not shown, 0 mostly
}

// Text is the line without its styles.
func (l Line) Text() string {
	var b strings.Builder
	for _, s := range l.Spans {
		b.WriteString(s.Text)
	}
	return b.String()
}

// State is what a line leaves to the next line of the same attempt. The zero value
// is where an attempt begins.
type State struct{ style Style }

// cell is a character as it stands on the line; r is what is shown of it.
type cell struct {
	r     rune
	style Style
}

// Parse reads one line, without its line end, and gives the state for the next.
// Carriage returns and backspaces are carried out, so that of a progress bar its
// last state remains; erasing to the end of a line is too. Other movements of the
// cursor, links, titles and unknown sequences are left out, their text stays.
// Other control characters are shown as in caret notation, bytes that are no UTF-8
// as U+FFFD, and what is not seen or turns text by its number, as in names. The time is linear in the line, of which MaxLine bytes are read.
func Parse(line string, from State) (Line, State) {
	p := parser{state: from}
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	var l Line
	if len(line) > MaxLine {
		cut := MaxLine
		for cut > MaxLine-utf8.UTFMax && !utf8.RuneStart(line[cut]) {
			cut--
		}
		l.Cut = len(line) - cut
		line = line[:cut]
	}
	if from == (State{}) && plain(line) {
		if line != "" {
			l.Spans = []Span{{Text: line}}
		}
		return l, from
	}
	p.run(line)
	l.Spans = p.spans()
	return l, p.state
}

// plain reports whether a line is ordinary text, as most lines are.
func plain(line string) bool {
	for i := range len(line) {
		if c := line[i]; c < ' ' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return true
}

type parser struct {
	state State
	cells []cell
	at    int // where the next character goes
}

func (p *parser) run(line string) {
	for i := 0; i < len(line); {
		c := line[i]
		switch {
		case c == 0x1b:
			i += p.escape(line[i:])
		case c == '\r':
			p.at, i = 0, i+1
		case c == '\b':
			p.at, i = max(p.at-1, 0), i+1
		case c == '\t':
			p.put('\t')
			i++
		case c == '\a' || c == 0x0e || c == 0x0f: // the bell and the switching of character sets
			i++
		case c < ' ' || c == 0x7f:
			p.put('^')
			p.put(rune(c ^ 0x40))
			i++
		case c < utf8.RuneSelf:
			p.put(rune(c))
			i++
		default:
			r, size := utf8.DecodeRuneInString(line[i:])
			after, _ := utf8.DecodeRuneInString(line[i+size:])
			p.show(r, after)
			i += size
		}
	}
}

// show puts a character, or where it would not be seen or would change how its
// neighbours are read, what stands for it.
func (p *parser) show(r, after rune) {
	before := ' '
	if p.at > 0 && p.at <= len(p.cells) {
		before = p.cells[p.at-1].r
	}
	if !legible.Hides(before, r, after) {
		p.put(r)
		return
	}
	for _, c := range legible.Mark(r) {
		p.put(c)
	}
}

func (p *parser) put(r rune) {
	if p.at < len(p.cells) {
		p.cells[p.at] = cell{r, p.state.style}
	} else {
		p.cells = append(p.cells, cell{r, p.state.style})
	}
	p.at++
}

// escape carries out the sequence that s begins with and gives its length. One
// that the line does not end is dropped with it.
func (p *parser) escape(s string) int {
	if len(s) == 1 {
		return 1
	}
	switch c := s[1]; {
	case c == '[':
		return p.control(s)
	case c == ']', c == 'P', c == 'X', c == '^', c == '_':
		return 2 + textEnd(s[2:])
	case c >= ' ' && c <= '/': // a sequence with intermediate bytes, such as ESC ( B
		i := 2
		for i < len(s) && s[i] >= ' ' && s[i] <= '/' {
			i++
		}
		return min(i+1, len(s))
	case c > '/' && c < 0x7f:
		return 2
	}
	return 1
}

// maxText is how much of a string that is not shown may follow its beginning: a
// lost end must not swallow the rest of a log.
const maxText = 4 << 10

// textEnd gives the length of the string of an operating system command: up to BEL
// or ESC \, or what is hidden where these are missing.
func textEnd(s string) int {
	for i := range min(len(s), maxText) {
		if s[i] == '\a' {
			return i + 1
		}
		if s[i] == 0x1b {
			if strings.HasPrefix(s[i:], "\x1b\\") {
				return i + 2
			}
			return i // another sequence ends it too
		}
	}
	return min(len(s), maxText)
}

// control carries out a control sequence: ESC [ parameters, intermediates, final.
func (p *parser) control(s string) int {
	i := 2
	for i < len(s) && s[i] >= 0x30 && s[i] <= 0x3f {
		i++
	}
	params := s[2:i]
	intermediate := i
	for i < len(s) && s[i] >= 0x20 && s[i] <= 0x2f {
		i++
	}
	if i == len(s) {
		return i
	}
	final := s[i]
	if final < 0x40 || final > 0x7e { // not a sequence after all: what follows stays text
		return i
	}
	if intermediate == i {
		switch final {
		case 'm':
			p.state.style = p.state.style.apply(params)
		case 'K':
			p.erase(params)
		case 'G':
			if params == "" || params == "1" {
				p.at = 0
			}
		}
	}
	return i + 1
}

// erase carries out EL, to the end of the line or, as progress bars begin again, all of it.
func (p *parser) erase(params string) {
	switch params {
	case "", "0":
		p.cells = p.cells[:p.at]
	case "2":
		p.cells, p.at = p.cells[:0], 0
	}
}

// spans joins the cells of one style. Where a line changes its style too often the
// rest of it is in one.
func (p *parser) spans() []Span {
	if len(p.cells) == 0 {
		return nil
	}
	var spans []Span
	var b strings.Builder
	style := p.cells[0].style
	for _, c := range p.cells {
		if c.style != style && len(spans) < maxSpans-1 {
			spans = append(spans, Span{b.String(), style})
			b.Reset()
			style = c.style
		}
		b.WriteRune(c.r)
	}
	return append(spans, Span{b.String(), style})
}

// View shows the line, to stand in an element that keeps white space. It is no
// template because those put white space between elements.
func (l Line) View() templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var b strings.Builder
		l.AppendHTML(&b)
		_, err := io.WriteString(w, b.String())
		return err
	})
}

// AppendHTML is View for what writes many lines.
func (l Line) AppendHTML(b *strings.Builder) {
	for _, s := range l.Spans {
		class := s.Style.Class()
		if class != "" {
			b.WriteString(`<span class="` + class + `">`)
		}
		b.WriteString(templ.EscapeString(s.Text))
		if class != "" {
			b.WriteString(`</span>`)
		}
	}
	if l.Cut > 0 {
		b.WriteString(`<span class="a-cut"> … ` + strconv.Itoa(l.Cut) + ` more bytes of this line</span>`)
	}
}

// Terminal is the line for a terminal: with its colours, and with no sequence but
// those.
func (l Line) Terminal() string {
	var b strings.Builder
	for _, s := range l.Spans {
		sequence := s.Style.sequence()
		b.WriteString(sequence + s.Text)
		if sequence != "" {
			b.WriteString("\x1b[0m")
		}
	}
	return b.String()
}
