package timeline

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strconv"

	"github.com/a-h/templ"
)

// shape is one rectangle of a row. Shift moves it by pixels.
type shape struct {
	X, Width, Y, Height, Class, Fill, Shift, Title string
}

const (
	// tinyWidth is how wide a bar must be to have 4 pixels on any screen.
	tinyWidth = 2_700
	// never is below what is wider than 4 pixels on any screen.
	never = 100
	// crowded is how near two bars without width lie that would hide each other.
	crowded = 300
	// mostShift bounds how many of them are set side by side.
	mostShift = 4
)

// shapes are the rectangles of a row in painting order: wide ones first, so
// that a narrow one is never hidden. A narrow bar lies on a second rectangle
// that is 4 pixels wide whatever the screen.
func (p *picture) shapes(r *Row) []shape {
	shifts := crowd(r.Bars)
	order := make([]int, len(r.Bars))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(min(r.Bars[b].Width, tinyWidth), min(r.Bars[a].Width, tinyWidth))
	})
	shapes := make([]shape, 0, len(order)+1)
	for _, i := range order {
		b := &r.Bars[i]
		s := shape{X: percent(b.X), Class: b.class(), Fill: p.hatch(b.Mark), Title: b.title(p.Scale)}
		s.Y, s.Height = b.Mark.rows()
		if b.Width < tinyWidth {
			least := s
			least.Width = b.Mark.least()
			if b.Width >= never {
				least.Title = "" // the other one has it
			}
			if shifts[i] != 0 {
				least.Shift = "translate(" + strconv.Itoa(shifts[i]) + ")"
			}
			shapes = append(shapes, least)
			s.Class += " tl-over"
		}
		if b.Width >= never && b.Mark != Unknown {
			s.Width = percent(b.Width)
			shapes = append(shapes, s)
		}
	}
	return shapes
}

// hatch is the pattern that fills m, if one does.
func (p *picture) hatch(m Mark) string {
	if m == Mark(Queued) || m == Mark(Backoff) {
		return "url(#" + p.ID + "-" + string(m) + ")"
	}
	return ""
}

// least is the width in pixels that a bar has at any scale.
func (m Mark) least() string {
	if m == Unknown {
		return "8"
	}
	return "4"
}

// crowd sets bars without width that begin at one place side by side, by
// pixels: to the right, and near the right end to the left.
func crowd(bars []Bar) []int {
	shifts := make([]int, len(bars))
	for i := 0; i < len(bars); {
		n := 1
		for i+n < len(bars) && bars[i].Width <= crowded && bars[i+n].Width <= crowded && bars[i+n].X-bars[i].X <= crowded {
			n++
		}
		for k := range n {
			shifts[i+k] = min(k, mostShift) * 5
			if bars[i].X > Full*9/10 {
				shifts[i+k] = -min(n-1-k, mostShift) * 5
			}
		}
		i += n
	}
	return shifts
}

func (b *Bar) class() string {
	switch b.Mark {
	case Mark(Work), Mark(Contract), Sum, Unknown:
		return "tl-" + string(b.Mark) + " " + b.State
	default: // one colour, whatever became of it
		return "tl-" + string(b.Mark)
	}
}

// rows is how high a bar begins in its row of 28 pixels, and how tall it is.
func (m Mark) rows() (y, height string) {
	switch m {
	case Mark(Wait):
		return "11", "6"
	case Mark(Queued), Mark(Backoff):
		return "10", "8"
	case Sum:
		return "12", "4"
	default:
		return "8", "12"
	}
}

// line is where the mark of the critical chain goes: as a bar, it is at least 4
// pixels wide.
func (r *Row) line() (x string, widths []string) {
	if !r.Critical || len(r.Bars) == 0 {
		return "", nil
	}
	from, to := Full, 0
	for _, b := range r.Bars {
		from, to = min(from, b.X), max(to, b.X+b.Width)
	}
	if to-from < tinyWidth {
		widths = append(widths, "4")
	}
	return percent(from), append(widths, percent(to-from))
}

// bars writes the rectangles of a row. A long run has thousands of them: written
// here, each costs a tenth of what it costs in a template.
func (p *picture) bars(r *Row) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		buf := make([]byte, 0, 1024)
		x, widths := r.line()
		for _, width := range widths {
			buf = (&shape{X: x, Width: width, Y: "23", Height: "2", Class: "tl-line"}).append(buf)
		}
		for _, s := range p.shapes(r) {
			buf = s.append(buf)
		}
		_, err := w.Write(buf)
		return err
	})
}

// swatch writes a mark of the legend.
func (p *picture) swatch(m Mark) templ.Component {
	s := shape{X: "1", Width: "16", Class: (&Bar{Mark: m, State: "pending"}).class(), Fill: p.hatch(m)}
	s.Y, s.Height = m.rows()
	return templ.Raw(string(s.append(nil)))
}

func (s *shape) append(buf []byte) []byte {
	attr := func(name, value string) {
		if value != "" {
			buf = append(buf, ' ')
			buf = append(buf, name...)
			buf = append(buf, '=', '"')
			buf = append(buf, templ.EscapeString(value)...)
			buf = append(buf, '"')
		}
	}
	buf = append(buf, "<rect"...)
	attr("class", s.Class)
	attr("x", s.X)
	attr("width", s.Width)
	attr("y", s.Y)
	attr("height", s.Height)
	attr("fill", s.Fill)
	attr("transform", s.Shift)
	buf = append(buf, '>')
	if s.Title != "" {
		buf = append(buf, "<title>"...)
		buf = append(buf, templ.EscapeString(s.Title)...)
		buf = append(buf, "</title>"...)
	}
	return append(buf, "</rect>"...)
}
