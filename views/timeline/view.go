package timeline

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// View is a timeline in a page.
type View struct {
	ID     string // of the section; all DOM ids below begin with it
	Run    Run
	Query  Query
	Sprite string                  // address of the state marks; empty: none are shown
	Link   func(url.Values) string // address of this timeline for a Query's values
	Attrs  templ.Attributes        // of the section, for what keeps it live
}

// picture is a View ready to be written.
type picture struct {
	Layout

	View
	ids   map[string]int
	marks map[string]templ.Component
}

func newPicture(v View) *picture {
	if v.Query.Window.whole() {
		v.Query.Window = Window{}
	}
	return &picture{Layout: Lay(v.Run, v.Query), View: v, ids: map[string]int{}, marks: map[string]templ.Component{}}
}

// domID is the id of what belongs to a lane: name is made safe, and made
// different when two lanes beside each other have one name.
func (p *picture) domID(parent, name string) string {
	var b strings.Builder
	b.WriteString(parent)
	b.WriteString("__")
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	id := b.String()
	p.ids[id]++
	if n := p.ids[id]; n > 1 {
		id += "__" + strconv.Itoa(n)
	}
	return id
}

func (p *picture) link(q Query) string {
	if p.Link == nil {
		return "?" + q.Values().Encode()
	}
	return p.Link(q.Values())
}

// move is one way to change the view.
type move struct{ Word, Href string }

// moves are the ways to change the window; those that lead nowhere are left out.
func (p *picture) moves() []move {
	var moves []move
	add := func(there bool, word string, w Window) {
		if there {
			moves = append(moves, move{word, p.link(Query{Scale: p.Scale, Window: w})})
		}
	}
	zoomed := !p.Query.Window.whole()
	if zoomed {
		w, there := p.Window.earlier(p.All)
		add(there, "← Earlier", w)
		w, there = p.Window.later(p.All)
		add(there, "Later →", w)
	}
	w, there := p.Window.zoomIn()
	add(there, "Zoom in", w)
	if zoomed {
		add(true, "Zoom out", p.Window.zoomOut(p.All))
		add(true, "Whole run", Window{})
	}
	return moves
}

// zoom leads to a lane that takes less than a tenth of the width; empty when
// there is nothing to see closer.
func (p *picture) zoom(r *Row) string {
	if !r.Ran || r.Extent.To-r.Extent.From < 4 {
		return ""
	}
	w := r.Extent.around(p.All)
	if shown := p.Window; r.Extent.To-r.Extent.From >= (shown.To-shown.From)/10 || w.whole() {
		return ""
	}
	return p.link(Query{Scale: p.Scale, Window: w})
}

// span says which part of the run a zoomed view shows.
func (p *picture) span() string {
	say := exact
	if p.Scale == ByTokens {
		say = count
	}
	return say(p.Window.From) + " to " + say(p.Window.To) + " of " + say(p.All.To)
}

// legend says what a mark means.
func (m Mark) legend() string {
	switch m {
	case Mark(Contract):
		return "contract check"
	case Mark(Wait):
		return "waits for a human"
	case Mark(Queued):
		return "queued"
	case Mark(Backoff):
		return "back-off"
	case Sum:
		return "child runs"
	case Unknown:
		return "tokens not recorded"
	case ToCome:
		return "not run"
	default:
		return "work"
	}
}

// axisName says the axis in words.
func (p *picture) axisName() string {
	text := "Axis by " + string(p.Scale) + ", " + p.span()
	for _, b := range p.Breaks {
		text += "; " + strings.TrimPrefix(b.Label, "⋯ ") + " without activity folded after " + exact(b.From)
	}
	return text
}

// timeWindow and tokenWindow keep the window when the scale stays as it is: a
// place on one scale means nothing on the other.
func (p *picture) timeWindow() Window {
	if p.Scale == ByTime {
		return p.Query.Window
	}
	return Window{}
}

func (p *picture) tokenWindow() Window {
	if p.Scale == ByTokens {
		return p.Query.Window
	}
	return Window{}
}

func (p *picture) chain() bool {
	return slices.ContainsFunc(p.Rows, func(r Row) bool { return r.Critical })
}

// anchor keeps a label within the track.
func anchor(x int) string {
	switch {
	case x < 3000:
		return "start"
	case x > Full-3000:
		return "end"
	default:
		return "middle"
	}
}

// mark is the silhouette of a state, made once for all rows.
func (p *picture) mark(state string) templ.Component {
	m, ok := p.marks[state]
	if !ok {
		m = templ.Raw(`<svg class="mark ` + state + `" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><use href="` +
			templ.EscapeString(p.Sprite) + `#` + state + `"></use></svg>`)
		p.marks[state] = m
	}
	return m
}

// markOf is a lane's state, and beside it that something is noticed of it.
func (p *picture) markOf(r *Row) templ.Component {
	mark := p.mark(knownState(r.State))
	if r.Alert == "" {
		return mark
	}
	return templ.Join(mark, templ.Raw(`<svg class="mark waiting" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><use href="`+
		templ.EscapeString(p.Sprite)+`#runaway"></use></svg>`))
}

// fraction is k/n of what is nested.
func (r *Row) fraction() string {
	return strconv.Itoa(r.Ended) + "/" + strconv.Itoa(len(r.Children))
}

func (r *Row) tokens() string {
	if r.Tokens == nil {
		return dash
	}
	return count(*r.Tokens)
}
