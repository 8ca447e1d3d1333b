package dag

import (
	"fmt"
	"strings"
)

// row is one step in the table.
type row struct {
	id, class, label, kind, state, word, note, href, blockedBy string
	depends                                                    []dependency
}

// dependency is a step that comes before another, and how when it is not a plain dependency.
type dependency struct{ step, how string }

// foldedList is how many dependencies a row shows at once.
const foldedList = 12

// punctuate ends all but the last dependency of a list with a comma.
func punctuate(list []dependency) {
	for i := range list {
		d := &list[i]
		if d.how != "" {
			d.how = "(" + d.how + ")"
		}
		switch {
		case i == len(list)-1:
		case d.how != "":
			d.how += ", "
		default:
			d.step += ","
		}
	}
}

func (p *picture) rows() []row {
	before := make([][]dependency, len(p.Steps))
	for _, e := range p.Edges {
		to := p.step[e.To]
		before[to] = append(before[to], dependency{step: named(e.From), how: how(e)})
	}
	for _, e := range p.missing {
		to := p.step[e.To]
		before[to] = append(before[to], dependency{step: named(e.From), how: "no such step"})
	}
	rows := make([]row, len(p.Steps))
	for i, n := range p.Steps {
		s := p.status[i]
		punctuate(before[i])
		rows[i] = row{
			id: fmt.Sprintf("%s-row-%d", p.ID, i), class: s.State, label: named(n.Label), kind: readable(string(n.Kind)),
			state: s.State, word: readable(s.word()), note: readable(s.Note), href: s.Href,
			blockedBy: readable(strings.Join(p.ids(p.marks.blocked[i]), ", ")), depends: before[i],
		}
	}
	return rows
}

// how says in words why a step comes after another.
func how(e Edge) string {
	words := string(e.Kind)
	if e.Kind == Dependency {
		words = ""
	}
	if e.Label != "" {
		words = strings.TrimSpace(words + " " + e.Label)
	}
	return readable(words)
}

func (p *picture) viewBox() string { return fmt.Sprintf("0 0 %d %d", p.Width, p.Height) }

func (p *picture) absence() string {
	for _, problem := range p.Problems {
		if problem.Kind == TooLarge {
			return problem.Text
		}
	}
	return "There are no steps to draw."
}

func (l *Line) labelClass() string {
	if l.LabelEnd {
		return "dag-line-label dag-end"
	}
	return "dag-line-label"
}

// textX leaves out the room of the state's icon where there is none.
func (b *box) textX() int {
	if b.state == "" && b.Kind != KindGate {
		return b.X + boxPadding
	}
	return b.X + iconWidth - 2
}
